// Groups of goroutines with a limit and one error for all: most end well, one is still at it, and in some the consumer
// leaves at the first error, so that the others can never hand over what they have.
package main

import (
	"context"
	"errors"
	"sync"
)

// group runs functions, a limited number at a time, and keeps the first error.
type group struct {
	waits  sync.WaitGroup
	limit  chan struct{}
	once   sync.Once
	err    error
	cancel context.CancelFunc
}

func newGroup(parent context.Context, limit int) (*group, context.Context) {
	ctx, cancel := context.WithCancel(parent)
	return &group{limit: make(chan struct{}, limit), cancel: cancel}, ctx
}

func (g *group) Go(work func() error) {
	g.limit <- struct{}{}
	g.waits.Add(1)
	go func() {
		defer func() { <-g.limit; g.waits.Done() }()
		if err := work(); err != nil {
			g.once.Do(func() { g.err = err; g.cancel() })
		}
	}()
}

func (g *group) Wait() error {
	g.waits.Wait()
	g.cancel()
	return g.err
}

// crawl is healthy: each page is read, and who is late sees that the context is cancelled.
func crawl(pages, slow int) error {
	g, ctx := newGroup(context.Background(), 4)
	for page := range pages {
		g.Go(func() error {
			label("healthy")
			pause(3 + page%4)
			if page == slow {
				<-ctx.Done()
			}
			if page == pages-1 && slow >= 0 {
				return errors.New("gone")
			}
			return nil
		})
	}
	return g.Wait()
}

// backup goes on until the recording ends: its parts are long.
func backup() {
	label("healthy")
	g, _ := newGroup(context.Background(), 3)
	for range 40 {
		g.Go(func() error {
			label("healthy")
			pause(45)
			return nil
		})
	}
	g.Wait()
}

// search asks everybody and is content with the first bad answer; the rest never get rid of theirs.
func search(shards int) error {
	answers := make(chan error)
	g, ctx := newGroup(context.Background(), shards)
	_ = ctx
	for shard := range shards {
		g.Go(func() error {
			label("stuck")
			pause(2 + 3*shard)
			var err error
			if shard == 1 {
				err = errors.New("no such index")
			}
			answers <- err
			label("healthy")
			return err
		})
	}
	go func() {
		label("stuck")
		g.Wait()
		close(answers)
		label("healthy")
	}()
	for err := range answers {
		if err != nil {
			return err
		}
	}
	return nil
}

func main() {
	record(func() {
		go backup()
		for number := range 6 {
			slow := -1
			if number%2 == 1 {
				slow = 2
			}
			crawl(12, slow)
			if number == 1 || number == 3 {
				search(5)
			}
		}
		pause(350)
	})
}

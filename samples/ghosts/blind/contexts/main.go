// Contexts: a tree that lives with its server, deadlines that come, watchers that are cancelled and watchers whose
// cancel was forgotten; a worker that does not look at its context.
package main

import (
	"context"
	"sync"
	"time"
)

type server struct {
	ctx    context.Context
	cancel context.CancelFunc
	jobs   chan int
	active sync.WaitGroup
}

func newServer() *server {
	s := &server{jobs: make(chan int)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for range 4 {
		s.active.Add(1)
		go s.work()
	}
	return s
}

func (s *server) work() {
	label("healthy")
	defer s.active.Done()
	for {
		select {
		case <-s.jobs:
			pause(2)
		case <-s.ctx.Done():
			return
		}
	}
}

// watch ends with its context.
func watch(ctx context.Context, class string, changes <-chan int) {
	label(class)
	select {
	case <-ctx.Done():
	case <-changes:
	}
	label("healthy")
}

// query makes a context for its watcher, and forgets to cancel it every now and then.
func query(number int) {
	ctx, cancel := context.WithCancel(context.Background())
	class := "healthy"
	if number%2 == 1 {
		class = "stuck"
	}
	go watch(ctx, class, make(chan int))
	pause(3)
	if number%2 == 1 {
		return
	}
	cancel()
}

// dial has a deadline, and a helper that answers too late for it; the answer has a place to go.
func dial(parent context.Context, took int) error {
	ctx, cancel := context.WithTimeout(parent, 20*time.Millisecond)
	defer cancel()
	answer := make(chan error, 1)
	go func() {
		label("healthy")
		pause(took)
		answer <- nil
	}()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// resolve is the same without the place.
func resolve(parent context.Context, took int) error {
	ctx, cancel := context.WithTimeout(parent, 10*time.Millisecond)
	defer cancel()
	answer := make(chan error)
	go func() {
		if took > 10 {
			label("stuck")
		} else {
			label("healthy")
		}
		pause(took)
		answer <- nil
		label("healthy")
	}()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// connection has a reader and a writer for as long as it lives, which is longer than the recording.
func connection(parent context.Context) {
	label("healthy")
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	lines := make(chan string)
	go func() {
		label("healthy")
		for {
			select {
			case <-lines:
			case <-ctx.Done():
				return
			}
		}
	}()
	go func() {
		label("healthy")
		<-ctx.Done()
	}()
	for range 3 {
		lines <- "hello"
		pause(5)
	}
	<-ctx.Done()
}

func main() {
	record(func() {
		s := newServer()
		for range 5 {
			go connection(s.ctx)
		}
		for number := range 12 {
			s.jobs <- number
			query(number)
			dial(s.ctx, 4+number*2)
			took := 2
			if number%3 == 0 {
				took = 25
			}
			resolve(s.ctx, took)
		}
		pause(400)
		s.jobs <- 0
	})
}

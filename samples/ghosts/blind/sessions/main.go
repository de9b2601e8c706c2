// Pollers of sessions that are never ended, and retries that only ever get more; beside even traffic, a crowd that comes
// and goes, and a pool that grows to what it needs and stays there.
package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

var polls atomic.Int64

// poll asks for news of a session.
func poll() {
	label("piling up")
	for {
		polls.Add(1)
		pause(11)
	}
}

// retry tries until it succeeds; the other side is gone.
func retry(delay time.Duration) {
	label("piling up")
	for {
		ctx, cancel := context.WithTimeout(context.Background(), delay)
		<-ctx.Done()
		cancel()
	}
}

// elastic starts workers when all it has are busy.
type elastic struct {
	mutex sync.Mutex
	jobs  chan int
	idle  int
	size  int
}

func (e *elastic) submit(job int) {
	e.mutex.Lock()
	if e.idle == 0 && e.size < 12 {
		e.size++
		go e.work()
	}
	e.mutex.Unlock()
	e.jobs <- job
}

func (e *elastic) work() {
	label("healthy")
	for job := range e.jobs {
		pause(job)
	}
}

func main() {
	record(func() {
		var all sync.WaitGroup
		e := &elastic{jobs: make(chan int)}
		for number := range 60 {
			all.Add(2)
			go func() {
				label("healthy")
				defer all.Done()
				pause(14)
			}()
			go func() {
				label("healthy")
				defer all.Done()
				e.submit(9)
			}()
			if number%2 == 0 {
				go poll()
			}
			if number%3 == 0 {
				go retry(10 * time.Millisecond)
			}
			if number == 20 || number == 40 {
				for range 30 {
					all.Add(1)
					go func() {
						label("healthy")
						defer all.Done()
						pause(40)
					}()
				}
			}
			pause(8)
		}
		all.Wait()
		pause(60)
		keep = append(keep, e)
	})
}

// Rate limiters: tokens come from a goroutine with a ticker. One limiter is shut down while callers still wait for a
// token; the other goes on. Beside a limiter that counts and sleeps, and one that answers by timer.
package main

import (
	"sync"
	"time"
)

type bucket struct {
	tokens chan struct{}
	stop   chan struct{}
}

func newBucket(every time.Duration) *bucket {
	b := &bucket{tokens: make(chan struct{}, 2), stop: make(chan struct{})}
	go b.fill(every)
	return b
}

func (b *bucket) fill(every time.Duration) {
	label("healthy")
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			select {
			case b.tokens <- struct{}{}:
			default:
			}
		case <-b.stop:
			return
		}
	}
}

func (b *bucket) take() { <-b.tokens }

// spaced lets callers through one after another.
type spaced struct {
	mutex sync.Mutex
	next  time.Time
}

func (s *spaced) take(every time.Duration) {
	s.mutex.Lock()
	now := time.Now()
	if s.next.Before(now) {
		s.next = now
	}
	wait := s.next.Sub(now)
	s.next = s.next.Add(every)
	s.mutex.Unlock()
	time.Sleep(wait)
}

// debounced calls back when nothing has happened for a while.
func debounced(changes <-chan int, flush func()) {
	label("healthy")
	timer := time.NewTimer(time.Hour)
	for {
		select {
		case _, more := <-changes:
			if !more {
				return
			}
			timer.Reset(15 * time.Millisecond)
		case <-timer.C:
			flush()
		}
	}
}

func main() {
	record(func() {
		lasting, ending := newBucket(6*time.Millisecond), newBucket(6*time.Millisecond)
		var calls sync.WaitGroup
		for range 20 {
			calls.Add(1)
			go func() {
				label("healthy")
				defer calls.Done()
				for range 3 {
					lasting.take()
				}
			}()
		}
		for range 15 {
			go func() {
				label("stuck")
				for range 2 {
					ending.take()
				}
				label("healthy")
			}()
		}
		var s spaced
		for range 12 {
			go func() {
				label("healthy")
				for range 20 {
					s.take(4 * time.Millisecond)
				}
			}()
		}
		changes := make(chan int)
		go debounced(changes, func() {})
		for range 4 {
			changes <- 1
			pause(20)
		}
		close(ending.stop)
		for range 8 {
			changes <- 1
			pause(40)
		}
		calls.Wait()
		keep = append(keep, changes)
	})
}

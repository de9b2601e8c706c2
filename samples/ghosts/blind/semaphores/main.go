// A weighted semaphore whose waiters have a channel each. An error path forgets to give back what it has taken, until
// there is nothing left to take. The same without the mistake, and one of tokens, beside it.
package main

import (
	"container/list"
	"errors"
	"sync"
)

type weighted struct {
	mutex   sync.Mutex
	left    int
	waiters list.List
}

type waiter struct {
	need  int
	ready chan struct{}
}

func (w *weighted) acquire(need int) {
	w.mutex.Lock()
	if w.left >= need && w.waiters.Len() == 0 {
		w.left -= need
		w.mutex.Unlock()
		return
	}
	ready := make(chan struct{})
	w.waiters.PushBack(waiter{need, ready})
	w.mutex.Unlock()
	<-ready
}

func (w *weighted) release(amount int) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.left += amount
	for first := w.waiters.Front(); first != nil; first = w.waiters.Front() {
		one := first.Value.(waiter)
		if w.left < one.need {
			return
		}
		w.left -= one.need
		w.waiters.Remove(first)
		close(one.ready)
	}
}

var errShort = errors.New("short read")

// load forgets release where it fails.
func load(w *weighted, number int) error {
	w.acquire(2)
	pause(6)
	if number%3 == 0 {
		return errShort
	}
	w.release(2)
	return nil
}

func store(w *weighted, size int) {
	w.acquire(size)
	defer w.release(size)
	pause(5)
}

func main() {
	record(func() {
		faulty, sound := &weighted{left: 8}, &weighted{left: 5}
		tokens := make(chan struct{}, 3)
		for number := range 24 {
			go func() {
				label("stuck")
				load(faulty, number)
				label("healthy")
			}()
			for part := range 3 {
				go func() {
					label("healthy")
					store(sound, 1+part)
				}()
				go func() {
					label("healthy")
					tokens <- struct{}{}
					pause(3)
					<-tokens
				}()
			}
			pause(8)
		}
		pause(320)
	})
}

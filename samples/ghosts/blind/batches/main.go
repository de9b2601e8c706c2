// Writers that collect lines and flush them now and then. One is closed while others still write to it. Beside timers
// of many kinds, of which some are waited for after they were stopped.
package main

import (
	"sync"
	"time"
)

type writer struct {
	lines  chan string
	closed chan struct{}
	mutex  sync.Mutex
	size   int
}

func newWriter() *writer {
	w := &writer{lines: make(chan string, 4), closed: make(chan struct{})}
	go w.loop()
	return w
}

func (w *writer) loop() {
	label("healthy")
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	batch := 0
	for {
		select {
		case line := <-w.lines:
			batch += len(line)
		case <-ticker.C:
			w.flush(batch)
			batch = 0
		case <-w.closed:
			w.flush(batch)
			return
		}
	}
}

func (w *writer) flush(size int) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.size += size
	pause(1)
}

// report writes a line now and then, to a writer that stays or to one that does not.
func report(w *writer, class string, times int) {
	label(class)
	for range times {
		w.lines <- "all is well"
		pause(4)
	}
	label("healthy")
}

// retry waits for its timer. It was stopped by somebody who has thought that it was no longer needed.
func retry(timer *time.Timer) {
	label("stuck")
	<-timer.C
	label("healthy")
}

// drain is the well-known mistake: the timer has fired and was read, and nothing will ever be in its channel again.
func drain() {
	label("stuck")
	timer := time.NewTimer(3 * time.Millisecond)
	<-timer.C
	if !timer.Stop() {
		<-timer.C
	}
	label("healthy")
}

// lease is renewed for as long as there is somebody who does so; otherwise it calls back.
func lease(renew <-chan struct{}) (expired chan struct{}) {
	expired = make(chan struct{})
	timer := time.AfterFunc(30*time.Millisecond, func() {
		label("healthy")
		close(expired)
	})
	go func() {
		label("healthy")
		for range renew {
			timer.Reset(30 * time.Millisecond)
		}
	}()
	return expired
}

func main() {
	record(func() {
		lasting, ending := newWriter(), newWriter()
		for number := range 6 {
			go report(lasting, "healthy", 30+20*number)
			go report(ending, "stuck", 100)
		}
		for range 3 {
			timer := time.NewTimer(60 * time.Millisecond)
			go retry(timer)
			pause(2)
			timer.Stop()
			go drain()
		}
		for range 4 {
			renew := make(chan struct{})
			expired := lease(renew)
			for range 3 {
				renew <- struct{}{}
				pause(5)
			}
			close(renew)
			<-expired
		}
		close(ending.closed)
		pause(450)
	})
}

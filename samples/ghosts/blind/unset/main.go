// Channels that nobody has made: fields that were not set, a result that is sent to nowhere, ends that are waited for
// without cases; beside nil channels that switch cases off, as they should.
package main

import "time"

type config struct {
	reload chan struct{}
	report chan error
}

// listen waits for a field that was not set.
func (c *config) listen() {
	label("leaked")
	<-c.reload
	label("healthy")
}

func (c *config) check() {
	label("leaked")
	c.report <- nil
	label("healthy")
}

// each ranges over what it is given.
func each(items <-chan int) {
	label("leaked")
	for range items {
	}
	label("healthy")
}

// forever holds something for as long as the program runs, it means.
func forever() {
	label("leaked")
	select {}
}

// join reads from two until both are closed; a channel that is nil is one that is done.
func join(a, b <-chan int) {
	label("healthy")
	for a != nil || b != nil {
		select {
		case _, more := <-a:
			if !more {
				a = nil
			}
		case _, more := <-b:
			if !more {
				b = nil
			}
		}
	}
}

// neither has two cases, and both are nil.
func neither(c *config) {
	label("stuck")
	select {
	case <-c.reload:
	case c.report <- nil:
	}
	label("healthy")
}

// throttled may have no limit: then the case is off, and the ticker is what wakes it.
func throttled(limit <-chan time.Time) {
	label("healthy")
	ticker := time.NewTicker(9 * time.Millisecond)
	for {
		select {
		case <-limit:
		case <-ticker.C:
		}
	}
}

func main() {
	record(func() {
		for range 2 {
			c := &config{}
			go c.listen()
			go c.check()
			go each(nil)
			go forever()
			go neither(c)
			go throttled(nil)
		}
		for range 4 {
			a, b := make(chan int), make(chan int)
			go join(a, b)
			for number := range 5 {
				a <- number
				b <- number
				pause(2)
			}
			close(a)
			pause(3)
			b <- 9
			close(b)
		}
		pause(300)
	})
}

// One proc. Goroutines that sort and multiply for long; others that are ready and wait for their turn, from their begin
// or after a message; beside work in small pieces, and allocation.
package main

import (
	"runtime"
	"sort"
	"sync"
	"time"
)

// spin computes for about so long.
func spin(milliseconds int) {
	end := time.Now().Add(time.Duration(milliseconds) * time.Millisecond)
	values := make([]int, 4096)
	for time.Now().Before(end) {
		for place := range values {
			values[place] = (place * 7919) % 4096
		}
		sort.Ints(values)
	}
}

// late labels a goroutine that has not got a proc for long, though it was ready at the given time.
func late(ready time.Time) {
	if time.Since(ready) >= 50*time.Millisecond {
		label("starved")
	}
}

type cell struct{ next *cell }

func allocate() (last *cell) {
	for number := range 20000 {
		one := &cell{last}
		if last = one; number%100 == 0 {
			last = nil
		}
		if number%2000 == 0 {
			runtime.Gosched()
		}
	}
	return last
}

func main() {
	record(func() {
		// The other processor is left to what preempts.
		runtime.GOMAXPROCS(1)
		var done sync.WaitGroup
		// One after another, so that nobody waits.
		for range 4 {
			done.Add(1)
			go func() {
				label("healthy")
				defer done.Done()
				allocate()
			}()
			done.Wait()
		}
		// Small pieces, of which a proc may yet prefer some to others.
		for range 3 {
			done.Add(1)
			go func() {
				label("healthy")
				defer done.Done()
				for range 25 {
					before := time.Now()
					spin(1)
					pause(1)
					late(before.Add(2 * time.Millisecond))
				}
			}()
		}
		done.Wait()
		// Then many that do not yield, and some that are woken among them.
		wake := make([]chan time.Time, 5)
		for number := range wake {
			wake[number] = make(chan time.Time, 1)
			done.Add(1)
			go func() {
				label("healthy")
				defer done.Done()
				late(<-wake[number])
			}()
		}
		pause(5)
		for range 16 {
			done.Add(1)
			go func() {
				label("hog")
				defer done.Done()
				spin(400)
			}()
		}
		for number := range 5 {
			done.Add(1)
			created := time.Now()
			go func() {
				label("healthy")
				late(created)
				defer done.Done()
				spin(0)
			}()
			wake[number] <- time.Now()
		}
		done.Wait()
	})
}

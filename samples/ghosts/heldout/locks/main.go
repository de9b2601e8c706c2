// Deadlocks as they are met in servers, beside caches and readers that take turns.
package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type registry struct {
	mutex sync.RWMutex
	names map[string]int
}

func (r *registry) get(name string) int {
	r.mutex.RLock()
	defer r.mutex.RUnlock()
	time.Sleep(100 * time.Microsecond)
	return r.names[name]
}

func (r *registry) set(name string, value int) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.names[name] = value
}

// rename calls set while it holds the lock.
func (r *registry) rename(from, to string) {
	label("stuck")
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.set(to, r.names[from])
}

// panicking recovers above the function that holds the lock.
func (r *registry) broken() {
	defer func() { _ = recover() }()
	r.mutex.Lock()
	var none map[string]int
	none["x"] = 1
	r.mutex.Unlock()
}

// dining are philosophers who all take the left fork first.
func dining(count int) {
	forks := make([]sync.Mutex, count)
	var seated sync.WaitGroup
	seated.Add(count)
	for seat := range count {
		go func() {
			label("stuck")
			forks[seat].Lock()
			seated.Done()
			seated.Wait()
			forks[(seat+1)%count].Lock()
			forks[(seat+1)%count].Unlock()
			forks[seat].Unlock()
		}()
	}
}

// waitsForItself is one of those that it waits for.
func waitsForItself() {
	var group sync.WaitGroup
	group.Add(2)
	go func() {
		label("healthy")
		group.Done()
	}()
	go func() {
		label("stuck")
		defer group.Done()
		group.Wait()
	}()
}

// supervisor waits for a worker that never gets a job.
func supervisor() {
	label("stuck")
	var workers sync.WaitGroup
	jobs := make(chan int)
	for range 2 {
		workers.Add(1)
		go func() {
			label("stuck")
			defer workers.Done()
			for range jobs {
			}
		}()
	}
	workers.Wait()
}

// cache is read by many and refreshed now and then.
type cache struct {
	mutex sync.Mutex
	ready *sync.Cond
	stale bool
}

func (c *cache) refresh(end <-chan struct{}) {
	label("healthy")
	for {
		select {
		case <-end:
			return
		case <-time.After(4 * time.Millisecond):
		}
		c.mutex.Lock()
		c.stale = false
		c.mutex.Unlock()
		c.ready.Broadcast()
	}
}

func (c *cache) read(done *sync.WaitGroup) {
	label("healthy")
	defer done.Done()
	for range 6 {
		c.mutex.Lock()
		c.stale = true
		for c.stale {
			c.ready.Wait()
		}
		c.mutex.Unlock()
	}
}

func main() {
	record(func() {
		var done sync.WaitGroup
		healthy := &registry{names: map[string]int{}}
		c := &cache{}
		c.ready = sync.NewCond(&c.mutex)
		end := make(chan struct{})
		go c.refresh(end)
		for number := range 10 {
			done.Add(2)
			go func() {
				label("healthy")
				defer done.Done()
				for range 20 {
					if number == 0 {
						healthy.set("a", number)
					} else {
						healthy.get("a")
					}
				}
			}()
			go c.read(&done)
		}
		for range 2 {
			r := &registry{names: map[string]int{}}
			go r.rename("a", "b")
			b := &registry{names: map[string]int{}}
			b.broken()
			for range 2 {
				go func() {
					label("stuck")
					b.get("a")
				}()
			}
			dining(3)
			waitsForItself()
			go supervisor()
		}
		done.Wait()
		close(end)
		time.Sleep(400 * time.Millisecond)
	})
}

// What each goroutine says of itself: its number and what it is labelled as.
var labels struct {
	count atomic.Int64
	list  [4096]struct {
		number int64
		class  string
	}
}

// label notes what the goroutine that calls it is. It neither blocks nor allocates much, so that the recording shows
// the program and not its labels.
func label(class string) {
	var buffer [64]byte
	text := buffer[:runtime.Stack(buffer[:], false)]
	number, _ := strconv.ParseInt(string(bytes.Fields(text)[1]), 10, 64)
	place := labels.count.Add(1) - 1
	labels.list[place].number, labels.list[place].class = number, class
}

// record runs a program and writes the recording, the labels and, where there is one, Go's leak profile.
func record(program func()) {
	output, err := os.Create(os.Args[1] + ".trace")
	if err != nil {
		panic(err)
	}
	if err := trace.Start(output); err != nil {
		panic(err)
	}
	program()
	trace.Stop()
	output.Close()
	text := &strings.Builder{}
	for _, entry := range labels.list[:labels.count.Load()] {
		fmt.Fprintf(text, "%d\t%s\n", entry.number, entry.class)
	}
	os.WriteFile(os.Args[1]+".labels", []byte(text.String()), 0o644)
	if profile := pprof.Lookup("goroutineleak"); profile != nil {
		leaks, _ := os.Create(os.Args[1] + ".leaks")
		profile.WriteTo(leaks, 2)
		leaks.Close()
	}
	os.Exit(0)
}

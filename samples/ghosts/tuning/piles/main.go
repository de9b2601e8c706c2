// Requests that come faster than they are served, timers that are never stopped, and work that outlives its request;
// beside load that comes and goes, and work that ends with its request.
package main

import (
	"bytes"
	"context"
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

// serve handles requests one by one, more slowly than they come.
var counter sync.Mutex

func serve() {
	label("piling up")
	counter.Lock()
	defer counter.Unlock()
	time.Sleep(18 * time.Millisecond)
	// This one got through.
	label("healthy")
}

// watch polls for as long as its ticker ticks, which nobody stops.
func watch() {
	label("piling up")
	ticker := time.NewTicker(10 * time.Millisecond)
	for range ticker.C {
	}
}

// audit goes on when its request is long over.
func audit() {
	label("orphan")
	for range 12 {
		time.Sleep(20 * time.Millisecond)
	}
}

func request(number int) {
	ctx, task := trace.NewTask(context.Background(), "request")
	defer task.End()
	if number < 6 {
		go audit()
	}
	var parts sync.WaitGroup
	for range 2 {
		parts.Add(1)
		go func() {
			label("healthy")
			defer parts.Done()
			trace.WithRegion(ctx, "part", func() { time.Sleep(2 * time.Millisecond) })
		}()
	}
	parts.Wait()
}

// burst is load that comes and goes.
func burst() {
	var done sync.WaitGroup
	for range 15 {
		done.Add(1)
		go func() {
			label("healthy")
			defer done.Done()
			time.Sleep(15 * time.Millisecond)
		}()
	}
	done.Wait()
}

func main() {
	record(func() {
		var done sync.WaitGroup
		for number := range 60 {
			go serve()
			if number%4 == 0 {
				go watch()
			}
			done.Add(1)
			go func() {
				label("healthy")
				defer done.Done()
				request(number)
			}()
			if number%20 == 0 {
				done.Add(1)
				go func() {
					label("healthy")
					defer done.Done()
					burst()
				}()
			}
			time.Sleep(10 * time.Millisecond)
		}
		done.Wait()
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

// One proc: goroutines that compute without a pause, others that are ready and do not get to run, and some that
// compute in small portions afterwards.
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

var sums [64]uint64

func compute(place int, duration time.Duration) {
	sum := sums[place]
	for until := time.Now().Add(duration); time.Now().Before(until); {
		for number := range uint64(2000) {
			sum = sum*31 + number
		}
	}
	sums[place] = sum
}

// labelDelay notes whether the goroutine that calls it was kept waiting for its turn.
func labelDelay(worst time.Duration) {
	if worst >= 50*time.Millisecond {
		label("starved")
	} else {
		label("healthy")
	}
}

func main() {
	runtime.GOMAXPROCS(1)
	record(func() {
		var done sync.WaitGroup
		done.Add(7)
		for number := range 7 {
			go func() {
				label("hog")
				defer done.Done()
				compute(8+number, 500*time.Millisecond)
			}()
		}
		label("starved")
		// Ready while the others use up their slices, again and again.
		runtime.Gosched()
		done.Add(4)
		for number := range 4 {
			created := time.Now()
			go func() {
				defer done.Done()
				worst := time.Since(created)
				for range 3 {
					sums[number]++
					ready := time.Now()
					runtime.Gosched()
					worst = max(worst, time.Since(ready))
				}
				labelDelay(worst)
			}()
		}
		done.Wait()
		// Many small portions, politely.
		done.Add(12)
		for number := range 12 {
			go func() {
				label("healthy")
				defer done.Done()
				for range 10 {
					compute(20+number, 200*time.Microsecond)
					runtime.Gosched()
					time.Sleep(3 * time.Millisecond)
				}
			}()
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

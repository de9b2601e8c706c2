// Two procs, and more goroutines that compute than these can run; others get their turn late. Beside a parser that
// works in portions, and readers of what it makes.
package main

import (
	"bytes"
	"fmt"
	"hash/crc32"
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

// checksum is busy for as long as there is data.
func checksum(data []byte, rounds int) (sum uint32) {
	for range rounds {
		sum = crc32.Update(sum, crc32.IEEETable, data)
	}
	return sum
}

var results [64]uint32

// labelDelay notes whether the goroutine that calls it was kept waiting for its first turn.
func labelDelay(created time.Time) {
	if time.Since(created) >= 50*time.Millisecond {
		label("starved")
	} else {
		label("healthy")
	}
}

func main() {
	record(func() {
		data := make([]byte, 1<<16)
		var done sync.WaitGroup
		start := time.Now()
		checksum(data, 20)
		// So many rounds take about 60 ms.
		rounds := int(60 * time.Millisecond / (time.Since(start)/20 + 1))
		for number := range 14 {
			done.Add(1)
			go func() {
				label("hog")
				defer done.Done()
				results[number] = checksum(data, rounds)
			}()
		}
		for number := range 6 {
			done.Add(1)
			created := time.Now()
			go func() {
				labelDelay(created)
				defer done.Done()
				results[20+number]++
			}()
		}
		done.Wait()
		lines := make(chan int)
		for number := range 4 {
			done.Add(1)
			go func() {
				label("healthy")
				defer done.Done()
				for range lines {
					results[30+number] = checksum(data[:1024], 20)
				}
			}()
		}
		done.Add(1)
		go func() {
			label("healthy")
			defer done.Done()
			for line := range 60 {
				lines <- line
				time.Sleep(time.Millisecond)
			}
			close(lines)
		}()
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

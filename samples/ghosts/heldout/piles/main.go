// Sessions that are never closed and work that goes on after its region, beside traffic that stays even.
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

// session sends heartbeats until it is closed, which is forgotten.
func session(beats chan<- int) {
	label("piling up")
	for {
		select {
		case beats <- 1:
		case <-time.After(15 * time.Millisecond):
		}
		time.Sleep(7 * time.Millisecond)
	}
}

// prefetch is started within a page's region and is not waited for.
func prefetch() {
	label("orphan")
	until := time.Now().Add(280 * time.Millisecond)
	for time.Now().Before(until) {
		time.Sleep(6 * time.Millisecond)
	}
}

func page(number int, done *sync.WaitGroup) {
	label("healthy")
	defer done.Done()
	defer trace.StartRegion(context.Background(), "page").End()
	if number%5 == 0 {
		go prefetch()
	}
	var images sync.WaitGroup
	for range 2 {
		images.Add(1)
		go func() {
			label("healthy")
			defer images.Done()
			time.Sleep(3 * time.Millisecond)
		}()
	}
	images.Wait()
}

// resize is slow, and there is one of it at a time.
func resize(one chan struct{}) {
	label("piling up")
	one <- struct{}{}
	time.Sleep(25 * time.Millisecond)
	<-one
	label("healthy")
}

func main() {
	record(func() {
		var done sync.WaitGroup
		beats := make(chan int)
		one := make(chan struct{}, 1)
		go func() {
			label("healthy")
			for range beats {
			}
		}()
		for number := range 50 {
			done.Add(1)
			go page(number, &done)
			if number%2 == 0 {
				go session(beats)
			}
			go resize(one)
			time.Sleep(12 * time.Millisecond)
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

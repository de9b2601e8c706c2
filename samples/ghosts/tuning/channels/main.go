// Leaks on channels, each of its kind several times, beside goroutines that communicate as they should.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// lostSender waits for a value that nobody is left to send.
func lostSender() {
	answers := make(chan int)
	go func() {
		label("stuck")
		<-answers
	}()
}

// neverClosed feeds a worker and forgets to close its channel.
func neverClosed() {
	jobs := make(chan int)
	go func() {
		label("stuck")
		for job := range jobs {
			_ = job
		}
	}()
	for job := range 3 {
		jobs <- job
	}
}

// lostReceiver gives up on a slow answer, which then has no receiver.
func lostReceiver() {
	answer := make(chan int)
	go func() {
		label("stuck")
		time.Sleep(4 * time.Millisecond)
		answer <- 1
	}()
	select {
	case <-answer:
	case <-time.After(time.Millisecond):
	}
}

// abandonedGenerator takes the first of many values.
func abandonedGenerator() {
	numbers := make(chan int)
	go func() {
		label("stuck")
		for number := 0; ; number++ {
			numbers <- number
		}
	}()
	for number := range numbers {
		if number == 2 {
			break
		}
	}
}

func nilReceive() {
	go func() {
		label("leaked")
		var never chan int
		<-never
	}()
}

func nilSend() {
	go func() {
		label("leaked")
		var never chan int
		never <- 1
	}()
}

func emptySelect() {
	go func() {
		label("leaked")
		select {}
	}()
}

// forgottenCancel drops the function that would end its goroutine.
func forgottenCancel() {
	ctx, _ := context.WithCancel(context.Background())
	go func() {
		label("stuck")
		<-ctx.Done()
	}()
}

// noDefault waits for one of two channels, neither of which anyone has.
func noDefault() {
	first, second := make(chan int), make(chan error)
	go func() {
		label("stuck")
		select {
		case <-first:
		case <-second:
		}
	}()
}

// earlyReturn starts checks and returns at the first error; the others report to nobody.
func earlyReturn() error {
	errs := make(chan error)
	for number := range 3 {
		go func() {
			if number == 0 {
				label("healthy")
			} else {
				label("stuck")
			}
			time.Sleep(time.Duration(number+1) * time.Millisecond)
			errs <- errors.New("no")
		}()
	}
	return <-errs
}

// request is what all of the above should look like.
func request() {
	answer := make(chan int, 1)
	go func() {
		label("healthy")
		time.Sleep(time.Millisecond)
		answer <- 1
	}()
	<-answer
}

func main() {
	record(func() {
		for range 2 {
			lostSender()
			neverClosed()
			lostReceiver()
			abandonedGenerator()
			nilReceive()
			nilSend()
			emptySelect()
			forgottenCancel()
			noDefault()
			earlyReturn()
			for range 3 {
				request()
			}
		}
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

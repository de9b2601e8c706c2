// Leaks on channels as they are met in servers, beside goroutines that hand over what they have.
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

type result struct{ value int }

// fetch is a remote call; its caller may not wait for it.
func fetch(answers chan<- result, class string) {
	label(class)
	time.Sleep(3 * time.Millisecond)
	answers <- result{1}
}

// firstOf takes the quickest of several replicas.
func firstOf(replicas int) result {
	answers := make(chan result)
	for number := range replicas {
		class := "stuck"
		if number == 0 {
			class = "healthy"
		}
		go func() {
			if number > 0 {
				time.Sleep(2 * time.Millisecond)
			}
			fetch(answers, class)
		}()
	}
	return <-answers
}

// subscribe listens to a feed whose publisher has gone.
func subscribe() {
	feed := make(chan string)
	done := make(chan struct{})
	go func() {
		label("healthy")
		for range 4 {
			feed <- "news"
			time.Sleep(time.Millisecond)
		}
	}()
	go func() {
		label("stuck")
		for {
			select {
			case <-feed:
			case <-done:
				return
			}
		}
	}()
}

// watchdog waits for the end of a context that nobody ends.
func watchdog() {
	parent, forget := context.WithCancel(context.Background())
	_ = forget
	for range 2 {
		child := context.WithValue(parent, result{}, 1)
		go func() {
			label("stuck")
			<-child.Done()
		}()
	}
}

// stopped ranges over a ticker that is stopped, whose channel stays open.
func stopped() {
	ticker := time.NewTicker(2 * time.Millisecond)
	go func() {
		label("stuck")
		for range ticker.C {
		}
	}()
	time.Sleep(9 * time.Millisecond)
	ticker.Stop()
}

type server struct{ notify chan int }

// unset has a channel that was never made.
func (s *server) unset() {
	label("leaked")
	s.notify <- 1
}

func (s *server) await() {
	label("leaked")
	for range s.notify {
	}
}

// closedTooEarly: the collector goes after the first failure, the workers report on.
func closedTooEarly() {
	reports := make(chan error)
	for number := range 4 {
		class := "stuck"
		if number == 0 {
			class = "healthy"
		}
		go func() {
			label(class)
			time.Sleep(time.Duration(1+2*number) * time.Millisecond)
			reports <- fmt.Errorf("part %d", number)
		}()
	}
	collector := make(chan struct{})
	go func() {
		label("healthy")
		<-reports
		close(collector)
	}()
	<-collector
}

// handler is a request whose client has gone while it waits for its backend.
func handler(requests *sync.WaitGroup) {
	label("stuck")
	backend := make(chan result)
	go func() {
		label("healthy")
		time.Sleep(time.Millisecond)
	}()
	requests.Done()
	<-backend
}

// pipeline is as it should be.
func pipeline() {
	squares, sums := make(chan int), make(chan int)
	go func() {
		label("healthy")
		for number := range 10 {
			squares <- number * number
		}
		close(squares)
	}()
	go func() {
		label("healthy")
		sum := 0
		for square := range squares {
			sum += square
		}
		sums <- sum
	}()
	<-sums
}

func main() {
	record(func() {
		var requests sync.WaitGroup
		for range 3 {
			firstOf(3)
			subscribe()
			watchdog()
			stopped()
			s := &server{}
			go s.unset()
			go s.await()
			closedTooEarly()
			requests.Add(1)
			go handler(&requests)
			pipeline()
		}
		requests.Wait()
		time.Sleep(450 * time.Millisecond)
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

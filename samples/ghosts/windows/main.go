// A server that forgets one goroutine in each interval, beside a pool, a ticker and an accept loop; recorded whole, or
// as the last second by a flight recorder. It writes what it forgets as it does so, since it may be killed.
//
//	program trace|flight INTERVAL DURATION NAME
package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/trace"
	"strconv"
	"time"
)

var labels *os.File

func label(class string) {
	var buffer [64]byte
	text := buffer[:runtime.Stack(buffer[:], false)]
	number, _ := strconv.ParseInt(string(bytes.Fields(text)[1]), 10, 64)
	fmt.Fprintf(labels, "%d\t%s\n", number, class)
}

func work(jobs <-chan int) {
	label("healthy")
	for range jobs {
		time.Sleep(time.Millisecond)
	}
}

func tick() {
	label("healthy")
	for range time.Tick(50 * time.Millisecond) {
	}
}

func accept(listener net.Listener) {
	label("healthy")
	listener.Accept()
}

// forget asks and does not wait for the answer.
func forget() {
	answer := make(chan int)
	go func() {
		label("stuck")
		time.Sleep(2 * time.Millisecond)
		answer <- 1
	}()
}

func main() {
	interval, _ := time.ParseDuration(os.Args[2])
	duration, _ := time.ParseDuration(os.Args[3])
	labels, _ = os.Create(os.Args[4] + ".labels")
	output, _ := os.Create(os.Args[4] + ".trace")
	finish := start(os.Args[1], output)
	jobs := make(chan int)
	for range 4 {
		go work(jobs)
	}
	go tick()
	listener, _ := net.Listen("tcp", "127.0.0.1:0")
	go accept(listener)
	next := time.Now()
	for until := time.Now().Add(duration); time.Now().Before(until); {
		if time.Now().After(next) {
			forget()
			next = next.Add(interval)
		}
		jobs <- 1
		time.Sleep(20 * time.Millisecond)
	}
	finish()
	output.Close()
}

// start begins to record, and returns what ends it.
func start(how string, output *os.File) func() {
	if how == "flight" {
		recorder := trace.NewFlightRecorder(trace.FlightRecorderConfig{MinAge: time.Second})
		if err := recorder.Start(); err != nil {
			panic(err)
		}
		return func() { recorder.WriteTo(output) }
	}
	if err := trace.Start(output); err != nil {
		panic(err)
	}
	return trace.Stop
}

// Makes the goroutine dumps of the samples: a program whose goroutines wait for all sorts of things, dumped in
// the form that the argument names. `record.sh` beside it runs it.
//
//	waits debug0|debug1|debug2|leak0|leak1|leak2   a profile of net/http/pprof's forms
//	waits panic|quit                               what the runtime writes when the program dies
//	waits crowd N                                  debug=2 of N goroutines, for measurements
package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"sync"
	"syscall"
	"time"
)

type store[K comparable, V any] struct {
	lock sync.Mutex
	rows map[K]V
}

func (s *store[K, V]) get(key K) V {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.rows[key]
}

func receive(orders chan int) int { return <-orders }
func send(orders chan int)        { orders <- 1 }
func forever()                    { select {} }
func sleep()                      { time.Sleep(time.Hour) }
func spin()                       { runtime.LockOSThread(); <-make(chan int) }
func wait(group *sync.WaitGroup)  { group.Wait() }
func either(a, b chan int) {
	select {
	case <-a:
	case <-b:
	}
}
func deep(depth int, orders chan int) int {
	if depth == 0 {
		return receive(orders)
	}
	return deep(depth-1, orders) + 1
}

// Nobody else knows the channels of these, so that the collector can prove that they wait for ever.
func leak() {
	go func() { receive(make(chan int)) }()
	go func() { send(make(chan int)) }()
}

var orders = make(chan int)
var stock store[string, int]

func work() {
	stock.lock.Lock()
	group := new(sync.WaitGroup)
	group.Add(1)
	for range 3 {
		go receive(orders)
	}
	go stock.get("tea")
	go func() { wait(group) }()
	go either(orders, make(chan int))
	go forever()
	go sleep()
	go spin()
	go deep(120, orders)
	pprof.Do(context.Background(), pprof.Labels("tenant", "blue", "path", "/orders/{id}"), func(context.Context) {
		go receive(orders)
	})
	leak()
	time.Sleep(50 * time.Millisecond)
	runtime.KeepAlive(group)
}

func crowd(count int) {
	for index := range count {
		switch index % 4 {
		case 0:
			go deep(index%48, orders)
		case 1:
			go either(orders, orders)
		case 2:
			go func() { receive(orders) }()
		default:
			go sleep()
		}
	}
	time.Sleep(time.Second)
	// pprof itself stops at 64 MiB.
	buffer := make([]byte, 256<<20)
	os.Stdout.Write(buffer[:runtime.Stack(buffer, true)])
}

func main() {
	form := os.Args[1]
	if form == "crowd" {
		count, _ := strconv.Atoi(os.Args[2])
		crowd(count)
		return
	}
	work()
	switch form {
	case "panic":
		panic(fmt.Errorf("no tea\nleft"))
	case "quit":
		syscall.Kill(os.Getpid(), syscall.SIGQUIT)
		time.Sleep(time.Second)
	default:
		name := map[bool]string{false: "goroutine", true: "goroutineleak"}[form[:4] == "leak"]
		debug := int(form[len(form)-1] - '0')
		pprof.Lookup(name).WriteTo(os.Stdout, debug)
	}
}

// Goroutines that wait by design: for work, time, signals, each other, and the end.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// pool is idle most of the time.
type pool struct{ jobs chan func() }

func newPool(size int) *pool {
	p := &pool{jobs: make(chan func())}
	for range size {
		go p.work()
	}
	return p
}

func (p *pool) work() {
	label("healthy")
	for job := range p.jobs {
		job()
	}
}

func (p *pool) do(job func()) { p.jobs <- job }

func tick(every time.Duration, end context.Context) {
	label("healthy")
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-end.Done():
			return
		}
	}
}

func awaitSignal() {
	label("healthy")
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR2)
	<-signals
}

// flight lets one goroutine do what several want.
type flight struct {
	mutex sync.Mutex
	calls map[string]*call
}

type call struct {
	done sync.WaitGroup
}

func (f *flight) do(key string, work func()) {
	f.mutex.Lock()
	if known, ok := f.calls[key]; ok {
		f.mutex.Unlock()
		known.done.Wait()
		return
	}
	own := &call{}
	own.done.Add(1)
	f.calls[key] = own
	f.mutex.Unlock()
	work()
	own.done.Done()
	f.mutex.Lock()
	delete(f.calls, key)
	f.mutex.Unlock()
}

// node is a tree of goroutines, each of which ends when its context does.
func node(ctx context.Context, depth int) {
	label("healthy")
	var children sync.WaitGroup
	if depth > 0 {
		for range 2 {
			own, cancel := context.WithCancel(ctx)
			defer cancel()
			children.Add(1)
			go func() {
				defer children.Done()
				node(own, depth-1)
			}()
		}
	}
	<-ctx.Done()
	children.Wait()
}

// queue is a queue with a condition.
type queue struct {
	mutex sync.Mutex
	ready *sync.Cond
	items []int
}

func (q *queue) put(item int) {
	q.mutex.Lock()
	q.items = append(q.items, item)
	q.mutex.Unlock()
	q.ready.Signal()
}

func (q *queue) consume() {
	label("healthy")
	for {
		q.mutex.Lock()
		for len(q.items) == 0 {
			q.ready.Wait()
		}
		q.items = q.items[1:]
		q.mutex.Unlock()
	}
}

// group is errgroup in short.
func group(count int, work func(int) error) error {
	var done sync.WaitGroup
	var once sync.Once
	var first error
	for number := range count {
		done.Add(1)
		go func() {
			label("healthy")
			defer done.Done()
			if err := work(number); err != nil {
				once.Do(func() { first = err })
			}
		}()
	}
	done.Wait()
	return first
}

// keep holds what a program still knows when its recording ends.
var keep []any

func main() {
	record(func() {
		end, cancel := context.WithCancel(context.Background())
		defer cancel()
		go awaitSignal()
		workers := newPool(6)
		for range 3 {
			go tick(20*time.Millisecond, end)
		}
		q := &queue{}
		q.ready = sync.NewCond(&q.mutex)
		for range 3 {
			go q.consume()
		}
		for range 2 {
			go node(end, 2)
		}
		f := &flight{calls: map[string]*call{}}
		var done sync.WaitGroup
		for range 8 {
			done.Add(1)
			go func() {
				label("healthy")
				defer done.Done()
				f.do("key", func() { time.Sleep(300 * time.Millisecond) })
			}()
		}
		for round := range 8 {
			for range 4 {
				workers.do(func() { time.Sleep(time.Millisecond) })
				q.put(round)
			}
			group(5, func(int) error {
				time.Sleep(2 * time.Millisecond)
				return nil
			})
			time.Sleep(10 * time.Millisecond)
		}
		done.Wait()
		// All are idle now.
		keep = append(keep, workers, q, end, cancel)
		time.Sleep(250 * time.Millisecond)
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

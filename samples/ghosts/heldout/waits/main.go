// Goroutines that wait by design, in the ways of larger programs.
package main

import (
	"bytes"
	"context"
	"errors"
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

// dispatcher gives work to whichever worker asks for it.
type dispatcher struct {
	requests chan chan int
	results  chan int
}

func (d *dispatcher) worker() {
	label("healthy")
	own := make(chan int)
	for {
		d.requests <- own
		d.results <- <-own * 2
	}
}

func (d *dispatcher) run(jobs <-chan int) {
	label("healthy")
	for job := range jobs {
		worker := <-d.requests
		worker <- job
	}
}

// service is a component with a loop and an orderly end.
type service struct {
	commands chan string
	quit     chan struct{}
}

func (s *service) loop(every time.Duration) {
	label("healthy")
	timer := time.NewTimer(every)
	for {
		select {
		case <-s.commands:
		case <-timer.C:
			timer.Reset(every)
		case <-s.quit:
			return
		}
	}
}

// limiter is a semaphore with a condition.
type limiter struct {
	mutex sync.Mutex
	free  *sync.Cond
	left  int
}

func (l *limiter) use(work func()) {
	l.mutex.Lock()
	for l.left == 0 {
		l.free.Wait()
	}
	l.left--
	l.mutex.Unlock()
	work()
	l.mutex.Lock()
	l.left++
	l.mutex.Unlock()
	l.free.Signal()
}

// lazy is made once, by whoever needs it first.
type lazy struct{ once sync.Once }

func (l *lazy) get() {
	l.once.Do(func() { time.Sleep(220 * time.Millisecond) })
}

func withTimeout(ctx context.Context, done *sync.WaitGroup) {
	label("healthy")
	defer done.Done()
	own, cancel := context.WithTimeout(ctx, 240*time.Millisecond)
	defer cancel()
	<-own.Done()
}

// keep holds what a program still knows when its recording ends.
var keep []any

func main() {
	record(func() {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGUSR1)
		defer stop()
		go func() {
			label("healthy")
			<-ctx.Done()
		}()
		d := &dispatcher{requests: make(chan chan int), results: make(chan int)}
		jobs := make(chan int)
		go d.run(jobs)
		for range 5 {
			go d.worker()
		}
		var services []*service
		for range 3 {
			s := &service{commands: make(chan string), quit: make(chan struct{})}
			services = append(services, s)
			go s.loop(40 * time.Millisecond)
		}
		var done sync.WaitGroup
		l := &limiter{left: 2}
		l.free = sync.NewCond(&l.mutex)
		once := &lazy{}
		for range 6 {
			done.Add(3)
			go func() {
				label("healthy")
				defer done.Done()
				l.use(func() { time.Sleep(5 * time.Millisecond) })
			}()
			go func() {
				label("healthy")
				defer done.Done()
				once.get()
			}()
			go withTimeout(context.Background(), &done)
		}
		for round := range 12 {
			jobs <- round
			<-d.results
			services[round%3].commands <- "go on"
			time.Sleep(3 * time.Millisecond)
		}
		// A group whose first failure ends the others.
		group, cancel := context.WithCancelCause(context.Background())
		for number := range 6 {
			done.Add(1)
			go func() {
				label("healthy")
				defer done.Done()
				select {
				case <-group.Done():
				case <-time.After(time.Duration(5+number*20) * time.Millisecond):
					cancel(errors.New("first"))
				}
			}()
		}
		done.Wait()
		keep = append(keep, d, jobs, services, ctx)
		time.Sleep(150 * time.Millisecond)
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

// A web server with keep-alive and streaming, a database-like pool, a broker with subscribers, a scheduler: all healthy.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// broker passes messages on to those who have subscribed.
type broker struct {
	mutex       sync.Mutex
	subscribers []chan string
}

func (b *broker) subscribe(seen *atomic.Int64) {
	messages := make(chan string, 2)
	b.mutex.Lock()
	b.subscribers = append(b.subscribers, messages)
	b.mutex.Unlock()
	go func() {
		label("healthy")
		for range messages {
			seen.Add(1)
		}
	}()
}

func (b *broker) publish(message string) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for _, subscriber := range b.subscribers {
		subscriber <- message
	}
}

// pool opens connections when they are needed and keeps some.
type pool struct {
	mutex   sync.Mutex
	idle    []int
	waiting []chan int
	open    int
}

func (p *pool) get() int {
	p.mutex.Lock()
	if len(p.idle) > 0 {
		one := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		p.mutex.Unlock()
		return one
	}
	if p.open < 2 {
		p.open++
		p.mutex.Unlock()
		return p.open
	}
	turn := make(chan int, 1)
	p.waiting = append(p.waiting, turn)
	p.mutex.Unlock()
	return <-turn
}

func (p *pool) put(one int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if len(p.waiting) > 0 {
		p.waiting[0] <- one
		p.waiting = p.waiting[1:]
		return
	}
	p.idle = append(p.idle, one)
}

// schedule runs what is due.
func schedule(due []time.Duration, end <-chan struct{}) {
	label("healthy")
	for _, after := range due {
		select {
		case <-time.After(after):
		case <-end:
			return
		}
	}
	<-end
}

// lines reads what a child process writes.
func lines(done *sync.WaitGroup) {
	label("healthy")
	defer done.Done()
	command := exec.Command("sleep", "0.1")
	output, _ := command.StdoutPipe()
	if command.Start() != nil {
		return
	}
	scanner := bufio.NewScanner(output)
	for scanner.Scan() {
	}
	command.Wait()
}

// keep holds what a program still knows when its recording ends.
var keep []any

func main() {
	record(func() {
		var done sync.WaitGroup
		var seen atomic.Int64
		end := make(chan struct{})
		go schedule([]time.Duration{30 * time.Millisecond, 60 * time.Millisecond, 500 * time.Millisecond}, end)
		web, _ := net.Listen("tcp", "127.0.0.1:0")
		go func() {
			label("healthy")
			http.Serve(web, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for range 3 {
					io.WriteString(w, "more\n")
					w.(http.Flusher).Flush()
					time.Sleep(2 * time.Millisecond)
				}
			}))
		}()
		b := &broker{}
		for range 4 {
			b.subscribe(&seen)
		}
		p := &pool{}
		done.Add(1)
		go lines(&done)
		for number := range 16 {
			done.Add(1)
			go func() {
				label("healthy")
				defer done.Done()
				one := p.get()
				time.Sleep(4 * time.Millisecond)
				p.put(one)
				if number%4 == 0 {
					b.publish("news")
				}
				if answer, err := http.Get("http://" + web.Addr().String()); err == nil {
					io.Copy(io.Discard, answer.Body)
					answer.Body.Close()
				}
			}()
			time.Sleep(8 * time.Millisecond)
		}
		done.Wait()
		keep = append(keep, b, p, end, web)
		time.Sleep(120 * time.Millisecond)
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

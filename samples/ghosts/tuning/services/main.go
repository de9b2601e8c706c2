// A server, its clients, a pipeline, a pool of connections, a semaphore: all of it healthy.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
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

// echo answers on connections, some of which stay open.
func echo(listener net.Listener) {
	label("healthy")
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			label("healthy")
			io.Copy(connection, connection)
		}()
	}
}

func client(address string, done *sync.WaitGroup) {
	label("healthy")
	defer done.Done()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	for range 5 {
		connection.Write([]byte("hello"))
		io.ReadFull(connection, make([]byte, 5))
		time.Sleep(5 * time.Millisecond)
	}
}

// identities hands out numbers to whoever asks.
func identities() <-chan int {
	numbers := make(chan int)
	go func() {
		label("healthy")
		for number := 1; ; number++ {
			numbers <- number
		}
	}()
	return numbers
}

// connections is a pool of few things that many want.
type connections struct{ free chan int }

func (c *connections) use(work func()) {
	one := <-c.free
	work()
	c.free <- one
}

// actor does one thing after the other for whoever asks.
type actor struct{ mailbox chan func() }

func newActor() *actor {
	a := &actor{mailbox: make(chan func(), 4)}
	go a.run()
	return a
}

func (a *actor) run() {
	label("healthy")
	for work := range a.mailbox {
		work()
	}
}

func (a *actor) ask(work func()) {
	answer := make(chan struct{})
	a.mailbox <- func() {
		work()
		close(answer)
	}
	<-answer
}

// keep holds what a program still knows when its recording ends.
var keep []any

func main() {
	record(func() {
		var done sync.WaitGroup
		listener, _ := net.Listen("tcp", "127.0.0.1:0")
		go echo(listener)
		for range 4 {
			done.Add(1)
			go client(listener.Addr().String(), &done)
		}
		web, _ := net.Listen("tcp", "127.0.0.1:0")
		go func() {
			label("healthy")
			http.Serve(web, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(time.Millisecond)
				io.WriteString(w, "fine")
			}))
		}()
		numbers := identities()
		pool := &connections{free: make(chan int, 2)}
		pool.free <- 1
		pool.free <- 2
		slots := make(chan struct{}, 2)
		actors := []*actor{newActor(), newActor(), newActor()}
		for number := range 12 {
			done.Add(1)
			go func() {
				label("healthy")
				defer done.Done()
				pool.use(func() { time.Sleep(8 * time.Millisecond) })
				slots <- struct{}{}
				time.Sleep(8 * time.Millisecond)
				<-slots
				<-numbers
				actors[number%3].ask(func() { time.Sleep(time.Millisecond) })
				if answer, err := http.Get("http://" + web.Addr().String()); err == nil {
					io.Copy(io.Discard, answer.Body)
					answer.Body.Close()
				}
			}()
			time.Sleep(5 * time.Millisecond)
		}
		done.Wait()
		keep = append(keep, numbers, actors)
		for range 10 {
			<-numbers
			time.Sleep(20 * time.Millisecond)
		}
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

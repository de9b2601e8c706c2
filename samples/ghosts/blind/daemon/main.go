// A daemon in which all is well: listeners, a pool of connections, health checks, a scheduler, signals, a worker pool
// that is idle, a supervisor, an actor, a leader that waits for its turn, a cache that expires.
package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// echo answers lines for as long as they come.
func echo(connection net.Conn) {
	label("healthy")
	defer connection.Close()
	lines := bufio.NewScanner(connection)
	for lines.Scan() {
		fmt.Fprintln(connection, lines.Text())
	}
}

func accept(listener net.Listener) {
	label("healthy")
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go echo(connection)
	}
}

func datagrams(socket net.PacketConn) {
	label("healthy")
	buffer := make([]byte, 512)
	for {
		if _, _, err := socket.ReadFrom(buffer); err != nil {
			return
		}
	}
}

// actor owns its state; whoever wants something sends a question with a channel for the answer.
type actor struct{ questions chan chan int }

func (a *actor) run() {
	label("healthy")
	state := 0
	for question := range a.questions {
		state++
		question <- state
	}
}

func (a *actor) ask() int {
	answer := make(chan int)
	a.questions <- answer
	return <-answer
}

// pool keeps clients, of which a janitor closes the idle ones.
type pool struct{ free chan net.Conn }

func (p *pool) with(use func(net.Conn)) {
	client := <-p.free
	defer func() { p.free <- client }()
	use(client)
}

func (p *pool) janitor(ctx context.Context) {
	label("healthy")
	ticker := time.NewTicker(35 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// workers wait for jobs; there are few.
func workers(count int) chan<- func() {
	jobs := make(chan func())
	for range count {
		go func() {
			label("healthy")
			for job := range jobs {
				job()
			}
		}()
	}
	return jobs
}

// supervise starts a service again when it ends.
func supervise(ctx context.Context, service func(context.Context)) {
	label("healthy")
	for ctx.Err() == nil {
		ended := make(chan struct{})
		go func() {
			label("healthy")
			defer close(ended)
			service(ctx)
		}()
		select {
		case <-ended:
		case <-ctx.Done():
			<-ended
		}
	}
}

// cache drops what is too old.
type cache struct {
	mutex sync.RWMutex
	items map[int]time.Time
}

func (c *cache) put(key int) {
	c.mutex.Lock()
	c.items[key] = time.Now()
	c.mutex.Unlock()
	time.AfterFunc(50*time.Millisecond, func() {
		label("healthy")
		c.mutex.Lock()
		delete(c.items, key)
		c.mutex.Unlock()
	})
}

// standby waits for the lock of the leader, who has it to the end.
func standby(leader *sync.Mutex) {
	label("healthy")
	leader.Lock()
	defer leader.Unlock()
	for {
		pause(10)
	}
}

func awaitSignals(ctx context.Context, reload chan<- struct{}) {
	label("healthy")
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGUSR1)
	for {
		select {
		case <-signals:
			reload <- struct{}{}
		case <-ctx.Done():
			return
		}
	}
}

func main() {
	record(func() {
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		listener, _ := net.Listen("tcp", "127.0.0.1:0")
		socket, _ := net.ListenPacket("udp", "127.0.0.1:0")
		go accept(listener)
		go datagrams(socket)
		reload := make(chan struct{})
		go awaitSignals(ctx, reload)
		go func() {
			label("healthy")
			for range reload {
			}
		}()
		a := &actor{questions: make(chan chan int)}
		go a.run()
		p := &pool{free: make(chan net.Conn, 3)}
		for range 3 {
			client, err := net.Dial("tcp", listener.Addr().String())
			if err == nil {
				p.free <- client
			}
		}
		go p.janitor(ctx)
		jobs := workers(6)
		go supervise(ctx, func(ctx context.Context) { pause(30) })
		go supervise(ctx, func(ctx context.Context) { <-ctx.Done() })
		c := &cache{items: map[int]time.Time{}}
		leader := &sync.Mutex{}
		go standby(leader)
		pause(2)
		for range 2 {
			go standby(leader)
		}
		var clients sync.WaitGroup
		for number := range 40 {
			clients.Add(1)
			go func() {
				label("healthy")
				defer clients.Done()
				p.with(func(client net.Conn) {
					fmt.Fprintln(client, "hello")
					bufio.NewReader(client).ReadString('\n')
				})
				a.ask()
				c.put(number)
			}()
			if number == 5 || number == 9 {
				jobs <- func() { pause(4) }
			}
			pause(7)
		}
		clients.Wait()
		pause(200)
		keep = append(keep, reload, a, p, jobs, leader)
	})
}

// Records a trace v1 (Go 1.21 or older): two benches that share a saw, an order book, a pipe that
// is read with blocking system calls, a pause, a collection and a goroutine that nobody wakes.
package main

import (
	"context"
	"os"
	"runtime/trace"
	"sync"
	"syscall"
	"time"
)

var (
	saw   sync.Mutex
	scrap []byte
)

func bench(ctx context.Context, orders <-chan int, done *sync.WaitGroup) {
	defer done.Done()
	for order := range orders {
		trace.WithRegion(ctx, "cut", func() {
			saw.Lock()
			time.Sleep(200 * time.Microsecond)
			saw.Unlock()
		})
		trace.Logf(ctx, "order", "%d is done", order)
	}
}

// Reads a pipe without the runtime's poller, so that the system call blocks.
func readPipe(fd int, done chan<- struct{}) {
	var buffer [1]byte
	syscall.Read(fd, buffer[:])
	close(done)
}

func forgotten() { select {} }

func main() {
	trace.Start(os.Stdout)
	ctx, task := trace.NewTask(context.Background(), "shift")
	go forgotten()

	var pipe [2]int
	syscall.Pipe(pipe[:])
	read := make(chan struct{})
	go readPipe(pipe[0], read)

	orders := make(chan int)
	var done sync.WaitGroup
	for i := 0; i < 2; i++ {
		done.Add(1)
		go bench(ctx, orders, &done)
	}
	for i := 0; i < 8; i++ {
		orders <- i
	}
	close(orders)
	done.Wait()
	syscall.Write(pipe[1], []byte{1})
	<-read
	for i := 0; i < 80; i++ { // the heap grows to 4 MiB, and a collection begins
		scrap = make([]byte, 64<<10)
	}
	time.Sleep(2 * time.Millisecond)
	task.End()
	trace.Stop()
}

// A queue whose two workers wait for a lock that is never given back, and a goroutine that
// nobody will ever wake. Stops at checkpoint, where a debugger looks at it.
package main

import (
	"context"
	"os"
	"runtime/pprof"
	"sync"
	"time"
)

//go:noinline
func checkpoint() { time.Sleep(time.Millisecond) }

func worker(jobs chan int, lock *sync.Mutex) {
	for range jobs {
		lock.Lock()
	}
}

func forgotten(never chan string) { <-never }

func reader(pipe *os.File) {
	var buffer [1]byte
	pipe.Read(buffer[:])
}

func main() {
	jobs := make(chan int)
	var lock sync.Mutex
	for i := 0; i < 2; i++ {
		pprof.Do(context.Background(), pprof.Labels("pool", "queue"), func(context.Context) {
			go worker(jobs, &lock)
		})
	}
	go forgotten(make(chan string))
	in, out, _ := os.Pipe()
	go reader(in)
	jobs <- 1
	jobs <- 2
	jobs <- 3
	time.Sleep(50 * time.Millisecond)
	checkpoint()
	out.Close()
}

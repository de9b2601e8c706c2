// Does a fixed amount of work with goroutines that come and go, and says when all of it is done. Records an
// execution trace of it into the file that PROGRAM_TRACE names.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"sync"
	"time"
)

//go:noinline
func checkpoint(i int) int { return i * 2 }

//go:noinline
func never() { fmt.Println("never") }

func parked(never chan int) { <-never }

func main() {
	rounds, _ := strconv.Atoi(os.Args[1])
	var file *os.File
	if name := os.Getenv("PROGRAM_TRACE"); name != "" {
		file, _ = os.Create(name)
		trace.Start(file)
	}
	pprof.Do(context.Background(), pprof.Labels("test", "live"), func(context.Context) {
		go parked(make(chan int))
	})
	if rounds < 0 {
		never()
	}
	sum := 0
	for i := 0; i < rounds; i++ {
		var group sync.WaitGroup
		for j := 0; j < 2; j++ {
			group.Add(1)
			go func() {
				time.Sleep(5 * time.Millisecond)
				group.Done()
			}()
		}
		group.Wait()
		sum += checkpoint(i)
		time.Sleep(20 * time.Millisecond)
	}
	fmt.Println("done", sum)
	if file != nil {
		trace.Stop()
		file.Close()
		fmt.Println("traced")
	}
}

// Four goroutines want the same mutex at the same time.
package main

import (
	"os"
	"runtime/trace"
	"sync"
	"time"
)

var (
	mutex sync.Mutex
	total int
)

func deposit(times int) {
	for range times {
		mutex.Lock()
		for until := time.Now().Add(80 * time.Microsecond); time.Now().Before(until); {
		}
		total++
		mutex.Unlock()
	}
}

func main() {
	if err := trace.Start(os.Stdout); err != nil {
		panic(err)
	}
	defer trace.Stop()
	var done sync.WaitGroup
	for range 4 {
		done.Go(func() { deposit(20) })
	}
	done.Wait()
}

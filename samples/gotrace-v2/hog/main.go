// One goroutine computes without a pause on the only proc; the others are ready to run and wait
// until the scheduler takes the proc away from it.
package main

import (
	"os"
	"runtime"
	"runtime/trace"
	"sync"
	"time"
)

var checksum uint64

func compute(duration time.Duration) {
	for until := time.Now().Add(duration); time.Now().Before(until); {
		for number := range uint64(1000) {
			checksum = checksum*31 + number
		}
	}
}

func answer() {
	for range 5 {
		time.Sleep(time.Millisecond)
	}
}

func main() {
	runtime.GOMAXPROCS(1)
	if err := trace.Start(os.Stdout); err != nil {
		panic(err)
	}
	defer trace.Stop()
	var done sync.WaitGroup
	done.Go(func() { compute(60 * time.Millisecond) })
	done.Go(answer)
	done.Go(answer)
	done.Wait()
}

// A shop: three workers take orders from a channel and charge, pack and ship each. Every order is
// a task with a region for each step; the audit goroutine waits for a message that never comes.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime/trace"
	"sync"
	"time"
)

type order struct {
	number int
	ctx    context.Context
	task   *trace.Task
}

func step(ctx context.Context, name string, busy, idle time.Duration) {
	defer trace.StartRegion(ctx, name).End()
	for until := time.Now().Add(busy); time.Now().Before(until); {
	}
	time.Sleep(idle)
}

func worker(orders <-chan order, done *sync.WaitGroup) {
	defer done.Done()
	for o := range orders {
		trace.Logf(o.ctx, "order", "number %d", o.number)
		step(o.ctx, "charge", 100*time.Microsecond, time.Millisecond)
		step(o.ctx, "pack", 400*time.Microsecond, 0)
		if o.number%4 == 0 {
			trace.Log(o.ctx, "warning", "out of \"boxes\", waiting for the store")
			time.Sleep(2 * time.Millisecond)
		}
		step(o.ctx, "ship", 50*time.Microsecond, 500*time.Microsecond)
		o.task.End()
	}
}

func audit(messages <-chan string) {
	fmt.Println(<-messages)
}

func main() {
	if err := trace.Start(os.Stdout); err != nil {
		panic(err)
	}
	defer trace.Stop()
	go audit(make(chan string))
	orders := make(chan order)
	var done sync.WaitGroup
	for range 3 {
		done.Add(1)
		go worker(orders, &done)
	}
	for number := 1; number <= 24; number++ {
		ctx, task := trace.NewTask(context.Background(), "order")
		orders <- order{number, ctx, task}
	}
	close(orders)
	done.Wait()
}

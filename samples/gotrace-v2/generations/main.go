// Little happens, but for longer than a second: the runtime cuts the recording into generations,
// and a region and a waiting goroutine go on across the cuts.
package main

import (
	"context"
	"os"
	"runtime/trace"
	"time"
)

func main() {
	if err := trace.Start(os.Stdout); err != nil {
		panic(err)
	}
	defer trace.Stop()
	ctx, task := trace.NewTask(context.Background(), "watch")
	defer task.End()
	defer trace.StartRegion(ctx, "two seconds").End()
	quiet := make(chan struct{})
	go func() { <-quiet }()
	for range 11 {
		time.Sleep(200 * time.Millisecond)
		trace.Log(ctx, "tick", "still here")
	}
	close(quiet)
	time.Sleep(time.Millisecond)
}

// Requests with tasks and regions. Some start work that goes on when they have been answered; in others what they start
// ends with them, or soon after.
package main

import (
	"context"
	"runtime/trace"
	"sync"
)

// mirror copies what was asked to another place, long after the answer.
func mirror(rounds int) {
	label("orphan")
	for range rounds {
		pause(12)
	}
}

// audit writes a line, soon after.
func audit() {
	label("healthy")
	pause(8)
}

func answer(number int, done *sync.WaitGroup) {
	label("healthy")
	defer done.Done()
	ctx, task := trace.NewTask(context.Background(), "request")
	defer task.End()
	var parts sync.WaitGroup
	for part := range 3 {
		parts.Add(1)
		go func() {
			label("healthy")
			defer parts.Done()
			defer trace.StartRegion(ctx, "part").End()
			pause(2 + part)
		}()
	}
	go audit()
	if number%4 == 0 {
		go mirror(20)
	}
	parts.Wait()
}

// load is a region that starts one that never comes to an end.
func load(ctx context.Context, events chan int) {
	defer trace.StartRegion(ctx, "load").End()
	go func() {
		label("orphan")
		for range events {
		}
	}()
	pause(4)
}

// render waits long, but for what it has started.
func render(done *sync.WaitGroup) {
	label("healthy")
	defer done.Done()
	trace.WithRegion(context.Background(), "render", func() {
		var tiles sync.WaitGroup
		for tile := range 4 {
			tiles.Add(1)
			go func() {
				label("healthy")
				defer tiles.Done()
				pause(120 + 30*tile)
			}()
		}
		tiles.Wait()
	})
}

func main() {
	record(func() {
		var done sync.WaitGroup
		events := make(chan int)
		go func() {
			label("healthy")
			for number := 0; ; number++ {
				events <- number
				pause(3)
			}
		}()
		for number := range 24 {
			done.Add(1)
			go answer(number, &done)
			if number%8 == 0 {
				done.Add(2)
				go render(&done)
				go func() {
					label("healthy")
					defer done.Done()
					ctx, task := trace.NewTask(context.Background(), "import")
					load(ctx, events)
					task.End()
				}()
			}
			pause(9)
		}
		done.Wait()
		pause(250)
	})
}

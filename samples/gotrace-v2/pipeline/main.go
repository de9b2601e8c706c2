// Numbers pass through three goroutines, over channels without a buffer.
package main

import (
	"os"
	"runtime/trace"
	"sync"
)

func generate(out chan<- int) {
	for number := range 60 {
		out <- number
	}
	close(out)
}

func square(in <-chan int, out chan<- int) {
	for number := range in {
		out <- number * number
	}
	close(out)
}

func add(in <-chan int, result *int) {
	for number := range in {
		*result += number
	}
}

func main() {
	if err := trace.Start(os.Stdout); err != nil {
		panic(err)
	}
	defer trace.Stop()
	numbers, squares := make(chan int), make(chan int)
	var sum int
	var done sync.WaitGroup
	done.Go(func() { generate(numbers) })
	done.Go(func() { square(numbers, squares) })
	done.Go(func() { add(squares, &sum) })
	done.Wait()
}

// Pipelines: generators whose reader has had enough, stages that range over a channel which nobody closes, a count of
// goroutines that is one too high; beside pipelines that end, and one that is slow.
package main

import "sync"

func numbers(count int, class string) <-chan int {
	out := make(chan int)
	go func() {
		label(class)
		defer close(out)
		for number := range count {
			out <- number
		}
		label("healthy")
	}()
	return out
}

func squares(in <-chan int, class string, closing bool) <-chan int {
	out := make(chan int)
	go func() {
		label(class)
		for number := range in {
			out <- number * number
		}
		if closing {
			close(out)
		}
		label("healthy")
	}()
	return out
}

// merge waits for as many as it is told to.
func merge(class string, expected int, ins ...<-chan int) <-chan int {
	out := make(chan int)
	var done sync.WaitGroup
	done.Add(expected)
	for _, in := range ins {
		go func() {
			label(class)
			defer done.Done()
			for number := range in {
				out <- number
			}
			label("healthy")
		}()
	}
	go func() {
		if expected > len(ins) {
			label("stuck")
		} else {
			label(class)
		}
		done.Wait()
		close(out)
		label("healthy")
	}()
	return out
}

func sum(in <-chan int) (total int) {
	for number := range in {
		total += number
	}
	return total
}

// firstOver finds what it looks for and leaves the rest.
func firstOver(in <-chan int, limit int) int {
	for number := range in {
		if number > limit {
			return number
		}
	}
	return 0
}

// slowly takes until after the end.
func slowly() {
	label("healthy")
	for range squares(numbers(100, "healthy"), "healthy", true) {
		pause(30)
	}
}

func main() {
	record(func() {
		go slowly()
		for range 3 {
			sum(merge("healthy", 2, squares(numbers(40, "healthy"), "healthy", true), numbers(30, "healthy")))
		}
		for range 2 {
			firstOver(squares(numbers(50, "stuck"), "stuck", true), 90)
			firstOver(merge("stuck", 2, numbers(60, "stuck"), numbers(60, "stuck")), 20)
		}
		for range 3 {
			go func() {
				label("stuck")
				sum(squares(numbers(20, "healthy"), "healthy", false)) // which ends without closing
				label("healthy")
			}()
			go func() {
				label("stuck")
				sum(merge("healthy", 3, numbers(10, "healthy"), numbers(10, "healthy")))
				label("healthy")
			}()
		}
		pause(350)
	})
}

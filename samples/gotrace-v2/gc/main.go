// Goroutines allocate faster than the collector can mark, so they have to help it: mark assist.
package main

import (
	"os"
	"runtime/debug"
	"runtime/trace"
	"sync"
)

type node struct {
	next *node
	data [8]*int
}

func grow(count int) *node {
	var list *node
	for number := range count {
		list = &node{next: list}
		list.data[number%8] = &number
	}
	return list
}

func main() {
	debug.SetGCPercent(20)
	base := grow(40_000)
	if err := trace.Start(os.Stdout); err != nil {
		panic(err)
	}
	defer trace.Stop()
	var done sync.WaitGroup
	for range 3 {
		done.Go(func() { grow(12_000) })
	}
	done.Wait()
	_ = base
}

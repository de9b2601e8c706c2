// Serves net/http/pprof while goroutines come, go, wait and leak. Prints its address.
package main

import (
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
	"runtime"
	"sync"
	"time"
)

// Nobody else holds the channel: it waits for ever.
func leaking() {
	<-make(chan int)
}

func worker(mutex *sync.Mutex, jobs chan int) {
	for range jobs {
		mutex.Lock()
		time.Sleep(time.Millisecond)
		mutex.Unlock()
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr(), runtime.Version())
	go http.Serve(listener, nil)
	var mutex sync.Mutex
	jobs := make(chan int)
	for i := 0; i < 8; i++ {
		go worker(&mutex, jobs)
	}
	for i := 0; i < 3; i++ {
		go leaking()
	}
	for i := 0; ; i++ {
		jobs <- i
		if i%50 == 0 {
			time.Sleep(20 * time.Millisecond)
		}
	}
}

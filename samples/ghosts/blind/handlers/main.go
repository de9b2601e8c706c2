// A web server. Some handlers hand their work to a goroutine that has gone, some wait for an answer nobody sends, when
// the client has long hung up. The others are quick, stream, or wait for what is slow.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// statistics are collected by one goroutine, until its first panic.
type statistics struct{ samples chan int }

func (s *statistics) collect() {
	label("healthy")
	defer func() { recover() }()
	var buckets [8]int
	for sample := range s.samples {
		buckets[sample]++
	}
}

type jobs struct {
	mutex   sync.Mutex
	waiting map[int]chan string
}

// submit answers when the job is done; nobody ever does job 13.
func (j *jobs) submit(number int) string {
	done := make(chan string)
	j.mutex.Lock()
	j.waiting[number] = done
	j.mutex.Unlock()
	return <-done
}

func (j *jobs) finish() {
	label("healthy")
	for {
		pause(6)
		j.mutex.Lock()
		for number, done := range j.waiting {
			if number < 100 {
				done <- "done"
				delete(j.waiting, number)
			}
		}
		j.mutex.Unlock()
	}
}

func main() {
	record(func() {
		s := &statistics{samples: make(chan int)}
		go s.collect()
		j := &jobs{waiting: map[int]chan string{}}
		go j.finish()
		mux := http.NewServeMux()
		mux.HandleFunc("/quick", func(w http.ResponseWriter, r *http.Request) {
			label("healthy")
			io.WriteString(w, "here you are")
		})
		mux.HandleFunc("/stream", func(w http.ResponseWriter, r *http.Request) {
			label("healthy")
			ticker := time.NewTicker(10 * time.Millisecond)
			defer ticker.Stop()
			for {
				select {
				case <-ticker.C:
					fmt.Fprintln(w, "still here")
					w.(http.Flusher).Flush()
				case <-r.Context().Done():
					return
				}
			}
		})
		mux.HandleFunc("/poll", func(w http.ResponseWriter, r *http.Request) {
			label("healthy")
			<-r.Context().Done() // nothing has happened so far
		})
		mux.HandleFunc("/count", func(w http.ResponseWriter, r *http.Request) {
			var sample int
			fmt.Sscan(r.URL.RawQuery, &sample)
			label("stuck")
			s.samples <- sample
			label("healthy")
		})
		mux.HandleFunc("/job", func(w http.ResponseWriter, r *http.Request) {
			var number int
			fmt.Sscan(r.URL.RawQuery, &number)
			label("stuck")
			io.WriteString(w, j.submit(number))
			label("healthy")
		})
		listener, _ := net.Listen("tcp", "127.0.0.1:0")
		go func() {
			label("healthy")
			http.Serve(listener, mux)
		}()
		get := func(path string, patience time.Duration) {
			label("healthy")
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			request, _ := http.NewRequestWithContext(ctx, "GET", "http://"+listener.Addr().String()+path, nil)
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				return
			}
			io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
		}
		for range 2 {
			go get("/stream", time.Minute)
			go get("/poll", time.Minute)
		}
		for number := range 16 {
			go get("/quick", time.Second)
			sample := number % 8
			if number == 7 {
				sample = 8 // one too many
			}
			go get(fmt.Sprintf("/count?%d", sample), 60*time.Millisecond)
			job := number
			if number%4 == 0 {
				job = 100 + number
			}
			go get(fmt.Sprintf("/job?%d", job), 60*time.Millisecond)
			pause(12)
		}
		pause(380)
	})
}

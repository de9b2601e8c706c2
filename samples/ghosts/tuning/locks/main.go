// Locks that are not given back, and WaitGroups that are not done, beside locks that are fought for.
package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// neverUnlocked returns early and keeps the lock.
func neverUnlocked() {
	var mutex sync.Mutex
	forget := func(fail bool) {
		mutex.Lock()
		if fail {
			return
		}
		mutex.Unlock()
	}
	forget(true)
	for range 2 {
		go func() {
			label("stuck")
			forget(false)
		}()
	}
}

type account struct {
	mutex   sync.Mutex
	balance int
}

func (a *account) total() int {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return a.balance
}

// report locks what it holds already.
func (a *account) report() int {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return a.total()
}

func doubleLock() {
	a := &account{}
	go func() {
		label("stuck")
		a.report()
	}()
}

func transfer(from, to *account) {
	from.mutex.Lock()
	defer from.mutex.Unlock()
	time.Sleep(2 * time.Millisecond)
	to.mutex.Lock()
	defer to.mutex.Unlock()
	from.balance--
	to.balance++
}

// twoLocks takes two locks in both orders.
func twoLocks() {
	a, b := &account{}, &account{}
	go func() {
		label("stuck")
		transfer(a, b)
	}()
	go func() {
		label("stuck")
		transfer(b, a)
	}()
}

// readersBehindWriter: a reader that wants the lock again, while a writer waits.
func readersBehindWriter() {
	var lock sync.RWMutex
	go func() {
		label("stuck")
		lock.RLock()
		defer lock.RUnlock()
		time.Sleep(3 * time.Millisecond)
		lock.RLock()
		defer lock.RUnlock()
	}()
	go func() {
		label("stuck")
		time.Sleep(time.Millisecond)
		lock.Lock()
		defer lock.Unlock()
	}()
}

// oneTooMany counts a goroutine that it never starts.
func oneTooMany() {
	var group sync.WaitGroup
	group.Add(3)
	for range 2 {
		go func() {
			label("healthy")
			defer group.Done()
			time.Sleep(2 * time.Millisecond)
		}()
	}
	go func() {
		label("stuck")
		group.Wait()
	}()
}

// noDone returns without saying so.
func noDone() {
	go func() {
		label("stuck")
		var group sync.WaitGroup
		for number := range 2 {
			group.Add(1)
			go func() {
				label("healthy")
				time.Sleep(time.Millisecond)
				if number == 0 {
					return
				}
				group.Done()
			}()
		}
		group.Wait()
	}()
}

// lostSignal waits on a condition that nobody signals any more.
func lostSignal() {
	var mutex sync.Mutex
	ready := sync.NewCond(&mutex)
	isReady := false
	ready.Signal()
	go func() {
		label("stuck")
		mutex.Lock()
		for !isReady {
			ready.Wait()
		}
		mutex.Unlock()
	}()
}

var shared sync.Mutex

// fight is how locks are used.
func fight(done *sync.WaitGroup) {
	label("healthy")
	defer done.Done()
	for range 20 {
		shared.Lock()
		time.Sleep(200 * time.Microsecond)
		shared.Unlock()
		time.Sleep(300 * time.Microsecond)
	}
}

func main() {
	record(func() {
		var done sync.WaitGroup
		for range 2 {
			neverUnlocked()
			doubleLock()
			twoLocks()
			readersBehindWriter()
			oneTooMany()
			noDone()
			lostSignal()
			for range 4 {
				done.Add(1)
				go fight(&done)
			}
		}
		time.Sleep(400 * time.Millisecond)
		done.Wait()
	})
}

// What each goroutine says of itself: its number and what it is labelled as.
var labels struct {
	count atomic.Int64
	list  [4096]struct {
		number int64
		class  string
	}
}

// label notes what the goroutine that calls it is. It neither blocks nor allocates much, so that the recording shows
// the program and not its labels.
func label(class string) {
	var buffer [64]byte
	text := buffer[:runtime.Stack(buffer[:], false)]
	number, _ := strconv.ParseInt(string(bytes.Fields(text)[1]), 10, 64)
	place := labels.count.Add(1) - 1
	labels.list[place].number, labels.list[place].class = number, class
}

// record runs a program and writes the recording, the labels and, where there is one, Go's leak profile.
func record(program func()) {
	output, err := os.Create(os.Args[1] + ".trace")
	if err != nil {
		panic(err)
	}
	if err := trace.Start(output); err != nil {
		panic(err)
	}
	program()
	trace.Stop()
	output.Close()
	text := &strings.Builder{}
	for _, entry := range labels.list[:labels.count.Load()] {
		fmt.Fprintf(text, "%d\t%s\n", entry.number, entry.class)
	}
	os.WriteFile(os.Args[1]+".labels", []byte(text.String()), 0o644)
	if profile := pprof.Lookup("goroutineleak"); profile != nil {
		leaks, _ := os.Create(os.Args[1] + ".leaks")
		profile.WriteTo(leaks, 2)
		leaks.Close()
	}
	os.Exit(0)
}

// Bounded queues with condition variables. One is closed with Signal instead of Broadcast, so that one consumer hears
// of it and the others do not. One has producers that are seldom heard of. One wakes the wrong side.
package main

import "sync"

type queue struct {
	mutex    sync.Mutex
	notEmpty *sync.Cond
	notFull  *sync.Cond
	items    []int
	limit    int
	closed   bool
}

func newQueue(limit int) *queue {
	q := &queue{limit: limit}
	q.notEmpty, q.notFull = sync.NewCond(&q.mutex), sync.NewCond(&q.mutex)
	return q
}

func (q *queue) put(item int) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	for len(q.items) == q.limit {
		q.notFull.Wait()
	}
	q.items = append(q.items, item)
	q.notEmpty.Signal()
}

func (q *queue) take() (item int, more bool) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	for len(q.items) == 0 && !q.closed {
		q.notEmpty.Wait()
	}
	if len(q.items) == 0 {
		return 0, false
	}
	item, q.items = q.items[0], q.items[1:]
	q.notFull.Signal()
	return item, true
}

func (q *queue) close(all bool) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	q.closed = true
	if all {
		q.notEmpty.Broadcast()
	} else {
		q.notEmpty.Signal()
	}
}

func consume(q *queue, class string, done *sync.WaitGroup) {
	label(class)
	defer done.Done()
	for {
		if _, more := q.take(); !more {
			label("healthy")
			return
		}
		pause(1)
	}
}

// shop serves until it is closed.
func shop(all bool, consumers, items int) {
	q := newQueue(4)
	var done sync.WaitGroup
	class := "healthy"
	if !all {
		class = "stuck"
	}
	for range consumers {
		done.Add(1)
		go consume(q, class, &done)
	}
	for item := range items {
		q.put(item)
	}
	pause(6)
	q.close(all)
	done.Wait()
}

func main() {
	record(func() {
		seldom := newQueue(16)
		var forever sync.WaitGroup
		forever.Add(4)
		for range 4 {
			go consume(seldom, "healthy", &forever)
		}
		go func() {
			label("healthy")
			for item := 0; ; item++ {
				seldom.put(item)
				pause(90)
			}
		}()
		shop(true, 5, 40)
		for range 3 {
			go func() {
				label("stuck")
				shop(false, 4, 20)
				label("healthy")
			}()
			shop(true, 3, 30)
		}
		pause(400)
	})
}

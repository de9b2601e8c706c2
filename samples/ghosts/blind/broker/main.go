// A broker passes messages on by topic. Who leaves is taken off the list, and only some are told so: the others' reader
// waits for messages of a channel that nobody has any more.
package main

import "sync"

type broker struct {
	mutex  sync.RWMutex
	topics map[string][]chan int
}

func (b *broker) subscribe(topic string) chan int {
	messages := make(chan int, 4)
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.topics[topic] = append(b.topics[topic], messages)
	return messages
}

// drop takes a subscriber off the list; closing is its caller's business.
func (b *broker) drop(topic string, messages chan int) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	list := b.topics[topic]
	for place, one := range list {
		if one == messages {
			b.topics[topic] = append(list[:place:place], list[place+1:]...)
			return
		}
	}
}

func (b *broker) publish(topic string, message int) {
	b.mutex.RLock()
	defer b.mutex.RUnlock()
	for _, one := range b.topics[topic] {
		select {
		case one <- message:
		default: // who is slow misses it
		}
	}
}

// read is a subscriber that stays.
func read(messages <-chan int) {
	label("healthy")
	for range messages {
	}
}

// page reads while a page is open. A page that is closed in an orderly way closes the channel, too.
func page(b *broker, orderly bool) {
	label("healthy")
	messages := b.subscribe("prices")
	closed := make(chan struct{})
	go func() {
		if orderly {
			label("healthy")
		} else {
			label("stuck")
		}
		for range messages {
		}
		close(closed)
	}()
	pause(40)
	b.drop("prices", messages)
	if orderly {
		close(messages)
		<-closed
	}
}

func main() {
	record(func() {
		b := &broker{topics: map[string][]chan int{}}
		for range 5 {
			go read(b.subscribe("prices"))
		}
		for range 3 {
			go read(b.subscribe("news")) // of which there are few
		}
		go func() {
			label("healthy")
			for number := 0; ; number++ {
				b.publish("prices", number)
				if number%25 == 0 {
					b.publish("news", number)
				}
				pause(5)
			}
		}()
		for number := range 10 {
			go page(b, number%2 == 0)
			pause(12)
		}
		pause(400)
	})
}

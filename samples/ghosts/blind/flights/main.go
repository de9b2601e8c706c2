// Many ask for the same at once, and one fetches it for all. Where the one fails, it forgets those who wait for it. A
// cache that is loaded once; a load that takes until the end.
package main

import (
	"errors"
	"sync"
)

type call struct {
	done  sync.WaitGroup
	value string
	err   error
}

type flights struct {
	mutex sync.Mutex
	calls map[string]*call
}

func (f *flights) do(key string, fetch func() (string, error)) (string, error) {
	f.mutex.Lock()
	if f.calls == nil {
		f.calls = map[string]*call{}
	}
	if c, ok := f.calls[key]; ok {
		f.mutex.Unlock()
		c.done.Wait()
		return c.value, c.err
	}
	c := &call{}
	c.done.Add(1)
	f.calls[key] = c
	f.mutex.Unlock()

	value, err := fetch()
	f.mutex.Lock()
	delete(f.calls, key)
	f.mutex.Unlock()
	if err != nil {
		return "", err // and Done?
	}
	c.value = value
	c.done.Done()
	return value, nil
}

var once sync.Once

func table() {
	once.Do(func() { pause(40) })
}

func main() {
	record(func() {
		var f flights
		var all sync.WaitGroup
		for round := range 5 {
			for range 6 {
				all.Add(1)
				go func() {
					label("healthy")
					defer all.Done()
					f.do("good", func() (string, error) { pause(10 + round); return "value", nil })
				}()
			}
			for range 8 {
				all.Add(1)
				go func() {
					label("healthy")
					defer all.Done()
					table()
				}()
			}
			pause(25)
		}
		all.Wait()
		for number := range 4 {
			key := string(rune('a' + number))
			first := make(chan struct{})
			go func() {
				label("healthy")
				f.do(key, func() (string, error) { close(first); pause(12); return "", errors.New("refused") })
			}()
			<-first
			for range 3 {
				go func() {
					label("stuck")
					f.do(key, nil)
					label("healthy")
				}()
			}
			pause(20)
		}
		for range 7 {
			go func() {
				label("healthy")
				f.do("slow", func() (string, error) { pause(5000); return "late", nil })
			}()
		}
		pause(420)
	})
}

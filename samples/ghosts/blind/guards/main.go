// Locks: a reader that reads again while a writer waits, a lock that is kept on an early return, a lock that is taken
// twice by way of a method, two locks in either order; beside hot locks, and one that is held long but not for ever.
package main

import (
	"sync"
	"time"
)

type store struct {
	mutex sync.RWMutex
	rows  map[int]int
}

func (s *store) total() (sum int) {
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	for key := range s.rows {
		pause(10)
		sum += s.get(key) // a reader again
	}
	return sum
}

func (s *store) get(key int) int {
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	return s.rows[key]
}

func (s *store) set(key, value int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.rows[key] = value
}

type account struct {
	mutex   sync.Mutex
	balance int
}

// withdraw keeps the lock when there is not enough.
func (a *account) withdraw(amount int) bool {
	a.mutex.Lock()
	if a.balance < amount {
		return false
	}
	a.balance -= amount
	a.mutex.Unlock()
	return true
}

func (a *account) audit() {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if a.balance >= 0 {
		a.report()
	}
}

func (a *account) report() {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.balance++
}

func transfer(from, to *account) {
	from.mutex.Lock()
	defer from.mutex.Unlock()
	pause(5)
	to.mutex.Lock()
	defer to.mutex.Unlock()
	from.balance, to.balance = from.balance-1, to.balance+1
}

// counters are taken all the time.
type counters struct {
	mutex sync.Mutex
	hits  map[string]int
}

func (c *counters) hit(name string) {
	c.mutex.Lock()
	c.hits[name]++
	pause(1)
	c.mutex.Unlock()
}

// archive is slow, and is waited for.
type archive struct{ mutex sync.Mutex }

func (a *archive) write(long int) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	pause(long)
}

func main() {
	record(func() {
		stuck := func(work func()) {
			go func() {
				label("stuck")
				work()
				label("healthy")
			}()
		}
		end := time.Now().Add(550 * time.Millisecond)
		c := &counters{hits: map[string]int{}}
		for range 6 {
			go func() {
				label("healthy")
				for time.Now().Before(end) {
					c.hit("page")
				}
			}()
		}
		slow := &archive{}
		go func() {
			label("healthy")
			slow.write(5000)
		}()
		pause(3)
		for range 3 {
			go func() {
				label("healthy")
				slow.write(1)
			}()
		}
		s := &store{rows: map[int]int{1: 1, 2: 2, 3: 3}}
		stuck(func() { s.total() })
		pause(4)
		stuck(func() { s.set(4, 4) })
		pause(12)
		stuck(func() { s.get(1) })
		for range 2 {
			a := &account{balance: 10}
			for number := range 5 {
				go func() {
					label("healthy")
					pause(number)
					if number > 1 {
						label("stuck")
					}
					a.withdraw(7)
					label("healthy")
				}()
			}
		}
		for range 3 {
			a := &account{}
			stuck(func() { a.audit() })
		}
		for range 3 {
			a, b := &account{}, &account{}
			stuck(func() { transfer(a, b) })
			stuck(func() { transfer(b, a) })
		}
		time.Sleep(time.Until(end))
	})
}

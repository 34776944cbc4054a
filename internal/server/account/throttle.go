package account

import (
	"container/list"
	"net/netip"
	"sync"
	"time"
)

// throttle slows tries down, by key: the first few are free, then each makes the next wait twice as long. Memory is
// bounded: the key that was quiet for longest is forgotten first. Guarded by mu.
type throttle struct {
	free    int           // tries without waiting
	first   time.Duration // wait after those
	longest time.Duration
	forget  time.Duration // a key that is quiet for so long starts anew
	size    int           // keys kept
	now     func() time.Time

	mu    sync.Mutex
	keys  map[string]*list.Element
	order *list.List // of *tries, the latest in front
}

type tries struct {
	key   string
	count int
	last  time.Time
	until time.Time
}

// take counts a try and gives 0, or gives how long to wait and counts nothing. A try counts before it is known how
// it ends, so that many at once get no further than one after the other.
func (t *throttle) take(key string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	e := t.find(key)
	if now.Sub(e.last) > t.forget {
		e.count, e.until = 0, time.Time{}
	}
	if wait := e.until.Sub(now); wait > 0 {
		return wait
	}
	e.count++
	e.last = now
	if over := e.count - t.free; over >= 0 {
		wait := t.longest
		if over < 20 {
			wait = min(t.longest, t.first<<over)
		}
		e.until = now.Add(wait)
	}
	return 0
}

// clear forgets a key: its holder has shown who he is.
func (t *throttle) clear(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if el, ok := t.keys[key]; ok {
		t.order.Remove(el)
		delete(t.keys, key)
	}
}

// giveBack takes one try back: it was a right one. The wrong ones before it stay counted, since otherwise the owner
// of one account could try others' for ever by logging in to his own in between.
func (t *throttle) giveBack(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	el, ok := t.keys[key]
	if !ok {
		return
	}
	e := el.Value.(*tries)
	e.count = max(0, e.count-1)
	if e.count < t.free {
		e.until = time.Time{}
	}
}

// find gives the entry of a key, made where there is none, and moves it to the front.
func (t *throttle) find(key string) *tries {
	if t.keys == nil {
		t.keys, t.order = map[string]*list.Element{}, list.New()
	}
	if el, ok := t.keys[key]; ok {
		t.order.MoveToFront(el)
		return el.Value.(*tries)
	}
	if t.order.Len() >= t.size {
		oldest := t.order.Back()
		delete(t.keys, oldest.Value.(*tries).key)
		t.order.Remove(oldest)
	}
	e := &tries{key: key}
	t.keys[key] = t.order.PushFront(e)
	return e
}

// addressKey gives what one counts by: an IPv4 address, or the /64 that one subscriber of IPv6 has to himself.
func addressKey(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	p, err := a.Prefix(64)
	if err != nil {
		return address
	}
	return p.String()
}

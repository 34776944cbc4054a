package file

import "sync"

// live is how far the transfers under way are, which changes too often for the disk. The zero one is ready. mu guards it.
type live struct {
	mu  sync.Mutex
	all map[string]Transfer
}

func (l *live) store(id string, t Transfer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = map[string]Transfer{}
	}
	l.all[id] = t
}

func (l *live) load(id string) (Transfer, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, ok := l.all[id]
	return t, ok
}

func (l *live) forget(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.all, id)
}

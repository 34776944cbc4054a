package push

import (
	"context"
	"sync"
	"time"
)

// defaultLinger is how long a printer counts as watched after the last one left: going from one page to the next must
// not slow its device down and up again.
const defaultLinger = 10 * time.Second

// watchers counts who looks at each printer and tells when the first comes and when the last has gone.
// mu guards the map; telling is held over a change and the word of it, so that both come in the same order.
type watchers struct {
	tell   func(uuid string, delta int) // +1: somebody looks, -1: nobody does any more
	linger time.Duration

	telling  sync.Mutex
	mu       sync.Mutex
	printers map[string]*watchedPrinter
	gone     func(uuid string) // called when nobody has looked for a while
}

type watchedPrinter struct {
	count int
	left  time.Time // when the count fell to 0
}

func (w *watchers) join(uuid string) {
	w.telling.Lock()
	defer w.telling.Unlock()
	w.mu.Lock()
	if w.printers == nil {
		w.printers = map[string]*watchedPrinter{}
	}
	p := w.printers[uuid]
	first := p == nil
	if first {
		p = &watchedPrinter{}
		w.printers[uuid] = p
	}
	p.count++
	w.mu.Unlock()
	if first {
		w.tell(uuid, +1)
	}
}

func (w *watchers) leave(uuid string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p := w.printers[uuid]; p != nil {
		p.count--
		if p.count <= 0 {
			p.count, p.left = 0, time.Now()
		}
	}
}

// watched tells whether somebody is subscribed now.
func (w *watchers) watched(uuid string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.printers[uuid]
	return p != nil && p.count > 0
}

func (w *watchers) run(ctx context.Context) {
	tick := time.NewTicker(w.linger / 5)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			w.sweep(now)
		}
	}
}

func (w *watchers) sweep(now time.Time) {
	w.telling.Lock()
	defer w.telling.Unlock()
	var over []string
	w.mu.Lock()
	for uuid, p := range w.printers {
		if p.count == 0 && now.Sub(p.left) >= w.linger {
			delete(w.printers, uuid)
			over = append(over, uuid)
		}
	}
	w.mu.Unlock()
	for _, uuid := range over {
		if w.gone != nil {
			w.gone(uuid)
		}
		w.tell(uuid, -1)
	}
}

package file

import (
	"context"
	"runtime"
	"sync"
)

// works is what is made of files when somebody first asks for it: their tool path, their text. Of one thing one is made
// at a time, and no more at once than there are processors. mu guards doing.
type works struct {
	slots chan struct{}

	mu    sync.Mutex
	doing map[string]chan struct{}
}

func newWorks() *works {
	return &works{slots: make(chan struct{}, runtime.GOMAXPROCS(0)), doing: map[string]chan struct{}{}}
}

// do makes one thing while nobody else makes it; who had to wait for that finds it made. Errors: ctx's while waiting.
func (w *works) do(ctx context.Context, thing string, make_ func() error) error {
	for {
		w.mu.Lock()
		other := w.doing[thing]
		if other == nil {
			break
		}
		w.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	over := make(chan struct{})
	w.doing[thing] = over
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		delete(w.doing, thing)
		w.mu.Unlock()
		close(over)
	}()
	select {
	case w.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-w.slots }()
	return make_()
}

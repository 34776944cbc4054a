package file

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// One thing is made once at a time, different ones beside each other up to the number of processors, and who has gone
// is not waited for.
func TestWorks(t *testing.T) {
	w := newWorks()
	var now, most, made atomic.Int32
	done := false // guarded by w: of "same" one is made at a time
	var all sync.WaitGroup
	begin := make(chan struct{})
	for i := range 20 {
		thing := []string{"same", "a", "b", "c"}[i%4]
		all.Go(func() {
			<-begin
			err := w.do(t.Context(), thing, func() error {
				most.Store(max(most.Load(), now.Add(1)))
				defer now.Add(-1)
				if thing == "same" && !done {
					done = true
					made.Add(1)
				}
				runtime.Gosched()
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	close(begin)
	all.Wait()
	if made.Load() != 1 || int(most.Load()) > runtime.GOMAXPROCS(0) {
		t.Errorf("made %d times, %d at once", made.Load(), most.Load())
	}

	held, release := make(chan struct{}), make(chan struct{})
	all.Go(func() { _ = w.do(t.Context(), "x", func() error { close(held); <-release; return nil }) })
	<-held
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := w.do(ctx, "x", func() error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	close(release)
	all.Wait()
	if len(w.doing) != 0 || len(w.slots) != 0 {
		t.Errorf("%d are still made, %d slots taken", len(w.doing), len(w.slots))
	}
}

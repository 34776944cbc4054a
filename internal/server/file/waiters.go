package file

import (
	"context"
	"sync"
)

// waiters are those who wait for something to happen to a thing. The zero one is ready. mu guards it.
type waiters struct {
	mu  sync.Mutex
	all map[string]chan struct{}
}

// next gives a channel that is closed when the thing is told of.
func (w *waiters) next(id string) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[string]chan struct{}{}
	}
	if w.all[id] == nil {
		w.all[id] = make(chan struct{})
	}
	return w.all[id]
}

func (w *waiters) tell(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.all[id]; c != nil {
		close(c)
		delete(w.all, id)
	}
}

// awaitAnalysis gives a file's row once it has been looked into, or as it is when ctx ends.
func (s *Service) awaitAnalysis(ctx context.Context, row *fileRow) (*fileRow, error) {
	for row.Analysis == AnalysisWaiting {
		told := s.analysed.next(row.ID)
		now, err := s.find(ctx, s.DB.Read, row.ID)
		if err != nil || now.Analysis != AnalysisWaiting {
			return now, err
		}
		select {
		case <-told:
		case <-ctx.Done():
			return row, nil
		}
	}
	return row, nil
}

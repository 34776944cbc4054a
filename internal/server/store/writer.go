package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/uptrace/bun"
)

// ErrClosed is returned for a write after Close.
var ErrClosed = errors.New("the database is closed")

// A group ends when nothing more is waiting, or at these bounds, so that one burst cannot keep the first writer waiting.
const (
	groupTime = 20 * time.Millisecond
	groupSize = 512
)

type write struct {
	fn   func(ctx context.Context, tx bun.Tx) error
	done chan error // capacity 1
}

// writer is the one goroutine that writes to a file. Each commit costs one fsync, so it takes all that is waiting
// into one transaction, each write in a savepoint of its own.
type writer struct {
	db *bun.DB

	// in
	writes chan write

	mu     sync.RWMutex // guards closed against a send on writes
	closed bool
	ended  chan struct{}
}

func startWriter(db *bun.DB) *writer {
	w := &writer{db: db, writes: make(chan write, groupSize), ended: make(chan struct{})}
	go w.run()
	return w
}

func (w *writer) do(ctx context.Context, fn func(ctx context.Context, tx bun.Tx) error) error {
	// What the caller's context carries (who asks, from where) is of use in fn, its end is not.
	carried := context.WithoutCancel(ctx)
	job := write{done: make(chan error, 1), fn: func(_ context.Context, tx bun.Tx) error { return fn(carried, tx) }}
	w.mu.RLock()
	if w.closed {
		w.mu.RUnlock()
		return ErrClosed
	}
	select {
	case w.writes <- job:
		w.mu.RUnlock()
	case <-ctx.Done():
		w.mu.RUnlock()
		return ctx.Err()
	}
	return <-job.done // always answered: the caller must know whether it was written
}

func (w *writer) close() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.writes)
	}
	w.mu.Unlock()
	<-w.ended
}

func (w *writer) run() {
	defer close(w.ended)
	for job := range w.writes {
		w.group(job)
	}
}

func (w *writer) group(first write) {
	ctx := context.Background()
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		first.done <- fmt.Errorf("begin: %w", err)
		return
	}
	group := make([]write, 0, 8)
	begun := time.Now()
	for job, more := first, true; more; {
		if err := savepoint(ctx, tx, job.fn); err != nil {
			job.done <- err
		} else {
			group = append(group, job)
		}
		if len(group) >= groupSize || time.Since(begun) >= groupTime {
			break
		}
		select {
		case job, more = <-w.writes:
		default:
			more = false
		}
	}
	err = tx.Commit()
	if err != nil {
		err = errors.Join(fmt.Errorf("commit: %w", err), ignoreDone(tx.Rollback()))
	}
	for _, job := range group {
		job.done <- err
	}
}

func savepoint(ctx context.Context, tx bun.Tx, fn func(context.Context, bun.Tx) error) error {
	if _, err := tx.ExecContext(ctx, "SAVEPOINT w"); err != nil {
		return fmt.Errorf("savepoint: %w", err)
	}
	err := call(ctx, tx, fn)
	if err != nil {
		if _, back := tx.ExecContext(ctx, "ROLLBACK TO w"); back != nil {
			err = errors.Join(err, back)
		}
	}
	if _, rel := tx.ExecContext(ctx, "RELEASE w"); rel != nil {
		err = errors.Join(err, rel)
	}
	return err
}

func call(ctx context.Context, tx bun.Tx, fn func(context.Context, bun.Tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("a write panicked: %v", p)
		}
	}()
	return fn(ctx, tx)
}

func ignoreDone(err error) error {
	if err != nil && err.Error() == "sql: transaction has already been committed or rolled back" {
		return nil
	}
	return err
}

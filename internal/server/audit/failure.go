package audit

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/uptrace/bun"
)

// Failures can be caused by anybody, as often as he likes. Within a window the first of each kind is written
// and repetitions are counted; all kinds together are bounded too, and what is over is counted in one entry.
const (
	failureWindow = 10 * time.Minute
	failureKinds  = 500 // written a window: 72,000 entries a day at the very worst
)

type failureKey struct{ action, target, address, reason string }

type counted struct {
	entry Entry
	count int
}

// failures is guarded by mu.
type failures struct {
	wake chan struct{} // capacity 1: there is something to write

	mu      sync.Mutex
	since   time.Time
	kinds   map[failureKey]*counted
	over    int   // failures of kinds that did not fit any more
	waiting []row // the first of their kinds, to be written by Run
}

// note counts a failure and tells whether it is to be written.
func (f *failures) note(k failureKey, e Entry, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.kinds == nil {
		f.kinds, f.since = map[failureKey]*counted{}, now
	}
	if c, ok := f.kinds[k]; ok {
		c.count++
		return false
	}
	if len(f.kinds) >= failureKinds {
		f.over++
		return false
	}
	f.kinds[k] = &counted{entry: e}
	return true
}

// take ends the window when it is over, or at once with force, and gives what was counted and not written.
func (f *failures) take(now time.Time, force bool) (repeated []counted, over int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.kinds == nil || (!force && now.Sub(f.since) < failureWindow) {
		return nil, 0
	}
	for _, c := range f.kinds {
		if c.count > 0 {
			repeated = append(repeated, *c)
		}
	}
	over = f.over
	f.kinds, f.over = nil, 0
	return repeated, over
}

// forget drops what is counted and waits for workspaces that are being deleted.
func (f *failures) forget(workspaceIDs []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = slices.DeleteFunc(f.waiting, func(r row) bool { return slices.Contains(workspaceIDs, r.WorkspaceID) })
	for _, c := range f.kinds {
		if slices.Contains(workspaceIDs, c.entry.WorkspaceID) {
			*c = counted{entry: Entry{Action: c.entry.Action, Actor: "-", Result: Refused}, count: c.count}
		}
	}
}

// RecordFailure notes something that anybody can cause as often as he likes; reason tells kinds of it apart. The
// first of its kind is written soon, repetitions are counted and written as one with detail {"repeated":n}, so
// that nobody fills the disk by failing. It does not wait for the disk: whoever fails would learn from his answer's
// time whether this was the first failure of its kind, and so whether an e-mail address has an account.
func (l *Log) RecordFailure(ctx context.Context, reason string, e Entry) {
	if e.Result == "" {
		e.Result = Refused
	}
	if e.Detail == nil {
		e.Detail = map[string]any{"reason": reason}
	}
	key := failureKey{e.Action, clip(e.Target.ID + e.Target.Name), clip(e.Address), reason}
	if !l.failures.note(key, e, l.Now()) {
		return
	}
	r, err := l.newRow(ctx, e)
	if err != nil {
		l.Logger.Error("audit entry lost", "action", e.Action, "error", err)
		return
	}
	l.failures.mu.Lock()
	l.failures.waiting = append(l.failures.waiting, r)
	l.failures.mu.Unlock()
	select {
	case l.failures.wake <- struct{}{}:
	default:
	}
}

// writeFailures writes the failures that wait for it.
func (l *Log) writeFailures(ctx context.Context) {
	l.failures.mu.Lock()
	rows := l.failures.waiting
	l.failures.waiting = nil
	l.failures.mu.Unlock()
	if len(rows) == 0 {
		return
	}
	if err := l.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error { return insert(ctx, tx, rows...) }); err != nil {
		l.Logger.Error("audit entries lost", "count", len(rows), "error", err)
	}
}

// flushFailures writes what waits, and what was counted in a window that is over.
func (l *Log) flushFailures(ctx context.Context, force bool) {
	l.writeFailures(ctx)
	repeated, over := l.failures.take(l.Now(), force)
	for _, c := range repeated {
		c.entry.Detail = map[string]any{"repeated": c.count}
		if err := l.Record(ctx, nil, c.entry); err != nil {
			l.Logger.Error("audit entry lost", "action", c.entry.Action, "error", err)
		}
	}
	if over == 0 {
		return
	}
	e := Entry{Action: "failures.many", Actor: "-", Result: Refused, Detail: map[string]any{"repeated": over}}
	if err := l.Record(ctx, nil, e); err != nil {
		l.Logger.Error("audit entry lost", "action", e.Action, "error", err)
	}
}

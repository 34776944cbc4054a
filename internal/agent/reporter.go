package agent

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

const (
	debounce = 100 * time.Millisecond // changes of state come in twos and threes: event, state, job
	// A reading that comes a little early still counts as the next second's; otherwise each would wait for the next one.
	early = 100 * time.Millisecond
)

// reporter decides when a snapshot is sent: each second while somebody looks or a job runs, else every ten, at once
// when the state changes. One goroutine, run, sends; a mutex holds what it sends.
type reporter struct {
	send func([]byte)
	wake chan struct{}

	mu      sync.Mutex
	snap    wire.Snapshot
	have    bool
	watched bool
	due     time.Time // of the next snapshot
	sent    time.Time // of the last one
}

func newReporter(send func([]byte)) *reporter {
	return &reporter{send: send, wake: make(chan struct{}, 1)}
}

// interval is the time between two snapshots. The caller holds mu.
func (r *reporter) interval() time.Duration {
	if r.watched || r.snap.Status.Active() {
		return wire.WatchedInterval
	}
	return wire.IdleInterval
}

// set takes a new reading.
func (r *reporter) set(s wire.Snapshot, urgent bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.snap, r.have = s, true
	switch {
	case urgent:
		r.sooner(now.Add(debounce))
	case r.interval() == wire.WatchedInterval:
		r.sooner(r.sent.Add(wire.WatchedInterval - early))
	}
}

// now has the last reading sent soon, without a new one.
func (r *reporter) now() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sooner(time.Now().Add(debounce))
}

func (r *reporter) setWatched(w bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watched = w
	if w {
		r.sooner(time.Now())
	}
}

// sooner moves the next snapshot forward. The caller holds mu.
func (r *reporter) sooner(t time.Time) {
	if r.due.IsZero() || t.Before(r.due) {
		r.due = t
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
}

func (r *reporter) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-r.wake:
		}
		payload, wait := r.next(time.Now())
		if payload != nil {
			r.send(payload)
		}
		timer.Reset(wait)
	}
}

// next gives the snapshot if one is due, and how long to wait for the one after.
func (r *reporter) next(now time.Time) (payload []byte, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.have {
		return nil, wire.IdleInterval
	}
	if now.Before(r.due) {
		return nil, r.due.Sub(now)
	}
	interval := r.interval()
	r.snap.TS, r.snap.Interval = seconds(now), interval.Seconds()
	r.sent, r.due = now, now.Add(interval)
	payload, err := json.Marshal(r.snap)
	if err != nil { // every number in it has been checked to be finite
		return nil, interval
	}
	return payload, interval
}

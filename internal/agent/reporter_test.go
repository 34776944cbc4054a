package agent

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

func TestReporter_Next(t *testing.T) {
	idle, printing := wire.Snapshot{Status: wire.StatusIdle}, wire.Snapshot{Status: wire.StatusPrinting}
	r := newReporter(func([]byte) {})
	now := time.Now()
	// at asks at a moment and tells whether a snapshot is due; then its interval must be the one that it says.
	at := func(now time.Time, due bool, interval time.Duration) {
		t.Helper()
		payload, _ := r.next(now)
		if (payload != nil) != due {
			t.Fatalf("due %v, want %v", payload != nil, due)
		}
		if !due {
			return
		}
		var s wire.Snapshot
		if err := json.Unmarshal(payload, &s); err != nil || s.Interval != interval.Seconds() || s.TS == 0 {
			t.Fatalf("%s: %v", payload, err)
		}
	}
	at(now, false, 0) // nothing is known yet
	r.set(idle, true)
	at(now.Add(time.Second), true, wire.IdleInterval)
	r.set(idle, false)
	at(now.Add(9*time.Second), false, 0)
	at(now.Add(12*time.Second), true, wire.IdleInterval)

	r.set(printing, true) // a change is told at once, but what comes with it is waited for
	at(time.Now(), false, 0)
	at(time.Now().Add(2*debounce), true, wire.WatchedInterval)
	sent := r.sent
	r.set(printing, false)
	at(sent.Add(wire.WatchedInterval/2), false, 0)
	at(sent.Add(wire.WatchedInterval-early), true, wire.WatchedInterval)

	r.set(idle, true)
	at(time.Now().Add(20*time.Second), true, wire.IdleInterval)
	r.setWatched(true)
	at(time.Now().Add(time.Millisecond), true, wire.WatchedInterval)
	r.setWatched(false)
	r.now()
	at(time.Now().Add(20*time.Second), true, wire.IdleInterval)
}

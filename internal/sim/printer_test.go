package sim

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// TestPrinter_Lives lets a fleet live for two days of its own time and looks for every kind of fate.
func TestPrinter_Lives(t *testing.T) {
	seen := map[wire.Status]int{}
	types := map[string]int{}
	for i := range 40 {
		p := newPrinter(rand.New(rand.NewPCG(uint64(i), 1)), models[i%len(models)])
		jobs := map[string]string{}
		check := func(events []wire.Event) {
			for _, e := range events {
				types[e.Type]++
				if e.Job == "" {
					continue
				}
				if _, known := jobs[e.Job]; !known && e.Type != wire.EventPrintStarted {
					t.Fatalf("%s of a job that did not start", e.Type)
				}
				if was := jobs[e.Job]; was == wire.EventPrintDone || was == wire.EventPrintCancelled {
					t.Fatalf("%s after %s", e.Type, was)
				}
				jobs[e.Job] = e.Type
			}
		}
		check(p.begin())
		for s := time.Duration(0); s < 48*time.Hour; s += 5 * time.Second {
			events, gone := p.step(5 * time.Second)
			check(events)
			seen[p.phase]++
			if gone != (p.phase == wire.StatusOffline) {
				t.Fatal("gone and offline are the same")
			}
			for name, h := range p.heater {
				if h.actual < 15 || h.actual > 300 {
					t.Fatalf("%s at %.1f °C", name, h.actual)
				}
			}
		}
	}
	for _, s := range []wire.Status{wire.StatusIdle, wire.StatusHeating, wire.StatusPrinting, wire.StatusPaused, wire.StatusError, wire.StatusOffline} {
		if seen[s] == 0 {
			t.Errorf("never %s", s)
		}
	}
	for _, e := range []string{wire.EventPrintStarted, wire.EventPrintDone, wire.EventPrintFailed, wire.EventPrintCancelled, wire.EventPrintPaused, wire.EventPrintResumed, wire.EventError} {
		if types[e] == 0 {
			t.Errorf("no %s", e)
		}
	}
}

func TestPrinter_SnapshotIsTakenWhole(t *testing.T) {
	p := newPrinter(rand.New(rand.NewPCG(3, 1)), models[1])
	p.begin()
	for range 2000 {
		p.step(time.Second)
		b, err := json.Marshal(p.snapshot(time.Now(), time.Second))
		if err != nil {
			t.Fatal(err)
		}
		var s wire.Snapshot
		if trimmed, err := wire.DecodeSnapshot(b, &s); err != nil || trimmed != 0 {
			t.Fatalf("%v, %d trimmed of %s", err, trimmed, b)
		}
	}
}

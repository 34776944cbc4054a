package job

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kangbyounggwan/factor/internal/agent/queue"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// desk is a tracker with a real queue, on a folder that outlives it.
type desk struct {
	*Tracker
	t   *testing.T
	dir string
	q   *queue.Queue
}

func mustOpen(t *testing.T, dir string) *desk {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	q, err := queue.Open(filepath.Join(dir, "events"), queue.DefaultLimit, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	tracker, err := Open(filepath.Join(dir, "job.json"), q, log)
	if err != nil {
		t.Fatal(err)
	}
	return &desk{tracker, t, dir, q}
}

func (d *desk) again() *desk {
	d.q.Close()
	return mustOpen(d.t, d.dir)
}

// told gives the queued events: type and reason, and which job, the first one being A.
func (d *desk) told() string {
	d.t.Helper()
	events, err := d.q.Pending(100)
	if err != nil {
		d.t.Fatal(err)
	}
	var s []string
	letters := map[string]string{"": "-"}
	for _, e := range events {
		if letters[e.Job] == "" {
			letters[e.Job] = string(rune('A' + len(letters) - 1))
		}
		var data struct{ Reason string }
		json.Unmarshal(e.Data, &data)
		s = append(s, strings.TrimSuffix(fmt.Sprintf("%s/%s/%s", letters[e.Job], e.Type, data.Reason), "/"))
	}
	return strings.Join(s, " ")
}

func (d *desk) want(want string) {
	d.t.Helper()
	if got := d.told(); got != want {
		d.t.Errorf("got  %s\nwant %s", got, want)
	}
}

const started = `{"name":"a.gcode","path":"a.gcode","origin":"local","size":7}`

// doing is a state with a.gcode loaded, which has been printed for some seconds.
func doing(s wire.Status, printTime float64) wire.Snapshot {
	size, date := int64(7), 1700.0
	return wire.Snapshot{Status: s, Progress: wire.Progress{PrintTime: &printTime},
		Job: wire.Job{File: wire.File{Name: "a.gcode", Path: "a.gcode", Origin: "local", Size: &size, Date: &date}}}
}

func nothing(string, string) *Ended { return nil }

func TestTracker_OnePrint(t *testing.T) {
	d := mustOpen(t, t.TempDir())
	idle := wire.Snapshot{Status: wire.StatusIdle}
	d.Event(wire.EventConnected, 1, nil, idle)
	d.Event(wire.EventPrintStarted, 2, json.RawMessage(started), idle)
	id := d.ID()
	if !wire.ValidUUID(id) {
		t.Errorf("id %q", id)
	}
	d.Event(wire.EventPrintPaused, 3, nil, doing(wire.StatusPaused, 1))
	d.Event(wire.EventPrintResumed, 4, nil, doing(wire.StatusPrinting, 1))
	d.Event(wire.EventPrintDone, 5, nil, doing(wire.StatusFinishing, 2))
	if d.ID() != "" {
		t.Error("the print has ended and still has an id")
	}
	d.Event(wire.EventDisconnected, 6, nil, idle)
	d.want("-/Connected A/PrintStarted A/PrintPaused A/PrintResumed A/PrintDone -/Disconnected")
}

func TestTracker_KeepsTheIDOverARestart(t *testing.T) {
	d := mustOpen(t, t.TempDir())
	d.Event(wire.EventPrintStarted, 100, json.RawMessage(started), wire.Snapshot{})
	id := d.ID()
	d = d.again()
	d.Sync(doing(wire.StatusPrinting, 50), 150, func(string, string) *Ended { return &Ended{Success: true, At: 90} })
	if d.ID() != id {
		t.Errorf("id %q became %q", id, d.ID())
	}
	d.want("A/PrintStarted")
}

func TestTracker_Sync(t *testing.T) {
	for _, c := range []struct {
		name   string
		before bool // a print was under way when the agent was last seen
		state  wire.Snapshot
		last   *Ended
		want   string
		active bool
	}{
		{"nothing before, nothing now", false, doing(wire.StatusIdle, 0), nil, "", false},
		{"begun without us", false, doing(wire.StatusPaused, 50), nil, "A/PrintStarted", true},
		{"done without us", true, doing(wire.StatusIdle, 50), &Ended{Success: true, At: 120, PrintTime: 20}, "A/PrintStarted A/PrintDone", false},
		{"failed without us", true, doing(wire.StatusIdle, 50), &Ended{At: 120}, "A/PrintStarted A/PrintFailed/unknown", false},
		{"lost with OctoPrint", true, wire.Snapshot{Status: wire.StatusOffline}, &Ended{Success: true, At: 90}, "A/PrintStarted A/PrintFailed/lost", false},
		{"the same file again", true, doing(wire.StatusPrinting, 10), &Ended{Success: true, At: 120}, "A/PrintStarted A/PrintDone B/PrintStarted", true},
		{"another file of that name", true, func() wire.Snapshot {
			s := doing(wire.StatusPrinting, 10)
			size := int64(8)
			s.Job.File.Size = &size
			return s
		}(), nil, "A/PrintStarted A/PrintFailed/lost B/PrintStarted", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := mustOpen(t, t.TempDir())
			if c.before {
				d.Event(wire.EventPrintStarted, 100, json.RawMessage(started), wire.Snapshot{})
				d = d.again()
			}
			d.Sync(c.state, 200, func(origin, path string) *Ended {
				if origin != "local" || path != "a.gcode" {
					t.Errorf("asked for %s/%s", origin, path)
				}
				return c.last
			})
			d.want(c.want)
			if (d.ID() != "") != c.active {
				t.Errorf("id %q", d.ID())
			}
		})
	}
}

// TestTracker_KilledBetween kills the agent between the record and the queue, at a start and at an end.
func TestTracker_KilledBetween(t *testing.T) {
	for _, queued := range []bool{false, true} {
		d := mustOpen(t, t.TempDir())
		q := d.queue
		if !queued {
			d.Tracker.queue = deaf{q}
		}
		d.Event(wire.EventPrintStarted, 100, json.RawMessage(started), wire.Snapshot{})
		d = d.again()
		d.want("A/PrintStarted")
		d = d.again()
		d.want("A/PrintStarted")
		id := d.ID()

		if !queued {
			d.Tracker.queue = deaf{d.queue}
		}
		record, _ := os.ReadFile(d.path)
		d.Event(wire.EventPrintDone, 100, nil, wire.Snapshot{})
		if _, err := os.Stat(d.path); err == nil {
			t.Error("the record outlives the print")
		}
		// As it was before the last step, which is to remove the record.
		over := strings.Replace(string(record), `"owed":`, `"over":true,"owed":`, 1)
		var r map[string]any
		json.Unmarshal([]byte(over), &r)
		epoch, seq := d.q.Next()
		if queued {
			seq--
		}
		r["owed"] = wire.Event{Epoch: epoch, Seq: seq, Type: wire.EventPrintDone, Job: id}
		b, _ := json.Marshal(r)
		os.WriteFile(d.path, b, 0o600)
		d = d.again()
		d.want("A/PrintStarted A/PrintDone")
		if d.ID() != "" {
			t.Error("the ended print came back")
		}
	}
}

// deaf is a queue that a kill keeps from taking anything.
type deaf struct{ Queue }

func (deaf) Append(wire.Event) error { return nil }

func TestOpen_DamagedRecord(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "job.json"), []byte(`{"id":"x"`), 0o600)
	d := mustOpen(t, dir)
	if d.ID() != "" {
		t.Errorf("id %q", d.ID())
	}
	d.Sync(doing(wire.StatusPrinting, 1), 5, nothing)
	if !wire.ValidUUID(d.ID()) {
		t.Errorf("id %q", d.ID())
	}
}

// Package job gives every print an id at its start and keeps it until its end, over restarts of the agent and of the
// connection to OctoPrint, and puts the print's events into the queue: one start and one end for each.
package job

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/kangbyounggwan/factor/internal/agent/durable"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// Queue is where events go. See package queue.
type Queue interface {
	Append(wire.Event) error
	Next() (epoch string, seq int64)
	Has(epoch string, seq int64) bool
}

// record is the print under way, as kept on disk.
type record struct {
	ID        string  `json:"id"`
	Origin    string  `json:"origin"`
	Path      string  `json:"path"`
	Size      int64   `json:"size"`          // bytes, 0 unknown
	Date      float64 `json:"date,omitzero"` // Unix seconds of the file, 0 unknown
	StartedAt float64 `json:"started_at"`    // Unix seconds, device clock

	// Owed is the event that this record was written for, with the name it was to get. Record and queue are two files:
	// after a kill between the two, the name tells whether the event still has to be queued.
	Owed *wire.Event `json:"owed,omitzero"`
	Over bool        `json:"over,omitzero"` // Owed is the print's end
}

// Tracker follows the prints of one printer. It belongs to one goroutine.
type Tracker struct {
	path  string
	queue Queue
	log   *slog.Logger
	now   *record
}

// Open reads the record of an earlier process and queues what that one still owed.
func Open(path string, q Queue, log *slog.Logger) (*Tracker, error) {
	t := &Tracker{path: path, queue: q, log: log}
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return t, nil
	}
	if err != nil {
		return nil, fmt.Errorf("job record: %w", err)
	}
	var r record
	if err := json.Unmarshal(content, &r); err != nil || !wire.ValidUUID(r.ID) {
		log.Warn("the record of the print under way is damaged: it gets a new id", "trouble", "job_damaged")
		os.Remove(path)
		return t, nil
	}
	t.now = &r
	if e := r.Owed; e != nil && !q.Has(e.Epoch, e.Seq) {
		t.append(*e)
	}
	if r.Over {
		t.forget()
	}
	return t, nil
}

// ID is the id of the print under way, empty if there is none.
func (t *Tracker) ID() string {
	if t.now == nil {
		return ""
	}
	return t.now.ID
}

// start makes a record and queues the start.
func (t *Tracker) start(f wire.File, at float64, data json.RawMessage) {
	r := &record{ID: wire.NewUUID(), Origin: f.Origin, Path: f.Path, StartedAt: at}
	if f.Size != nil {
		r.Size = *f.Size
	}
	if f.Date != nil {
		r.Date = *f.Date
	}
	t.now = r
	t.settle(wire.Event{Type: wire.EventPrintStarted, At: at, Job: r.ID, Data: data}, false)
}

// end queues the end and forgets the print.
func (t *Tracker) end(kind string, at float64, data json.RawMessage) {
	t.settle(wire.Event{Type: kind, At: at, Job: t.now.ID, Data: data}, true)
	t.forget()
}

// settle writes the record down together with the event that it owes, then queues the event.
func (t *Tracker) settle(e wire.Event, over bool) {
	e.Epoch, e.Seq = t.queue.Next()
	t.now.Owed, t.now.Over = &e, over
	content, err := json.Marshal(t.now)
	if err == nil {
		err = durable.WriteFile(t.path, content)
	}
	if err != nil {
		t.log.Error("the print under way could not be written down", "trouble", "disk_write", "error", err)
	}
	t.append(e)
}

func (t *Tracker) append(e wire.Event) {
	if err := t.queue.Append(e); err != nil {
		t.log.Error("an event waits in memory", "trouble", "disk_write", "type", e.Type, "error", err)
	}
}

func (t *Tracker) forget() {
	t.now = nil
	if err := os.Remove(t.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.log.Error("the record of an ended print could not be removed", "trouble", "disk_write", "error", err)
	}
}

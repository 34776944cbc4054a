package job

import (
	"encoding/json"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// Ended is how the last print of a file ended, by OctoPrint's own book.
type Ended struct {
	Success   bool
	At        float64 // Unix seconds
	PrintTime float64 // s
}

// Event takes an event of OctoPrint as it comes: it starts or ends the print, and every event is queued under its id.
// At is in Unix seconds; state is the printer's state after the event.
func (t *Tracker) Event(kind string, at float64, data json.RawMessage, state wire.Snapshot) {
	switch kind {
	case wire.EventPrintStarted:
		if t.now != nil { // its end was never told
			t.end(wire.EventPrintFailed, at, reason(t.now, "lost"))
		}
		t.start(fileOf(data, state.Job.File), at, data)
	case wire.EventPrintDone, wire.EventPrintFailed, wire.EventPrintCancelled:
		if t.now == nil { // the end of a print that began before our time and was never seen running
			t.append(wire.Event{Type: kind, At: at, Data: data})
			return
		}
		t.end(kind, at, data)
	default:
		t.append(wire.Event{Type: kind, At: at, Job: t.ID(), Data: data})
	}
}

// Sync compares what is known with a state after a time in which no events came. at is now; last asks how the last
// print of a file ended and may answer nil.
func (t *Tracker) Sync(state wire.Snapshot, at float64, last func(origin, path string) *Ended) {
	active := state.Status.Active() && state.Job.File.Path != ""
	if t.now != nil {
		ended := last(t.now.Origin, t.now.Path)
		if ended != nil && ended.At <= t.now.StartedAt {
			ended = nil // an earlier print of the same file
		}
		if active && ended == nil && t.now.matches(state.Job.File) {
			return
		}
		switch {
		case ended != nil && ended.Success:
			t.end(wire.EventPrintDone, ended.At, mustJSON(map[string]any{"origin": t.now.Origin, "path": t.now.Path,
				"time": ended.PrintTime, "found_later": true}))
		case ended != nil:
			t.end(wire.EventPrintFailed, ended.At, reason(t.now, "unknown"))
		default:
			t.end(wire.EventPrintFailed, at, reason(t.now, "lost"))
		}
	}
	if !active {
		return
	}
	if p := state.Progress.PrintTime; p != nil {
		at -= *p
	}
	f := state.Job.File
	t.start(f, at, mustJSON(map[string]any{"name": f.Name, "origin": f.Origin, "path": f.Path, "size": f.Size, "found_later": true}))
}

// matches tells whether a file is the one being printed. What either side does not know does not count.
func (r *record) matches(f wire.File) bool {
	return r.Path == f.Path && r.Origin == f.Origin &&
		(r.Size == 0 || f.Size == nil || r.Size == *f.Size) &&
		(r.Date == 0 || f.Date == nil || r.Date == *f.Date)
}

// fileOf reads the file of a PrintStarted; the event comes before the state that tells the file's date.
func fileOf(data json.RawMessage, loaded wire.File) wire.File {
	var f struct {
		Name   string `json:"name"`
		Path   string `json:"path"`
		Origin string `json:"origin"`
		Size   *int64 `json:"size"`
	}
	if json.Unmarshal(data, &f) != nil || f.Path == "" {
		return loaded
	}
	file := wire.File{Name: f.Name, Path: f.Path, Origin: f.Origin, Size: f.Size}
	if loaded.Path == f.Path && loaded.Origin == f.Origin {
		file.Date = loaded.Date
	}
	return file
}

// reason is the payload of an end that OctoPrint did not tell us: lost when it has no book of it (it was restarted
// itself), unknown when it has and says only that it failed.
func reason(r *record, why string) json.RawMessage {
	return mustJSON(map[string]any{"origin": r.Origin, "path": r.Path, "reason": why, "found_later": true})
}

func mustJSON(v map[string]any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings, numbers and booleans only
	}
	return b
}

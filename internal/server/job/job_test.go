package job

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/store"
	"github.com/kangbyounggwan/factor/internal/wire"
)

const (
	printerID = "p1"
	jobA      = "3b241101-e2bb-4255-8caf-4136c566a962"
	jobB      = "9c5b94b1-35ad-49bb-b118-8e8fc24abf80"
)

// world is the prints of one printer, done by hand: work() is called where Run would.
type world struct {
	*Service
	t   *testing.T
	dir string
	db  *store.DB

	at   time.Time
	seq  int64
	told []bus.JobChanged
}

func open(t *testing.T) *world {
	w := &world{t: t, dir: t.TempDir(), at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	w.start()
	t.Cleanup(func() { w.db.Close() })
	return w
}

func (w *world) start() {
	w.t.Helper()
	db, err := store.Open(context.Background(), w.dir)
	if err != nil {
		w.t.Fatal(err)
	}
	w.db = db
	b := &bus.Bus{}
	b.JobChanged.Subscribe(func(j bus.JobChanged) { w.told = append(w.told, j) })
	w.Service = &Service{DB: db, Bus: b, Now: func() time.Time { return w.at }}
	if err := w.Initialize(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) restart() {
	w.t.Helper()
	if err := w.db.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.start()
}

// see observes a snapshot, some time after the one before: our agent's, or without an id the published plugin's.
func (w *world) see(after time.Duration, id, file string, status wire.Status, completion, printTime float64) {
	snap := &wire.Snapshot{}
	if id != "" {
		snap.Status = status
	}
	w.seeOf(snap, after, id, file, status, completion, printTime)
}

func (w *world) seeOf(snap *wire.Snapshot, after time.Duration, id, file string, status wire.Status, completion, printTime float64) {
	w.at = w.at.Add(after)
	snap.Job = wire.Job{ID: id, File: wire.File{Name: file, Path: file, Origin: "local"}}
	if completion >= 0 {
		snap.Progress.Completion = &completion
	}
	if printTime >= 0 {
		snap.Progress.PrintTime = &printTime
	}
	w.Observe(printerID, snap, status, w.at)
	w.work(context.Background())
}

func (w *world) event(after time.Duration, kind, id, data string) {
	w.t.Helper()
	w.at = w.at.Add(after)
	w.eventAt(w.at, kind, id, data)
}

func (w *world) eventAt(at time.Time, kind, id, data string) {
	w.t.Helper()
	w.seq++
	e := &wire.Event{Epoch: "e", Seq: w.seq, Type: kind, Job: id, Data: json.RawMessage(data)}
	var done func()
	err := w.db.Write(context.Background(), func(ctx context.Context, tx bun.Tx) (err error) {
		done, err = w.Event(ctx, tx, printerID, e, at)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if done != nil {
		done()
	}
}

// rows gives "file:result" of each print, the oldest first; a print under way has an empty result.
func (w *world) rows() (list []string) {
	w.t.Helper()
	jobs, _, err := w.Jobs(context.Background(), printerID, time.Time{}, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, j := range slices.Backward(jobs) {
		if (j.EndedAt == nil) != (j.Result == "") || j.EndedAt != nil && j.EndedAt.Before(j.StartedAt) {
			w.t.Errorf("%+v", j)
		}
		list = append(list, fmt.Sprintf("%s:%s", j.FileName, j.Result))
	}
	return list
}

func (w *world) expect(want ...string) {
	w.t.Helper()
	if got := w.rows(); !slices.Equal(got, want) {
		w.t.Errorf("%v, want %v", got, want)
	}
}

const (
	sec      = time.Second
	fileA    = `{"name":"a.gcode","path":"a.gcode","origin":"local","size":100}`
	fileATim = `{"name":"a.gcode","path":"a.gcode","origin":"local","time":900}`
)

// The published plugin has no events and no job ids: what is seen is what is known.
func TestFromSnapshotsAlone(t *testing.T) {
	for _, c := range []struct {
		name string
		see  func(w *world)
		want []string
	}{
		{"done", func(w *world) {
			w.see(sec, "", "a", wire.StatusPrinting, 99.1, 800)
			w.see(sec, "", "a", wire.StatusIdle, 100, 805)
		}, []string{"a:done"}},
		{"done by way of finishing", func(w *world) {
			w.see(sec, "", "a", wire.StatusFinishing, 99.9, 800)
			w.see(sec, "", "a", wire.StatusIdle, -1, -1)
		}, []string{"a:done"}},
		{"cancelled", func(w *world) {
			w.see(sec, "", "a", wire.StatusCancelling, 40, 300)
			w.see(sec, "", "a", wire.StatusIdle, 0, -1)
		}, []string{"a:cancelled"}},
		{"cancelled between two looks", func(w *world) {
			w.see(sec, "", "a", wire.StatusIdle, 0, -1)
		}, []string{"a:cancelled"}},
		{"paused is under way", func(w *world) {
			w.see(sec, "", "a", wire.StatusPausing, 40, 300)
			w.see(sec, "", "a", wire.StatusPaused, 40, 300)
			w.see(sec, "", "a", wire.StatusResuming, 40, 300)
			w.see(sec, "", "a", wire.StatusPrinting, 41, 301)
		}, []string{"a:"}},
		{"an error ends it", func(w *world) {
			w.see(sec, "", "a", wire.StatusError, 40, 300)
		}, []string{"a:failed"}},
		{"the printer unplugged", func(w *world) {
			w.see(sec, "", "a", wire.StatusOffline, 40, 300)
		}, []string{"a:failed"}},
		{"connecting again decides nothing", func(w *world) {
			w.see(sec, "", "a", wire.StatusConnecting, 40, 300)
			w.see(sec, "", "a", wire.StatusUnknown, 40, 300)
		}, []string{"a:"}},
		{"away, and done meanwhile", func(w *world) {
			w.see(5*time.Hour, "", "a", wire.StatusIdle, 100, 9000)
		}, []string{"a:done"}},
		{"away, and lost meanwhile", func(w *world) {
			w.see(5*time.Hour, "", "", wire.StatusIdle, -1, -1)
		}, []string{"a:failed"}},
		{"away, and printing another since", func(w *world) {
			w.see(5*time.Hour, "", "b", wire.StatusPrinting, 3, 60)
		}, []string{"a:failed", "b:"}},
		{"away, and printing the same anew", func(w *world) {
			w.see(5*time.Hour, "", "a", wire.StatusPrinting, 3, 60)
		}, []string{"a:failed", "a:"}},
		{"away, and still at it", func(w *world) {
			w.see(5*time.Minute, "", "a", wire.StatusPrinting, 30, 700)
		}, []string{"a:"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := open(t)
			w.see(0, "", "", wire.StatusIdle, -1, -1)
			w.see(sec, "", "a", wire.StatusHeating, 0, 0)
			w.see(sec, "", "a", wire.StatusPrinting, 20, 200)
			c.see(w)
			w.expect(c.want...)
		})
	}
}

func TestSnapshotsCompleteTheRow(t *testing.T) {
	w := open(t)
	w.see(0, "", "a", wire.StatusPrinting, 20, 600) // seen for the first time in its middle
	w.see(10*time.Minute, "", "a", wire.StatusIdle, 100, 1200)
	jobs, _, err := w.Jobs(t.Context(), printerID, time.Time{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	j := jobs[0]
	if want := w.at.Add(-20 * time.Minute); !j.StartedAt.Equal(want) || *j.PrintTime != 1200 || *j.Completion != 100 || !j.EndedAt.Equal(w.at) {
		t.Errorf("%+v", j)
	}
	if len(w.told) != 2 || !w.told[0].EndedAt.IsZero() || w.told[1].Result != "done" || w.told[1].ID != w.told[0].ID {
		t.Errorf("%+v", w.told)
	}
}

func TestFromEvents(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(w *world)
		want []string
	}{
		{"done", func(w *world) {
			w.event(0, "PrintStarted", jobA, fileA)
			w.event(900*sec, "PrintDone", jobA, fileATim)
		}, []string{"a.gcode:done"}},
		{"done, and seen finishing without its id a moment later", func(w *world) {
			w.event(0, "PrintStarted", jobA, fileA)
			w.see(60*sec, jobA, "a.gcode", wire.StatusPrinting, 99, 60)
			w.event(sec, "PrintDone", jobA, fileATim)
			w.see(sec, "", "a.gcode", wire.StatusPrinting, 100, 61)
			w.see(sec, "", "a.gcode", wire.StatusFinishing, 100, 61)
			w.see(sec, "", "a.gcode", wire.StatusIdle, 100, 61)
		}, []string{"a.gcode:done"}},
		{"failed before its file was seen", func(w *world) {
			w.see(0, jobA, "", wire.StatusPrinting, -1, -1)
			w.event(sec, "PrintFailed", jobA, fileA)
		}, []string{"a.gcode:failed"}},
		{"cancelled as OctoPrint says it: failed, then cancelled", func(w *world) {
			w.event(0, "PrintStarted", jobA, fileA)
			w.event(60*sec, "PrintFailed", jobA, `{"name":"a.gcode","reason":"cancelled"}`)
			w.event(0, "PrintCancelled", jobA, fileA)
		}, []string{"a.gcode:cancelled"}},
		{"cancelled the other way round, without a reason", func(w *world) {
			w.event(0, "PrintStarted", jobA, fileA)
			w.event(60*sec, "PrintCancelled", jobA, fileA)
			w.event(0, "PrintFailed", jobA, fileA)
		}, []string{"a.gcode:cancelled"}},
		{"failed, then said to be cancelled", func(w *world) {
			w.event(0, "PrintStarted", jobA, fileA)
			w.event(60*sec, "PrintFailed", jobA, fileA)
			w.event(0, "PrintCancelled", jobA, fileA)
		}, []string{"a.gcode:cancelled"}},
		{"failed", func(w *world) {
			w.event(0, "PrintStarted", jobA, fileA)
			w.event(60*sec, "PrintFailed", jobA, `{"name":"a.gcode","reason":"error"}`)
		}, []string{"a.gcode:failed"}},
		{"events and snapshots mixed", func(w *world) {
			w.see(0, jobA, "a.gcode", wire.StatusHeating, 0, 0)
			w.event(0, "PrintStarted", jobA, fileA)
			w.see(sec, jobA, "a.gcode", wire.StatusPrinting, 50, 400)
			w.event(sec, "PrintDone", jobA, fileATim)
			w.see(sec, jobA, "a.gcode", wire.StatusFinishing, 100, 900) // a late snapshot
			w.see(sec, "", "a.gcode", wire.StatusIdle, 100, 900)
			w.see(2*time.Minute, "", "a.gcode", wire.StatusIdle, 100, 900)
		}, []string{"a.gcode:done"}},
		{"the end comes before the snapshots' grace is over", func(w *world) {
			w.see(0, jobA, "a.gcode", wire.StatusPrinting, 50, 400)
			w.see(sec, "", "a.gcode", wire.StatusIdle, 0, -1) // looks cancelled
			w.event(30*sec, "PrintFailed", jobA, fileATim)
		}, []string{"a.gcode:failed"}},
		{"the end never comes", func(w *world) {
			w.see(0, jobA, "a.gcode", wire.StatusPrinting, 50, 400)
			w.see(sec, "", "a.gcode", wire.StatusIdle, 100, 900)
			w.see(2*time.Minute, "", "a.gcode", wire.StatusIdle, 100, 900)
		}, []string{"a.gcode:done"}},
		{"the end comes an hour after it was guessed", func(w *world) {
			w.see(0, jobA, "a.gcode", wire.StatusPrinting, 50, 400)
			w.see(sec, "", "a.gcode", wire.StatusIdle, 0, -1)
			w.see(2*time.Minute, "", "a.gcode", wire.StatusIdle, 0, -1)
			w.expect("a.gcode:cancelled")
			w.event(time.Hour, "PrintFailed", jobA, fileATim)
		}, []string{"a.gcode:failed"}},
		{"away for days: old events behind a new print", func(w *world) {
			w.event(0, "PrintStarted", jobA, fileA)
			begun := w.at
			w.see(48*time.Hour, jobB, "b.gcode", wire.StatusPrinting, 10, 100)
			w.expect("a.gcode:failed", "b.gcode:")
			w.eventAt(begun.Add(900*sec), "PrintDone", jobA, fileATim)
			w.eventAt(w.at.Add(-100*sec), "PrintStarted", jobB, `{"name":"b.gcode","path":"b.gcode"}`)
			w.see(sec, jobB, "b.gcode", wire.StatusPrinting, 11, 101)
		}, []string{"a.gcode:done", "b.gcode:"}},
		{"a whole print in the queue while another runs", func(w *world) {
			begun := w.at
			w.see(48*time.Hour, jobB, "b.gcode", wire.StatusPrinting, 10, 100)
			w.eventAt(begun, "PrintStarted", jobA, fileA)
			w.see(sec, jobB, "b.gcode", wire.StatusPrinting, 11, 101)
			w.eventAt(begun.Add(900*sec), "PrintDone", jobA, fileATim)
			w.see(sec, jobB, "b.gcode", wire.StatusPrinting, 12, 102)
		}, []string{"a.gcode:done", "b.gcode:"}},
		{"the next print proves the last one over", func(w *world) {
			w.event(0, "PrintStarted", jobA, fileA)
			w.event(time.Hour, "PrintStarted", jobB, `{"name":"b.gcode"}`)
		}, []string{"a.gcode:failed", "b.gcode:"}},
		{"only the end is known", func(w *world) {
			w.event(0, "PrintDone", jobA, fileATim)
		}, []string{"a.gcode:done"}},
		{"the end before the beginning", func(w *world) {
			begun := w.at
			w.eventAt(begun.Add(900*sec), "PrintDone", jobA, fileATim)
			w.eventAt(begun, "PrintStarted", jobA, fileA)
		}, []string{"a.gcode:done"}},
		{"no job id in the events", func(w *world) {
			w.event(0, "PrintStarted", "", fileA)
			w.event(900*sec, "PrintDone", "", fileATim)
		}, []string{"a.gcode:done"}},
		{"other events are none of ours", func(w *world) {
			w.event(0, "FilamentChange", jobA, `{}`)
			w.event(0, "gap", "", `{"count":5}`)
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := open(t)
			c.do(w)
			w.expect(c.want...)
			w.restart()
			w.expect(c.want...)
		})
	}
}

func TestRowOfEvents(t *testing.T) {
	w := open(t)
	begun := w.at
	w.event(0, "PrintStarted", jobA, fileA)
	w.event(910*sec, "PrintDone", jobA, fileATim)
	jobs, _, err := w.Jobs(t.Context(), printerID, time.Time{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	j := jobs[0]
	if j.ID != jobA || !j.StartedAt.Equal(begun) || !j.EndedAt.Equal(begun.Add(910*sec)) || *j.PrintTime != 900 || *j.Size != 100 || *j.Completion != 100 {
		t.Errorf("%+v", j)
	}
}

func TestRestartInTheMiddle(t *testing.T) {
	for _, id := range []string{"", jobA} {
		w := open(t)
		w.see(0, id, "a", wire.StatusPrinting, 20, 200)
		w.restart()
		w.see(sec, id, "a", wire.StatusPrinting, 21, 205)
		w.expect("a:")
		if id != "" {
			w.event(sec, "PrintDone", id, fileATim)
		}
		w.see(sec, "", "a", wire.StatusIdle, 100, 900)
		w.expect("a:done")
	}
}

func TestTwoUnderWayAtStart(t *testing.T) {
	w := open(t)
	err := w.db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&[]row{
			{PrinterID: printerID, ID: jobA, FileName: "a", StartedAt: 1000}, {PrinterID: printerID, ID: jobB, FileName: "b", StartedAt: 2000},
		}).Exec(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	w.restart()
	w.expect("a:failed", "b:")
}

func TestLastAndForget(t *testing.T) {
	w := open(t)
	for i, id := range []string{jobA, jobB, "third"} {
		w.event(time.Hour, "PrintStarted", id, fmt.Sprintf(`{"name":"%d"}`, i))
		if id != "third" {
			w.event(time.Minute, "PrintDone", id, `{}`)
		}
	}
	last, err := w.Last(t.Context())
	if err != nil || len(last) != 2 || last[0].ID != jobB || last[1].ID != "third" || !last[1].EndedAt.IsZero() {
		t.Errorf("%+v %v", last, err)
	}
	page, more, err := w.Jobs(t.Context(), printerID, last[1].StartedAt, 1)
	if err != nil || !more || len(page) != 1 || page[0].ID != jobB {
		t.Errorf("%+v %v %v", page, more, err)
	}
	for _, want := range []int{2, 1, 0} {
		if n, err := w.Forget(t.Context(), printerID, 2); err != nil || n != want {
			t.Errorf("forgot %d, want %d, %v", n, want, err)
		}
	}
	w.expect()
}

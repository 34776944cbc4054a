package printer

import (
	"math"
	"sync"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// twin is what the server knows of one printer. mu guards all of it; nothing that waits, publishes or calls another
// part is done while it is held. Times are the server's, unless they say otherwise.
type twin struct {
	mu      sync.Mutex
	printer Printer
	device  Device
	gone    bool // removed: what still arrives is dropped

	// What the device said.
	snap        *wire.Snapshot // the last one; never nil
	reportedAt  time.Time      // when snap was received; zero: never
	status      wire.Status    // of snap; unknown until there is one
	statusSince time.Time
	interval    float64   // s between two reports, stated or measured
	finishAt    time.Time // when the job will likely end; zero: nobody knows
	presence    *wire.Presence
	treeAt      time.Time // when a snapshot was last looked through for the file tree
	treeHash    uint64    // of the tree found there

	// How it is connected.
	conn          uint64 // the newest connection; 0: none
	presenceConn  uint64 // the connection that presence was said on
	online        bool   // connected, and not denied by its own presence
	authenticated bool   // conn logged in with a token
	reports       bool   // conn reported before it was let in, where that counted for nothing
	connectedAt   time.Time
	lastSeen      time.Time
	stopped       bool      // it was online when the server stopped, and has time to come back
	lostAt        time.Time // when it went away
	lostDue       time.Time // when that is an event, if it has not come back by then; zero: nothing is due
	backAt        time.Time // when it came back, until that is stored as an event
	told          bool      // its being away is stored as an event
	lostJob       bool      // it went away during a job
	contestedAt   time.Time // when somebody else last tried to connect under its UUID
	quota         quota     // what it may still have stored

	// Its prints.
	running  *bus.JobChanged
	last     *bus.JobChanged
	observed wire.Status // as Jobs was told last

	// Those who look.
	watchers    int
	screens     int    // who look at the terminal
	version     uint64 // counts every change of what the API shows
	live        []byte // as Live gives it, of liveVersion
	liveVersion uint64
	stale       bool      // as last told
	shownAt     time.Time // of the last report that was shown to those who look
	published   time.Time
	waiting     bool // a publication is due

	// What is to be written.
	history block // the one being filled
	dirty   bool  // the checkpoint is older than what is known
}

func newTwin(p Printer, d Device) *twin {
	return &twin{printer: p, device: d, snap: new(wire.Snapshot), status: wire.StatusUnknown, interval: wire.IdleInterval.Seconds()}
}

// snapshots are used again: decoding into one with maps of the right size costs a third.
var snapshots = sync.Pool{New: func() any { return new(wire.Snapshot) }}

// Intervals shorter or longer than these say nothing about how often a device reports.
const (
	minInterval = 0.2 // s
	maxInterval = 300 // s
)

// take folds a snapshot in and gives back the one that is no longer needed. changed tells whether the API shows
// anything else than before, or has not been told for a while; moved, whether the status or the job is another.
func (t *twin) take(s *wire.Snapshot, at time.Time) (old *wire.Snapshot, changed, moved bool) {
	if s.Bare() {
		changed, moved = t.takeBare(s, at)
		return s, changed, moved
	}
	t.measure(s.Interval, at)
	old, t.snap = t.snap, s
	moved = t.moved(statusOf(s), at) || !sameJob(old, s)
	if moved {
		t.finishAt = time.Time{}
	}
	t.foresee(at)
	changed = moved || t.stale || at.Sub(t.shownAt) >= showAgain || !sameSnapshot(old, s)
	if changed {
		t.shownAt = at
	}
	t.reportedAt, t.stale = at, false
	return old, changed, moved
}

// takeBare folds a bare PrinterStateChanged in: the next snapshot brings the rest.
func (t *twin) takeBare(s *wire.Snapshot, at time.Time) (changed, moved bool) {
	if s.StateString != "" && s.StateString != t.snap.State.Text {
		t.snap.State.Text = s.StateString
		changed = true
	}
	status := statusOfBare(s)
	if status == wire.StatusPrinting && t.status == wire.StatusHeating {
		return changed, false // OctoPrint calls both printing; the temperatures decide
	}
	return changed, t.moved(status, at)
}

func (t *twin) moved(status wire.Status, at time.Time) bool {
	if status == t.status && !t.statusSince.IsZero() {
		return false
	}
	t.status, t.statusSince = status, at
	return true
}

// measure learns how often the device reports: what it states, else the mean of what is seen. A pause does not count.
func (t *twin) measure(stated float64, at time.Time) {
	if stated > 0 {
		t.interval = min(max(stated, minInterval), maxInterval)
		return
	}
	if t.reportedAt.IsZero() || t.reportedAt.Before(t.connectedAt) {
		return
	}
	if gap := at.Sub(t.reportedAt).Seconds(); gap >= minInterval/2 && gap < 60 {
		t.interval = max(0.7*t.interval+0.3*gap, minInterval)
	}
}

// The finish time moves only when the estimate does so for good: by more than 20 s, or 2 % of what is left.
const (
	finishSlack = 20 * time.Second
	finishShare = 0.02
)

// foresee says when the job will end. It counts from when the report came, so the device's clock does not matter.
func (t *twin) foresee(at time.Time) {
	left := t.snap.Progress.TimeLeft
	if left == nil || !t.status.Active() || t.status == wire.StatusCancelling {
		t.finishAt = time.Time{}
		return
	}
	finish := at.Add(time.Duration(*left * float64(time.Second)))
	slack := max(finishSlack, time.Duration(*left*finishShare*float64(time.Second)))
	if d := finish.Sub(t.finishAt).Abs(); t.finishAt.IsZero() || d > slack {
		t.finishAt = finish
	}
}

// showAgain is how often a report that says nothing new is shown all the same: without, a page would take an idle
// printer's figures for old ones. It is less than the shortest staleAfter.
const showAgain = 10 * time.Second

// staleAfter is how old a report may become: three of the device's intervals, at least 15 s.
func (t *twin) staleAfter() time.Duration {
	return max(wire.StaleAfter, time.Duration(3*t.interval*float64(time.Second)))
}

func (t *twin) isStale(now time.Time) bool {
	return !t.reportedAt.IsZero() && (!t.online || now.Sub(t.reportedAt) > t.staleAfter())
}

// shown is the status as people see it: a printer whose device is away is offline, whatever was last heard.
func (t *twin) shown() wire.Status {
	if !t.online {
		return wire.StatusOffline
	}
	return t.status
}

// contestedFor is how long the owner is told that somebody else tried his printer's UUID.
const contestedFor = 24 * time.Hour

// attention gives the reasons for a person to look at the printer, in the order of wire.Attentions.
func (t *twin) attention(now time.Time) []wire.Attention {
	has := func(a wire.Attention) bool {
		switch a {
		case wire.AttentionError:
			if t.online && t.status == wire.StatusError {
				return true
			}
		case wire.AttentionPrintFailed:
			return t.running == nil && t.last != nil && t.last.Result == "failed" && t.last.ID != t.printer.SeenJob
		case wire.AttentionOfflineWhilePrinting:
			return !t.online && t.lostJob
		case wire.AttentionUUIDContested:
			return !t.contestedAt.IsZero() && now.Sub(t.contestedAt) < contestedFor
		}
		for _, said := range t.snap.Attention {
			if said == a {
				return t.online
			}
		}
		return false
	}
	list := []wire.Attention{}
	for _, a := range wire.Attentions {
		if has(a) {
			list = append(list, a)
		}
	}
	return list
}

// sameSnapshot tells whether two snapshots say the same, but for their time.
func sameSnapshot(a, b *wire.Snapshot) bool {
	if a.State.Text != b.State.Text || len(a.State.Flags) != len(b.State.Flags) || len(a.Temperatures) != len(b.Temperatures) ||
		len(a.Attention) != len(b.Attention) || a.Connection != b.Connection || !sameJob(a, b) {
		return false
	}
	for k, v := range a.Temperatures {
		w, ok := b.Temperatures[k]
		if !ok || !sameNumber(v.Actual, w.Actual) || !sameNumber(v.Target, w.Target) {
			return false
		}
	}
	for k, v := range a.State.Flags {
		if w, ok := b.State.Flags[k]; !ok || v != w {
			return false
		}
	}
	for i := range a.Attention {
		if a.Attention[i] != b.Attention[i] {
			return false
		}
	}
	p, q := &a.Progress, &b.Progress
	return sameNumber(p.Completion, q.Completion) && sameNumber(p.PrintTime, q.PrintTime) && sameNumber(p.TimeLeft, q.TimeLeft) &&
		p.TimeLeftOrigin == q.TimeLeftOrigin && same(p.FilePos, q.FilePos) && same(p.FileSize, q.FileSize) &&
		a.Job.File.Origin == b.Job.File.Origin &&
		same(a.Job.File.Size, b.Job.File.Size) && sameNumber(a.Job.EstimatedTime, b.Job.EstimatedTime) &&
		sameNumber(a.Job.LastTime, b.Job.LastTime) && sameNumber(a.CurrentZ, b.CurrentZ) &&
		sameNumber(a.Overrides.Feedrate, b.Overrides.Feedrate) && sameNumber(a.Overrides.Flowrate, b.Overrides.Flowrate) &&
		string(a.Axes) == string(b.Axes)
}

// sameJob tells whether two snapshots are of the same print, or of the same loaded file.
func sameJob(a, b *wire.Snapshot) bool {
	return a.Job.ID == b.Job.ID && a.Job.File.Path == b.Job.File.Path && a.Job.File.Name == b.Job.File.Name
}

func same[T comparable](a, b *T) bool {
	return a == b || (a != nil && b != nil && *a == *b)
}

// sameNumber compares readings to the third place: what is beyond is noise of a float's printing.
func sameNumber(a, b *float64) bool {
	return a == b || (a != nil && b != nil && math.Abs(*a-*b) < 0.0005)
}

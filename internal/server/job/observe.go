package job

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// observation is what a snapshot says of a print.
type observation struct {
	printerID  string
	jobID      string // the agent's or the published plugin's; empty: neither knows (yet, or any more) which print this is
	ours       bool   // from our own agent, which names every print itself and sends events
	file       wire.File
	status     wire.Status
	completion *float64
	printTime  *float64
	at         time.Time
}

// progress is what is known of a printer's print between two observations.
type progress struct {
	open   string // id of the job under way; empty: none
	start  int64  // Unix milliseconds
	agents bool   // that id is our agent's: its events will tell how it ended
	name   string
	path   string

	status     wire.Status // the last one seen of it
	completion float64     // %
	printTime  float64     // s
	seenAt     time.Time
	overAt     time.Time // when it was first seen to be over, while its events are waited for
	overResult Result
	ended      string    // the job that ended last: a late snapshot does not begin it again
	lateUntil  time.Time // a snapshot without a job id until then is one of the print that its event has ended
}

// Observe takes note of what a snapshot says of a print. It keeps nothing of snap and never waits for the database.
func (s *Service) Observe(printerID string, snap *wire.Snapshot, status wire.Status, at time.Time) {
	o := observation{printerID: printerID, jobID: snap.Job.ID, ours: snap.Status != "", file: snap.Job.File, status: status,
		completion: snap.Progress.Completion, printTime: snap.Progress.PrintTime, at: at}
	if o.file.Size == nil {
		o.file.Size = snap.Progress.FileSize
	}
	s.mu.Lock()
	s.queue = append(s.queue, o)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default: // awake already
	}
}

// work does all that waits, and settles what was waited for long enough.
func (s *Service) work(ctx context.Context) {
	s.working.Lock()
	defer s.working.Unlock()
	for {
		s.mu.Lock()
		list := s.queue
		s.queue = nil
		s.mu.Unlock()
		if len(list) == 0 {
			break
		}
		var changes []change
		for i := range list {
			changes = append(changes, s.decide(&list[i])...)
			if len(changes) >= writeAtOnce || i == len(list)-1 {
				s.apply(ctx, changes)
				changes = changes[:0]
			}
		}
	}
	now := s.now()
	s.mu.Lock()
	var due []change
	for id, p := range s.prints {
		if !p.overAt.IsZero() && now.Sub(p.overAt) >= eventGrace {
			due = append(due, p.close(id, p.overResult, p.overAt))
		}
	}
	s.mu.Unlock()
	s.apply(ctx, due)
}

// writeAtOnce bounds one transaction: after a restart every printer's print may be news at once.
const writeAtOnce = 256

// eventGrace is how long the events of an agent are waited for after its snapshots say that a print is over. They
// come through a queue on its disk, which may be slow to empty after a time without network.
const eventGrace = time.Minute

// newPrint is how far a print's own time must fall back for it to be another print of the same file.
const newPrint = 60.0 // s

// decide gives what an observation changes. The published plugin names its prints, too, but has no events: there, what is
// seen is what is known.
func (s *Service) decide(o *observation) (changes []change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.prints[o.printerID]
	if p == nil {
		if !o.status.Active() {
			return nil
		}
		p = &progress{}
		s.prints[o.printerID] = p
	}
	switch {
	case o.status.Active():
		if p.open != "" && p.another(o) {
			changes = append(changes, p.close(o.printerID, p.guess(nil), p.lastSeen(o.at)))
		}
		if p.open == "" {
			if p.overtaken(o) || o.ours && o.jobID == "" {
				return changes
			}
			if !s.mayBegin(o) {
				return changes
			}
			changes = append(changes, p.begin(o))
		}
		p.see(o)
	case p.open == "" || !over(o.status):
	case p.agents && o.ours:
		if p.overAt.IsZero() {
			p.overAt, p.overResult = o.at, p.guess(o)
		}
	default:
		if o.printTime != nil {
			p.printTime = max(p.printTime, *o.printTime)
		}
		changes = append(changes, p.close(o.printerID, p.guess(o), o.at))
	}
	return changes
}

// overtaken tells of an active snapshot of a print that has ended: OctoPrint says that it is finishing for a moment
// after the event that it is done, and the agent's snapshot then carries the job's id, or none any more.
func (p *progress) overtaken(o *observation) bool {
	if o.jobID != "" {
		return o.jobID == p.ended
	}
	return o.at.Before(p.lateUntil)
}

// over tells of a status that no print survives.
func over(s wire.Status) bool {
	return s == wire.StatusIdle || s == wire.StatusError || s == wire.StatusOffline
}

// another tells whether an active printer prints something else than what is known to be under way.
func (p *progress) another(o *observation) bool {
	if o.jobID != "" || p.agents {
		return o.jobID != "" && o.jobID != p.open
	}
	if o.file.Path != "" && p.path != "" && o.file.Path != p.path || o.file.Name != "" && p.name != "" && o.file.Name != p.name {
		return true
	}
	return o.printTime != nil && *o.printTime+newPrint < p.printTime
}

func (p *progress) lastSeen(otherwise time.Time) time.Time {
	if p.seenAt.IsZero() {
		return otherwise
	}
	return p.seenAt
}

// begin makes the row of a print that is seen for the first time.
func (p *progress) begin(o *observation) change {
	*p = progress{open: o.jobID, agents: o.ours && o.jobID != "", ended: p.ended}
	if p.open == "" {
		p.open = uuid.Must(uuid.NewV7()).String()
	}
	started := o.at
	if o.printTime != nil && *o.printTime > 0 {
		started = started.Add(-time.Duration(*o.printTime * float64(time.Second)))
	}
	p.start = started.UnixMilli()
	return change{kind: changeBegin, row: row{PrinterID: o.printerID, ID: p.open, FileName: o.file.Name, Origin: o.file.Origin,
		Path: o.file.Path, Size: o.file.Size, StartedAt: started.UnixMilli()}}
}

// see remembers how far an active print has come.
func (p *progress) see(o *observation) {
	p.status, p.seenAt, p.overAt = o.status, o.at, time.Time{}
	if o.file.Name != "" || o.file.Path != "" {
		p.name, p.path = o.file.Name, o.file.Path
	}
	if o.completion != nil {
		p.completion = *o.completion
	}
	if o.printTime != nil {
		p.printTime = *o.printTime
	}
}

// awayAfter is how long nothing may have been seen of a print for its end to count as seen: a device that was away
// meanwhile and comes back idle, with its file unfinished, lost the print.
const awayAfter = time.Minute

// full is the completion from which on a print counts as done: OctoPrint leaves it at 100 after the end and puts it
// back to nothing after a cancellation.
const full = 99.95 // %

// guess says how a print ended by what is seen afterwards; o is nil when another print was seen next.
func (p *progress) guess(o *observation) Result {
	switch {
	case p.status == wire.StatusCancelling:
		return Cancelled
	case o != nil && o.status != wire.StatusIdle:
		return Failed // the printer reports an error, or is gone from its computer
	case o != nil && o.completion != nil && *o.completion >= full, p.completion >= full, p.status == wire.StatusFinishing:
		return Done
	case o == nil || p.seenAt.IsZero() || o.at.Sub(p.seenAt) > awayAfter:
		return Failed
	}
	return Cancelled
}

// close gives the end of the print under way.
func (p *progress) close(printerID string, result Result, at time.Time) change {
	c := change{kind: changeEnd, row: row{PrinterID: printerID, ID: p.open, Result: string(result)}}
	ms := at.UnixMilli()
	c.row.EndedAt = &ms
	if took := p.printTime; took > 0 {
		c.row.PrintTime = &took
	}
	completion := p.completion
	if result == Done {
		completion = 100
	}
	c.row.Completion = &completion
	*p = progress{ended: p.open}
	return c
}

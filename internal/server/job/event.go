package job

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// ends are the events that end a print.
var ends = map[string]Result{
	wire.EventPrintDone:      Done,
	wire.EventPrintFailed:    Failed,
	wire.EventPrintCancelled: Cancelled,
}

// payload is what OctoPrint says with an event of a print.
type payload struct {
	Name   string   `json:"name"`
	Path   string   `json:"path"`
	Origin string   `json:"origin"`
	Size   *int64   `json:"size"`
	Time   *float64 `json:"time"`   // s that it took
	Reason string   `json:"reason"` // of PrintFailed: "cancelled" when somebody wanted it so
}

func payloadOf(data json.RawMessage) payload {
	var p payload
	// OctoPrint's types are known, an agent's mistakes are not: a field that does not fit is left empty.
	if json.Unmarshal(data, &p) != nil {
		var fields map[string]json.RawMessage
		p = payload{}
		_ = json.Unmarshal(data, &fields) // no object: no fields
		_ = json.Unmarshal(fields["name"], &p.Name)
		_ = json.Unmarshal(fields["reason"], &p.Reason)
	}
	p.Name, _ = wire.CleanText(p.Name, wire.MaxFileName)
	p.Path, _ = wire.CleanText(p.Path, wire.MaxPath)
	p.Origin, _ = wire.CleanText(p.Origin, 40)
	if p.Size != nil && *p.Size < 0 {
		p.Size = nil
	}
	if p.Time != nil && !(*p.Time >= 0 && *p.Time < 1e9) {
		p.Time = nil
	}
	return p
}

// Event takes note of a device's event within the transaction that stores it. done, unless nil, must be called once
// that is on disk. Events may come late, behind the snapshots of the next print.
func (s *Service) Event(ctx context.Context, tx bun.Tx, printerID string, e *wire.Event, at time.Time) (done func(), err error) {
	result, isEnd := ends[e.Type]
	if !isEnd && e.Type != wire.EventPrintStarted {
		return nil, nil
	}
	data := payloadOf(e.Data)
	if data.Reason == "cancelled" {
		result = Cancelled
	}
	var told []bus.JobChanged
	var r *row
	if isEnd {
		r, err = s.end(ctx, tx, printerID, e, data, result, at)
	} else {
		r, told, err = s.start(ctx, tx, printerID, e, data, at)
	}
	if err != nil || r == nil {
		return nil, err
	}
	told = append(told, r.changed())
	return func() {
		s.note(r)
		for _, c := range told {
			s.Bus.JobChanged.Publish(c)
		}
	}, nil
}

// idOf gives the id of an event's job. One without is named after the event itself, so that a repetition is no other.
func idOf(e *wire.Event) string {
	if e.Job != "" {
		return e.Job
	}
	return e.Epoch + "-" + strconv.FormatInt(e.Seq, 10)
}

func (s *Service) start(ctx context.Context, tx bun.Tx, printerID string, e *wire.Event, data payload, at time.Time) (*row, []bus.JobChanged, error) {
	r, err := load(ctx, tx, printerID, idOf(e))
	if err != nil {
		return nil, nil, err
	}
	known := r != nil
	if !known {
		r = &row{PrinterID: printerID, ID: idOf(e)}
	}
	r.StartedAt = at.UnixMilli()
	if r.EndedAt != nil {
		r.StartedAt = min(r.StartedAt, *r.EndedAt)
	}
	if data.Name != "" || data.Path != "" {
		r.FileName, r.Path, r.Origin, r.Size = data.Name, data.Path, data.Origin, data.Size
	}
	if known {
		_, err = tx.NewUpdate().Model(r).WherePK().Exec(ctx)
	} else {
		_, err = tx.NewInsert().Model(r).Exec(ctx)
	}
	if err != nil {
		return nil, nil, err
	}
	told, err := s.endOlder(ctx, tx, r)
	return r, told, err
}

// endOlder ends the prints that a newer one proves to be over.
func (s *Service) endOlder(ctx context.Context, tx bun.Tx, newer *row) ([]bus.JobChanged, error) {
	var older []row
	err := tx.NewSelect().Model(&older).Where("printer_id = ?", newer.PrinterID).Where("ended_at IS NULL").
		Where("started_at < ?", newer.StartedAt).Where("id <> ?", newer.ID).Scan(ctx)
	if err != nil {
		return nil, err
	}
	var told []bus.JobChanged
	for i := range older {
		o := &older[i]
		o.EndedAt, o.Result = &newer.StartedAt, string(Failed)
		s.mu.Lock()
		if p := s.prints[o.PrinterID]; p != nil && p.open == o.ID {
			o.Result = string(p.guess(nil))
			if !p.seenAt.IsZero() {
				ms := p.seenAt.UnixMilli()
				o.EndedAt = &ms
			}
		}
		s.mu.Unlock()
		if _, err := tx.NewUpdate().Model(o).WherePK().Exec(ctx); err != nil {
			return nil, err
		}
		told = append(told, o.changed())
	}
	return told, nil
}

func (s *Service) end(ctx context.Context, tx bun.Tx, printerID string, e *wire.Event, data payload, result Result, at time.Time) (*row, error) {
	id := e.Job
	if id == "" {
		id = s.underWay(printerID)
	}
	if id == "" {
		id = idOf(e)
	}
	r, err := load(ctx, tx, printerID, id)
	if err != nil {
		return nil, err
	}
	known := r != nil
	if known && r.FileName == "" { // begun by a snapshot before OctoPrint had said of what
		r.FileName, r.Path, r.Origin, r.Size = data.Name, data.Path, data.Origin, data.Size
	}
	if !known {
		r = &row{PrinterID: printerID, ID: id, FileName: data.Name, Path: data.Path, Origin: data.Origin, Size: data.Size, StartedAt: at.UnixMilli()}
		if data.Time != nil {
			r.StartedAt -= int64(*data.Time * 1000)
		}
	}
	if r.ByEvent && (result != Cancelled || r.Result == string(Cancelled)) {
		return nil, nil // OctoPrint says both PrintFailed and PrintCancelled of one that was cancelled: that it was wanted counts
	}
	if !r.ByEvent {
		ms := max(at.UnixMilli(), r.StartedAt)
		r.EndedAt = &ms
		if r.PrintTime = data.Time; r.PrintTime == nil {
			took := float64(ms-r.StartedAt) / 1000
			r.PrintTime = &took
		}
	}
	r.Result, r.ByEvent = string(result), true
	if result == Done {
		all := 100.0
		r.Completion = &all
	} else if c := s.completionOf(printerID, id); c != nil {
		r.Completion = c
	}
	if known {
		_, err = tx.NewUpdate().Model(r).WherePK().Exec(ctx)
	} else {
		_, err = tx.NewInsert().Model(r).Exec(ctx)
	}
	return r, err
}

func (s *Service) underWay(printerID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.prints[printerID]; p != nil {
		return p.open
	}
	return ""
}

func (s *Service) completionOf(printerID, id string) *float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.prints[printerID]; p != nil && p.open == id && !p.seenAt.IsZero() {
		c := p.completion
		return &c
	}
	return nil
}

// note remembers what a stored event said, for the snapshots that follow.
func (s *Service) note(r *row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.prints[r.PrinterID]
	if p == nil {
		p = &progress{}
		s.prints[r.PrinterID] = p
	}
	switch {
	case r.EndedAt != nil && (p.open == r.ID || p.open == ""):
		*p = progress{ended: r.ID, lateUntil: s.now().Add(eventGrace)}
	case r.EndedAt == nil && p.open == r.ID:
		p.start, p.agents = r.StartedAt, true
	case r.EndedAt == nil && (p.open == "" || p.start < r.StartedAt):
		*p = progress{open: r.ID, start: r.StartedAt, agents: true, name: r.FileName, path: r.Path, ended: p.ended}
	}
}

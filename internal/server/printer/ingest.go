package printer

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// ErrInvalid says that a device's message will never be acceptable: acknowledge it, so that it does not come again.
var ErrInvalid = errors.New("invalid message")

// tellEvery is the shortest time between two publications of one printer's state.
const tellEvery = 100 * time.Millisecond

// Status takes a status message: a snapshot, or a bare PrinterStateChanged. payload is not kept. What is no such
// message is counted and dropped.
func (s *Service) Status(id Identity, payload []byte, at time.Time) {
	t := s.twinByID(id.PrinterID)
	if t == nil {
		s.count.status.unknown.Inc()
		return
	}
	snap := snapshots.Get().(*wire.Snapshot)
	trimmed, err := wire.DecodeSnapshot(payload, snap)
	if err != nil {
		snapshots.Put(snap)
		s.count.status.invalid.Inc()
		s.log.Debug("status dropped", "printer", id.PrinterID, "err", err)
		return
	}
	if trimmed > 0 {
		s.count.status.trimmed.Inc()
	}
	t.mu.Lock()
	if t.gone || t.device.ID != id.ID {
		t.mu.Unlock()
		snapshots.Put(snap)
		s.count.status.unknown.Inc()
		return
	}
	t.lastSeen, t.dirty = at, true
	if !t.online && t.conn != 0 {
		t.comes(at) // it said that it goes, and did not
	}
	tree := t.wantsTree(at)
	before, reported := t.snap, t.reportedAt
	old, changed, moved := t.take(snap, at)
	if t.snap == snap && (t.status != t.observed || !sameJob(before, snap)) {
		if t.observed.Active() {
			s.Jobs.Observe(t.printer.ID, before, t.observed, reported) // how far it had come
		}
		s.Jobs.Observe(t.printer.ID, snap, t.status, at)
		t.observed = t.status
	}
	var tell bool
	if changed || moved {
		t.version++
		tell = t.due(s, at)
	}
	uuid := t.device.UUID
	t.mu.Unlock()
	snapshots.Put(old)
	s.count.status.ok.Inc()
	if tree {
		s.findTree(t, id, payload, at)
	}
	if tell {
		s.Bus.TwinChanged.Publish(bus.TwinChanged{PrinterID: id.PrinterID, UUID: uuid})
	}
	if moved {
		s.checkpointSoon(t)
	}
}

// due tells whether a change of the printer is to be published now. If one was a moment ago, it is published when
// that moment is over.
func (t *twin) due(s *Service, now time.Time) bool {
	if t.waiting {
		return false
	}
	wait := tellEvery - now.Sub(t.published)
	if wait <= 0 || wait > tellEvery { // the latter: the clock was set back
		t.published = now
		return true
	}
	t.waiting = true
	time.AfterFunc(wait, func() {
		t.mu.Lock()
		t.waiting, t.published = false, s.now()
		m, gone := bus.TwinChanged{PrinterID: t.printer.ID, UUID: t.device.UUID}, t.gone
		t.mu.Unlock()
		if !gone {
			s.Bus.TwinChanged.Publish(m)
		}
	})
	return false
}

// changed is called with t.mu held after a change of what the API shows. It gives what to call once t.mu is free.
func (s *Service) changed(t *twin, now time.Time) (tell func()) {
	t.version++
	t.dirty = true
	if !t.due(s, now) {
		return func() {}
	}
	m := bus.TwinChanged{PrinterID: t.printer.ID, UUID: t.device.UUID}
	return func() { s.Bus.TwinChanged.Publish(m) }
}

// Presence takes what a device says of itself, or its Last Will. Errors: ErrInvalid.
func (s *Service) Presence(_ context.Context, id Identity, payload []byte, at time.Time, will bool) error {
	var p wire.Presence
	if json.Unmarshal(payload, &p) != nil {
		return ErrInvalid
	}
	cleanPresence(&p)
	t := s.twinByID(id.PrinterID)
	if t == nil {
		return nil
	}
	t.mu.Lock()
	if t.gone || t.device.ID != id.ID {
		t.mu.Unlock()
		return nil
	}
	if !will {
		t.lastSeen = at
	}
	if p.Online && !will {
		t.presence, t.presenceConn = &p, t.conn
		if !t.online && t.conn != 0 {
			t.comes(at)
		}
	} else if t.online {
		t.goes(at)
	}
	tell := s.changed(t, at)
	t.mu.Unlock()
	tell()
	s.checkpointSoon(t)
	return nil
}

// maxCaps bounds what an agent says it can do.
const maxCaps = 32

func cleanNames(list []string) []string {
	if len(list) > maxCaps {
		list = list[:maxCaps]
	}
	for i := range list {
		list[i], _ = wire.CleanText(list[i], 64)
	}
	return list
}

func cleanPresence(p *wire.Presence) {
	for _, text := range []*string{&p.Agent, &p.Epoch, &p.OctoPrint, &p.Python, &p.OS, &p.Host} {
		*text, _ = wire.CleanText(*text, wire.MaxText)
	}
	p.Caps = cleanNames(p.Caps)
	if !(p.Since > 0 && p.Since < 1e11) {
		p.Since = 0
	}
	p.Rights = cleanNames(p.Rights)
	if len(p.System) > wire.MaxSystem {
		p.System = p.System[:wire.MaxSystem]
	}
	for i := range p.System {
		a := &p.System[i]
		a.Action, _ = wire.CleanText(a.Action, wire.MaxAction)
		a.Name, _ = wire.CleanText(a.Name, wire.MaxText)
	}
}

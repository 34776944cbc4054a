package printer

import (
	"slices"
	"strings"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// Situation is what a command to a printer depends on.
type Situation struct {
	PrinterID   string
	WorkspaceID string
	Name        string
	Online      bool
	ConnectedAt time.Time
	Presence    *wire.Presence // of this connection; nil: it has said nothing. Must not be changed
	Agent       bool           // what ran on the device so far was our agent
	Status      wire.Status    // of the last report, whether the device is there or not
	Profile     wire.Profile
	Targets     map[string]float64 // °C, by heater
	Heaters     []string           // in order
	FeedRate    *float64           // %
	FlowRate    *float64           // %
	ReportedAt  time.Time
}

// Situation gives what a command to a printer depends on. False: there is no such printer.
func (s *Service) Situation(uuid string) (Situation, bool) {
	t := s.twin(uuid)
	if t == nil {
		return Situation{}, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.gone {
		return Situation{}, false
	}
	v := Situation{PrinterID: t.printer.ID, WorkspaceID: t.printer.WorkspaceID, Name: t.printer.Name,
		Online: t.online, ConnectedAt: t.connectedAt, Agent: t.presence != nil, Status: t.status,
		Profile: t.snap.Connection.Profile, Targets: map[string]float64{}, ReportedAt: t.reportedAt}
	if t.presence != nil && t.presenceConn == t.conn && t.conn != 0 {
		v.Presence = t.presence
	}
	for name, r := range t.snap.Temperatures {
		v.Heaters = append(v.Heaters, name)
		if r.Target != nil {
			v.Targets[name] = *r.Target
		}
	}
	slices.SortFunc(v.Heaters, strings.Compare)
	if p := t.snap.Overrides.Feedrate; p != nil {
		feed := *p
		v.FeedRate = &feed
	}
	if p := t.snap.Overrides.Flowrate; p != nil {
		flow := *p
		v.FlowRate = &flow
	}
	return v, true
}

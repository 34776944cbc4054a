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
	Presence    *wire.Presence // of this connection; nil: it has not said. Must not be changed
	Published   bool           // it reports without having said, as the published plugin does: our agent says first
	Status      wire.Status    // of the last report, whether the device is there or not
	Starting    bool           // in that report OctoPrint was about to begin a print
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
		Online: t.online, Status: t.status, Starting: t.snap.State.Starting(),
		Profile: t.snap.Connection.Profile, Targets: map[string]float64{}, ReportedAt: t.reportedAt}
	v.Presence, v.Published = t.speaker()
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

// speaker tells who speaks on the connection that there is: our agent by what it says of itself, or the published plugin;
// neither, as long as nothing has come. mu must be held.
func (t *twin) speaker() (presence *wire.Presence, published bool) {
	if t.conn == 0 {
		return nil, false
	}
	if t.presence != nil && t.presenceConn == t.conn {
		return t.presence, false
	}
	return nil, t.reports || t.reportedAt.After(t.connectedAt)
}

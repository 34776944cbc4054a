package printer

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// Live gives a printer as JSON for everybody who may see it: the API's form without what depends on who looks (role
// and addresses of cameras). The same bytes as long as nothing changes. False: there is no such printer.
func (s *Service) Live(uuid string) ([]byte, bool) {
	t := s.twin(uuid)
	if t == nil {
		return nil, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.live != nil && t.liveVersion == t.version {
		return t.live, true
	}
	b, err := json.Marshal(s.view(t, ""))
	if err != nil {
		s.log.Error("printer not rendered", "printer", t.printer.ID, "err", err)
		return nil, false
	}
	t.live, t.liveVersion = b, t.version
	return b, true
}

// Place tells whose a printer is. False: there is no such printer.
func (s *Service) Place(uuid string) (workspace.Target, bool) {
	t := s.twin(uuid)
	if t == nil {
		return workspace.Target{}, false
	}
	p := t.own()
	return workspace.Target{WorkspaceID: p.WorkspaceID, PrinterID: p.ID}, true
}

// UUID gives the UUID of the device that a printer has now. False: there is no such printer.
func (s *Service) UUID(printerID string) (string, bool) {
	t := s.twinByID(printerID)
	if t == nil {
		return "", false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.device.UUID, !t.gone
}

// Cameras gives a printer's cameras with their addresses, for the part that opens them.
func (s *Service) Cameras(uuid string) []Camera {
	t := s.twin(uuid)
	if t == nil {
		return nil
	}
	return t.own().Cameras
}

// Uplink tells what a printer's cameras may take of its uplink together, kbit/s; 0: as much as they like.
func (s *Service) Uplink(uuid string) int {
	t := s.twin(uuid)
	if t == nil {
		return 0
	}
	return t.own().UplinkKbps
}

// Speaker tells whether a printer's device is connected, and whether our agent or the published plugin speaks there:
// neither, as long as it has said nothing.
func (s *Service) Speaker(uuid string) (online, agent, published bool) {
	t := s.twin(uuid)
	if t == nil {
		return false, false, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	presence, published := t.speaker()
	return t.online, presence != nil, published
}

// View gives a printer as the API shows it to a role. False: there is no such printer.
func (s *Service) View(uuid string, role workspace.Role) (View, bool) {
	t := s.twin(uuid)
	if t == nil {
		return View{}, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return s.view(t, role), true
}

// view must be called with t.mu held. What it gives shares nothing with the twin that ever changes.
func (s *Service) view(t *twin, role workspace.Role) View {
	now := s.now()
	p := &t.printer
	v := View{
		ID: p.ID, UUID: t.device.UUID, Name: p.Name, Description: p.Description,
		Workspace: ViewWorkspace{ID: p.WorkspaceID, Name: s.name(p.WorkspaceID)}, Role: role,
		Pending: p.Pending, UUIDLogin: p.UUIDLogin, CreatedAt: p.CreatedAt,
		Unauthenticated: t.online && !t.authenticated,
		Online:          t.online, LastSeen: moment(t.lastSeen), ReportedAt: moment(t.reportedAt), DeviceTime: deviceMoment(t.snap.TS),
		Interval: float64(int(t.interval*10+0.5)) / 10, Stale: t.isStale(now),
		Status: t.shown(), Since: moment(t.statusSince), Attention: t.attention(now),
		State:        ViewState{Text: t.snap.State.Text, Flags: maps.Clone(t.snap.State.Flags)},
		Temperatures: make(map[string]ViewTemperature, len(t.snap.Temperatures)),
		CurrentZ:     t.snap.CurrentZ, Axes: json.RawMessage(slices.Clone(t.snap.Axes)),
		Overrides: t.snap.Overrides, Connection: t.snap.Connection,
		UplinkKbps: p.UplinkKbps, Cameras: shownCameras(p.Cameras, role == workspace.RoleOwner),
		Job: t.viewJob(), LastJob: viewLast(t.last),
	}
	if role == "" && v.Workspace.Name == "" {
		v.Workspace = ViewWorkspace{} // not asked for since the start: the page keeps the name that it has
	}
	if s.Transfer != nil {
		v.Transfer = s.Transfer(p.ID)
	}
	if t.online {
		v.ConnectedAt = moment(t.connectedAt)
	} else {
		v.Since = moment(t.lostAt)
	}
	if v.State.Flags == nil {
		v.State.Flags = map[string]bool{}
	}
	for name, r := range t.snap.Temperatures {
		v.Temperatures[name] = ViewTemperature{Actual: r.Actual, Target: r.Target}
	}
	g := &t.snap.Progress
	v.Progress = ViewProgress{Completion: g.Completion, PrintTime: g.PrintTime, TimeLeft: g.TimeLeft,
		TimeLeftOrigin: g.TimeLeftOrigin, FilePos: g.FilePos, FileSize: g.FileSize}
	if t.online {
		v.Progress.FinishAt = moment(t.finishAt)
	}
	if a := t.presence; a != nil {
		v.Agent = &ViewAgent{Version: a.Agent, Proto: a.Proto, Caps: append([]string{}, a.Caps...), OctoPrint: a.OctoPrint,
			Python: a.Python, OS: a.OS, Host: a.Host, Since: deviceMoment(a.Since)}
	}
	return v
}

func (t *twin) viewJob() *ViewJob {
	j := &t.snap.Job
	active := t.status.Active()
	if j.File.Name == "" && j.File.Path == "" && j.ID == "" && !active {
		return nil
	}
	v := &ViewJob{ID: j.ID, EstimatedTime: j.EstimatedTime, LastTime: j.LastTime, Filament: maps.Clone(j.Filament)}
	if len(v.Filament) == 0 {
		v.Filament = nil
	}
	if j.File.Name != "" || j.File.Path != "" {
		v.File = &ViewFile{Name: j.File.Name, Origin: j.File.Origin, Path: j.File.Path, Size: j.File.Size}
		if v.File.Size == nil {
			v.File.Size = t.snap.Progress.FileSize
		}
	}
	if r := t.running; r != nil && active {
		v.StartedAt = moment(r.StartedAt)
		if v.ID == "" {
			v.ID = r.ID
		}
	}
	return v
}

func viewLast(j *bus.JobChanged) *LastJob {
	if j == nil {
		return nil
	}
	return &LastJob{ID: j.ID, FileName: j.FileName, Result: j.Result, StartedAt: j.StartedAt.UTC(), EndedAt: moment(j.EndedAt), PrintTime: j.PrintTime}
}

// moment gives a time for JSON: UTC, whole milliseconds; nil for none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Millisecond)
	return &t
}

// deviceMoment gives a device's Unix seconds for JSON.
func deviceMoment(unix float64) *time.Time {
	if unix <= 0 {
		return nil
	}
	return moment(time.UnixMilli(int64(unix * 1000)))
}

// learnNames remembers what workspaces are called, and has printers shown anew where a name changed.
func (s *Service) learnNames(list []workspace.Workspace) {
	changed := map[string]bool{}
	s.mu.Lock()
	for _, w := range list {
		if s.names[w.ID] != w.Name {
			s.names[w.ID] = w.Name
			changed[w.ID] = true
		}
	}
	s.mu.Unlock()
	if len(changed) == 0 {
		return
	}
	for _, t := range s.twins() {
		t.mu.Lock()
		if changed[t.printer.WorkspaceID] {
			t.version++
		}
		t.mu.Unlock()
	}
}

func (s *Service) name(workspaceID string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.names[workspaceID]
}

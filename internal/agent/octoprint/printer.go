package octoprint

import (
	"encoding/json"
	"maps"
	"strings"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// Printer is what OctoPrint has said about its printer so far, folded into one state. It belongs to one goroutine.
type Printer struct {
	status wire.Status
	text   string
	flags  map[string]bool

	job      wire.Job
	progress wire.Progress
	currentZ *float64

	heaters map[string]reading
	offsets map[string]*float64

	port     string
	baudrate int
	profile  wire.Profile

	failure bool      // the connection was closed by an error; said until it is opened again
	toldAt  time.Time // when PrinterStateChanged came last
	warm    warming
}

// staleState is how long a regular message may still carry the state from before a PrinterStateChanged: OctoPrint
// holds such messages back by one throttle interval (1 s for us).
const staleState = 1500 * time.Millisecond

// apply folds a message in and tells whether the state itself has changed, which somebody who looks should see at once.
func (p *Printer) apply(m message, now time.Time) (changed bool) {
	before, text := p.Status(), p.text
	switch {
	case m.History != nil:
		p.toldAt, p.failure = time.Time{}, false
		p.applyCurrent(m.History, now)
	case m.Current != nil:
		p.applyCurrent(m.Current, now)
	case m.Event != nil:
		p.applyEvent(m.Event, now)
	}
	return p.Status() != before || p.text != text
}

func (p *Printer) applyCurrent(c *currentMessage, now time.Time) {
	if s := c.State; s != nil {
		told := !p.toldAt.IsZero() && now.Sub(p.toldAt) < staleState
		status := statusOf(s)
		if status == wire.StatusOffline && p.failure {
			status = wire.StatusError // OctoPrint forgets why, as soon as the connection is closed
		}
		if !told || status == p.status {
			p.status, p.flags = status, s.Flags
			p.setText(s)
		}
	}
	if c.Job != nil {
		p.applyJob(c.Job)
	}
	if g := c.Progress; g != nil {
		p.progress = wire.Progress{
			Completion: g.Completion.between(0, 100), FilePos: g.FilePos.count(), FileSize: p.job.File.Size,
			PrintTime: g.PrintTime.between(0, 1e9), TimeLeft: g.Left.between(0, 1e9),
			TimeLeftOrigin: clip(string(g.LeftOrigin), 40),
		}
	}
	p.currentZ = c.CurrentZ.between(-1e6, 1e6)
	for name, r := range c.Temps {
		if p.heaters == nil {
			p.heaters = make(map[string]reading, 3)
		}
		if _, known := p.heaters[name]; known || len(p.heaters) < wire.MaxHeaters {
			p.heaters[name] = r
		}
	}
	p.offsets = nil
	for name, o := range c.Offsets {
		if v := o.between(-wire.MaxTemperature, wire.MaxTemperature); v != nil && len(p.offsets) < wire.MaxHeaters {
			if p.offsets == nil {
				p.offsets = make(map[string]*float64)
			}
			p.offsets[name] = v
		}
	}
	p.warm.observe(p.status, p.heaters, p.progress.FilePos, now)
}

func (p *Printer) setText(s *stateMessage) {
	p.text = clipRunes(string(s.Text), wire.MaxText)
	if s.Error != "" && p.status == wire.StatusError && !strings.Contains(p.text, string(s.Error)) {
		p.text = clipRunes(p.text+": "+string(s.Error), wire.MaxText)
	}
}

func (p *Printer) applyJob(j *jobMessage) {
	job := wire.Job{
		File: wire.File{
			Name: clip(string(j.File.Name), wire.MaxFileName), Origin: clip(string(j.File.Origin), 40),
			Path: clip(string(j.File.Path), wire.MaxPath), Size: j.File.Size.count(), Date: j.File.Date.between(0, 1e11),
		},
		EstimatedTime: j.Estimated.between(0, 1e9), LastTime: j.Last.between(0, 1e9),
	}
	for tool, f := range j.Filament {
		length, volume := f.length.between(0, 1e9), f.volume.between(0, 1e9)
		if (length == nil && volume == nil) || !heaterName(tool) || len(job.Filament) >= wire.MaxHeaters {
			continue
		}
		if job.Filament == nil {
			job.Filament = make(map[string]wire.Filament, 1)
		}
		job.Filament[tool] = wire.Filament{Length: length, Volume: volume}
	}
	p.job = job
}

// eventStop is OctoPrint's event for M112.
const eventStop = "EStop"

func (p *Printer) applyEvent(e *eventMessage, now time.Time) {
	switch e.Type {
	case "PrinterStateChanged":
		var v struct {
			ID   string `json:"state_id"`
			Text string `json:"state_string"`
		}
		if json.Unmarshal(e.Payload, &v) != nil {
			return
		}
		s, known := states[v.ID]
		if !known {
			return // the next regular message tells by its flags
		}
		switch s.status {
		case wire.StatusOffline:
			switch {
			case p.failure: // keep saying what it was that closed the connection
				s = states["CLOSED_WITH_ERROR"]
				v.Text = p.text
			case strings.Contains(strings.ToLower(v.Text), "error"): // "Offline after error", as after an emergency stop
				s = states["CLOSED_WITH_ERROR"]
			}
		case wire.StatusError:
		default:
			p.failure = false
		}
		p.toldAt, p.status, p.text = now, s.status, clipRunes(v.Text, wire.MaxText)
		p.flags = make(map[string]bool, len(flagNames))
		for _, name := range flagNames {
			p.flags[name] = false
		}
		for _, name := range s.flags {
			p.flags[name] = true
		}
		p.warm.observe(p.status, p.heaters, p.progress.FilePos, now)
	case wire.EventError:
		var v struct {
			Error string `json:"error"`
		}
		json.Unmarshal(e.Payload, &v) // a payload without it says no more than the event itself
		p.failure = true
		p.text = clipRunes("Error: "+v.Error, wire.MaxText)
	case eventStop:
		// M112 closes the connection. What comes first, its event or the state, and whether that says "after error", is chance.
		p.failure = true
		if p.status == wire.StatusOffline {
			p.status, p.text = wire.StatusError, "Offline after error"
		}
	case wire.EventPrintStarted:
		p.warm.begin()
	case wire.EventConnected:
		var v struct {
			Port     string  `json:"port"`
			Baudrate float64 `json:"baudrate"`
		}
		if json.Unmarshal(e.Payload, &v) == nil {
			p.setConnection(v.Port, v.Baudrate)
		}
	case wire.EventDisconnected:
		p.setConnection("", 0)
		p.heaters, p.offsets = nil, nil
	}
}

func (p *Printer) setConnection(port string, baudrate float64) {
	p.port = clip(port, wire.MaxText)
	p.baudrate = 0
	if baudrate > 0 && baudrate < 1e9 {
		p.baudrate = int(baudrate)
	}
}

// Status is the state in FACTOR's words.
func (p *Printer) Status() wire.Status {
	if p.status == wire.StatusPrinting && p.warm.heating {
		return wire.StatusHeating
	}
	if p.status == "" {
		return wire.StatusUnknown
	}
	return p.status
}

// Snapshot gives the state as it goes to the server; the receiver of it may keep it.
func (p *Printer) Snapshot() wire.Snapshot {
	s := wire.Snapshot{
		Status:   p.Status(),
		State:    wire.State{Text: p.text, Flags: maps.Clone(p.flags)},
		Progress: p.progress,
		Job:      p.job,
		CurrentZ: p.currentZ,
		Connection: wire.Connection{State: p.text, Port: p.port, Baudrate: p.baudrate,
			Profile: p.profile},
	}
	if s.Status == wire.StatusError {
		s.Attention = append(s.Attention, wire.AttentionError)
	}
	for name, r := range p.heaters {
		t := wire.Temperature{Offset: p.offsets[name],
			Actual: r.actual.between(wire.MinTemperature, wire.MaxTemperature),
			Target: r.target.between(wire.MinTemperature, wire.MaxTemperature)}
		if t.Actual == nil && t.Target == nil {
			continue // a chamber that the profile does not have
		}
		if s.Temperatures == nil {
			s.Temperatures = make(map[string]wire.Temperature, len(p.heaters))
		}
		s.Temperatures[name] = t
	}
	return s
}

// clipRunes cuts s to n runes.
func clipRunes(s string, n int) string {
	s = clip(s, 4*n)
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

package sim

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// printer is the model of one machine. It knows nothing of networks: step moves its time on and gives the events
// that happened. One goroutine owns it.
type printer struct {
	rand *rand.Rand
	make model

	phase  wire.Status
	held   time.Duration // how long the phase has lasted
	until  time.Duration // when idle, paused, error or offline end
	job    *job
	last   string // file of the job before, still loaded while idle
	heater map[string]*heater
	faulty string // OctoPrint's text of an error
	next   *file  // to print next; nil: any

	feedRate, flowRate float64 // %
}

// model is a kind of printer.
type model struct {
	name, port    string
	width, height float64 // mm
	nozzle, bed   float64 // °C that its jobs ask for
	chamber       bool
}

type job struct {
	id       string
	file     file
	printed  time.Duration
	total    time.Duration
	trouble  trouble
	troubles time.Duration // place in the job where the trouble comes
	layer    float64       // height of the finished part in mm
}

// trouble is what spoils a job, at most one a job.
type trouble int

const (
	noTrouble trouble = iota
	pauses
	fails
	cancels
	errs
	vanishes // the device drops off the network for a while, the print goes on
)

type file struct {
	name    string
	minutes int
	mm      float64 // filament
}

type heater struct{ actual, target float64 }

const ambient = 23.5

func newPrinter(r *rand.Rand, m model) *printer {
	p := &printer{rand: r, make: m, phase: wire.StatusIdle, feedRate: 100, flowRate: 100, heater: map[string]*heater{"tool0": {actual: ambient}, "bed": {actual: ambient}}}
	if m.chamber {
		p.heater["chamber"] = &heater{actual: ambient}
	}
	p.wait(20*time.Second, 3*time.Minute)
	return p
}

// begin puts the printer somewhere in its life, so that a fleet does not start in step.
func (p *printer) begin() []wire.Event {
	if p.rand.IntN(10) < 3 {
		return nil // idle
	}
	events := p.start()
	p.job.printed = time.Duration(p.rand.Float64() * 0.95 * float64(p.job.total))
	if p.job.troubles < p.job.printed {
		p.job.trouble = noTrouble
	}
	if p.rand.IntN(5) > 0 {
		p.enter(wire.StatusPrinting)
		for _, h := range p.heater {
			h.actual = max(ambient, h.target)
		}
	}
	return events
}

func (p *printer) enter(phase wire.Status) { p.phase, p.held = phase, 0 }

func (p *printer) wait(least, most time.Duration) {
	p.until = least + time.Duration(p.rand.Int64N(int64(most-least)))
}

func (p *printer) start() []wire.Event {
	f := files[p.rand.IntN(len(files))]
	if p.next != nil {
		f, p.next = *p.next, nil
	}
	total := time.Duration(float64(f.minutes)*(0.9+0.2*p.rand.Float64())*60) * time.Second
	p.job = &job{id: wire.NewUUID(), file: f, total: total, layer: 10 + p.rand.Float64()*80}
	if p.rand.IntN(3) == 0 {
		p.job.trouble = trouble(1 + p.rand.IntN(int(vanishes)))
		p.job.troubles = time.Duration((0.05 + 0.9*p.rand.Float64()) * float64(total))
	}
	p.heat(p.make.nozzle, p.make.bed)
	p.enter(wire.StatusHeating)
	return []wire.Event{p.event(wire.EventPrintStarted, nil)}
}

func (p *printer) heat(nozzle, bed float64) {
	p.heater["tool0"].target, p.heater["bed"].target = nozzle, bed
}

// step lets d go by. Gone tells that the device has no network now.
func (p *printer) step(d time.Duration) (events []wire.Event, gone bool) {
	p.held += d
	for name, h := range p.heater {
		h.step(d, name, p.rand)
	}
	switch p.phase {
	case wire.StatusIdle:
		if p.held > p.until {
			events = p.start()
		}
	case wire.StatusHeating:
		if n, b := p.heater["tool0"], p.heater["bed"]; n.actual > n.target-2 && b.actual > b.target-2 {
			p.enter(wire.StatusPrinting)
		}
	case wire.StatusPrinting:
		events = p.print(d)
	case wire.StatusPaused:
		if p.held > p.until {
			p.enter(wire.StatusPrinting)
			events = append(events, p.event(wire.EventPrintResumed, nil))
		}
	case wire.StatusError:
		if p.held > p.until {
			p.faulty = ""
			p.rest()
			events = append(events, wire.Event{Type: wire.EventConnected})
		}
	case wire.StatusOffline: // the network is away, the print is not
		p.job.printed += d
		if p.held > p.until {
			p.enter(wire.StatusPrinting)
		}
	}
	return events, p.phase == wire.StatusOffline
}

func (p *printer) print(d time.Duration) []wire.Event {
	j := p.job
	j.printed += d
	if j.trouble != noTrouble && j.printed >= j.troubles {
		t := j.trouble
		j.trouble = noTrouble
		return p.spoil(t)
	}
	if j.printed < j.total {
		return nil
	}
	done := p.event(wire.EventPrintDone, map[string]any{"time": math.Round(j.total.Seconds())})
	p.rest()
	return []wire.Event{done}
}

func (p *printer) spoil(t trouble) []wire.Event {
	switch t {
	case pauses:
		p.enter(wire.StatusPaused)
		p.wait(30*time.Second, 5*time.Minute)
		return []wire.Event{p.event(wire.EventFilamentChange, nil), p.event(wire.EventPrintPaused, nil)}
	case fails:
		failed := p.event(wire.EventPrintFailed, map[string]any{"reason": "error", "time": math.Round(p.job.printed.Seconds())})
		p.rest()
		return []wire.Event{failed}
	case cancels:
		cancelled := p.event(wire.EventPrintCancelled, map[string]any{"time": math.Round(p.job.printed.Seconds())})
		p.rest()
		return []wire.Event{cancelled}
	case errs:
		p.faulty = "Error: Heating failed, system stopped! Heater_ID: E1"
		events := []wire.Event{
			{Type: wire.EventError, Data: mustJSON(map[string]any{"error": "Heating failed, system stopped! Heater_ID: E1"}), Job: p.job.id},
			p.event(wire.EventPrintFailed, map[string]any{"reason": "error", "time": math.Round(p.job.printed.Seconds())}),
		}
		p.rest()
		p.enter(wire.StatusError)
		p.wait(time.Minute, 10*time.Minute)
		return events
	}
	p.enter(wire.StatusOffline)
	p.wait(20*time.Second, 4*time.Minute)
	return nil
}

// rest ends the job: heaters off, idle for a while.
func (p *printer) rest() {
	if p.job != nil {
		p.last = p.job.file.name
	}
	p.job = nil
	p.heat(0, 0)
	p.enter(wire.StatusIdle)
	p.wait(time.Minute, 15*time.Minute)
}

func (p *printer) event(kind string, more map[string]any) wire.Event {
	data := map[string]any{"name": p.job.file.name, "path": p.job.file.name, "origin": "local", "size": p.job.file.size()}
	for k, v := range more {
		data[k] = v
	}
	return wire.Event{Type: kind, Job: p.job.id, Data: mustJSON(data)}
}

// size gives bytes, about what a slicer writes for so many minutes.
func (f file) size() int64 { return int64(f.minutes)*61_803 + int64(len(f.name))*97 }

// step moves a heater towards its target as a first-order lag, with the noise of a thermistor.
func (h *heater) step(d time.Duration, name string, r *rand.Rand) {
	rise, fall := 25*time.Second, 90*time.Second
	if name == "bed" {
		rise, fall = 60*time.Second, 5*time.Minute
	}
	goal, tau := h.target+8, rise // a heater is driven beyond its target and then held there
	if h.target < ambient {
		goal, tau = ambient, fall
	}
	h.actual += (goal - h.actual) * (1 - math.Exp(-d.Seconds()/tau.Seconds()))
	if h.target >= ambient && h.actual > h.target {
		h.actual = h.target
	}
	h.actual += r.NormFloat64() * 0.08
}

func (p *printer) text() string {
	switch p.phase {
	case wire.StatusHeating, wire.StatusPrinting, wire.StatusOffline:
		return "Printing"
	case wire.StatusPaused:
		return "Paused"
	case wire.StatusError:
		return p.faulty
	}
	return "Operational"
}

// snapshot tells what the machine looks like at a moment.
func (p *printer) snapshot(now time.Time, interval time.Duration) *wire.Snapshot {
	printing, paused, failed := p.phase == wire.StatusPrinting || p.phase == wire.StatusHeating, p.phase == wire.StatusPaused, p.phase == wire.StatusError
	s := &wire.Snapshot{
		TS: unix(now), Status: p.phase, Interval: interval.Seconds(),
		State: wire.State{Text: p.text(), Flags: map[string]bool{
			"operational": !failed, "printing": printing, "paused": paused, "error": failed, "ready": p.phase == wire.StatusIdle, "closedOrError": failed,
		}},
		Temperatures: map[string]wire.Temperature{},
		Connection:   wire.Connection{State: p.text(), Port: p.make.port, Baudrate: 115200, Profile: p.make.profile()},
		Overrides:    wire.Overrides{Feedrate: ptr(p.feedRate), Flowrate: ptr(p.flowRate)},
	}
	if failed {
		s.Attention = []wire.Attention{wire.AttentionError}
	}
	for name, h := range p.heater {
		s.Temperatures[name] = wire.Temperature{Actual: ptr(round(h.actual, 1)), Target: ptr(h.target), Offset: ptr(0.0)}
	}
	if p.last != "" {
		s.Job.File = wire.File{Name: p.last, Path: p.last, Origin: "local"}
	}
	if j := p.job; j != nil {
		done := min(1, j.printed.Seconds()/j.total.Seconds())
		size := j.file.size()
		s.Job = wire.Job{
			ID: j.id, EstimatedTime: ptr(float64(j.file.minutes) * 60), File: wire.File{Name: j.file.name, Path: j.file.name, Origin: "local", Size: &size},
			Filament: map[string]wire.Filament{"tool0": {Length: ptr(j.file.mm), Volume: ptr(round(j.file.mm*math.Pi*0.875*0.875/1000, 2))}},
		}
		s.Progress = wire.Progress{
			Completion: ptr(round(done*100, 2)), FilePos: ptr(int64(done * float64(size))), FileSize: &size, PrintTime: ptr(math.Round(j.printed.Seconds())),
			TimeLeft: ptr(math.Round((j.total - j.printed).Seconds())), TimeLeftOrigin: "analysis",
		}
		s.CurrentZ = ptr(round(max(0.2, done*j.layer), 1))
	}
	return s
}

func (m model) profile() wire.Profile {
	return wire.Profile{ID: "_default", Name: "Default", Model: m.name, HeatedBed: true, Volume: wire.Volume{Width: m.width, Depth: m.width, Height: m.height}}
}

// progress is how far the print is, 0…1; negative without one.
func (p *printer) progress() float64 {
	if p.job == nil {
		return -1
	}
	return min(p.job.printed.Seconds()/p.job.total.Seconds(), 1)
}

package sim

import (
	"fmt"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// byHand is how long a printer that a person has paused or stopped stays so: longer than anybody looks.
const byHand = 12 * time.Hour

// heaters are those of set_temperature's tools.
var heaters = map[int]string{0: "tool0", wire.ToolBed: "bed", wire.ToolChamber: "chamber"}

// obey does what a command says, as OctoPrint with our agent would. Events are what happened by it.
func (p *printer) obey(c *wire.Command) (code wire.ResultCode, message string, events []wire.Event) {
	r, known := wire.RuleOf(c.Type)
	if !known {
		return wire.ResultFailed, "A simulated printer does not know this.", nil
	}
	if h := r.Hinders(p.phase, false); h != wire.Unhindered {
		return wire.ResultNotNow, string(h), nil
	}
	if err := c.Check(wire.Limits{Volume: p.make.profile().Volume}); err != nil {
		return wire.ResultOutOfRange, err.Error(), nil
	}
	switch c.Type {
	case wire.CommandPause:
		p.enter(wire.StatusPaused)
		p.until = byHand
		return wire.ResultDone, "", []wire.Event{p.event(wire.EventPrintPaused, nil)}
	case wire.CommandResume:
		p.enter(wire.StatusPrinting)
		return wire.ResultDone, "", []wire.Event{p.event(wire.EventPrintResumed, nil)}
	case wire.CommandCancel:
		cancelled := p.event(wire.EventPrintCancelled, map[string]any{"time": int(p.job.printed.Seconds())})
		p.rest()
		p.until = byHand
		return wire.ResultDone, "", []wire.Event{cancelled}
	case wire.CommandSetTemperature:
		h := p.heater[heaters[*c.Tool]]
		if h == nil {
			return wire.ResultFailed, fmt.Sprintf("There is no heater %d.", *c.Tool), nil
		}
		h.target = *c.Temperature
	case wire.CommandSetFeedRate:
		p.feedRate = *c.Factor
	case wire.CommandSetFlowRate:
		p.flowRate = *c.Factor
	case wire.CommandPrint:
		for _, f := range files {
			if f.name == c.Path {
				p.next = &f
				return wire.ResultDone, "", p.start()
			}
		}
		return wire.ResultFailed, "There is no such file.", nil
	case wire.CommandEmergencyStop:
		return wire.ResultDone, "", p.cut()
	case wire.CommandHome, wire.CommandMove, wire.CommandExtrude, wire.CommandSetFanSpeed, wire.CommandSelectTool, wire.CommandGCode:
		// Nothing of these shows in a snapshot.
	default:
		return wire.ResultFailed, "A simulated printer cannot do this.", nil
	}
	return wire.ResultDone, "", nil
}

// cut is what an emergency stop leaves: heaters off, the job lost, the connection in an error.
func (p *printer) cut() []wire.Event {
	var events []wire.Event
	if p.job != nil {
		events = append(events, p.event(wire.EventPrintFailed, map[string]any{"reason": "error", "time": int(p.job.printed.Seconds())}))
	}
	p.rest()
	p.faulty = "Error: Emergency stop"
	p.enter(wire.StatusError)
	p.until = byHand
	return events
}

// obey takes a command from the server: at most once, though it may be delivered twice, and not too late.
func (l *link) obey(payload []byte, now time.Time) {
	c, err := wire.DecodeCommand(payload)
	if err != nil || c.ID == "" || l.obeyed[c.ID] {
		return
	}
	if len(l.obeyed) >= 1000 {
		clear(l.obeyed)
	}
	l.obeyed[c.ID] = true
	result := wire.CommandResult{ID: c.ID, At: unix(now), Code: wire.ResultExpired}
	if unix(now) <= c.Expires {
		var events []wire.Event
		result.Code, result.Message, events = l.printer.obey(&c)
		l.note(events)
	}
	result.OK = result.Code == wire.ResultDone
	if l.client == nil {
		return
	}
	l.client.Publish(wire.KindControlReply.Topic(l.uuid), 1, false, []byte(mustJSON(result)))
	l.report(now)
}

// tree is what a simulated printer has to print.
func tree() wire.Files {
	t := wire.Files{Local: []wire.DeviceFile{}, SDCard: []wire.DeviceFile{}}
	for i, f := range files {
		t.Local = append(t.Local, wire.DeviceFile{Path: f.name, Size: f.size(), Date: float64(1_760_000_000 + i*86_400)})
	}
	return t
}

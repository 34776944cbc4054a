package sim

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

func TestPrinter_Obey(t *testing.T) {
	p := newPrinter(rand.New(rand.NewPCG(1, 1)), models[0])
	do := func(c wire.Command, want wire.ResultCode, status wire.Status) {
		t.Helper()
		if code, message, _ := p.obey(&c); code != want || p.phase != status {
			t.Fatalf("%s: %s (%s), then %s", c.Type, code, message, p.phase)
		}
	}
	do(wire.Command{Type: wire.CommandPause}, wire.ResultNotNow, wire.StatusIdle)
	do(wire.Command{Type: wire.CommandPrint, Origin: wire.OriginLocal, Path: "nothing.gcode"}, wire.ResultFailed, wire.StatusIdle)
	do(wire.Command{Type: wire.CommandPrint, Origin: wire.OriginLocal, Path: "lid.gcode"}, wire.ResultDone, wire.StatusHeating)
	if p.job.file.name != "lid.gcode" {
		t.Fatalf("prints %s", p.job.file.name)
	}
	do(wire.Command{Type: wire.CommandPause}, wire.ResultDone, wire.StatusPaused)
	for range 600 {
		p.step(time.Second)
	}
	if p.phase != wire.StatusPaused {
		t.Fatal("a printer that a person has paused goes on by itself")
	}
	do(wire.Command{Type: wire.CommandResume}, wire.ResultDone, wire.StatusPrinting)
	do(wire.Command{Type: wire.CommandMove, X: ptr(10.0)}, wire.ResultNotNow, wire.StatusPrinting)
	do(wire.Command{Type: wire.CommandCancel}, wire.ResultDone, wire.StatusIdle)
	do(wire.Command{Type: wire.CommandSetTemperature, Tool: ptr(wire.ToolBed), Temperature: ptr(55.0)}, wire.ResultDone, wire.StatusIdle)
	do(wire.Command{Type: wire.CommandSetTemperature, Tool: ptr(0), Temperature: ptr(999.0)}, wire.ResultOutOfRange, wire.StatusIdle)
	do(wire.Command{Type: wire.CommandSetFeedRate, Factor: ptr(150.0)}, wire.ResultDone, wire.StatusIdle)
	s := p.snapshot(time.Now(), time.Second)
	if *s.Temperatures["bed"].Target != 55 || *s.Overrides.Feedrate != 150 {
		t.Errorf("its snapshot shows %v and %v", *s.Temperatures["bed"].Target, *s.Overrides.Feedrate)
	}
	do(wire.Command{Type: wire.CommandEmergencyStop}, wire.ResultDone, wire.StatusError)
}

func TestLink_ObeysOnceAndInTime(t *testing.T) {
	now := time.Now()
	l := &link{printer: newPrinter(rand.New(rand.NewPCG(1, 1)), models[0]), obeyed: map[string]bool{}}
	give := func(id string, until time.Time, degrees float64) {
		c := wire.Command{Type: wire.CommandSetTemperature, ID: id, Expires: unix(until), Tool: ptr(0), Temperature: &degrees}
		l.obey([]byte(mustJSON(c)), now)
	}
	give("one", now.Add(time.Second), 100)
	give("one", now.Add(time.Second), 120)
	give("two", now.Add(-time.Second), 140)
	if target := l.printer.heater["tool0"].target; target != 100 {
		t.Errorf("heats to %g", target)
	}
}

package agent_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/octoprint/octoprinttest"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// order sends a command as the server does.
func (p *platform) order(c wire.Command) {
	p.t.Helper()
	if c.Expires == 0 {
		c.Expires = float64(time.Now().Unix() + 60)
	}
	b, err := json.Marshal(c)
	if err != nil {
		p.t.Fatal(err)
	}
	p.mu.Lock()
	g := p.gateway
	p.mu.Unlock()
	if err := g.Publish(p.uuid, wire.KindControl, b, 1); err != nil {
		p.t.Fatal(err)
	}
}

// ready waits until the agent takes commands.
func (p *platform) ready() {
	p.t.Helper()
	p.await("presence with commands", func() bool {
		n := len(p.presence)
		return n > 0 && p.presence[n-1].Online && slices.Contains(p.presence[n-1].Caps, wire.CapCommands)
	})
	p.await("an idle printer", func() bool { return p.latest().Status == wire.StatusIdle })
}

// answers gives all that the agent said of a command.
func (p *platform) answers(id string) (list []wire.CommandResult) {
	for _, r := range p.results {
		if r.ID == id {
			list = append(list, r)
		}
	}
	return list
}

// asked is what an OctoPrint was asked for.
type asked struct {
	mu    sync.Mutex
	lines []string
	block chan struct{} // not nil: no answer before it is closed
}

func (a *asked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // of a client in this process
	a.mu.Lock()
	a.lines = append(a.lines, string(body))
	block := a.block
	a.mu.Unlock()
	if block != nil {
		select {
		case <-block:
		case <-r.Context().Done():
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a *asked) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.lines)
}

// TestCommand_KilledBetweenReceiptAndAnswer: what was asked of OctoPrint is never asked again, and the server is told that
// nobody knows. What was not sent for lack of a server is sent later.
func TestCommand_KilledBetweenReceiptAndAnswer(t *testing.T) {
	d := octoprinttest.NewDouble(t)
	printer := &asked{block: make(chan struct{})}
	d.Answer("/api/printer/command", printer.ServeHTTP)
	p := newPlatform(t)
	f := p.enrolled(d.URL, octoprinttest.Key)
	c := start(t, "agent", f.Path)
	p.ready()
	p.order(wire.Command{Type: wire.CommandGCode, ID: "under way", Line: "M117 once"})
	p.await("OctoPrint is asked", func() bool { return printer.count() == 1 })
	p.order(wire.Command{Type: wire.CommandGCode, ID: "behind", Line: "M117 behind"})
	p.await("the one behind is written down", func() bool { return strings.Contains(mustRead(t, f.Join("commands")), `"behind"`) })
	c.kill()
	printer.mu.Lock()
	close(printer.block)
	printer.block = nil
	printer.mu.Unlock()

	c = start(t, "agent", f.Path)
	p.await("both outcomes are told", func() bool {
		a, b := p.answers("under way"), p.answers("behind")
		return len(a) == 1 && len(b) == 1 && a[0].Code == wire.ResultOutcomeUnknown && b[0].Code == wire.ResultOutcomeUnknown && !a[0].OK
	})
	p.ready()
	for _, id := range []string{"under way", "behind"} { // as a resent message would
		p.order(wire.Command{Type: wire.CommandGCode, ID: id, Line: "M117 again"})
	}
	p.order(wire.Command{Type: wire.CommandGCode, ID: "next", Line: "M117 next"})
	p.await("the next one", func() bool { a := p.answers("next"); return len(a) == 1 && a[0].OK })
	if n := printer.count(); n != 2 {
		t.Errorf("OctoPrint was asked %d times: %q", n, printer.lines)
	}

	// An answer that the server does not take comes again, also from the next agent.
	p.mu.Lock()
	p.hold = true
	p.mu.Unlock()
	p.order(wire.Command{Type: wire.CommandGCode, ID: "unheard", Line: "M117 unheard"})
	p.await("it is done and written down", func() bool {
		return strings.Contains(mustRead(t, f.Join("commands")), `"id":"unheard","ok":true`)
	})
	c.kill()
	p.mu.Lock()
	p.hold = false
	p.mu.Unlock()
	start(t, "agent", f.Path)
	p.await("the answer", func() bool { a := p.answers("unheard"); return len(a) == 1 && a[0].OK && a[0].Code == wire.ResultDone })
	if n := printer.count(); n != 3 {
		t.Errorf("OctoPrint was asked %d times: %q", n, printer.lines)
	}
}

// TestCommand_ByTheServersClock: a command is late by the server's clock, whatever the device's own says.
func TestCommand_ByTheServersClock(t *testing.T) {
	d := octoprinttest.NewDouble(t)
	printer := &asked{}
	d.Answer("/api/printer/command", printer.ServeHTTP)
	for _, off := range []time.Duration{time.Hour, -time.Hour} {
		p := newPlatform(t)
		p.mu.Lock()
		p.offset = off // of the server's clock: the device's is wrong by as much
		p.mu.Unlock()
		f := p.enrolled(d.URL, octoprinttest.Key)
		c := start(t, "agent", f.Path)
		p.ready()
		before := printer.count()
		now := float64(time.Now().Add(off).Unix())
		p.order(wire.Command{Type: wire.CommandGCode, ID: "late", Line: "M117 late", Expires: now - 60})
		p.order(wire.Command{Type: wire.CommandGCode, ID: "in time", Line: "M117 in time", Expires: now + 60})
		p.await("both answers", func() bool { return len(p.answers("late")) == 1 && len(p.answers("in time")) == 1 })
		p.mu.Lock()
		late, inTime := p.answers("late")[0], p.answers("in time")[0]
		p.mu.Unlock()
		if late.Code != wire.ResultExpired || inTime.Code != wire.ResultDone {
			t.Errorf("%v: %+v, %+v", off, late, inTime)
		}
		if d := inTime.At - now; d < -30 || d > 120 {
			t.Errorf("%v: answered at %v, %v s from the server's time", off, inTime.At, d)
		}
		if n := printer.count() - before; n != 1 {
			t.Errorf("%v: done %d times", off, n)
		}
		c.kill()
	}
}

// TestCommand_RealOctoPrint: through the whole agent, with the state that its own picture of the printer has.
func TestCommand_RealOctoPrint(t *testing.T) {
	o := octoprinttest.Start(t)
	p := newPlatform(t)
	f := p.enrolled(o.URL, octoprinttest.Key)
	start(t, "agent", f.Path)
	p.ready()
	p.await("rights of an administrator's key", func() bool {
		last := p.presence[len(p.presence)-1]
		return slices.Contains(last.Rights, wire.RightSystem) && slices.Contains(last.Rights, wire.RightTerminal)
	})
	want := func(id string, code wire.ResultCode, c wire.Command) {
		t.Helper()
		c.ID = id
		p.order(c)
		p.await(id+" is answered", func() bool { return len(p.answers(id)) == 1 })
		p.mu.Lock()
		defer p.mu.Unlock()
		if r := p.answers(id)[0]; r.Code != code {
			t.Errorf("%s: %+v, want %s", id, r, code)
		}
	}
	p.say(wire.KindWatch, wire.Watch{Watched: true, Terminal: true})
	tool, hot := 0, 45.0
	want("heat", wire.ResultDone, wire.Command{Type: wire.CommandSetTemperature, Tool: &tool, Temperature: &hot})
	p.await("the target", func() bool {
		r := p.latest().Temperatures["tool0"]
		return r.Target != nil && *r.Target == 45
	})
	want("line", wire.ResultDone, wire.Command{Type: wire.CommandGCode, Line: "m117 seen"})
	p.await("the line in the terminal", func() bool {
		return slices.ContainsFunc(p.lines, func(l string) bool { return strings.Contains(l, "Send: M117 seen") })
	})
	p.say(wire.KindWatch, wire.Watch{Watched: true})
	want("pause", wire.ResultNotNow, wire.Command{Type: wire.CommandPause})
	o.Call("POST", "/api/settings", `{"scripts":{"gcode":{"beforePrintStarted":"G4 S3"}}}`)
	o.Upload("slow to start.gcode", octoprinttest.Print(100000), true)
	p.await("a print that starts", func() bool { return p.latest().State.Starting() })
	want("pause at once", wire.ResultDone, wire.Command{Type: wire.CommandPause})
	p.await("a paused print", func() bool { return p.latest().Status == wire.StatusPaused })
	want("cancel", wire.ResultDone, wire.Command{Type: wire.CommandCancel})
	p.await("nothing printing", func() bool { return p.latest().Status == wire.StatusIdle })
	o.Call("POST", "/api/settings", `{"scripts":{"gcode":{"beforePrintStarted":""}}}`)
	o.Upload("part.gcode", octoprinttest.Print(100000), false)
	want("print", wire.ResultDone, wire.Command{Type: wire.CommandPrint, Origin: wire.OriginLocal, Path: "part.gcode"})
	p.await("the print", func() bool { return p.latest().Status == wire.StatusPrinting })
	want("tool", wire.ResultNotNow, wire.Command{Type: wire.CommandSelectTool, Tool: &tool}) // OctoPrint would not refuse it
	want("restart", wire.ResultNotNow, wire.Command{Type: wire.CommandSystem, Action: "core/restart"})
	want("stop", wire.ResultDone, wire.Command{Type: wire.CommandEmergencyStop})
	p.await("an error", func() bool { return p.latest().Status == wire.StatusError })
	want("again", wire.ResultDone, wire.Command{Type: wire.CommandConnect})
	p.await("an idle printer again", func() bool { return p.latest().Status == wire.StatusIdle })
}

// TestCommand_PauseWhileStarting: OctoPrint loses a pause before the first line of a print, so it waits for that.
func TestCommand_PauseWhileStarting(t *testing.T) {
	d := octoprinttest.NewDouble(t)
	printer := &asked{}
	d.Answer("/api/job", printer.ServeHTTP)
	p := newPlatform(t)
	f := p.enrolled(d.URL, octoprinttest.Key)
	start(t, "agent", f.Path)
	p.ready()
	state := func(id, text string) {
		d.Push(t, `{"event":{"type":"PrinterStateChanged","payload":{"state_id":"`+id+`","state_string":"`+text+`"}}}`)
		p.await(text, func() bool { return p.latest().State.Text == text })
	}
	state("STARTING", "Starting")
	pause := func(id string, within time.Duration) {
		p.order(wire.Command{Type: wire.CommandPause, ID: id, Expires: float64(time.Now().Add(within).UnixMilli()) / 1000})
	}
	pause("all the time", 2*time.Second)
	p.await("it is told that the print starts", func() bool {
		a := p.answers("all the time")
		return len(a) == 1 && a[0].Code == wire.ResultStarting && !a[0].OK
	})
	if n := printer.count(); n != 0 {
		t.Errorf("OctoPrint was asked %d times for what it loses", n)
	}
	pause("for a while", time.Minute)
	p.await("it is written down", func() bool { return strings.Contains(mustRead(t, f.Join("commands")), "for a while") })
	state("PRINTING", "Printing")
	p.await("it is done", func() bool { a := p.answers("for a while"); return len(a) == 1 && a[0].OK })
	if n := printer.count(); n != 1 {
		t.Errorf("OctoPrint was asked %d times", n)
	}
}

func mustRead(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

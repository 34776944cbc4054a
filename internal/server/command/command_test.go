package command

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/wire"
)

func heat(tool int, celsius float64) wire.Command {
	return wire.Command{Type: wire.CommandSetTemperature, Tool: whole(tool), Temperature: number(celsius)}
}

// What is refused is never sent.
func TestDo_Refusals(t *testing.T) {
	move := wire.Command{Type: wire.CommandMove, X: number(10)}
	pause := wire.Command{Type: wire.CommandPause}
	line := wire.Command{Type: wire.CommandGCode, Line: "M104 S200"}
	for _, c := range []struct {
		name    string
		user    string
		set     func(*Situation)
		command wire.Command
		code    string
		reason  string
	}{
		{"Stranger", "stranger", nil, pause, "not_found", ""},
		{"Viewer", "viewer", nil, pause, "not_allowed", ""},
		{"OperatorsSystem", "operator", nil, wire.Command{Type: wire.CommandSystem, Action: "core/restart"}, "not_allowed", ""},
		{"OperatorsLine", "operator", nil, line, "not_allowed", ""},
		{"Away", "owner", func(s *Situation) { s.Online = false }, pause, "device_offline", ""},
		{"JustConnected", "owner", func(s *Situation) { s.Plugin = PluginUnknown }, move, "device_offline", ""},
		{"OldAgent", "owner", func(s *Situation) { s.Plugin = PluginOld }, move, "not_supported", "plugin_cannot"},
		{"NothingToPause", "owner", nil, pause, "not_now", "not_printing"},
		{"MoveInPrint", "owner", func(s *Situation) { s.Status = wire.StatusPrinting }, move, "not_now", "printing"},
		{"HomeInPrint", "owner", func(s *Situation) { s.Status = wire.StatusPrinting }, wire.Command{Type: wire.CommandHome, Axes: "XYZ"}, "not_now", "printing"},
		{"PrinterAway", "owner", func(s *Situation) { s.Status = wire.StatusOffline }, move, "not_now", "printer_offline"},
		{"TooHot", "owner", nil, heat(0, 301), "out_of_range", ""},
		{"LineTooHot", "owner", nil, wire.Command{Type: wire.CommandGCode, Line: "M104 S301"}, "out_of_range", "too_hot"},
		{"LineNotASCII", "owner", nil, wire.Command{Type: wire.CommandGCode, Line: "M117 가"}, "invalid", "not_ascii"},
		{"LineEmpty", "owner", nil, wire.Command{Type: wire.CommandGCode, Line: "; M105"}, "invalid", "no_command"},
		{"BedTooHot", "owner", nil, heat(wire.ToolBed, 131), "out_of_range", ""},
		{"BeyondTheBed", "owner", func(s *Situation) { s.Profile.Volume = wire.Volume{Width: 200, Depth: 200, Height: 200} },
			wire.Command{Type: wire.CommandMove, Mode: wire.MoveAbsolute, X: number(900)}, "out_of_range", ""},
		{"NoSuchRight", "owner", nil, wire.Command{Type: wire.CommandSystem, Action: "core/restart"}, "not_now", "right_missing"},
		{"RestartInPrint", "owner", func(s *Situation) {
			s.Status, s.System = wire.StatusPrinting, []wire.SystemAction{{Action: "core/restart"}}
		}, wire.Command{Type: wire.CommandSystem, Action: "core/restart"}, "not_now", "printing"},
		{"PublishedKnowsNoFlow", "owner", func(s *Situation) { s.Plugin = PluginPublished }, wire.Command{Type: wire.CommandSetFlowRate, Factor: number(100)}, "not_supported", "plugin_cannot"},
		{"PublishedOtherTool", "owner", func(s *Situation) {
			s.Plugin, s.Status, s.Heaters = PluginPublished, wire.StatusPrinting, []string{"tool0", "tool1", "bed"}
		}, heat(1, 200), "not_now", "other_tool"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			if c.set != nil {
				b.set(c.set)
			}
			_, err := b.Do(as(t, c.user), device, c.command, "")
			p, _ := errors.AsType[*problem.Problem](err)
			if problem.Code(err) != c.code || (c.reason != "" && p.Reason != c.reason) {
				t.Errorf("%v (%+v)", err, p)
			}
			if n := b.given(); n != 0 {
				t.Errorf("%d commands were sent", n)
			}
		})
	}
}

// The audit has a command before the device does, and then what became of it.
func TestDo_IsAnsweredAndAudited(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer wire.CommandResult
		ok     bool
		code   wire.ResultCode
		result audit.Result
	}{
		{"Done", wire.CommandResult{OK: true, Code: wire.ResultDone}, true, wire.ResultDone, audit.OK},
		{"No", wire.CommandResult{Code: wire.ResultNotNow, Message: "409"}, false, wire.ResultNotNow, audit.Failed},
		{"Interrupted", wire.CommandResult{Code: wire.ResultOutcomeUnknown}, false, wire.ResultOutcomeUnknown, audit.Unknown},
		{"Contradiction", wire.CommandResult{OK: true, Code: wire.ResultExpired}, false, wire.ResultExpired, audit.Failed},
		{"UnknownCode", wire.CommandResult{Code: "of the future"}, false, wire.ResultFailed, audit.Failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			before := 0
			b.says = func(cmd wire.Command) *wire.CommandResult {
				before = len(b.entries())
				r := c.answer
				r.ID = cmd.ID
				return &r
			}
			out, err := b.Do(as(t, "owner"), device, heat(0, 200), "")
			if err != nil || out.OK != c.ok || out.Code != c.code || out.State != StateAnswered {
				t.Fatalf("%+v %v", out, err)
			}
			if before != 1 {
				t.Errorf("the audit had %d entries when it was sent", before)
			}
			all := b.entries()
			if len(all) != 1 || all[0].ID != out.ID || all[0].Action != "command.set_temperature" || all[0].Result != c.result ||
				all[0].Actor != "owner" || all[0].Address != "192.0.2.1" {
				t.Errorf("%+v", all)
			}
			sent := b.sent[0]
			if left := sent.Expires - float64(time.Now().UnixMilli())/1000; sent.ID != out.ID || left > lifetime.Seconds() || left < -patience.Seconds() {
				t.Errorf("sent %+v, good for %g s", sent, left)
			}
		})
	}
}

// The same click is one command, at once and later; another one with its key is refused.
func TestDo_SameClick(t *testing.T) {
	b := newBench(t)
	var all sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		all.Go(func() {
			out, err := b.Do(as(t, "owner"), device, heat(0, 200), "click")
			if err != nil {
				t.Error(err)
			}
			ids[i] = out.ID
		})
	}
	all.Wait()
	for _, id := range ids {
		if id != ids[0] || id == "" {
			t.Fatalf("%v", ids)
		}
	}
	if _, err := b.Do(as(t, "owner"), device, heat(0, 210), "click"); problem.Code(err) != "idempotency_mismatch" {
		t.Errorf("another command: %v", err)
	}
	if out, err := b.Do(as(t, "operator"), device, heat(0, 200), "click"); err != nil || out.ID == ids[0] {
		t.Errorf("somebody else's key is his own: %+v %v", out, err)
	}
	if b.given() != 2 {
		t.Errorf("%d were sent", b.given())
	}
}

// A device that went away at that moment gets nothing later.
func TestDo_LostWhileSending(t *testing.T) {
	b := newBench(t)
	b.gone = true
	if _, err := b.Do(as(t, "owner"), device, heat(0, 200), "click"); problem.Code(err) != "device_offline" {
		t.Fatalf("%v", err)
	}
	if e := b.entries(); len(e) != 1 || e[0].Result != audit.Failed {
		t.Errorf("%+v", e)
	}
	b.gone = false
	if _, err := b.Do(as(t, "owner"), device, heat(0, 200), "click"); problem.Code(err) != "device_offline" || b.given() != 0 {
		t.Errorf("the same click again: %v, %d sent", err, b.given())
	}
}

// After the server was killed, what was under way is told as not known; a late answer still counts, once.
func TestInitialize_AfterKill(t *testing.T) {
	b := newBench(t)
	b.says = func(wire.Command) *wire.CommandResult { return nil }
	given := make(chan error, 1)
	go func() {
		_, err := b.Do(as(t, "owner"), device, heat(0, 200), "click")
		given <- err
	}()
	b.until("it is sent", func() bool { return b.given() == 1 })
	dead := b.Service
	b.open() // another server on the same folder: the first one never writes what became of it
	if e := b.entries(); len(e) != 1 || e[0].Result != audit.Unknown {
		t.Fatalf("%+v", e)
	}
	if _, err := b.Do(as(t, "owner"), device, heat(0, 200), "click"); problem.Code(err) != "device_timeout" || b.given() != 1 {
		t.Errorf("the same click again: %v, %d sent", err, b.given())
	}
	id := b.sent[0].ID
	answer := []byte(`{"id":"` + id + `","ok":true,"code":"done"}`)
	if err := b.Result(t.Context(), "p2", answer); !errors.Is(err, ErrInvalid) {
		t.Errorf("another printer's answer: %v", err)
	}
	if err := b.Result(t.Context(), "p1", answer); err != nil {
		t.Fatal(err)
	}
	if e := b.entries(); e[0].Result != audit.OK {
		t.Errorf("%+v", e[0])
	}
	if err := b.Result(t.Context(), "p1", []byte(`{"id":"`+id+`","ok":false,"code":"failed"}`)); err != nil {
		t.Fatal(err)
	}
	if e := b.entries(); e[0].Result != audit.OK {
		t.Errorf("the second answer counted: %+v", e[0])
	}
	if err := dead.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-given; problem.Code(err) != "stopping" {
		t.Errorf("the click of the server that ended: %v", err)
	}
}

// What devices say that is no answer is refused for good.
func TestResult_Nonsense(t *testing.T) {
	b := newBench(t)
	for _, payload := range []string{"", "{", "[]", `{"ok":true}`, `{"id":""}`, `{"id":7}`, `{"id":"nobody's"}`, `{"id":"` + string(make([]byte, 100)) + `"}`} {
		if err := b.Result(t.Context(), "p1", []byte(payload)); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", payload, err)
		}
	}
}

// The published plugin answers nothing: what it reports afterwards does.
func TestDo_Published(t *testing.T) {
	b := newBench(t)
	b.says = func(wire.Command) *wire.CommandResult { return nil }
	b.set(func(s *Situation) { s.Plugin, s.Targets = PluginPublished, map[string]float64{"tool0": 0} })
	out, err := b.Do(as(t, "owner"), device, heat(0, 200), "")
	if err != nil || out.State != StateSent || out.OK {
		t.Fatalf("%+v %v", out, err)
	}
	if c := b.sent[0]; c.ID != "" || c.Expires != 0 {
		t.Errorf("it is told what it does not know: %+v", c)
	}
	if e := b.entries(); e[0].Result != audit.Pending {
		t.Errorf("%+v", e[0])
	}
	b.set(func(s *Situation) {
		s.ReportedAt, s.Targets = time.Now().Add(time.Second), map[string]float64{"tool0": 200}
	})
	b.until("its effect is seen", func() bool { return b.entries()[0].Result == audit.OK })
}

// A pause that OctoPrint would lose waits until the print has begun, for as long as it is good.
func TestDo_PublishedPauseWhileStarting(t *testing.T) {
	b := newBench(t)
	b.says = func(wire.Command) *wire.CommandResult { return nil }
	starting := func(s *Situation) { s.Plugin, s.Status, s.Starting = PluginPublished, wire.StatusPrinting, true }
	b.set(starting)
	answered := make(chan Outcome)
	give := func() {
		out, err := b.Do(as(t, "owner"), device, wire.Command{Type: wire.CommandPause}, "")
		if err != nil {
			t.Error(err)
		}
		answered <- out
	}
	go give()
	b.until("it waits", func() bool { b.Service.mu.Lock(); defer b.Service.mu.Unlock(); return len(b.watched[device]) == 1 })
	if n := b.given(); n != 0 {
		t.Errorf("%d were sent", n)
	}
	b.set(func(s *Situation) { s.Starting = false })
	if out := <-answered; out.State != StateSent || b.given() != 1 {
		t.Errorf("%+v, %d sent", out, b.given())
	}
	b.set(func(s *Situation) { s.Status, s.ReportedAt = wire.StatusPaused, time.Now().Add(time.Second) })
	b.until("its effect is seen", func() bool { return b.entries()[0].Result == audit.OK })

	b.set(starting)
	var asked atomic.Int32
	b.now = func() time.Time { // after the click, most of its time is over
		if asked.Add(1) == 1 {
			return time.Now()
		}
		return time.Now().Add(lifetime - 50*time.Millisecond)
	}
	go give()
	if out := <-answered; out.State != StateAnswered || out.OK || out.Code != wire.ResultStarting || b.given() != 1 {
		t.Errorf("%+v, %d sent", out, b.given())
	}
	if e := b.entries()[0]; e.Result != audit.Failed {
		t.Errorf("%+v", e)
	}
}

func TestEffects(t *testing.T) {
	status := func(s wire.Status) Situation { return Situation{Online: true, Status: s} }
	for _, c := range []struct {
		name    string
		command wire.Command
		at      Situation
		want    bool
	}{
		{"Paused", wire.Command{Type: wire.CommandPause}, status(wire.StatusPaused), true},
		{"StillPrinting", wire.Command{Type: wire.CommandPause}, status(wire.StatusPrinting), false},
		{"Resumed", wire.Command{Type: wire.CommandResume}, status(wire.StatusPrinting), true},
		{"StillPaused", wire.Command{Type: wire.CommandResume}, status(wire.StatusPaused), false},
		{"Cancelled", wire.Command{Type: wire.CommandCancel}, status(wire.StatusIdle), true},
		{"Away", wire.Command{Type: wire.CommandCancel}, Situation{Status: wire.StatusIdle}, false},
		{"Hot", heat(0, 200), Situation{Online: true, Targets: map[string]float64{"tool0": 200}}, true},
		{"OtherHeater", heat(wire.ToolBed, 60), Situation{Online: true, Targets: map[string]float64{"tool0": 60}}, false},
		{"Bed", heat(wire.ToolBed, 60), Situation{Online: true, Targets: map[string]float64{"bed": 60.2}}, true},
		{"Faster", wire.Command{Type: wire.CommandSetFeedRate, Factor: number(120)}, Situation{Online: true, FeedRate: number(120)}, true},
		{"SpeedNotKnown", wire.Command{Type: wire.CommandSetFeedRate, Factor: number(120)}, Situation{Online: true}, false},
		{"MovesShowNowhere", wire.Command{Type: wire.CommandMove, X: number(1)}, status(wire.StatusIdle), false},
	} {
		if got := effect(&c.command, &c.at); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestValidKey(t *testing.T) {
	for key, want := range map[string]bool{"": true, "a-1": true, "with space": false, "줄": false, "\n": false, string(make([]byte, 129)): false} {
		if validKey(key) != want {
			t.Errorf("%q: want %v", key, want)
		}
	}
}

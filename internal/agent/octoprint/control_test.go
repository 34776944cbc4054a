package octoprint_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/octoprint"
	"github.com/kangbyounggwan/factor/internal/agent/octoprint/octoprinttest"
	"github.com/kangbyounggwan/factor/internal/wire"
)

func ptr[T any](v T) *T { return &v }

// controlled is a real OctoPrint with an adapter beside it, whose terminal is looked at.
type controlled struct {
	*listener
	o    *octoprinttest.OctoPrint
	c    *octoprint.Client
	last string // the line that was waited for
}

func control(t *testing.T, o *octoprinttest.OctoPrint) *controlled {
	t.Helper()
	l, a := followed(t, o.URL, octoprinttest.Key)
	a.Terminal(true)
	l.awaitStatus(wire.StatusIdle)
	return &controlled{listener: l, o: o, c: a.Client}
}

func (c *controlled) must(cmd wire.Command) {
	c.t.Helper()
	if err := cmd.Check(wire.Limits{}); err != nil {
		c.t.Fatalf("%s: %v", cmd.Type, err)
	}
	if err := c.c.Command(context.Background(), &cmd); err != nil {
		c.t.Fatalf("%s: %v", cmd.Type, err)
	}
}

// refused wants a command to be refused with a code.
func (c *controlled) refused(code wire.ResultCode, cmd wire.Command) *octoprint.Refusal {
	c.t.Helper()
	err := c.c.Command(context.Background(), &cmd)
	var r *octoprint.Refusal
	if !errors.As(err, &r) || r.Code != code {
		c.t.Fatalf("%s: %v, want %s", cmd.Type, err, code)
	}
	return r
}

// said waits for a line of the terminal that contains all of the parts, newer than all that were waited for before.
func (c *controlled) said(parts ...string) {
	c.t.Helper()
	c.await("a line with "+strings.Join(parts, " and "), func() bool {
		i := slices.IndexFunc(c.lines, func(line string) bool {
			return !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(line, p) })
		})
		if i >= 0 {
			c.last, c.lines = c.lines[i], c.lines[i+1:]
		}
		return i >= 0
	})
}

// position asks the printer where it is, until it has got there.
func (c *controlled) position(want string) {
	c.t.Helper()
	last := ""
	for end := time.Now().Add(octoprinttest.Patience); time.Now().Before(end); {
		c.must(wire.Command{Type: wire.CommandGCode, Line: "M114"})
		c.said("Recv:", "Count: A:")
		c.mu.Lock()
		last = c.last
		c.mu.Unlock()
		if strings.Contains(last, want) {
			return
		}
	}
	c.t.Fatalf("never at %q, last at %q", want, last)
}

// target waits until OctoPrint itself has a target.
func (c *controlled) target(heater string, want float64) {
	c.t.Helper()
	c.await(fmt.Sprintf("%s at %g in OctoPrint", heater, want), func() bool {
		var v struct {
			Temperature map[string]struct{ Target float64 }
		}
		return json.Unmarshal(c.o.Call("GET", "/api/printer", ""), &v) == nil && v.Temperature[heater].Target == want
	})
}

// TestCommand_RealEffects gives every command to a real OctoPrint and reads its effect back from there.
func TestCommand_RealEffects(t *testing.T) {
	o := octoprinttest.Start(t)
	c := control(t, o)

	c.must(wire.Command{Type: wire.CommandHome, Axes: "XYZ"})
	c.said("Send:", "G28 X0 Y0 Z0")
	// The virtual printer reads relative or absolute when it makes a move, not when it is told: only absolute ones are sure.
	c.must(wire.Command{Type: wire.CommandMove, X: ptr(12.5), Y: ptr(7.0), FeedRate: ptr(3000.0)})
	c.said("Send:", "G91")
	c.said("Send:", "G0 X12.5 Y7 F3000")
	c.said("Send:", "G90")
	c.must(wire.Command{Type: wire.CommandMove, X: ptr(1.0), E: ptr(0.5)})
	c.said("Send:", "G91")
	c.said("Send:", "G1 X1 E0.5 F1000")
	c.said("Send:", "G90")
	c.must(wire.Command{Type: wire.CommandMove, Mode: wire.MoveAbsolute, X: ptr(3.0), Y: ptr(4.5), Z: ptr(1.0)})
	c.position("X:3.0 Y:4.5 Z:1.0 ")

	c.must(wire.Command{Type: wire.CommandSetTemperature, Tool: ptr(0), Temperature: ptr(45.0)})
	c.target("tool0", 45)
	c.must(wire.Command{Type: wire.CommandSetTemperature, Tool: ptr(wire.ToolBed), Temperature: ptr(35.5)})
	c.target("bed", 35.5)
	c.must(wire.Command{Type: wire.CommandSetTemperature, Tool: ptr(0), Temperature: ptr(0.0)})
	c.target("tool0", 0)
	c.must(wire.Command{Type: wire.CommandSetTemperature, Tool: ptr(wire.ToolBed), Temperature: ptr(0.0), Wait: true})
	c.said("Send:", "M190 S0")
	c.refused(wire.ResultNotNow, wire.Command{Type: wire.CommandSetTemperature, Tool: ptr(wire.ToolChamber), Temperature: ptr(40.0)})

	c.must(wire.Command{Type: wire.CommandSetFeedRate, Factor: ptr(250.0)}) // beyond what OctoPrint's own call takes
	c.said("Send:", "M220 S250")
	c.must(wire.Command{Type: wire.CommandSetFlowRate, Factor: ptr(95.0)})
	c.said("Send:", "M221 S95")
	c.must(wire.Command{Type: wire.CommandSetFanSpeed, Speed: ptr(50.0)})
	c.said("Send:", "M106 S128")
	c.must(wire.Command{Type: wire.CommandSetFanSpeed, Speed: ptr(0.0)})
	c.said("Send:", "M107")
	c.must(wire.Command{Type: wire.CommandExtrude, Amount: ptr(-4.5), FeedRate: ptr(300.0)})
	c.said("Send:", "G1 E-4.5 F300")
	c.must(wire.Command{Type: wire.CommandSelectTool, Tool: ptr(0)})
	c.said("Send:", "T0")

	c.must(wire.Command{Type: wire.CommandGCode, Line: "N7 m117 Test*99 ; not this"})
	c.said("Send:", "M117 Test")
	c.must(wire.Command{Type: wire.CommandGCode, Lines: []string{"M117 one", "M117 two"}, Macro: "m"})
	c.said("Send:", "M117 one")
	c.said("Send:", "M117 two")

	c.refused(wire.ResultNotNow, wire.Command{Type: wire.CommandPause})
	c.refused(wire.ResultNotNow, wire.Command{Type: wire.CommandCancel})
	c.refused(wire.ResultFailed, wire.Command{Type: wire.CommandPrint, Origin: wire.OriginLocal, Path: "none.gcode"})

	name := "시험 #1 100%.gcode"
	o.Upload(name, octoprinttest.Print(100000), false)
	var files struct{ Files []struct{ Path string } }
	if err := json.Unmarshal(o.Call("GET", "/api/files", ""), &files); err != nil || len(files.Files) != 1 {
		t.Fatal(err, files)
	}
	path := files.Files[0].Path // as OctoPrint has made it
	c.must(wire.Command{Type: wire.CommandPrint, Origin: wire.OriginLocal, Path: path})
	c.awaitStatus(wire.StatusPrinting)
	c.refused(wire.ResultNotNow, wire.Command{Type: wire.CommandHome, Axes: "X"})
	c.refused(wire.ResultNotNow, wire.Command{Type: wire.CommandMove, X: ptr(1.0)})
	c.refused(wire.ResultNotNow, wire.Command{Type: wire.CommandExtrude, Amount: ptr(1.0)})
	c.refused(wire.ResultNotNow, wire.Command{Type: wire.CommandDeleteFile, Origin: wire.OriginLocal, Path: path})
	c.must(wire.Command{Type: wire.CommandPause})
	c.awaitStatus(wire.StatusPaused)
	c.must(wire.Command{Type: wire.CommandResume})
	c.awaitStatus(wire.StatusPrinting)
	c.must(wire.Command{Type: wire.CommandCancel})
	c.awaitStatus(wire.StatusIdle)
	c.must(wire.Command{Type: wire.CommandDeleteFile, Origin: wire.OriginLocal, Path: path})
	if err := json.Unmarshal(o.Call("GET", "/api/files", ""), &files); err != nil || len(files.Files) != 0 {
		t.Errorf("%v: %v is still there", err, files)
	}

	c.must(wire.Command{Type: wire.CommandDisconnect})
	c.awaitStatus(wire.StatusOffline)
	c.refused(wire.ResultNotNow, wire.Command{Type: wire.CommandGCode, Line: "M105"})
	c.must(wire.Command{Type: wire.CommandConnect})
	c.awaitStatus(wire.StatusIdle)
}

// TestCommand_EmergencyStop stops a printer whose queue is full and that does not answer any more.
func TestCommand_EmergencyStop(t *testing.T) {
	o := octoprinttest.Start(t)
	c := control(t, o)
	o.Upload("long.gcode", octoprinttest.Print(100000), true)
	c.awaitStatus(wire.StatusPrinting)
	c.must(wire.Command{Type: wire.CommandGCode, Line: "!!DEBUG:dont_answer"}) // the next line gets no ok: all others wait behind it
	for range 30 {
		c.must(wire.Command{Type: wire.CommandGCode, Line: "M117 waiting"})
	}
	c.must(wire.Command{Type: wire.CommandEmergencyStop})
	c.said("emergency stop M112")
	c.awaitStatus(wire.StatusError)
}

// TestCommand_SaysWhatToTick: a right that is missing is told by its name.
func TestCommand_SaysWhatToTick(t *testing.T) {
	d := octoprinttest.NewDouble(t)
	client, err := octoprint.NewClient(d.URL, octoprinttest.Key)
	if err != nil {
		t.Fatal(err)
	}
	c := &controlled{listener: &listener{t: t}, c: client}
	d.Answer("/api/system/commands/core/restart", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	if r := c.refused(wire.ResultFailed, wire.Command{Type: wire.CommandSystem, Action: "core/restart"}); !strings.Contains(r.Text, "permission System") {
		t.Error(r.Text)
	}
	// Nobody knows what an OctoPrint did that broke off before its answer; one that was not reached did nothing.
	d.Answer("/api/job", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			conn.Close()
		}
	})
	c.refused(wire.ResultOutcomeUnknown, wire.Command{Type: wire.CommandPause})
	d.Close()
	c.refused(wire.ResultFailed, wire.Command{Type: wire.CommandPause})
}

func TestRights(t *testing.T) {
	d := octoprinttest.NewDouble(t)
	user := `{"permissions":["STATUS"]}`
	d.Answer("/api/currentuser", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(user)) })
	d.Answer("/api/system/commands", func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`{"core":[{"source":"core","action":"restart","name":"Restart OctoPrint","confirm":"Sure?"}],
			"plugin":[],"custom":[{"source":"custom","action":"light","name":"Light","confirm":null},{"source":"custom","action":"divider"}]}`))
	})
	l, a := followed(t, d.URL, octoprinttest.Key)
	l.awaitStatus(wire.StatusIdle)
	user = `{"permissions":["STATUS","SYSTEM","MONITOR_TERMINAL"]}`
	l.await("both rights", func() bool {
		a.Recheck()
		r := l.view.Rights
		return slices.Equal(r.Names, []string{wire.RightSystem, wire.RightTerminal}) &&
			slices.Equal(r.System, []wire.SystemAction{{Action: "core/restart", Name: "Restart OctoPrint", Ask: true}, {Action: "custom/light", Name: "Light"}})
	})
}

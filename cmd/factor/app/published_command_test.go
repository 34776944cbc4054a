package app

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/kangbyounggwan/factor/internal/agent/octoprint/octoprinttest"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// ended waits until nothing more is to come of a command that was sent.
func (v *visitor) ended(t *testing.T, uuid, id string) (g given) {
	t.Helper()
	patient(t, "what became of a command", func() bool {
		g = given{}
		v.must(t, http.StatusOK, "GET", "/api/v1/printers/"+uuid+"/commands/"+id, nil, &g)
		return g.State != "sent"
	})
	return g
}

// Every command that the published plugin knows: it is sent, and its effect is seen in what it reports, or the answer says
// that nothing was seen. What it would do in silence to the wrong end is not sent at all.
func TestPublished_Commands(t *testing.T) {
	t.Parallel()
	s := mustServe(t, t.TempDir())
	owner := s.account(t, "mina", false)
	o, uuid := startWithCredentials(t, s, owner)
	owner.awaitShown(t, uuid, "Ender")

	sent := func(body string, state string) {
		t.Helper()
		got := owner.command(t, uuid, body)
		if got.Status != http.StatusAccepted || got.State != "sent" || got.OK {
			t.Errorf("%s: %+v", body, got)
			return
		}
		if g := owner.ended(t, uuid, got.ID); g.State != state || (g.Result == "ok") != (state == "effect_seen") {
			t.Errorf("%s: %+v, want %s", body, g, state)
		}
	}
	refused := func(body, code, reason string) {
		t.Helper()
		if got := owner.command(t, uuid, body); got.Status != http.StatusConflict || got.Code != code || got.Reason != reason {
			t.Errorf("%s: %+v, want %s %s", body, got, code, reason)
		}
	}
	sent(`{"type":"set_temperature","tool":0,"temperature":42}`, "effect_seen")
	patient(t, "the target is OctoPrint's", func() bool {
		var v struct {
			Temperature map[string]struct{ Target float64 }
		}
		return json.Unmarshal(o.Call("GET", "/api/printer", ""), &v) == nil && v.Temperature["tool0"].Target == 42
	})
	sent(`{"type":"set_temperature","tool":-1,"temperature":31}`, "effect_seen")
	sent(`{"type":"set_fan_speed","speed":50}`, "unconfirmed") // shows in no snapshot
	sent(`{"type":"home","axes":"XYZ"}`, "unconfirmed")
	sent(`{"type":"move","x":1,"feedrate":1000}`, "unconfirmed")
	refused(`{"type":"pause"}`, "not_now", "not_printing")
	refused(`{"type":"emergency_stop"}`, "not_supported", "plugin_cannot")
	refused(`{"type":"gcode","line":"M105"}`, "not_supported", "plugin_cannot")
	refused(`{"type":"set_flow_rate","factor":100}`, "not_supported", "plugin_cannot")

	o.Upload("cube.gcode", octoprinttest.Print(100000), true)
	// Past its first lines: OctoPrint drops a pause without a word while a print starts.
	patient(t, "a print", func() bool {
		var p struct {
			Status   wire.Status
			Progress struct{ FilePos int64 }
		}
		owner.must(t, http.StatusOK, "GET", "/api/v1/printers/"+uuid, nil, &p)
		return p.Status == wire.StatusPrinting && p.Progress.FilePos > 500
	})
	refused(`{"type":"home","axes":"X"}`, "not_now", "printing")
	refused(`{"type":"move","x":1}`, "not_now", "printing")
	sent(`{"type":"pause"}`, "effect_seen")
	o.Await(func(state, _ string) bool { return strings.HasPrefix(state, "Paus") }, "a paused print")
	patient(t, "the pause is shown", func() bool {
		var p struct{ Status wire.Status }
		owner.must(t, http.StatusOK, "GET", "/api/v1/printers/"+uuid, nil, &p)
		return p.Status == wire.StatusPaused
	})
	refused(`{"type":"move","z":10}`, "not_now", "paused")
	sent(`{"type":"resume"}`, "effect_seen")
	sent(`{"type":"cancel"}`, "effect_seen")
	o.Await(func(state, _ string) bool { return state == "Operational" }, "a cancelled print")
}

// With more than one tool, the published plugin changes to the one that it heats: not during a print.
func TestPublished_OtherTool(t *testing.T) {
	s := mustServe(t, t.TempDir())
	owner := s.account(t, "mina", false)
	uuid, token := owner.enrol(t, "two tools")
	p := &puppet{t: t, uuid: uuid, answer: func(wire.Command) *wire.CommandResult { return nil }}
	p.connect(s, token)
	publish(t, p.mqtt, wire.KindStatus.Topic(uuid), 0, map[string]any{
		"state":        map[string]any{"text": "Printing", "flags": map[string]bool{"operational": true, "printing": true}},
		"temperatures": map[string]any{"tool0": map[string]float64{"actual": 200, "target": 200}, "tool1": map[string]float64{"actual": 20, "target": 0}, "bed": map[string]float64{"actual": 60, "target": 60}},
		"progress":     map[string]any{"completion": 30},
	})
	owner.shows(t, uuid, wire.StatusPrinting)
	if got := owner.command(t, uuid, `{"type":"set_temperature","tool":1,"temperature":200}`); got.Code != "not_now" || got.Reason != "other_tool" {
		t.Errorf("%+v", got)
	}
	if got := owner.command(t, uuid, `{"type":"set_temperature","tool":-1,"temperature":50}`); got.Status != http.StatusAccepted {
		t.Errorf("%+v", got)
	}
	until(t, "the bed's alone", func() bool { return len(p.took()) == 1 && *p.took()[0].Tool == -1 })
	if c := p.took()[0]; c.ID != "" || c.Expires != 0 {
		t.Errorf("%+v", c)
	}
}

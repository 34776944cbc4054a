package app

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/kangbyounggwan/factor/internal/server/web/push/pushclient"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// puppet is a printer's device that does as a test says.
type puppet struct {
	t    *testing.T
	uuid string
	mqtt mqtt.Client

	mu     sync.Mutex
	given  []wire.Command
	answer func(wire.Command) *wire.CommandResult // nil: none
}

// done is how a device answers that did what it was told.
func done(c wire.Command) *wire.CommandResult {
	return &wire.CommandResult{ID: c.ID, OK: true, Code: wire.ResultDone}
}

// puppet connects a device of ours, idle, with a bed of 200 × 200 × 180.
func (v *visitor) puppet(t *testing.T, name string) *puppet {
	t.Helper()
	uuid, token := v.enrol(t, name)
	p := &puppet{t: t, uuid: uuid, answer: done}
	p.connect(v.site, token)
	p.present(wire.Presence{Caps: []string{wire.CapCommands}})
	p.status(wire.StatusIdle)
	v.shows(t, uuid, wire.StatusIdle)
	return p
}

func (p *puppet) connect(s *site, token string) {
	p.t.Helper()
	p.mqtt = s.device(p.t, p.uuid, token)
	granted := p.mqtt.Subscribe(wire.KindControl.Topic(p.uuid), 1, func(c mqtt.Client, m mqtt.Message) {
		cmd, err := wire.DecodeCommand(m.Payload())
		if err != nil {
			p.t.Errorf("%s: %v", m.Payload(), err)
			return
		}
		p.mu.Lock()
		p.given = append(p.given, cmd)
		answer := p.answer
		p.mu.Unlock()
		if r := answer(cmd); r != nil {
			go p.say(*r)
		}
	})
	if !granted.WaitTimeout(patience) || granted.Error() != nil {
		p.t.Fatal(granted.Error())
	}
}

func (p *puppet) say(r wire.CommandResult) {
	text, _ := json.Marshal(r)
	p.mqtt.Publish(wire.KindControlReply.Topic(p.uuid), 1, false, text).WaitTimeout(patience)
}

func (p *puppet) present(v wire.Presence) {
	p.t.Helper()
	v.Online, v.Agent, v.Proto = true, "1.2.3", wire.Proto
	publish(p.t, p.mqtt, wire.KindPresence.Topic(p.uuid), 1, v)
}

func (p *puppet) status(s wire.Status) {
	p.t.Helper()
	zero := 0.0
	publish(p.t, p.mqtt, wire.KindStatus.Topic(p.uuid), 0, wire.Snapshot{Status: s, State: wire.State{Text: "-"},
		Temperatures: map[string]wire.Temperature{"tool0": {Actual: &zero, Target: &zero}, "bed": {Actual: &zero, Target: &zero}},
		Connection:   wire.Connection{Profile: wire.Profile{Volume: wire.Volume{Width: 200, Depth: 200, Height: 180}}}})
}

// behave changes how it answers.
func (p *puppet) behave(answer func(wire.Command) *wire.CommandResult) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

func (p *puppet) took() []wire.Command {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.given)
}

func (v *visitor) shows(t *testing.T, uuid string, want wire.Status) {
	t.Helper()
	until(t, "the status "+string(want), func() bool {
		var p struct {
			Status wire.Status
			Agent  any
		}
		v.must(t, http.StatusOK, "GET", "/api/v1/printers/"+uuid, nil, &p)
		return p.Status == want
	})
}

// said is an answer to a command: an outcome or a problem.
type said struct {
	Status        int
	ID            string
	OK            bool
	State         string
	Code          string
	Message       string
	Field, Reason string
	Detail        string
}

func (v *visitor) command(t *testing.T, uuid, body string, header ...string) said {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", v.url+"/api/v1/printers/"+uuid+"/commands", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if len(header) > 0 {
		r.Header.Set("Idempotency-Key", header[0])
	}
	if v.token != "" {
		r.Header.Set("Authorization", "Bearer "+v.token)
	}
	resp, err := v.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var s said
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil {
		t.Fatal(err)
	}
	s.Status = resp.StatusCode
	return s
}

// hears waits for a message of a channel that contains all of the parts.
func hears(t *testing.T, page *pushclient.Client, channel string, parts ...string) {
	t.Helper()
	for end := time.After(patience); ; {
		select {
		case m, open := <-page.Messages:
			if !open {
				t.Fatal("the push ended")
			}
			if m.Channel == channel && !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(string(m.Data), p) }) {
				return
			}
		case <-end:
			t.Fatalf("never on %s: %q", channel, parts)
		}
	}
}

type given struct {
	ID, Type, Actor, Address, Result, State, Code, Message string
	Command                                                json.RawMessage
}

func (v *visitor) audit(t *testing.T, uuid string) []given {
	t.Helper()
	var list struct{ Items []given }
	v.must(t, http.StatusOK, "GET", "/api/v1/printers/"+uuid+"/commands", nil, &list)
	return list.Items
}

func TestCommand_IsAnsweredAndRecorded(t *testing.T) {
	s := mustServe(t, t.TempDir())
	owner := s.account(t, "mina", false)
	p := owner.puppet(t, "Ender")
	page := owner.watch(t)
	if _, err := page.Subscribe(t.Context(), "commands:"+p.uuid, false); err != nil {
		t.Fatal(err)
	}
	got := owner.command(t, p.uuid, `{"type":"set_temperature","tool":0,"temperature":210}`)
	if got.Status != http.StatusOK || !got.OK || got.Code != "done" || got.ID == "" {
		t.Fatalf("%+v", got)
	}
	took := p.took()
	if len(took) != 1 || took[0].ID != got.ID || *took[0].Temperature != 210 {
		t.Fatalf("%+v", took)
	}
	if left := took[0].Expires - float64(time.Now().Unix()); left < 1 || left > 11 {
		t.Errorf("it expires in %v s", left)
	}
	p.behave(func(c wire.Command) *wire.CommandResult {
		return &wire.CommandResult{ID: c.ID, Code: wire.ResultNotNow, Message: "just homing"}
	})
	if got := owner.command(t, p.uuid, `{"type":"home","axes":"X"}`); got.Status != http.StatusOK || got.OK || got.Code != "not_now" || got.Message != "just homing" {
		t.Errorf("%+v", got)
	}
	list := owner.audit(t, p.uuid)
	if len(list) != 2 || list[1].ID != got.ID || list[1].Type != "set_temperature" || list[1].Result != "ok" || list[1].Actor != "mina" ||
		list[1].Address != "127.0.0.1" || !strings.Contains(string(list[1].Command), "210") ||
		list[0].Result != "failed" || list[0].Code != "not_now" || list[0].Message != "just homing" {
		t.Errorf("%+v", list)
	}
	var one given
	owner.must(t, http.StatusOK, "GET", "/api/v1/printers/"+p.uuid+"/commands/"+got.ID, nil, &one)
	if one.ID != got.ID || one.State != "answered" {
		t.Errorf("%+v", one)
	}
	hears(t, page, "commands:"+p.uuid, got.ID, `"done"`)
}

// Each refusal has its code and field, reaches no device, and changes nothing.
func TestCommand_Refusals(t *testing.T) {
	s := mustServe(t, t.TempDir())
	owner := s.account(t, "mina", false)
	p := owner.puppet(t, "Ender")
	owner.must(t, http.StatusOK, "PUT", "/api/v1/printers/"+p.uuid+"/limits", map[string]any{"max_temperatures": map[string]any{"tool": 240, "bed": 80}}, nil)
	for _, r := range []struct {
		name, body string
		status     int
		code       string
		field      string
	}{
		{"NoJSON", `{`, 422, "invalid", ""},
		{"NoCommand", `{"type":"dance"}`, 422, "invalid", "type"},
		{"NoType", `{}`, 422, "invalid", "type"},
		{"UnknownField", `{"type":"pause","speedy":1}`, 422, "invalid", "speedy"},
		{"FieldTwice", `{"type":"set_fan_speed","speed":1,"speed":2}`, 422, "invalid", "speed"},
		{"AnotherCommandsField", `{"type":"pause","x":1}`, 422, "invalid", "x"},
		{"FieldMissing", `{"type":"set_temperature","tool":0}`, 422, "invalid", "temperature"},
		{"WrongType", `{"type":"set_temperature","tool":0,"temperature":"hot"}`, 422, "invalid", "temperature"},
		{"NotANumber", `{"type":"set_temperature","tool":0,"temperature":NaN}`, 422, "invalid", ""},
		{"BeyondAllBounds", `{"type":"set_temperature","tool":0,"temperature":1e999}`, 422, "invalid", "temperature"},
		{"HalfATool", `{"type":"set_temperature","tool":0.5,"temperature":20}`, 422, "invalid", "tool"},
		{"TooHot", `{"type":"set_temperature","tool":0,"temperature":241}`, 422, "out_of_range", "temperature"},
		{"BedTooHot", `{"type":"set_temperature","tool":-1,"temperature":81}`, 422, "out_of_range", "temperature"},
		{"TooCold", `{"type":"set_temperature","tool":0,"temperature":-1}`, 422, "out_of_range", "temperature"},
		{"BeyondTheBed", `{"type":"move","mode":"absolute","x":201}`, 422, "out_of_range", "x"},
		{"BelowTheBed", `{"type":"move","mode":"absolute","z":-0.1}`, 422, "out_of_range", "z"},
		{"LongerThanTheBed", `{"type":"move","z":181}`, 422, "out_of_range", "z"},
		{"NoMove", `{"type":"move"}`, 422, "invalid", "x"},
		{"NoAxis", `{"type":"home","axes":"E"}`, 422, "invalid", "axes"},
		{"TooFast", `{"type":"set_feed_rate","factor":501}`, 422, "out_of_range", "factor"},
		{"FanTooFast", `{"type":"set_fan_speed","speed":101}`, 422, "out_of_range", "speed"},
		{"OwnID", `{"type":"pause","id":"x"}`, 422, "invalid", "id"},
		{"OwnEnd", `{"type":"pause","expires":99999999999}`, 422, "invalid", "expires"},
		{"NotByHand", `{"type":"fetch_file","fetch":{"transfer":"t","token":"t"}}`, 422, "invalid", "type"},
		{"TwoLines", `{"type":"gcode","line":"M105\nM104 S999"}`, 422, "invalid", "line"},
		{"LineTooHot", `{"type":"gcode","line":"m104 s300"}`, 422, "out_of_range", "line"},
		{"BadPath", `{"type":"print","origin":"local","path":"../x.gcode"}`, 422, "invalid", "path"},
		{"BadAction", `{"type":"system","action":"core/../x"}`, 422, "invalid", "action"},
		{"NotPrinting", `{"type":"pause"}`, 409, "not_now", ""},
		{"NotPaused", `{"type":"resume"}`, 409, "not_now", ""},
		{"Connected", `{"type":"connect"}`, 409, "not_now", ""},
		{"NotTicked", `{"type":"system","action":"core/restart"}`, 409, "not_now", ""},
		{"LongKey", `{"type":"home","axes":"X"}`, 422, "invalid", "Idempotency-Key"},
	} {
		t.Run(r.name, func(t *testing.T) {
			key := ""
			if r.name == "LongKey" {
				key = strings.Repeat("k", 129)
			}
			if got := owner.command(t, p.uuid, r.body, key); got.Status != r.status || got.Code != r.code || got.Field != r.field {
				t.Errorf("%+v", got)
			}
		})
	}
	p.status(wire.StatusPrinting)
	owner.shows(t, p.uuid, wire.StatusPrinting)
	for _, body := range []string{`{"type":"home","axes":"XYZ"}`, `{"type":"move","x":1}`, `{"type":"extrude","amount":1}`, `{"type":"disconnect"}`,
		`{"type":"print","origin":"local","path":"a.gcode"}`, `{"type":"select_tool","tool":1}`} {
		if got := owner.command(t, p.uuid, body); got.Status != 409 || got.Code != "not_now" || got.Reason != "printing" {
			t.Errorf("%s during a print: %+v", body, got)
		}
	}
	if took := p.took(); len(took) != 0 {
		t.Errorf("the device got %+v", took)
	}
	if got := owner.command(t, p.uuid, `{"type":"pause"}`); got.Status != 200 || !got.OK {
		t.Errorf("%+v", got)
	}
}

// A command to a device that is away is refused, and is not done when it comes back.
func TestCommand_NeverQueued(t *testing.T) {
	s := mustServe(t, t.TempDir())
	owner := s.account(t, "mina", false)
	uuid, token := owner.enrol(t, "away")
	if got := owner.command(t, uuid, `{"type":"pause"}`); got.Status != 409 || got.Code != "device_offline" {
		t.Errorf("%+v", got)
	}
	p := &puppet{t: t, uuid: uuid, answer: done}
	p.connect(s, token)
	p.present(wire.Presence{Caps: []string{wire.CapCommands}})
	p.status(wire.StatusPrinting)
	owner.shows(t, uuid, wire.StatusPrinting)
	p.mqtt.Disconnect(100)
	owner.shows(t, uuid, wire.StatusOffline)
	if got := owner.command(t, uuid, `{"type":"pause"}`); got.Status != 409 || got.Code != "device_offline" {
		t.Errorf("%+v", got)
	}
	p.connect(s, token)
	p.present(wire.Presence{Caps: []string{wire.CapCommands}})
	p.status(wire.StatusPrinting)
	owner.shows(t, uuid, wire.StatusPrinting)
	if got := owner.command(t, uuid, `{"type":"pause"}`); got.Status != 200 || !got.OK {
		t.Errorf("%+v", got)
	}
	if took := p.took(); len(took) != 1 {
		t.Errorf("it did %+v", took)
	}
}

// The same click twice, at once or one after the other, over a restart of the server, is one command.
func TestCommand_IdempotencyKey(t *testing.T) {
	dir := t.TempDir()
	s := mustServe(t, dir)
	owner := s.account(t, "mina", false)
	p := owner.puppet(t, "Ender")
	release := make(chan struct{})
	p.behave(func(c wire.Command) *wire.CommandResult { <-release; return done(c) })
	answers := make(chan said, 8)
	for range cap(answers) {
		go func() { answers <- owner.command(t, p.uuid, `{"type":"home","axes":"XY"}`, "click-1") }()
	}
	until(t, "the device has it", func() bool { return len(p.took()) > 0 })
	close(release)
	first := <-answers
	for range cap(answers) - 1 {
		if a := <-answers; a != first || !a.OK {
			t.Errorf("%+v, the first got %+v", a, first)
		}
	}
	if got := owner.command(t, p.uuid, `{"type":"home","axes":"Z"}`, "click-1"); got.Code != "idempotency_mismatch" {
		t.Errorf("%+v", got)
	}
	if a := owner.command(t, p.uuid, `{"type":"home","axes":"XY"}`, "click-1"); a != first {
		t.Errorf("later: %+v", a)
	}
	if n := len(p.took()); n != 1 {
		t.Errorf("done %d times", n)
	}
	if a := owner.command(t, p.uuid, `{"type":"home","axes":"XY"}`, "click-2"); !a.OK || a.ID == first.ID {
		t.Errorf("another click: %+v", a)
	}
}

// Two people at once: both are answered, each with his own.
func TestCommand_TwoPeople(t *testing.T) {
	c := mustCast(t)
	p := c.who["owner"].puppet(t, "shared")
	var both sync.WaitGroup
	for _, name := range []string{"owner", "operator"} {
		both.Go(func() {
			for i := range 10 {
				got := c.who[name].command(t, p.uuid, fmt.Sprintf(`{"type":"move","x":%d}`, i))
				if !got.OK {
					t.Errorf("%s: %+v", name, got)
				}
			}
		})
	}
	both.Wait()
	by := map[string]int{}
	for _, g := range c.who["owner"].audit(t, p.uuid) {
		by[g.Actor+" "+g.Result]++
	}
	if by["owner ok"] != 10 || by["operator ok"] != 10 || len(p.took()) != 20 {
		t.Errorf("%v, %d", by, len(p.took()))
	}
	// What operators may not, and what they do not see.
	if got := c.who["operator"].command(t, p.uuid, `{"type":"gcode","line":"M104 S200"}`); got.Status != 403 || got.Reason != "line_not_allowed" {
		t.Errorf("%+v", got)
	}
	if got := c.who["operator"].command(t, p.uuid, `{"type":"gcode","line":"n1 m105*38 ; ask"}`); !got.OK {
		t.Errorf("%+v", got)
	}
	if got := c.who["operator"].command(t, p.uuid, `{"type":"system","action":"core/restart"}`); got.Status != 403 {
		t.Errorf("%+v", got)
	}
	for _, g := range c.who["operator"].audit(t, p.uuid) {
		if g.Address != "" {
			t.Errorf("an operator sees %s", g.Address)
		}
	}
}

// A device that does not answer: the click is told in time, and what it says later is believed.
func TestCommand_LateAnswer(t *testing.T) {
	s := mustServe(t, t.TempDir())
	owner := s.account(t, "mina", false)
	p := owner.puppet(t, "slow")
	p.behave(func(wire.Command) *wire.CommandResult { return nil })
	if got := owner.command(t, p.uuid, `{"type":"home","axes":"X"}`, "k"); got.Status != http.StatusGatewayTimeout || got.Code != "device_timeout" {
		t.Errorf("%+v", got)
	}
	if got := owner.command(t, p.uuid, `{"type":"home","axes":"X"}`, "k"); got.Code != "device_timeout" || len(p.took()) != 1 {
		t.Errorf("again: %+v, done %d times", got, len(p.took()))
	}
	if g := owner.audit(t, p.uuid); len(g) != 1 || g[0].Result != "unknown" || g[0].State != "unknown" {
		t.Errorf("%+v", g)
	}
	id := p.took()[0].ID
	p.say(wire.CommandResult{ID: id, Code: wire.ResultOutcomeUnknown, Message: "interrupted"})
	p.say(wire.CommandResult{ID: id, OK: true, Code: wire.ResultDone}) // the first word counts
	if g := owner.audit(t, p.uuid); len(g) != 1 || g[0].Code != "outcome_unknown" || g[0].Message != "interrupted" {
		t.Errorf("%+v", g)
	}
	// Another device's answer is none, and neither is one to what was never asked.
	other := owner.puppet(t, "other")
	other.say(wire.CommandResult{ID: id, OK: true})
	other.say(wire.CommandResult{ID: "nonsense", OK: true})
	if g := owner.audit(t, p.uuid); g[0].Code != "outcome_unknown" {
		t.Errorf("%+v", g)
	}
	if !other.mqtt.IsConnectionOpen() {
		t.Error("an answer that nobody wants cost the connection")
	}
}

func TestCommand_RateLimit(t *testing.T) {
	s := mustServe(t, t.TempDir())
	owner := s.account(t, "mina", false)
	p := owner.puppet(t, "Ender")
	p.status(wire.StatusPrinting)
	owner.shows(t, p.uuid, wire.StatusPrinting)
	limited := false
	for range 400 { // the device answers within some ms; a bucket holds 30 and gains 10 a second
		if got := owner.command(t, p.uuid, `{"type":"set_fan_speed","speed":1000}`); got.Status == http.StatusTooManyRequests {
			limited = true
			break
		} else if got.Code != "out_of_range" {
			t.Fatalf("%+v", got)
		}
		var fan said
		if fan = owner.command(t, p.uuid, `{"type":"set_fan_speed","speed":10}`); fan.Status == http.StatusTooManyRequests {
			limited = fan.Code == "rate_limited"
			break
		}
	}
	if !limited {
		t.Skip("this machine is too slow to be limited")
	}
	if got := owner.command(t, p.uuid, `{"type":"emergency_stop"}`); !got.OK {
		t.Errorf("an emergency stop waits for nothing: %+v", got)
	}
}

// A server that is stopped while a device is asked tells afterwards that it does not know.
func TestCommand_OverARestart(t *testing.T) {
	dir := t.TempDir()
	s := &Server{Settings: settings(dir), Version: "1.2.3"}
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	at := &site{Server: s, url: "http://" + s.Addresses().HTTP, roots: x509.NewCertPool()}
	at.roots.AppendCertsFromPEM(s.Certs.Authority().PEM)
	owner := at.account(t, "mina", false)
	p := owner.puppet(t, "Ender")
	p.behave(func(wire.Command) *wire.CommandResult { return nil })
	answered := make(chan said, 1)
	go func() { answered <- owner.command(t, p.uuid, `{"type":"home","axes":"X"}`) }()
	until(t, "the device has it", func() bool { return len(p.took()) == 1 })
	begun := time.Now()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if got := <-answered; got.Status != http.StatusServiceUnavailable || got.Code != "stopping" {
		t.Errorf("%+v", got)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("the stop took %v", took)
	}
	again := mustServe(t, dir)
	owner = again.visitor(t)
	owner.must(t, http.StatusOK, "POST", "/api/v1/session", map[string]string{"email": "mina@example.com", "password": password}, nil)
	if g := owner.audit(t, p.uuid); len(g) != 1 || g[0].State != "unknown" || g[0].Result != "unknown" {
		t.Errorf("%+v", g)
	}
}

func TestControls(t *testing.T) {
	c := mustCast(t)
	owner := c.who["owner"]
	p := owner.puppet(t, "Ender")
	owner.must(t, http.StatusOK, "PUT", "/api/v1/printers/"+p.uuid+"/limits",
		map[string]any{"max_temperatures": map[string]any{"tool": 250}, "terminal": []string{"m0105", "G28", "@pause"}}, nil)
	p.present(wire.Presence{Caps: []string{wire.CapCommands}, Rights: []string{wire.RightSystem, wire.RightTerminal},
		System: []wire.SystemAction{{Action: "core/restart", Name: "Restart OctoPrint", Ask: true}}})
	type controls struct {
		Plugin   string
		Commands []struct {
			Type, Reason string
			Possible     bool
			During       []string
			Fields       []wire.FieldRule
		}
		Heaters []struct{ Tool, Max int }
		System  struct {
			Allowed bool
			Items   []wire.SystemAction
		}
		Terminal struct {
			Visible, Any bool
			Allowed      []string
		}
	}
	ask := func(who string) (v controls) {
		c.who[who].must(t, http.StatusOK, "GET", "/api/v1/printers/"+p.uuid+"/controls", nil, &v)
		return v
	}
	reason := func(v controls, kind wire.CommandType) string {
		for _, k := range v.Commands {
			if k.Type == string(kind) {
				return k.Reason
			}
		}
		return "missing"
	}
	until(t, "the rights", func() bool { return ask("owner").System.Allowed })
	v := ask("owner")
	if v.Plugin != "agent" || len(v.Heaters) != 2 || v.Heaters[0].Max != 250 || v.Heaters[1].Tool != -1 || v.Heaters[1].Max != 130 ||
		len(v.System.Items) != 1 || !v.Terminal.Visible || !v.Terminal.Any || !slices.Equal(v.Terminal.Allowed, []string{"M105", "G28", "@pause"}) {
		t.Errorf("%+v", v)
	}
	for kind, want := range map[wire.CommandType]string{wire.CommandHome: "", wire.CommandPause: "not_printing", wire.CommandResume: "not_paused",
		wire.CommandSystem: "", wire.CommandConnect: "connected", wire.CommandFetchFile: "missing"} {
		if got := reason(v, kind); got != want {
			t.Errorf("%s: %q, want %q", kind, got, want)
		}
	}
	if got := reason(ask("operator"), wire.CommandSystem); got != "role" {
		t.Errorf("an operator's system: %q", got)
	}
	if v := ask("viewer"); reason(v, wire.CommandHome) != "role" || v.Terminal.Any {
		t.Errorf("%+v", v)
	}
	if got := owner.command(t, p.uuid, `{"type":"system","action":"core/restart"}`); !got.OK {
		t.Errorf("%+v", got)
	}
	if got := owner.command(t, p.uuid, `{"type":"system","action":"core/shutdown"}`); got.Reason != "right_missing" {
		t.Errorf("%+v", got)
	}
	for _, body := range []string{`{"max_temperatures":{"tool":501}}`, `{"max_temperatures":{"bed":0}}`, `{"max_temperatures":{},"terminal":["M104 S200"]}`, `{"max_temperatures":{},"more":1}`} {
		if status, text := owner.call(t, "PUT", "/api/v1/printers/"+p.uuid+"/limits", json.RawMessage(body)); status != 422 {
			t.Errorf("%s: %d %s", body, status, text)
		}
	}
}

// Lines go to those who look, as long as they do, and the device is told.
func TestTerminal(t *testing.T) {
	c := mustCast(t)
	p := c.who["owner"].puppet(t, "Ender")
	watched := make(chan wire.Watch, 100)
	done := p.mqtt.Subscribe(wire.KindWatch.Topic(p.uuid), 0, func(_ mqtt.Client, m mqtt.Message) {
		var w wire.Watch
		if json.Unmarshal(m.Payload(), &w) == nil {
			watched <- w
		}
	})
	if !done.WaitTimeout(patience) || done.Error() != nil {
		t.Fatal(done.Error())
	}
	page := c.who["operator"].watch(t)
	if _, err := page.Subscribe(t.Context(), "terminal:"+p.uuid, false); err != nil {
		t.Fatal(err)
	}
	await := func(what string, ok func(wire.Watch) bool) {
		t.Helper()
		for end := time.After(patience); ; {
			select {
			case w := <-watched:
				if ok(w) {
					return
				}
			case <-end:
				t.Fatal("never: " + what)
			}
		}
	}
	await("the device is told", func(w wire.Watch) bool { return w.Terminal })
	publish(t, p.mqtt, wire.KindTerminal.Topic(p.uuid), 0, wire.Terminal{Lines: []string{"Send: M105", "Recv: ok\u202e"}, Skipped: 3})
	hears(t, page, "terminal:"+p.uuid, `"Recv: ok"`, `"skipped":3`)
	// Who may not control any more does not look any more.
	c.who["owner"].must(t, http.StatusNoContent, "PATCH", "/api/v1/workspaces/"+c.workspace+"/members/"+c.who["operator"].id, map[string]string{"role": "viewer"}, nil)
	await("nobody looks", func(w wire.Watch) bool { return !w.Terminal })
}

func TestMacros(t *testing.T) {
	c := mustCast(t)
	owner := c.who["owner"]
	p := owner.puppet(t, "Ender")
	path := "/api/v1/workspaces/" + c.workspace
	var made struct{ Items []struct{ ID, Name string } }
	owner.must(t, http.StatusOK, "PUT", path+"/macros", json.RawMessage(`{"items":[{"name":"노즐 청소","lines":["; comment","G28 X","","M117 wipe"]},{"name":"ask","lines":["M105"]}]}`), &made)
	clean, ask := made.Items[0].ID, made.Items[1].ID
	run := func(who, id string) said {
		t.Helper()
		var s said
		status, text := c.who[who].call(t, "POST", "/api/v1/printers/"+p.uuid+"/macros/"+id+"/run", nil)
		_ = json.Unmarshal(text, &s)
		s.Status = status
		return s
	}
	if got := run("owner", clean); !got.OK {
		t.Fatalf("%+v", got)
	}
	if took := p.took(); len(took) != 1 || !slices.Equal(took[0].Lines, []string{"G28 X", "M117 wipe"}) || took[0].Macro != "노즐 청소" {
		t.Errorf("%+v", took)
	}
	if got := run("operator", clean); got.Status != 403 || got.Field != "lines[1]" || got.Reason != "line_not_allowed" || !strings.HasPrefix(got.Detail, "Line 2, G28 X: ") {
		t.Errorf("%+v", got)
	}
	if got := run("operator", ask); !got.OK {
		t.Errorf("%+v", got)
	}
	if got := run("owner", "none"); got.Status != 404 {
		t.Errorf("%+v", got)
	}
	// Kept by their ids, in the order given.
	owner.must(t, http.StatusOK, "PUT", path+"/macros", json.RawMessage(fmt.Sprintf(`{"items":[{"id":%q,"name":"ask","lines":["M105"]},{"id":%q,"name":"clean","lines":["G28"]}]}`, ask, clean)), &made)
	c.who["viewer"].must(t, http.StatusOK, "GET", path+"/macros", nil, &made)
	if len(made.Items) != 2 || made.Items[0].ID != ask || made.Items[1].ID != clean || made.Items[1].Name != "clean" {
		t.Errorf("%+v", made)
	}
	many := make([]map[string]any, 51)
	for i := range many {
		many[i] = map[string]any{"name": "m", "lines": []string{"M105"}, "tool": 200}
	}
	long := slices.Repeat([]string{"M105"}, 101)
	for _, bad := range []any{
		map[string]any{"items": many[:51]},
		map[string]any{"items": []any{map[string]any{"name": "m", "lines": long}}},
		map[string]any{"items": []any{map[string]any{"name": "m", "lines": []string{"; nothing"}}}},
		map[string]any{"items": []any{map[string]any{"name": "m", "lines": []string{"M117 " + strings.Repeat("x", 250)}}}},
		map[string]any{"items": []any{map[string]any{"name": "", "lines": []string{"M105"}}}},
		map[string]any{"items": []any{map[string]any{"id": "other", "name": "m", "lines": []string{"M105"}}}},
	} {
		if status, text := owner.call(t, "PUT", path+"/macros", bad); status != 422 {
			t.Errorf("%d %s", status, text)
		}
	}
	// A line that is refused is named by its number, and why.
	for _, c := range []struct{ line, reason, detail string }{
		{"M117 " + strings.Repeat("x", 250), "too_long", "Line 3 has at most 250 bytes."},
		{"M117 안녕", "not_ascii", "Line 3 has a character in it that is no ASCII: OctoPrint sends nothing more after one."},
		{"M117 a\x1b", "control_character", "Line 3 has a control character in it."},
		{"G28\nG29", "two_lines", "Line 3 is one line."},
	} {
		status, text := owner.call(t, "PUT", path+"/macros", map[string]any{"items": []any{
			map[string]any{"name": "good", "lines": []string{"M105"}}, map[string]any{"name": "m", "lines": []string{"; say", "G28", c.line}}}})
		var got said
		_ = json.Unmarshal(text, &got)
		if status != 422 || got.Field != "items[1].lines[2]" || got.Reason != c.reason || got.Detail != c.detail {
			t.Errorf("%q: %d %s", c.line, status, text)
		}
	}
	owner.must(t, http.StatusOK, "PUT", path+"/macros", json.RawMessage(`{"items":[{"name":"hot","lines":["G28","; now heat","M104 S9000"]}]}`), &made)
	if got := run("owner", made.Items[0].ID); got.Status != 422 || got.Code != "out_of_range" || got.Field != "lines[2]" || !strings.HasPrefix(got.Detail, "Line 3, M104 S9000: ") {
		t.Errorf("%+v", got)
	}
	var presets struct {
		Items []struct {
			ID   string
			Tool *float64
			Bed  *float64
		}
	}
	owner.must(t, http.StatusOK, "PUT", path+"/presets", json.RawMessage(`{"items":[{"name":"PLA","tool":210,"bed":60},{"name":"off","tool":0,"bed":0}]}`), nil)
	c.who["viewer"].must(t, http.StatusOK, "GET", path+"/presets", nil, &presets)
	if len(presets.Items) != 2 || *presets.Items[0].Tool != 210 || *presets.Items[1].Bed != 0 {
		t.Errorf("%+v", presets)
	}
	for _, bad := range []string{`{"items":[{"name":"x"}]}`, `{"items":[{"name":"x","tool":501}]}`, `{"items":[{"name":"x","bed":-1}]}`} {
		if status, text := owner.call(t, "PUT", path+"/presets", json.RawMessage(bad)); status != 422 {
			t.Errorf("%d %s", status, text)
		}
	}
}

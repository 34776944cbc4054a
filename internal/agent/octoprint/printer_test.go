package octoprint

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// recorded reads what a real OctoPrint sent: seconds since the log-in and the message, a line each.
//
// testdata/octoprint-1.11.8.push holds: a print to its end; one cancelled while heating; one whose serial connection
// breaks; a connection made again; a fatal error of the idle printer; disconnect and connect; a print paused while heating, resumed
// and ended by a fatal error; one paused by the printer, resumed and cancelled. List entries and members that we do not read were shortened.
func recorded(t testing.TB) (at []time.Duration, messages []string) {
	f, err := os.Open("testdata/octoprint-1.11.8.push")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		s, m, _ := strings.Cut(lines.Text(), " ")
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		at = append(at, time.Duration(v*float64(time.Second)))
		messages = append(messages, m)
	}
	return at, messages
}

func mustRead(t testing.TB, s string) message {
	t.Helper()
	m, err := readMessage(strings.NewReader(s), false)
	if err != nil {
		t.Fatalf("%.200s: %v", s, err)
	}
	return m
}

// follow gives what somebody who follows the recording sees: each new status, and in brackets each event passed on.
func follow(t testing.TB, p *Printer) (seen []string) {
	at, messages := recorded(t)
	status := p.Status()
	for i, s := range messages {
		m := mustRead(t, s)
		changed := p.apply(m, time.Unix(0, 0).Add(at[i]))
		if got := p.Status(); got != status {
			if !changed {
				t.Errorf("%s: status %s came without being urgent", at[i], got)
			}
			seen, status = append(seen, string(got)), got
		}
		if m.Event != nil {
			if _, ok := forward(m.Event); ok {
				seen = append(seen, "["+string(m.Event.Type)+"]")
			}
		}
	}
	return seen
}

func TestPrinter_Recorded(t *testing.T) {
	want := strings.Fields(`idle
		printing [PrintStarted] heating printing finishing [PrintDone] idle
		printing [PrintStarted] heating printing cancelling [PrintCancelled] idle
		printing [PrintStarted] heating printing [Disconnected] offline [PrintFailed] connecting idle [Connected]
		error [Error] [EStop] [Disconnected] connecting idle [Connected]
		[Disconnected] offline connecting idle [Connected]
		printing [PrintStarted] heating pausing [PrintPaused] paused resuming [PrintResumed] printing
		error [Error] [EStop] [Disconnected] [PrintFailed] connecting idle [Connected]
		printing [PrintStarted] heating printing pausing [PrintPaused] paused resuming [PrintResumed] printing
		cancelling [PrintCancelled] idle`)
	var p Printer
	if got := follow(t, &p); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, " "), strings.Join(want, " "))
	}
}

// upTo folds the recording in up to the first moment at which stop holds.
func upTo(t *testing.T, stop func(wire.Snapshot) bool) wire.Snapshot {
	t.Helper()
	var p Printer
	at, messages := recorded(t)
	for i, s := range messages {
		p.apply(mustRead(t, s), time.Unix(0, 0).Add(at[i]))
		if snap := p.Snapshot(); stop(snap) {
			return snap
		}
	}
	t.Fatal("the recording never comes there")
	return wire.Snapshot{}
}

func TestPrinter_Snapshot(t *testing.T) {
	s := upTo(t, func(s wire.Snapshot) bool { return s.Progress.PrintTime != nil && *s.Progress.PrintTime == 13 })
	got, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"status":"printing","state":{"text":"Printing","flags":{"cancelling":false,"closedOrError":false,"error":false,"finishing":false,"operational":true,"paused":false,"pausing":false,"printing":true,"ready":false,"resuming":false,"sdReady":true}},"progress":{"completion":45.36787564766839,"filepos":13134,"file_size":28950,"print_time":13,"time_left":23,"time_left_origin":"linear"},"job":{"file":{"name":"cube.gcode","origin":"local","path":"cube.gcode","size":28950,"date":1795456216}},"temperatures":{"bed":{"actual":40,"target":40},"tool0":{"actual":60,"target":60}},"connection":{"state":"Printing"},"current_z":2.45}`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestPrinter_Snapshot_Error(t *testing.T) {
	s := upTo(t, func(s wire.Snapshot) bool { return strings.HasPrefix(s.State.Text, "Offline after error") })
	if s.Status != wire.StatusError || !slices.Contains(s.Attention, wire.AttentionError) || !strings.Contains(s.State.Text, "Thermal Runaway") {
		t.Errorf("%s %v %q", s.Status, s.Attention, s.State.Text)
	}
}

func TestPrinter_Apply_StaleStateAfterEvent(t *testing.T) {
	var p Printer
	now := time.Unix(1000, 0)
	p.apply(mustRead(t, `{"event":{"type":"PrinterStateChanged","payload":{"state_id":"PAUSED","state_string":"Paused"}}}`), now)
	held := mustRead(t, `{"current":{"state":{"text":"Printing","flags":{"operational":true,"printing":true}}}}`)
	if p.apply(held, now.Add(time.Second)); p.Status() != wire.StatusPaused {
		t.Errorf("a message held back since before the event made it %s", p.Status())
	}
	if p.apply(held, now.Add(2*time.Second)); p.Status() != wire.StatusPrinting {
		t.Errorf("later messages are not believed: %s", p.Status())
	}
}

func TestStatusOf(t *testing.T) {
	for _, c := range []struct {
		state string
		want  wire.Status
	}{
		{`{"text":"Offline","flags":{"closedOrError":true}}`, wire.StatusOffline},
		{`{"text":"Offline (Error: no line number)","flags":{"closedOrError":true}}`, wire.StatusError}, // 1.4 to 1.8
		{`{"text":"Offline after error","error":"x","flags":{"closedOrError":true}}`, wire.StatusError},
		{`{"text":"Error: MINTEMP","flags":{"error":true,"closedOrError":true}}`, wire.StatusError},
		{`{"text":"Detecting serial connection","flags":{"operational":false}}`, wire.StatusConnecting},
		{`{"text":"Operational","flags":{"operational":true,"ready":true}}`, wire.StatusIdle},
		{`{"text":"Starting","flags":{"operational":true,"printing":true}}`, wire.StatusPrinting},
		{`{"text":"Printing from SD","flags":{"operational":true,"printing":true}}`, wire.StatusPrinting},
		{`{"text":"Paused","flags":{"operational":true,"paused":true}}`, wire.StatusPaused},
		{`{"text":"Finishing","flags":{"operational":true,"printing":true,"finishing":true}}`, wire.StatusFinishing},
		{`{}`, wire.StatusUnknown},
		{`{"text":7,"flags":[1]}`, wire.StatusUnknown},
	} {
		m := mustRead(t, `{"current":{"state":`+c.state+`}}`)
		if got := statusOf(m.Current.State); got != c.want {
			t.Errorf("%s: %s, want %s", c.state, got, c.want)
		}
	}
}

func TestReadMessage_Hostile(t *testing.T) {
	for _, s := range []string{``, `[]`, `7`, `{"current":NaN}`, `{"current":{"progress":{"completion":NaN}}}`, `{"current":`,
		`{"event":{"type":"PrintDone","payload":{`, strings.Repeat(`{"current":`, 5000), `{"current":{"temps":[[[[`, `{"current":{"temps":[{"tool0":{"actual":`} {
		if _, err := readMessage(strings.NewReader(s), false); err == nil {
			t.Errorf("%.40s: no error", s)
		}
	}
	m := mustRead(t, `{"current":{"state":{"text":["x"],"flags":{"printing":"yes","paused":true}},"job":{"file":{"size":-1,"name":{}},"filament":{"tool0":7,"x y":{"length":1}}},
		"progress":{"completion":1e999,"filepos":"7","printTime":-5},"temps":[{"time":1,"tool0":{"actual":1e300,"target":"x"},"evil\u0000":{"actual":1}},7,null,[]],"offsets":{"tool0":[]}}}`)
	var p Printer
	p.apply(m, time.Unix(1, 0))
	s := p.Snapshot()
	if s.Progress.Completion != nil || s.Progress.FilePos != nil || s.Progress.PrintTime != nil || s.Temperatures != nil || s.Job.File.Size != nil {
		t.Errorf("nonsense was believed: %+v", s)
	}
	if _, err := readMessage(strings.NewReader(`{"plugin":"`+strings.Repeat("x", maxMessage)+`"}`), false); err == nil {
		t.Error("a message beyond the limit was taken")
	}
}

func FuzzReadMessage(f *testing.F) {
	_, messages := recorded(f)
	for _, s := range messages[:20] {
		f.Add(s)
	}
	f.Add(`{"current":{"temps":[{"tool0":{"actual":1}}],"offsets":{"tool0":1}}}`)
	f.Fuzz(func(t *testing.T, s string) {
		m, err := readMessage(strings.NewReader(s), false)
		if err != nil {
			return
		}
		var p Printer
		p.apply(m, time.Unix(1, 0))
		if m.Event != nil {
			if data, ok := forward(m.Event); ok && data != nil && !json.Valid(data) {
				t.Errorf("payload %q is passed on", data)
			}
		}
		if _, err := json.Marshal(p.Snapshot()); err != nil {
			t.Errorf("no snapshot can be made: %v", err)
		}
	})
}

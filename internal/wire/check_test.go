package wire

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
)

func ptr[T any](v T) *T { return &v }

// samples is a command of each type that passes.
var samples = []Command{
	{Type: CommandPause}, {Type: CommandResume}, {Type: CommandCancel}, {Type: CommandHome, Axes: "ZX"},
	{Type: CommandMove, X: ptr(1.5), Y: ptr(-2.0), E: ptr(0.5), FeedRate: ptr(1200.0)},
	{Type: CommandMove, Mode: MoveAbsolute, Z: ptr(0.0)},
	{Type: CommandSetTemperature, Tool: ptr(ToolBed), Temperature: ptr(60.0), Wait: true},
	{Type: CommandSetFeedRate, Factor: ptr(10.0)}, {Type: CommandSetFanSpeed, Speed: ptr(0.0)},
	{Type: CommandSetFlowRate, Factor: ptr(105.0)}, {Type: CommandExtrude, Amount: ptr(-5.0), Tool: ptr(1)},
	{Type: CommandSelectTool, Tool: ptr(0)}, {Type: CommandEmergencyStop}, {Type: CommandConnect}, {Type: CommandDisconnect},
	{Type: CommandSystem, Action: "core/restart"}, {Type: CommandGCode, Line: "M105"},
	{Type: CommandGCode, Lines: []string{"G28", "M104 S200"}, Macro: "m"},
	{Type: CommandGCode, Lines: []string{"M117 M104 S999", "M220 S400 M104 S200", "M303 E-1 S100", "PID_CALIBRATE HEATER=extruder TARGET=240"}},
	{Type: CommandGCode, Lines: []string{"M303 S200 E0 C8", "M303 S100 E-1", "M109 S200 (heat)", "M104 S T0", "M104 S200.5T0", "G26 B100 H250", "M104 S200 B250 F1"}},
	{Type: CommandPrint, Origin: OriginLocal, Path: "폴더/a.gcode"}, {Type: CommandDeleteFile, Origin: OriginSDCard, Path: "A.GCO"},
	{Type: CommandFetchFile, Fetch: &FetchFile{Transfer: "t", Token: "k", Name: "a.gcode", Size: 1, SHA256: strings.Repeat("0", 64), Target: OriginLocal}},
	{Type: CommandSendFile, Origin: OriginLocal, Path: "a.gcode", Send: &SendFile{Transfer: "t", Token: "k"}},
}

func TestCommand_CheckTakesEveryType(t *testing.T) {
	seen := map[CommandType]bool{}
	for _, c := range samples {
		seen[c.Type] = true
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		back, err := DecodeCommand(b)
		if err != nil {
			t.Errorf("%s: %v", b, err)
		}
		if err := back.Check(Limits{}); err != nil {
			t.Errorf("%s: %v", b, err)
		}
	}
	for _, r := range CommandRules {
		if !seen[r.Type] {
			t.Errorf("%s has no sample", r.Type)
		}
	}
}

func TestCommand_CheckNamesTheField(t *testing.T) {
	bed := Limits{Tool: 250, Bed: 100, Volume: Volume{Width: 220, Depth: 210, Height: 250}}
	for _, c := range []struct {
		c           Command
		code, field string
	}{
		{Command{}, FieldInvalid, "type"},
		{Command{Type: CommandMove, X: ptr(math.NaN())}, FieldInvalid, "x"},
		{Command{Type: CommandMove, X: ptr(math.Inf(1))}, FieldInvalid, "x"},
		{Command{Type: CommandMove, Y: ptr(210.1)}, FieldOutOfRange, "y"},
		{Command{Type: CommandMove, Mode: MoveAbsolute, Y: ptr(-0.1)}, FieldOutOfRange, "y"},
		{Command{Type: CommandMove, Mode: MoveAbsolute, X: ptr(1.0), E: ptr(1.0)}, FieldInvalid, "e"},
		{Command{Type: CommandMove, Mode: "sideways", X: ptr(1.0)}, FieldInvalid, "mode"},
		{Command{Type: CommandMove, X: ptr(1.0), FeedRate: ptr(0.0)}, FieldOutOfRange, "feedrate"},
		{Command{Type: CommandHome, Axes: "XX"}, FieldInvalid, "axes"},
		{Command{Type: CommandHome}, FieldInvalid, "axes"},
		{Command{Type: CommandSetTemperature, Tool: ptr(10), Temperature: ptr(1.0)}, FieldOutOfRange, "tool"},
		{Command{Type: CommandSetTemperature, Tool: ptr(0), Temperature: ptr(250.5)}, FieldOutOfRange, "temperature"},
		{Command{Type: CommandSetTemperature, Tool: ptr(0), Temperature: ptr(math.NaN())}, FieldInvalid, "temperature"},
		{Command{Type: CommandExtrude, Amount: ptr(0.0)}, FieldInvalid, "amount"},
		{Command{Type: CommandPause, Line: "M105"}, FieldInvalid, "line"},
		{Command{Type: CommandGCode}, FieldInvalid, "line"},
		{Command{Type: CommandGCode, Line: "M105", Lines: []string{"M105"}}, FieldInvalid, "line"},
		{Command{Type: CommandGCode, Lines: []string{"M105", "M109 R251"}}, FieldOutOfRange, "lines[1]"},
		{Command{Type: CommandGCode, Line: "m 0104 t1 s 1e9"}, FieldOutOfRange, "line"},
		{Command{Type: CommandGCode, Line: "M140 S--1"}, FieldOutOfRange, "line"},
		{Command{Type: CommandGCode, Line: "M104.1 S251"}, FieldOutOfRange, "line"},
		{Command{Type: CommandGCode, Line: "N1 N2 M104 S251"}, FieldOutOfRange, "line"},
		{Command{Type: CommandGCode, Line: "M220 S100 M104 S251"}, FieldOutOfRange, "line"},
		{Command{Type: CommandGCode, Line: "X1 m104 s251"}, FieldOutOfRange, "line"},
		{Command{Type: CommandGCode, Line: "M303 E0 S251 C8"}, FieldOutOfRange, "line"},
		{Command{Type: CommandGCode, Line: "M303 S251E-1"}, FieldOutOfRange, "line"},
		{Command{Type: CommandGCode, Line: "M104 S2E3"}, FieldOutOfRange, "line"},
		{Command{Type: CommandGCode, Line: `M104 S"251"`}, FieldOutOfRange, "line"},
		{Command{Type: CommandGCode, Line: "M104 S{200+51}"}, FieldOutOfRange, "line"},
		{Command{Type: CommandGCode, Line: "M104 S0xFB"}, FieldOutOfRange, "line"},
		{Command{Type: CommandGCode, Line: "M104 S2_51"}, FieldOutOfRange, "line"},
		{Command{Type: CommandGCode, Line: "M104 S2(x)51"}, FieldOutOfRange, "line"},
		{Command{Type: CommandGCode, Line: "M104 S=251"}, FieldOutOfRange, "line"},
		{Command{Type: CommandGCode, Line: "M104 S200 B251 F1"}, FieldOutOfRange, "line"},
		{Command{Type: CommandGCode, Line: "G26 H251"}, FieldOutOfRange, "line"},
		{Command{Type: CommandGCode, Line: "G26 B101 H200"}, FieldOutOfRange, "line"},
		{Command{Type: CommandGCode, Line: `SET_HEATER_TEMPERATURE HEATER=extruder TARGET="251"`}, FieldOutOfRange, "line"},
		{Command{Type: CommandGCode, Line: `SET_HEATER_TEMPERATURE HEATER=extruder "TARGET"=2\51`}, FieldOutOfRange, "line"},
		{Command{Type: CommandGCode, Line: "SET_HEATER_TEMPERATURE HEATER=extruder TARGET=251 TARGET=0"}, FieldOutOfRange, "line"},
		{Command{Type: CommandGCode, Line: "SET_HEATER_TEMPERATURE HEATER=extruder TARGET=INF"}, FieldOutOfRange, "line"},
		{Command{Type: CommandGCode, Line: "MPC_CALIBRATE HEATER=extruder TARGET=251"}, FieldOutOfRange, "line"},
		{Command{Type: CommandGCode, Line: "M303 E-1 S101"}, FieldOutOfRange, "line"},
		{Command{Type: CommandGCode, Line: "set_heater_temperature heater=heater_bed target=101"}, FieldOutOfRange, "line"},
		{Command{Type: CommandGCode, Line: "M117 가"}, FieldInvalid, "line"},
		{Command{Type: CommandPrint, Origin: "usb", Path: "a"}, FieldInvalid, "origin"},
		{Command{Type: CommandPrint, Origin: OriginLocal, Path: "a/../b"}, FieldInvalid, "path"},
		{Command{Type: CommandPrint, Origin: OriginLocal, Path: "/a"}, FieldInvalid, "path"},
		{Command{Type: CommandPrint, Origin: OriginLocal, Path: "a\x00"}, FieldInvalid, "path"},
		{Command{Type: CommandSystem, Action: "core"}, FieldInvalid, "action"},
		{Command{Type: CommandSystem, Action: "core/restart?x=1"}, FieldInvalid, "action"},
		{Command{Type: CommandFetchFile, Fetch: &FetchFile{Transfer: "../t", Token: "k"}}, FieldInvalid, "fetch"},
	} {
		err := c.c.Check(bed)
		var f *FieldError
		if !errors.As(err, &f) || f.Code != c.code || f.Field != c.field {
			t.Errorf("%+v: %v, want %s of %s", c.c, err, c.code, c.field)
		}
	}
	hot := Command{Type: CommandSetTemperature, Tool: ptr(0), Temperature: ptr(DefaultMaxTool)}
	if err := hot.Check(Limits{}); err != nil {
		t.Errorf("the default: %v", err)
	}
	hot.Temperature = ptr(450.0)
	if err := hot.Check(Limits{Tool: 450}); err != nil {
		t.Errorf("what the owner allows: %v", err)
	}
}

func TestParseLine(t *testing.T) {
	for in, want := range map[string]Line{
		"g28 x y ; home":           {"G28 X Y", "G28"},
		"N12 G1 X1.5 E-.2*77":      {"G1 X1.5 E-.2", "G1"},
		"  m0105  ":                {"M105", "M105"},
		"M 104 S200":               {"M104 S200", "M104"},
		"M117 Hello * 5; and away": {"M117 Hello * 5", "M117"},
		`M118 a\;b`:                {`M118 a\;b`, "M118"},
		"M110 N5":                  {"M110 N5", "M110"},
		"g29.1":                    {"G29.1", "G29.1"},
		"T1":                       {"T1", "T1"},
		"@Pause now":               {"@Pause now", "@pause"},
		"FIRMWARE_RESTART":         {"FIRMWARE_RESTART", ""}, // Klipper's own
		"!!DEBUG:reset":            {"!!DEBUG:reset", ""},
	} {
		if got, err := ParseLine(in); err != nil || got != want {
			t.Errorf("%q: %q %v, want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"", " ; nothing", "M105\nM104 S200", "M105\rM104", "N5", "N5*12", "@", "M117 \x07", strings.Repeat("x", 251)} {
		if got, err := ParseLine(in); err == nil {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestLine_Within(t *testing.T) {
	list := []string{"M105", "M117", "G1", "@pause"}
	for in, want := range map[string]bool{
		"m105": true, "N1 M105*38": true, "M105 ; M104 S200": true, "@pause": true, "M117 GO MOM": true, "G1 X5": true,
		"M104 S200": false, "M105 M104 S200": false, "M105M104S200": false, "G1 X5 G28": false, "@abort": false, "m105.1": false,
		"FIRMWARE_RESTART": false, "": false, "M1050": false,
	} {
		line, err := ParseLine(in)
		if got := err == nil && line.Within(list); got != want {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func TestCommandRule_Hinders(t *testing.T) {
	for _, c := range []struct {
		c         CommandType
		s         Status
		published bool
		want      Hindrance
	}{
		{CommandPause, StatusPrinting, false, Unhindered}, {CommandPause, StatusIdle, false, HindranceIdle},
		{CommandPause, StatusPaused, false, HindrancePaused}, {CommandPause, StatusOffline, false, HindrancePrinter},
		{CommandResume, StatusPaused, false, Unhindered}, {CommandResume, StatusPrinting, false, HindranceNotPaused},
		{CommandResume, StatusIdle, false, HindranceNotPaused}, {CommandResume, StatusPausing, false, HindranceBusy},
		{CommandMove, StatusPaused, false, Unhindered}, {CommandMove, StatusPaused, true, HindrancePaused},
		{CommandMove, StatusPrinting, false, HindrancePrinting}, {CommandHome, StatusPaused, false, HindrancePaused},
		{CommandHome, StatusHeating, true, HindrancePrinting}, {CommandConnect, StatusIdle, false, HindranceConnected},
		{CommandConnect, StatusError, false, Unhindered}, {CommandConnect, StatusOffline, false, Unhindered},
		{CommandEmergencyStop, StatusPrinting, false, Unhindered}, {CommandEmergencyStop, StatusOffline, false, HindrancePrinter},
		{CommandEmergencyStop, StatusPrinting, true, HindrancePlugin}, {CommandGCode, StatusUnknown, false, HindranceUnknown},
		{CommandSystem, StatusOffline, false, Unhindered}, {CommandDisconnect, StatusPrinting, false, HindrancePrinting},
		{CommandSetFanSpeed, StatusError, false, HindranceError}, {CommandHome, StatusConnecting, false, HindranceConnecting},
	} {
		r, _ := RuleOf(c.c)
		if got := r.Hinders(c.s, c.published); got != c.want {
			t.Errorf("%s while %s (published %v): %q, want %q", c.c, c.s, c.published, got, c.want)
		}
	}
	for i := range CommandRules { // whatever is forbidden is explained
		for _, s := range Statuses {
			for _, published := range []bool{false, true} {
				r := &CommandRules[i]
				allowed := len(r.During) == 0 || has(r.During, s)
				if published {
					allowed = has(r.Published, s)
				}
				if got := r.Hinders(s, published); (got == Unhindered) != allowed {
					t.Errorf("%s while %s: %q", r.Type, s, got)
				}
			}
		}
	}
}

// What is at fault is named, in words that go behind the field's name.
func TestDecodeCommand_Faults(t *testing.T) {
	for text, want := range map[string]string{
		`{"type":"pause","type":"home"}`:                          "type: is there twice",
		`{"type":"move","x":1,"x":2}`:                             "x: is there twice",
		`{"ty\u0070e":"move","type":"pause"}`:                     "type: is there twice",
		`{"type":"fetch_file","fetch":{"token":"a","token":"b"}}`: "fetch.token: is there twice",
		`{"type":"move","x":1,"X":2}`:                             "X: is no field of a command",
		`{"type":"move","x":1,"amount":2}`:                        "amount: is no field of the command move",
		`{"type":"move","x":1e999}`:                               "x: has the wrong type, or is a number beyond all bounds",
		`{"type":"move","x":"1"}`:                                 "x: has the wrong type, or is a number beyond all bounds",
		`{"type":"set_temperature","tool":0.5,"temperature":20}`:  "tool: has the wrong type, or is a number beyond all bounds",
		`{"type":"gcode","lines":["M105",1]}`:                     "lines[1]: has the wrong type, or is a number beyond all bounds",
		`{"type":"move","x":NaN}`:                                 ": not JSON at byte 19",
		`{"type":"pause"} {"type":"pause"}`:                       ": not JSON at byte 17",
		`{"type":"move"}`:                                         "x: is missing: a move needs x, y, z or e",
		`{"type":"gcode","line":"M105","lines":["M105"]}`:         "line: is needed, or lines: one of them, and not both",
		`{"type":"dance"}`:                                        "type: is no command",
		`{"type":"set_temperature","tool":99,"temperature":20}`:   "tool: is from -2 to 9",
		`["pause"]`: ": a command is a JSON object",
	} {
		c, err := DecodeCommand([]byte(text))
		if err == nil {
			err = c.Check(Limits{})
		}
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// What a device or a person sends as a command never ends the program, and what passes is within its bounds.
func FuzzDecodeCommand(f *testing.F) {
	for _, c := range samples {
		b, err := json.Marshal(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, s := range []string{``, `{`, `[]`, `null`, `{"type":"move","x":1e999}`, `{"type":"pause","type":"cancel"}`, `{"type":"gcode","lines":["",null]}`,
		`{"type":"set_temperature","tool":-3,"temperature":-0}`, `{"type":"fetch_file","fetch":null}`} {
		f.Add([]byte(s))
	}
	l := Limits{Tool: 200, Bed: 90, Volume: Volume{Width: 200, Depth: 200, Height: 200}}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := DecodeCommand(b)
		if err != nil {
			var field *FieldError
			if !errors.As(err, &field) {
				t.Fatalf("%v", err)
			}
			return
		}
		if err := c.Check(l); err != nil {
			var field *FieldError
			if !errors.As(err, &field) {
				t.Fatalf("%v", err)
			}
			return
		}
		if c.Temperature != nil && (*c.Temperature < 0 || *c.Temperature > DefaultMaxTool) {
			t.Errorf("%v °C", *c.Temperature)
		}
		if c.X != nil && math.Abs(*c.X) > 200 {
			t.Errorf("%v mm", *c.X)
		}
		for _, text := range append(c.Lines, c.Line) {
			if strings.ContainsAny(text, "\r\n") {
				t.Errorf("%q", text)
			}
		}
		again, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := DecodeCommand(again); err != nil || back.Check(l) != nil {
			t.Errorf("%s: %v", again, err)
		}
	})
}

// A line that passes an allow-list holds nothing but that command, however it is written.
func FuzzParseLine(f *testing.F) {
	for _, s := range []string{"M105", "n1 m105*3", "M105 M104 S1", "M117 x;y", "@pause", "M 109 S 2 0 0", "T0", "\tG1", `M118 \;`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l, err := ParseLine(s)
		if err != nil {
			return
		}
		if l.Text == "" || strings.ContainsAny(l.Text, "\r\n") || len(l.Text) > MaxLine+1 {
			t.Fatalf("%q → %q", s, l.Text)
		}
		again, err := ParseLine(l.Text)
		if err != nil || again.Code != l.Code {
			t.Errorf("%q → %q → %q %v", s, l, again, err)
		}
		if l.Within([]string{"M105"}) && !strings.HasPrefix(l.Text, "M105") {
			t.Errorf("%q passes as %q", s, l.Text)
		}
	})
}

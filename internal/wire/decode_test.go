package wire

import (
	stdjson "encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
)

func decode(t *testing.T, text string) (Snapshot, Trimmed) {
	t.Helper()
	var s Snapshot
	trimmed, err := DecodeSnapshot([]byte(text), &s)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s, trimmed
}

func published(t testing.TB) []byte {
	b, err := os.ReadFile("testdata/published.json")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecodeSnapshot_PublishedPlugin(t *testing.T) {
	var s Snapshot
	trimmed, err := DecodeSnapshot(published(t), &s)
	if err != nil || trimmed != 0 {
		t.Fatalf("trimmed %d, error %v", trimmed, err)
	}
	if s.Job.File.Name != "기어박스.gcode" || *s.Progress.Completion != 42.5 || *s.Temperatures["tool0"].Actual != 209.8 {
		t.Errorf("got %+v", s)
	}
	if c := s.Connection; c.Port != "/dev/ttyUSB0" || c.Baudrate != 115200 || c.Profile.Volume.Width != 200 || !c.Profile.HeatedBed {
		t.Errorf("connection %+v", c)
	}
	if s.Temperatures["chamber"].Actual != nil || s.Job.LastTime != nil {
		t.Error("null must stay unknown")
	}
}

func TestDecodeSnapshot_ReusesNothingOfTheLast(t *testing.T) {
	var s Snapshot
	if _, err := DecodeSnapshot(published(t), &s); err != nil {
		t.Fatal(err)
	}
	if _, err := DecodeSnapshot([]byte(`{"ts":5}`), &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Temperatures)+len(s.State.Flags)+len(s.Job.Filament)+len(s.Axes) != 0 || s.Job.ID != "" || s.Connection.Port != "" {
		t.Errorf("left over: %+v", s)
	}
}

func TestDecodeSnapshot_Refused(t *testing.T) {
	for name, text := range map[string]string{
		"Empty": ``, "NotJSON": `hello`, "CutOff": `{"ts":1,"state":{"te`, "Array": `[]`, "Null": `null`, "Number": `12`,
		"NaN": `{"ts":NaN}`, "Infinity": `{"temperatures":{"bed":{"actual":Infinity}}}`, "Overflow": `{"ts":1e999}`,
		"WrongType": `{"progress":{"completion":"half"}}`, "TextForObject": `{"state":"Printing"}`, "Trailing": `{} {}`,
		"ListForObject": `{"temperatures":[1,2]}`, "HugeInteger": `{"progress":{"filepos":99999999999999999999}}`,
		"Deep": `{"axes":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			var s Snapshot
			if _, err := DecodeSnapshot([]byte(text), &s); err == nil {
				t.Errorf("taken: %.80s", text)
			} else if len(err.Error()) > 300 {
				t.Errorf("the error carries the message: %.80s", err)
			}
		})
	}
	var s Snapshot
	if _, err := DecodeSnapshot(make([]byte, MaxStatus+1), &s); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
}

func TestDecodeSnapshot_Trimmed(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		bad  func(Snapshot) bool
	}{
		"HotterThanTheSun": {`{"temperatures":{"bed":{"actual":5500,"target":60}}}`, func(s Snapshot) bool { return s.Temperatures["bed"].Actual != nil }},
		"Completion":       {`{"progress":{"completion":101}}`, func(s Snapshot) bool { return s.Progress.Completion != nil }},
		"NegativeTime":     {`{"progress":{"time_left":-5}}`, func(s Snapshot) bool { return s.Progress.TimeLeft != nil }},
		"Clock":            {`{"ts":1e300}`, func(s Snapshot) bool { return s.TS != 0 }},
		"Status":           {`{"status":"exploded"}`, func(s Snapshot) bool { return s.Status != "" }},
		"Attention":        {`{"attention":["error","nonsense"]}`, func(s Snapshot) bool { return len(s.Attention) != 1 }},
		"HeaterName":       {`{"temperatures":{"<img src=x>":{"actual":1}}}`, func(s Snapshot) bool { return len(s.Temperatures) != 0 }},
		"LongText":         {`{"state":{"text":"` + strings.Repeat("가", 500) + `"}}`, func(s Snapshot) bool { return len(s.State.Text) > MaxText }},
		"ControlText":      {"{\"job\":{\"file\":{\"name\":\"a\\u0000b\\u202ec\"}}}", func(s Snapshot) bool { return s.Job.File.Name != "abc" }},
		"BadUTF8":          {"{\"job\":{\"file\":{\"name\":\"a\xff\"}}}", func(s Snapshot) bool { return s.Job.File.Name != "a\uFFFD" }},
	} {
		t.Run(name, func(t *testing.T) {
			s, trimmed := decode(t, c.text)
			if c.bad(s) {
				t.Errorf("kept: %+v", s)
			}
			if trimmed == 0 && name != "BadUTF8" { // the decoder itself mends bad UTF-8
				t.Error("not counted")
			}
		})
	}
}

func TestDecodeSnapshot_ManyHeaters(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"temperatures":{"bed":{}`)
	for i := range 5000 {
		b.WriteString(`,"tool` + string(rune('a'+i%26)) + strings.Repeat("x", i%30) + `":{"actual":1}`)
	}
	b.WriteString(`}}`)
	if s, trimmed := decode(t, b.String()); len(s.Temperatures) > MaxHeaters || trimmed == 0 {
		t.Errorf("%d heaters kept", len(s.Temperatures))
	}
}

func TestDecodeSnapshot_Bare(t *testing.T) {
	if s, _ := decode(t, `{"state_id":"PRINTING","state_string":"Printing"}`); !s.Bare() || s.StateID != "PRINTING" {
		t.Errorf("got %+v", s)
	}
}

func TestDecodeSnapshot_OddConnections(t *testing.T) {
	for _, text := range []string{`["Closed",null,null,null]`, `["Closed"]`, `[]`, `null`, `"x"`, `{"state":"Closed","baudrate":"AUTO","profile":[]}`,
		`["Closed",1,"AUTO",7,8,9]`} {
		s, _ := decode(t, `{"connection":`+text+`,"ts":7}`)
		if s.TS != 7 || s.Connection.Baudrate != 0 {
			t.Errorf("%s: %+v", text, s.Connection)
		}
	}
}

func TestCleanText(t *testing.T) {
	for _, c := range []struct {
		in, out string
		limit   int
	}{
		{"plain", "plain", 10}, {"가나다", "가나다", 9}, {"가나다", "가나", 8}, {"a\x00b\nc", "abc", 10}, {"x\u2066y", "xy", 10}, {"", "", 3},
	} {
		if got, changed := CleanText(c.in, c.limit); got != c.out || changed != (c.in != c.out) {
			t.Errorf("%q: %q, %v", c.in, got, changed)
		}
	}
}

// FuzzDecodeSnapshot holds the decoder equal to encoding/json, and its result within the limits.
func FuzzDecodeSnapshot(f *testing.F) {
	f.Add(published(f))
	for _, seed := range []string{`{}`, `{"ts":1,"temperatures":{"tool0":{"actual":1e400}}}`, `{"connection":["Closed",null]}`, `{"state":{"text":"\ud800"}}`,
		`{"state_id":"X"}`, `{"ts":1,"ts":2}`, `{"axes":{"a":[1,2,{"b":null}]}}`, `{"attention":["error"],"status":"idle"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var got Snapshot
		if _, err := DecodeSnapshot(b, &got); err != nil {
			return
		}
		if len(got.Temperatures) > MaxHeaters || len(got.State.Flags) > MaxFlags || len(got.State.Text) > MaxText || len(got.Job.File.Name) > MaxFileName {
			t.Fatalf("over the limits: %+v", got)
		}
		var any map[string]stdjson.RawMessage
		if err := stdjson.Unmarshal(b, &any); err != nil {
			t.Fatalf("encoding/json refuses what was taken: %v", err)
		}
		var std struct {
			TS       *float64 `json:"ts"`
			Progress *struct {
				Completion *float64 `json:"completion"`
			} `json:"progress"`
		}
		if foldedOrDouble(b) {
			return // encoding/json folds the case of names, we do not
		}
		if err := stdjson.Unmarshal(b, &std); err != nil {
			t.Fatalf("encoding/json refuses what was taken: %v", err)
		}
		if std.TS != nil && *std.TS >= 0 && *std.TS <= maxUnix && *std.TS != got.TS {
			t.Fatalf("ts %v, encoding/json has %v", got.TS, *std.TS)
		}
		if std.Progress != nil && std.Progress.Completion != nil && *std.Progress.Completion >= 0 && *std.Progress.Completion <= 100 &&
			!reflect.DeepEqual(std.Progress.Completion, got.Progress.Completion) {
			t.Fatalf("completion %v, encoding/json has %v", got.Progress.Completion, *std.Progress.Completion)
		}
	})
}

// foldedOrDouble tells whether a message has the names under comparison in another case or twice, or writes them with escapes.
func foldedOrDouble(b []byte) bool {
	lower := strings.ToLower(string(b))
	for _, name := range []string{"ts", "progress", "completion"} {
		if strings.Count(lower, name) != strings.Count(string(b), `"`+name+`"`) || strings.Count(lower, name) > 1 {
			return true
		}
	}
	return strings.Contains(lower, `\`) || strings.ContainsRune(lower, 'ſ')
}

func BenchmarkDecodeSnapshot(b *testing.B) {
	text := published(b)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	var s Snapshot
	for b.Loop() {
		if _, err := DecodeSnapshot(text, &s); err != nil {
			b.Fatal(err)
		}
	}
}

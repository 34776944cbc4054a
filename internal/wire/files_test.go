package wire

import (
	"math"
	"runtime"
	"strings"
	"testing"
)

func TestDecodeFiles(t *testing.T) {
	for text, want := range map[string]struct {
		local, omitted int
	}{
		`{}`:                                     {},
		`{"local":null,"sdcard":[],"omitted":3}`: {omitted: 3},
		`{"local":[{"path":"a/b.gcode","size":7,"date":9}],"more":{"x":[1]}}`:                           {local: 1},
		`{"local":[{"path":"../x.gcode"},{"path":"a//b"},{"path":""},{"path":"a\u0000"},{"path":"b"}]}`: {local: 1, omitted: 4},
		`{"local":[{"path":"\u202ex"},{"path":"/etc/passwd"}],"omitted":-9}`:                            {omitted: 2},
		`{"local":[{}],"omitted":9223372036854775807}`:                                                  {omitted: math.MaxInt},
		`{"local":[{"path":"a"}],"local":[{"path":"b"},{"path":"c"}]}`:                                  {local: 2},
		`{"local":[` + strings.Repeat(`{},`, 1_000_000) + `{"path":"a"}]}`:                              {local: 1, omitted: 1_000_000},
		`{"local":[` + strings.Repeat(`{"path":"a"},`, MaxTreeSize+4) + `{"path":"a"}]}`:                {local: MaxTreeSize, omitted: 5},
	} {
		got, err := DecodeFiles([]byte(text))
		if err != nil || len(got.Local) != want.local || got.Omitted != want.omitted || got.SDCard == nil {
			t.Errorf("%.60s: %d files, %d omitted, %v", text, len(got.Local), got.Omitted, err)
		}
	}
	odd, err := DecodeFiles([]byte(`{"local":[{"path":"a","size":-5,"date":1e300},{"path":"b","size":9223372036854775807,"date":-1}]}`))
	if err != nil || odd.Local[0] != (DeviceFile{Path: "a"}) || odd.Local[1] != (DeviceFile{Path: "b"}) {
		t.Errorf("%+v, %v", odd, err)
	}
	for _, text := range []string{``, `[]`, `null`, `{`, `{"local":{}}`, `{"local":"x"}`, `{"local":[1]}`, `{"local":[{"path":1}]}`, `{"omitted":"x"}`,
		`{"local":` + strings.Repeat("[", 100_000) + `}`} {
		if got, err := DecodeFiles([]byte(text)); err == nil {
			t.Errorf("%.40s is taken: %+v", text, got)
		}
	}
	if _, err := DecodeFiles(make([]byte, MaxFiles+1)); err != ErrTooLarge {
		t.Error(err)
	}
}

// A list of a million files that are not kept takes no room.
func TestDecodeFiles_Memory(t *testing.T) {
	text := []byte(`{"local":[` + strings.Repeat(`{},`, 1_000_000) + `{}]}`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := DecodeFiles(text); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("%d bytes are allocated", took)
	}
}

func FuzzDecodeFiles(f *testing.F) {
	for _, seed := range []string{`{"local":[{"path":"a/b.gcode","size":7,"date":9}],"sdcard":[{"path":"X.GCO"}],"omitted":1}`, `{"local":[{"path":"../x"}]}`,
		`{"local":[1e999]}`, `{"omitted":-1,"omitted":9223372036854775807}`, `{"local":[{"path":"\ud800"}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := DecodeFiles(b)
		if err != nil {
			return
		}
		if len(got.Local) > MaxTreeSize || len(got.SDCard) > MaxTreeSize || got.Omitted < 0 {
			t.Fatalf("%d, %d, %d omitted", len(got.Local), len(got.SDCard), got.Omitted)
		}
		for _, file := range append(got.Local, got.SDCard...) {
			c := Command{Type: CommandDeleteFile, Origin: OriginLocal, Path: file.Path}
			if err := c.Check(Limits{}); err != nil || file.Size < 0 || file.Date < 0 {
				t.Fatalf("%+v is listed and cannot be asked for: %v", file, err)
			}
		}
	})
}

package wire

import (
	"strings"
	"testing"
)

func nested(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

func TestTooDeep(t *testing.T) {
	for value, deep := range map[string]bool{
		`1`: false, `{}`: false, nested(MaxDepth): false, nested(MaxDepth + 1): true, nested(4000): true,
		`{"a":` + nested(MaxDepth-1) + `}`:                                 false,
		`{"a":` + nested(MaxDepth) + `}`:                                   true,
		`"` + strings.Repeat("[", 100) + `"`:                               false,
		`["\"` + strings.Repeat("[", 100) + `\\"]`:                         false,
		`["\\",` + nested(MaxDepth) + `]`:                                  true,
		`[` + strings.TrimSuffix(strings.Repeat(`[{}],`, 1000), ",") + `]`: false,
	} {
		if TooDeep([]byte(value)) != deep {
			t.Errorf("%.60s: %v", value, !deep)
		}
	}
}

func TestDecodeSnapshot_DeepAxes(t *testing.T) {
	var s Snapshot
	n, err := DecodeSnapshot([]byte(`{"ts":1,"axes":{"x":`+nested(900)+`}}`), &s)
	if err != nil || n != 1 || len(s.Axes) != 0 {
		t.Errorf("trimmed %d, %v, axes %.40s", n, err, s.Axes)
	}
	n, err = DecodeSnapshot([]byte(`{"ts":1,"axes":{"x":{"speed":6000,"inverted":false}}}`), &s)
	if err != nil || n != 0 || len(s.Axes) == 0 {
		t.Errorf("trimmed %d, %v, axes %s", n, err, s.Axes)
	}
}

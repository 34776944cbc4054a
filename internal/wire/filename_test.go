package wire

import (
	"errors"
	"strings"
	"testing"
)

func TestCheckFileName(t *testing.T) {
	for name, want := range map[string]error{
		"cube.gcode":                        nil,
		"벤치 보트 (2).GCODE":                   nil,
		"a.b.gco":                           nil,
		"x.g":                               nil,
		"x.bgcode":                          nil,
		"":                                  NameEmpty,
		"  ":                                NameEmpty,
		".gcode":                            NameHidden,
		" .gcode":                           NameEmpty,
		"../x.gcode":                        NamePath,
		`a\x.gcode`:                         NamePath,
		"..":                                NamePath,
		"a\x00.gcode":                       NameCharacter,
		"a\n.gcode":                         NameCharacter,
		"a\u202eedocg.gcode":                NameCharacter,
		"a\xff.gcode":                       NameCharacter,
		"\ufeff.gcode":                      NameCharacter,
		"\u3164.gcode":                      NameCharacter,
		"cube\u200b.gcode":                  NameCharacter,
		"👩\u200d🔧.gcode":                    nil,
		"❤\ufe0f.gcode":                     nil,
		"عربي\u0600١.gcode":                 nil,
		"क\u094d\u200dष.gcode":              nil,
		"a\u061cb.gcode":                    NameCharacter, // Arabic letter mark: turns the direction
		"a\u206ab.gcode":                    NameCharacter,
		"a\ufff9b.gcode":                    NameCharacter,
		"a\U000e0041b.gcode":                NameCharacter, // a tag, in which texts can be hidden
		"\u200d.gcode":                      NameEmpty,
		"\ufe0f.gcode":                      NameEmpty,
		"\u2800.gcode":                      NameEmpty,
		"CON.gcode":                         NameReserved,
		"lpt1.old.gcode":                    NameReserved,
		"console.gcode":                     nil,
		"cube.stl":                          NameExtension,
		"gcode":                             NameExtension,
		strings.Repeat("a", 250) + ".gcode": NameLong,
		strings.Repeat("a", 249) + ".gcode": nil,
	} {
		if got := CheckFileName(name); !errors.Is(got, want) || (got == nil) != (want == nil) {
			t.Errorf("%.30q: %v, want %v", name, got, want)
		}
	}
}

func FuzzCheckFileName(f *testing.F) {
	for _, seed := range []string{"cube.gcode", "../../etc/passwd", "a/b.gcode", "\u202e.gcode", "벤치.gcode", "\xff\xfe.g", "a\x00.gco"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		err := CheckFileName(name)
		if err != nil {
			if err.Error() == "" {
				t.Fatalf("%q is refused without a word", name)
			}
			return
		}
		if len(name) > MaxFileName || strings.ContainsAny(name, "/\\\x00\n\r") || name[0] == '.' {
			t.Fatalf("%q is taken", name)
		}
		if clean, changed := CleanText(name, MaxFileName); changed {
			t.Fatalf("%q is taken and cannot be shown: %q", name, clean)
		}
		if base, extension := SplitExtension(name); base+extension != name || extension == "" {
			t.Fatalf("%q: %q and %q", name, base, extension)
		}
	})
}

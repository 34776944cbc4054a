package main

import (
	"reflect"
	"strings"
	"testing"
)

// Every option can be given by the environment under a name that no other program has.
func TestCommandLine_Environment(t *testing.T) {
	for _, c := range commandLine(t.Context(), &streams{words: &english}).Commands {
		if c.Options == nil {
			continue
		}
		for _, f := range reflect.VisibleFields(reflect.TypeOf(c.Options).Elem()) {
			if f.Anonymous {
				continue
			}
			name := f.Tag.Get("name")
			want := "FACTOR_AGENT_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
			if name == "" || f.Tag.Get("help") == "" || f.Tag.Get("env") != want {
				t.Errorf("%s --%s: %q, want %s", c.Name, name, f.Tag.Get("env"), want)
			}
		}
	}
}

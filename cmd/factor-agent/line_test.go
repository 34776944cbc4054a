package main

import (
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	var text, other, level string
	var on bool
	commands := []*command{
		{name: "go", help: "Goes.", options: []option{
			{name: "text", value: &text, needed: true}, {name: "other-text", value: &other, needed: true}, {name: "on", on: &on},
			{name: "level", value: &level, oneOf: []string{"info", "warn"}},
		}, rivals: [][]string{{"text", "other-text"}}},
		{name: "secret", hidden: true},
	}
	for _, c := range []struct {
		args, env, want, text, other string
		on                           bool
	}{
		{args: "", want: "expected one of go"},
		{args: "fly", want: `expected one of go but got "fly"`},
		{args: "--help", want: "help"},
		{args: "-h", want: "help"},
		{args: "go --text x --help", want: "help"},
		{args: "secret"},
		{args: "go", want: "missing: --text or --other-text"},
		{args: "go --text a", text: "a"},
		{args: "go --text=a --text b=c", text: "b=c"},
		{args: "go --text= --on", text: "", on: true},
		{args: "go --text -a", text: "-a"},
		{args: "go --text=--a --on=false", text: "--a"},
		{args: "go --text --on", want: "--text needs a value"},
		{args: "go --text", want: "--text needs a value"},
		{args: "go --text a --other-text b", want: "--text and --other-text cannot be used together"},
		{args: "go --text a b", want: "unexpected argument b"},
		{args: "go --text a -b", want: "unexpected argument -b"},
		{args: "go --text a --", want: "unknown flag --"},
		{args: "go --text a --up", want: "unknown flag --up"},
		{args: "go --text a --on=maybe", want: `--on must be true or false but got "maybe"`},
		{args: "go --text a --level high", want: `--level must be one of info, warn but got "high"`},
		{args: "go", env: "FACTOR_AGENT_OTHER_TEXT=b", other: "b"},
		{args: "go", env: "FACTOR_AGENT_OTHER_TEXT=b FACTOR_AGENT_TEXT=a", want: "--text and --other-text"},
		{args: "go --text a", env: "FACTOR_AGENT_OTHER_TEXT=b FACTOR_AGENT_TEXT=c", text: "a"},
		{args: "go --text a", env: "FACTOR_AGENT_ON=1 FACTOR_AGENT_LEVEL=", text: "a", on: true},
		{args: "go --text a", env: "FACTOR_AGENT_LEVEL=high", want: "FACTOR_AGENT_LEVEL must be one of"},
	} {
		text, other, level, on = "", "", "info", false
		env := func(name string) (string, bool) {
			for _, set := range strings.Fields(c.env) {
				if value, ok := strings.CutPrefix(set, name+"="); ok {
					return value, true
				}
			}
			return "", false
		}
		_, err := choose(commands, strings.Fields(c.args), env)
		said := ""
		if err != nil {
			said = err.Error()
		}
		if (said == "") != (c.want == "") || !strings.HasPrefix(said, c.want) {
			t.Errorf("%q %q: %q", c.args, c.env, said)
		}
		if err == nil && (text != c.text || other != c.other || on != c.on || level != "info") {
			t.Errorf("%q %q: %q %q %v %q", c.args, c.env, text, other, on, level)
		}
	}
}

// Every option can be given by the environment under a name that no other program has.
func TestCommands_Options(t *testing.T) {
	for _, c := range commands(t.Context(), &streams{words: &english}) {
		for _, o := range c.options {
			if (o.value == nil) == (o.on == nil) || o.help == "" || !strings.HasPrefix(o.env(), envPrefix) {
				t.Errorf("%s --%s", c.name, o.name)
			}
		}
		for _, group := range c.rivals {
			for _, name := range group {
				if c.option(name) == nil {
					t.Errorf("%s has no --%s", c.name, name)
				}
			}
		}
	}
}

func TestWrapped(t *testing.T) {
	text := strings.Repeat("word ", 40) + strings.Repeat("한글 ", 40)
	for line := range strings.Lines(wrapped(text, 6)) {
		columns := 0
		for _, r := range strings.TrimRight(line, "\n") {
			columns++
			if r > 0x7f {
				columns++
			}
		}
		if columns > width || columns < width-6 && !strings.HasSuffix(wrapped(text, 6), line) || !strings.HasPrefix(line, "      ") {
			t.Errorf("%d columns: %q", columns, line)
		}
	}
}

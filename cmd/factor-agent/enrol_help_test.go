package main

import (
	"bytes"
	"strings"
	"testing"
)

// Who reads the help learns how to keep secrets off the command line, by names that really work.
func TestEnrolHelp_TellsOfTheEnvironment(t *testing.T) {
	var out, errs bytes.Buffer
	s := &streams{in: strings.NewReader(""), out: &out, err: &errs, words: &english}
	if code := run(t.Context(), []string{"enrol", "--help"}, s); code != 0 {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	for _, want := range []string{"process list", "프로세스 목록", "($FACTOR_AGENT_TOKEN)", "($FACTOR_AGENT_API_KEY)"} {
		if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), want) {
			t.Errorf("the help lacks %q:\n%s", want, out.String())
		}
	}
}

func TestEnrol_TakesSecretsFromTheEnvironment(t *testing.T) {
	t.Setenv("FACTOR_AGENT_TOKEN", "fct_x")
	t.Setenv("FACTOR_AGENT_API_KEY", "key")
	var out, errs bytes.Buffer
	s := &streams{in: strings.NewReader(""), out: &out, err: &errs, words: &english}
	// The command line is complete: what fails is the address of the server.
	code := run(t.Context(), []string{"enrol", "--server", "nonsense", "--name", "Ender", "--data", t.TempDir()}, s)
	if code != exitFailed || strings.Contains(errs.String(), "missing") {
		t.Errorf("exit %d: %s", code, errs.String())
	}
}

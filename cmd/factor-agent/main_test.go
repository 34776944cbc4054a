package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/enrol"
	"github.com/kangbyounggwan/factor/internal/agent/folder"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// call runs the program.
func call(t *testing.T, w *words, in string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(context.Background(), args, &streams{strings.NewReader(in), &o, &e, w})
	return code, o.String(), e.String()
}

func TestRun_CommandLine(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"version"}, 0, version},
		{[]string{"--help"}, 0, "enrol"},
		{[]string{"enrol", "--help"}, 0, "--ca-fingerprint"},
		{[]string{}, 2, "expected"},
		{[]string{"fly"}, 2, "fly"},
		{[]string{"enrol", "--data", dir}, 2, "--server"},
		{[]string{"enrol", "--data", dir, "--server", "x", "--api-key", "k", "--name", "n", "--email", "e", "--token", "t"}, 2, "--token"},
		{[]string{"enrol", "--data", dir, "--server", "http://192.0.2.1", "--api-key", "k", "--name", "n", "--token", "t"}, 1, "https://"},
		{[]string{"run", "--data", dir}, 1, "Enrol first"},
		{[]string{"status", "--data", dir}, 1, "Enrol first"},
	} {
		code, out, errs := call(t, &english, "", c.args...)
		if code != c.code || !strings.Contains(out+errs, c.says) {
			t.Errorf("%v: code %d, said %q %q", c.args, code, out, errs)
		}
	}
}

func TestRun_CommandLineInKorean(t *testing.T) {
	code, _, errs := call(t, &korean, "", "enrol", "--data", t.TempDir(), "--tokn", "x")
	if code != exitUsage || !strings.Contains(errs, "--token") || strings.Contains(errs, "there is") {
		t.Errorf("code %d, said %q", code, errs)
	}
}

func TestStatus_NotRunning(t *testing.T) {
	f, err := folder.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := f.SaveConfig(&folder.Config{UUID: wire.NewUUID(), Name: "거실", Token: "SECRET", OctoPrint: folder.OctoPrint{Key: "SECRET"}}); err != nil {
		t.Fatal(err)
	}
	code, out, _ := call(t, &korean, "", "status", "--data", f.Path)
	if code != exitNotRunning || !strings.Contains(out, "실행 중이 아닙니다") || !strings.Contains(out, "거실") || strings.Contains(out, "SECRET") {
		t.Errorf("%d %q", code, out)
	}
	code, out, _ = call(t, &english, "", "status", "--json", "--data", f.Path)
	var s struct{ Running *bool }
	if code != exitNotRunning || json.Unmarshal([]byte(out), &s) != nil || s.Running == nil || *s.Running {
		t.Errorf("%d %q", code, out)
	}
}

func TestRun_FolderInUse(t *testing.T) {
	f, err := folder.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := f.Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if code, _, errs := call(t, &english, "", "run", "--data", f.Path); code != 1 || !strings.Contains(errs, "Another agent") {
		t.Errorf("%d %q", code, errs)
	}
}

// TestWords holds both languages to the same pieces, with the same places to fill in.
func TestWords(t *testing.T) {
	for fault := range english.faults {
		if korean.faults[fault] == "" {
			t.Errorf("no Korean for %s", fault)
		}
	}
	if len(english.faults) != len(korean.faults) {
		t.Errorf("%d faults in English, %d in Korean", len(english.faults), len(korean.faults))
	}
	for _, f := range []enrol.Fault{enrol.FaultServerURL, enrol.FaultFolder, enrol.FaultNoAuthorization} {
		if text := english.explain(&enrol.Error{Fault: f, Err: errors.New("because")}); !strings.Contains(text, "(because)") {
			t.Errorf("%s: %s", f, text)
		}
	}
	var compare func(where string, a, b reflect.Value)
	compare = func(where string, a, b reflect.Value) {
		for i := range a.NumField() {
			name := where + a.Type().Field(i).Name
			switch x, y := a.Field(i), b.Field(i); x.Kind() {
			case reflect.Struct:
				compare(name+".", x, y)
			case reflect.String:
				if verbs(x.String()) != verbs(y.String()) || y.String() == "" {
					t.Errorf("%s: %q and %q", name, x, y)
				}
			}
		}
	}
	compare("", reflect.ValueOf(english), reflect.ValueOf(korean))
}

// verbs gives the places to fill in, in order.
func verbs(s string) string {
	var v []byte
	for i := 0; i+1 < len(s); i++ {
		if s[i] == '%' {
			i++
			v = append(v, s[i])
		}
	}
	return string(v)
}

func TestWordsFor(t *testing.T) {
	for lang, want := range map[string]*words{"ko_KR.UTF-8": &korean, "en_US.UTF-8": &english, "C": &english, "": &english} {
		if got := wordsFor(func(name string) string {
			if name == "LANG" {
				return lang
			}
			return ""
		}); got != want {
			t.Errorf("%q: wrong language", lang)
		}
	}
}

// TestRun_Companion is how the plugin starts the agent: there is no registration, and it ends with its standard input.
func TestRun_Companion(t *testing.T) {
	f, err := folder.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	in, plugin := io.Pipe()
	ended := make(chan int, 1)
	var out, errs bytes.Buffer
	go func() {
		ended <- run(context.Background(), []string{"run", "--data", f.Path, "--stdin-watch", "--listen", "127.0.0.1:0"}, &streams{in, &out, &errs, &english})
	}()
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if code, _, said := call(t, &english, "", "status", "--data", f.Path); code == 1 && strings.Contains(said, "Enrol first") {
			if _, err := os.Stat(f.Join("local.json")); err == nil {
				break
			}
		}
		if time.Since(began) > 30*time.Second {
			t.Fatal("does not serve")
		}
	}
	plugin.Close()
	select {
	case code := <-ended:
		if code != 0 || errs.Len() == 0 {
			t.Errorf("code %d, said %q", code, errs.String())
		}
	case <-time.After(30 * time.Second):
		t.Fatal("does not end")
	}
	if _, err := os.Stat(f.Join("local.json")); err == nil {
		t.Error("the secret is left")
	}
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/cmd/factor/app"
)

const (
	patience = 30 * time.Second
	password = "nozzle-warm-tuesday-72"
)

type result struct {
	code     int
	out, err string
}

func call(t *testing.T, in string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), args, &streams{strings.NewReader(in), &out, &errs, false})
	return result{code, out.String(), errs.String()}
}

func mustCall(t *testing.T, in string, args ...string) string {
	t.Helper()
	r := call(t, in, args...)
	if r.code != 0 {
		t.Fatalf("factor %s: exit %d\n%s%s", strings.Join(args, " "), r.code, r.out, r.err)
	}
	return r.out
}

func TestUserAndToken(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	mustCall(t, password+"\n", "user", "add", "--data", data, "--email", "a@example.com", "--name", "Ann", "--admin", "--password-stdin")
	mustCall(t, password, "user", "add", "--data", data, "--email", "b@example.com", "--name", "밥", "--password-stdin")
	if list := mustCall(t, "", "user", "list", "--data", data); !strings.Contains(list, "a@example.com\tAnn\tadministrator") || !strings.Contains(list, "밥") {
		t.Error(list)
	}
	if r := call(t, "short\n", "user", "add", "--data", data, "--email", "c@example.com", "--name", "C", "--password-stdin"); r.code != exitFailed || strings.Contains(r.err, "short") {
		t.Errorf("a weak password: %+v", r)
	}
	if r := call(t, password, "user", "add", "--data", data, "--email", "A@example.com", "--name", "Ann", "--password-stdin"); r.code != exitFailed {
		t.Errorf("the same address twice: %+v", r)
	}
	if r := call(t, "", "user", "admin", "--data", data, "--email", "a@example.com", "--off"); r.code != exitFailed {
		t.Errorf("the last administrator: %+v", r)
	}
	mustCall(t, "", "user", "admin", "--data", data, "--email", "b@example.com")
	mustCall(t, "nozzle-warm-friday-73\n", "user", "password", "--data", data, "--email", "b@example.com", "--password-stdin")

	token := strings.TrimSpace(mustCall(t, "", "token", "add", "--data", data, "--email", "a@example.com", "--name", "script", "--days", "30"))
	if !strings.HasPrefix(token, "fct_") {
		t.Fatalf("%q", token)
	}
	list := mustCall(t, "", "token", "list", "--data", data, "--email", "a@example.com", "--json")
	if strings.Contains(list, token) {
		t.Error("the list shows the token itself")
	}
	var shown struct{ ID, Name string }
	if err := json.Unmarshal([]byte(list), &shown); err != nil || shown.Name != "script" {
		t.Fatalf("%s %v", list, err)
	}
	mustCall(t, "", "token", "remove", "--data", data, "--email", "a@example.com", shown.ID)
	if r := call(t, "", "token", "remove", "--data", data, "--email", "a@example.com", shown.ID); r.code != exitFailed {
		t.Errorf("removed twice: %+v", r)
	}
	if r := call(t, "", "token", "add", "--data", data, "--email", "nobody@example.com", "--name", "x"); r.code != exitFailed {
		t.Errorf("nobody's token: %+v", r)
	}
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args string
		want string
	}{
		{"serve --http nonsense", "--http"},
		{"serve --smtp smtp://u:geheim@h", "--mail-from"},
		{"serve --nonsense", "--nonsense"},
		{"user add --name x", "--email"},
		{"dance", "dance"},
	} {
		r := call(t, "", strings.Fields(c.args)...)
		if r.code != exitUsage || !strings.Contains(r.err, c.want) || strings.Contains(r.err, "geheim") {
			t.Errorf("%s: %d %s", c.args, r.code, r.err)
		}
	}
	if r := call(t, "", "serve", "--help"); r.code != 0 || !strings.Contains(r.out, "FACTOR_PUBLIC_URL") {
		t.Errorf("help: %+v", r)
	}
	if out := mustCall(t, "", "version"); !strings.Contains(out, version) {
		t.Error(out)
	}
}

// screen is what a program prints, read while it runs.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func TestServe_SaysWhereAndStops(t *testing.T) {
	data := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var out, errs screen
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"serve", "--data", data, "--http", "127.0.0.1:0", "--https", "off", "--mqtts", "127.0.0.1:0"},
			&streams{strings.NewReader(""), &out, &errs, false})
	}()
	end := time.After(patience)
	for !strings.Contains(out.String(), "set-up code: ") {
		select {
		case code := <-ended:
			t.Fatalf("ended with %d: %s", code, errs.String())
		case <-end:
			t.Fatalf("never ready: %s", errs.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
	at, err := app.ReadRun(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"http://" + at.HTTP + "/welcome", "mqtts://" + at.MQTTS} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	if to := (&simCommand{dataFlag: dataFlag{Data: data}}).server(); to != "http://"+at.HTTP {
		t.Errorf("a fleet of that folder would go to %s", to)
	}
	// Accounts can be made beside it; an account ends the set-up.
	mustCall(t, password, "user", "add", "--data", data, "--email", "a@example.com", "--name", "Ann", "--password-stdin")
	if r := call(t, "", "serve", "--data", data, "--http", "127.0.0.1:0", "--https", "off", "--mqtts", "off"); r.code != exitFailed || !strings.Contains(r.err, "another factor") {
		t.Errorf("a second one: %+v", r)
	}
	stop()
	select {
	case code := <-ended:
		if code != 0 {
			t.Errorf("exit %d: %s", code, errs.String())
		}
	case <-time.After(patience):
		t.Fatal("it does not stop")
	}
}

type finding struct {
	Check string
	Grade string
	Text  struct{ EN, KO string }
	Cure  *struct{ EN, KO string }
}

var hangul = regexp.MustCompile(`\p{Hangul}`)

func doctorSays(t *testing.T, args ...string) (code int, found []finding) {
	t.Helper()
	r := call(t, "", append([]string{"doctor", "--json"}, args...)...)
	var all struct{ Findings []finding }
	if err := json.Unmarshal([]byte(r.out), &all); err != nil {
		t.Fatalf("%v in %s%s", err, r.out, r.err)
	}
	for _, f := range all.Findings {
		if !hangul.MatchString(f.Text.KO) || hangul.MatchString(f.Text.EN) || f.Cure != nil && (!hangul.MatchString(f.Cure.KO) || hangul.MatchString(f.Cure.EN)) {
			t.Errorf("not in both languages: %+v %+v", f, f.Cure)
		}
	}
	return r.code, all.Findings
}

func grade(found []finding, check string) string {
	worst := ""
	for _, f := range found {
		if f.Check == check && (worst == "" || worst == "ok" || f.Grade == "error") {
			worst = f.Grade
		}
	}
	return worst
}

func TestDoctor(t *testing.T) {
	free := []string{"--http", "127.0.0.1:0", "--https", "127.0.0.1:0", "--mqtts", "127.0.0.1:0", "--webrtc", "127.0.0.1:0", "--rtsp", "127.0.0.1:0"}
	t.Run("Healthy", func(t *testing.T) {
		data := filepath.Join(t.TempDir(), "data")
		mustCall(t, password, "user", "add", "--data", data, "--email", "a@example.com", "--name", "Ann", "--password-stdin")
		code, found := doctorSays(t, append(free, "--data", data)...)
		if code != 0 || grade(found, "database") != "ok" || grade(found, "data") != "ok" || grade(found, "port") != "ok" {
			t.Errorf("%d %+v", code, found)
		}
	})
	t.Run("PortTaken", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		code, found := doctorSays(t, "--data", t.TempDir(), "--http", l.Addr().String(), "--https", "off", "--mqtts", "off")
		if code != exitFailed || grade(found, "port") != "error" {
			t.Errorf("%d %+v", code, found)
		}
	})
	t.Run("FolderCannotBeMade", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		code, found := doctorSays(t, append(free, "--data", filepath.Join(file, "data"))...)
		if code != exitFailed || grade(found, "data") != "error" {
			t.Errorf("%d %+v", code, found)
		}
		new := filepath.Join(t.TempDir(), "a", "data")
		if code, found = doctorSays(t, append(free, "--data", new)...); code != 0 || grade(found, "data") != "warning" {
			t.Errorf("one that can: %d %+v", code, found)
		}
		if left, err := os.ReadDir(filepath.Dir(filepath.Dir(new))); err != nil || len(left) != 0 {
			t.Errorf("the doctor leaves %v %v", left, err)
		}
	})
	t.Run("CameraPortTaken", func(t *testing.T) {
		l, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		code, found := doctorSays(t, append(free, "--data", t.TempDir(), "--webrtc", l.LocalAddr().String())...)
		if code != exitFailed || grade(found, "port") != "error" {
			t.Errorf("UDP: %d %+v", code, found)
		}
		tcp, err := net.Listen("tcp", ":8554")
		if err == nil {
			defer tcp.Close()
		} // else another program has the port, which is as good
		code, found = doctorSays(t, append(free, "--data", t.TempDir(), "--rtsp", ":8554")...)
		if code != 0 || !slices.ContainsFunc(found, func(f finding) bool { return f.Check == "port" && f.Grade == "warning" && f.Cure != nil }) {
			t.Errorf("a default, in place of which the server takes another: %d %+v", code, found)
		}
	})
	t.Run("DamagedDatabase", func(t *testing.T) {
		data := filepath.Join(t.TempDir(), "data")
		mustCall(t, password, "user", "add", "--data", data, "--email", "a@example.com", "--name", "Ann", "--password-stdin")
		path := filepath.Join(data, "main.db")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := 4096; i < len(text); i++ {
			text[i] = 0xaa
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if code, found := doctorSays(t, append(free, "--data", data)...); code != exitFailed || grade(found, "database") != "error" {
			t.Errorf("%d %+v", code, found)
		}
	})
	t.Run("MailServerAway", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		gone := l.Addr().String()
		l.Close()
		code, found := doctorSays(t, append(free, "--data", t.TempDir(), "--smtp", "smtp://u:geheim@"+gone, "--mail-from", "f@example.com")...)
		if code != exitFailed || grade(found, "mail") != "error" {
			t.Errorf("%d %+v", code, found)
		}
	})
	t.Run("WrongSettings", func(t *testing.T) {
		code, found := doctorSays(t, "--data", t.TempDir(), "--public-url", "factor", "--tls-cert", "/nowhere.pem", "--http", "127.0.0.1:0", "--https", "off", "--mqtts", "off")
		if code != exitFailed || grade(found, "settings") != "error" || grade(found, "certificate") != "error" {
			t.Errorf("%d %+v", code, found)
		}
	})
	t.Run("OneOfEveryFault", func(t *testing.T) {
		dir := t.TempDir()
		broken := filepath.Join(dir, "broken.pem")
		if err := os.WriteFile(broken, []byte("no certificate"), 0o600); err != nil {
			t.Fatal(err)
		}
		code, found := doctorSays(t, append(free, "--data", filepath.Join(broken, "data"), "--public-url", "https://factor.example.com/pages", "--names", "https://x", "--trusted-proxies", "proxy",
			"--webrtc-address", "here", "--turn", "https://t.example", "--ffmpeg", dir, "--tls-cert", broken, "--tls-key", broken, "--acme-domain", "10.0.0.1", "--acme-email", "me",
			"--smtp", "http://mail", "--audit-days", "0")...)
		if code != exitFailed || grade(found, "data") != "error" || grade(found, "certificate") != "error" || grade(found, "mail") != "error" {
			t.Errorf("%d %+v", code, found)
		}
		for _, setting := range []string{"public-url", "names", "trusted-proxies", "webrtc-address", "turn", "ffmpeg", "acme-domain", "acme-email", "smtp", "mail-from", "audit-days"} {
			if !slices.ContainsFunc(found, func(f finding) bool { return f.Check == "settings" && strings.HasPrefix(f.Text.KO, "--"+setting+": ") }) {
				t.Errorf("nothing is said of --%s", setting)
			}
		}
	})
	t.Run("InWords", func(t *testing.T) {
		wrong := call(t, "", "doctor", "--http", "localhost")
		if wrong.code != exitUsage || !strings.Contains(wrong.err, "no address") {
			t.Errorf("a setting that cannot be read: %+v", wrong)
		}
		var out bytes.Buffer
		run(t.Context(), []string{"serve", "--http", "localhost"}, &streams{strings.NewReader(""), &out, &out, true})
		if !strings.Contains(out.String(), `--http: "localhost": 주소가 아닙니다`) {
			t.Errorf("the same of serve, in Korean:\n%s", out.String())
		}
		for korean, want := range map[bool]string{false: "No mail server is set", true: "메일 서버가 없습니다"} {
			var out bytes.Buffer
			run(t.Context(), append([]string{"doctor", "--data", t.TempDir()}, free...), &streams{strings.NewReader(""), &out, &out, korean})
			if !strings.Contains(out.String(), want) {
				t.Errorf("%q is not in\n%s", want, out.String())
			}
		}
	})
}

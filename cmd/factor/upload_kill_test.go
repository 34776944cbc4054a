package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/cmd/factor/app"
)

// childEnv makes this test program the server itself, which can be killed: its arguments, a line each.
const childEnv = "FACTOR_TEST_SERVE"

func TestMain(m *testing.M) {
	if args := os.Getenv(childEnv); args != "" {
		os.Exit(run(context.Background(), strings.Split(args, "\n"), &streams{os.Stdin, os.Stdout, os.Stderr, false}))
	}
	os.Exit(m.Run())
}

// killable is a server in a process of its own.
type killable struct {
	t    *testing.T
	data string
	http string // where it listens; "": on a free port, another one each time
	cmd  *exec.Cmd
	url  string
}

func (k *killable) start() {
	k.t.Helper()
	if err := os.Remove(filepath.Join(k.data, "run.json")); err != nil && !errors.Is(err, os.ErrNotExist) {
		k.t.Fatal(err)
	}
	k.cmd = exec.Command(os.Args[0])
	args := []string{"serve", "--data", k.data, "--http", cmp.Or(k.http, "127.0.0.1:0"), "--https", "off", "--mqtts", "off", "--log-level", "error", "--file-min-free", "off"}
	k.cmd.Env = append(os.Environ(), childEnv+"="+strings.Join(args, "\n"))
	k.cmd.Stderr = os.Stderr
	if err := k.cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	for end := time.After(patience * 4); ; {
		var info app.RunInfo
		text, err := os.ReadFile(filepath.Join(k.data, "run.json"))
		if err == nil && json.Unmarshal(text, &info) == nil && info.HTTP != "" {
			k.url = "http://" + info.HTTP
			return
		}
		select {
		case <-end:
			k.kill()
			k.t.Fatal("the server does not start")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// kill ends the server without a chance to say anything, and waits until it is gone.
func (k *killable) kill() {
	_ = k.cmd.Process.Kill()
	_ = k.cmd.Wait()
}

// lines is size bytes of G-code, the same for the same seed.
type lines struct {
	left int64
	rand *rand.Rand
	line []byte
}

func newLines(seed uint64, size int64) *lines {
	return &lines{left: size, rand: rand.New(rand.NewPCG(seed, 1)), line: []byte("G28\n")}
}

func (l *lines) Read(b []byte) (n int, err error) {
	for n < len(b) && l.left > 0 {
		switch {
		case len(l.line) > 0:
		case l.left < 64: // a last line that ends where the file does
			l.line = []byte(strings.Repeat(";", int(l.left)-1) + "\n")
		default:
			l.line = fmt.Appendf(nil, "G1 X%d Y%d E%d\n", l.rand.IntN(200), l.rand.IntN(200), l.rand.IntN(100_000))
		}
		m := copy(b[n:], l.line[:min(int64(len(l.line)), l.left)])
		l.line, l.left, n = l.line[m:], l.left-int64(m), n+m
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// tripping does something when so many bytes have been read of it, and then breaks.
type tripping struct {
	r    io.Reader
	left int64 // negative: never
	trip func()
}

func (r *tripping) Read(b []byte) (int, error) {
	if r.left == 0 {
		r.trip()
		return 0, io.ErrUnexpectedEOF
	}
	if r.left > 0 && int64(len(b)) > r.left {
		b = b[:r.left]
	}
	n, err := r.r.Read(b)
	if r.left > 0 {
		r.left -= int64(n)
	}
	return n, err
}

// sender uploads one file by tus.
type sender struct {
	*killable
	token    string
	location string
	size     int64
}

func (s *sender) do(method, path string, body io.Reader, headers ...string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	r.Header.Set("Tus-Resumable", "1.0.0")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Content-Length" {
			r.ContentLength, _ = strconv.ParseInt(headers[i+1], 10, 64)
		}
	}
	resp, err := http.DefaultClient.Do(r)
	if err == nil {
		text, _ := io.ReadAll(resp.Body) // a server that is killed meanwhile has said all that counts
		resp.Body.Close()
		resp.Body = io.NopCloser(bytes.NewReader(text))
	}
	return resp, err
}

// offset asks how much has come. Twice the same question has the same answer.
func (s *sender) offset() int64 {
	s.t.Helper()
	resp, err := s.do("HEAD", s.location, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	at, err := strconv.ParseInt(resp.Header.Get("Upload-Offset"), 10, 64)
	if err != nil {
		s.t.Fatalf("HEAD: %d %v", resp.StatusCode, resp.Header)
	}
	return at
}

// A large upload over killed servers and cut connections: what was acknowledged stays, and the file is what was sent.
func TestUpload_KilledAndCut(t *testing.T) {
	size, kills, cuts, step := int64(40<<20), 2, 2, int64(9<<20)
	if os.Getenv("FACTOR_TEST_LONG") != "" {
		size, kills, cuts, step = 300<<20, 5, 5, 24<<20
	}
	k := &killable{t: t, data: filepath.Join(t.TempDir(), "data")}
	mustCall(t, password+"\n", "user", "add", "--data", k.data, "--email", "a@example.com", "--name", "Ann", "--password-stdin")
	token := strings.TrimSpace(mustCall(t, "", "token", "add", "--data", k.data, "--email", "a@example.com", "--name", "script"))
	k.start()
	defer func() { k.kill() }()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 2))
	want := sha256.New()
	if n, err := io.Copy(want, newLines(seed, size)); err != nil || n != size {
		t.Fatal(n, err)
	}
	s := &sender{killable: k, token: token, size: size}
	resp, err := s.do("POST", "/api/v1/files", nil, "Upload-Length", strconv.FormatInt(size, 10),
		"Upload-Metadata", "filename "+base64.StdEncoding.EncodeToString([]byte("큰 파일.gcode")))
	if err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatal(resp, err)
	}
	s.location = resp.Header.Get("Location")
	var acknowledged int64
	for at := int64(0); at < size; {
		at = s.offset()
		if at < acknowledged {
			t.Fatalf("%d bytes were acknowledged, and %d are there", acknowledged, at)
		}
		acknowledged = at
		if again := s.offset(); again != at {
			t.Fatalf("%d, then %d bytes are there", at, again)
		}
		if at == size {
			break
		}
		body := &tripping{r: newLines(seed, size), left: -1}
		if _, err := io.CopyN(io.Discard, body.r, at); err != nil {
			t.Fatal(err)
		}
		switch {
		case kills > 0 && (cuts == 0 || chance.IntN(2) == 0):
			kills--
			body.left, body.trip = step+chance.Int64N(step/4), func() { k.kill() }
		case cuts > 0:
			cuts--
			body.left, body.trip = step/2+chance.Int64N(step/4), func() {}
		}
		resp, err := s.do("PATCH", s.location, body, "Upload-Offset", strconv.FormatInt(at, 10),
			"Content-Type", "application/offset+octet-stream", "Content-Length", strconv.FormatInt(size-at, 10))
		if err == nil && resp.StatusCode == http.StatusNoContent {
			acknowledged, err = strconv.ParseInt(resp.Header.Get("Upload-Offset"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			at = acknowledged
		}
		if k.cmd.ProcessState != nil {
			k.start()
		}
	}
	if kills > 0 || cuts > 0 {
		t.Fatalf("%d kills and %d cuts did not come about", kills, cuts)
	}
	resp, err = s.do("GET", "/api/v1/files", nil)
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Items []struct {
			ID, Name, SHA256 string
			Size             int64
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	if len(list.Items) != 1 || list.Items[0].Name != "큰 파일.gcode" || list.Items[0].Size != size || list.Items[0].SHA256 != hex.EncodeToString(want.Sum(nil)) {
		t.Fatalf("%+v, want %x", list, want.Sum(nil))
	}
	stored, err := os.Open(filepath.Join(k.data, "files", list.Items[0].ID))
	if err != nil {
		t.Fatal(err)
	}
	defer stored.Close()
	there := sha256.New()
	if _, err := io.Copy(there, stored); err != nil || !bytes.Equal(there.Sum(nil), want.Sum(nil)) {
		t.Errorf("the disk has another content: %x, %v", there.Sum(nil), err)
	}
}

// tus-js-client, which pages use, goes on by itself after the server was killed.
func TestUpload_TusJSClient(t *testing.T) {
	modules, err := filepath.Abs("../../web/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(modules, "tus-js-client")); err != nil {
		if os.Getenv("FACTOR_TEST_REQUIRE") != "" {
			t.Fatal("web/node_modules has no tus-js-client: npm ci in web")
		}
		t.Skip("web/node_modules has no tus-js-client")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	k := &killable{t: t, data: filepath.Join(t.TempDir(), "data"), http: l.Addr().String()}
	l.Close()
	mustCall(t, password+"\n", "user", "add", "--data", k.data, "--email", "a@example.com", "--name", "Ann", "--password-stdin")
	token := strings.TrimSpace(mustCall(t, "", "token", "add", "--data", k.data, "--email", "a@example.com", "--name", "script"))
	k.start()
	defer func() { k.kill() }()
	content, err := io.ReadAll(newLines(7, 4<<20+12345))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "content")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	node := exec.CommandContext(ctx, "node", "testdata/tus.mjs", modules, k.url, token, path)
	node.Stderr = os.Stderr
	in, err := node.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	said := ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if said = lines.Text(); said == "now" {
			k.kill()
			fmt.Fprintln(in, "go") // nobody answers this request
			k.start()
		}
	}
	if err := node.Wait(); err != nil || said != "done" {
		t.Fatalf("%v, %s", err, said)
	}
	s := &sender{killable: k, token: token}
	resp, err := s.do("GET", "/api/v1/files", nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(content); !strings.Contains(string(text), hex.EncodeToString(sum[:])) {
		t.Errorf("%s, want %x", text, sum)
	}
}

package transfer

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/octoprint"
	"github.com/kangbyounggwan/factor/internal/wire"
)

func TestMain(m *testing.M) {
	firstRetry, longestRetry, pollEvery = time.Millisecond, 5*time.Millisecond, time.Millisecond
	os.Exit(m.Run())
}

const await = 30 * time.Second

// press is an OctoPrint for tests. mu guards it.
type press struct {
	mu      sync.Mutex
	files   map[string]string // by path
	state   string
	job     string
	started []string
	card    []string // paths on the SD card
	sends   func()   // unless nil: called once a file is taken for the card, with mu
	uploads int
	fault   error // of the next upload
	startNo error
	hold    chan struct{} // unless nil: uploads wait for it after they were stored
}

func (p *press) Taken(_ context.Context, name string) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.files[name]
	return ok, nil
}

func (p *press) File(_ context.Context, _, path string) (*octoprint.FileInfo, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	content, ok := p.files[path]
	if !ok {
		return nil, nil
	}
	sum := sha1.Sum([]byte(content))
	return &octoprint.FileInfo{Size: int64(len(content)), SHA1: hex.EncodeToString(sum[:]), Download: path}, nil
}

func (p *press) Upload(ctx context.Context, origin, name string, size int64, content io.Reader) (string, error) {
	b, err := io.ReadAll(io.LimitReader(content, size))
	p.mu.Lock()
	p.uploads++
	fault, hold := p.fault, p.hold
	p.fault = nil
	if err == nil && fault == nil {
		if _, ok := p.files[name]; ok {
			fault = octoprint.ErrExists
		} else {
			p.files[name] = string(b)
		}
		if origin == wire.OriginSDCard {
			p.sends()
			name = "/odd~1.gco"
		}
	}
	p.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	return name, errors.Join(err, fault)
}

func (p *press) Card(context.Context) ([]wire.DeviceFile, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := []wire.DeviceFile{}
	for _, path := range p.card {
		list = append(list, wire.DeviceFile{Path: path})
	}
	return list, nil
}

func (p *press) Start(_ context.Context, _, path string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.startNo != nil {
		return p.startNo
	}
	p.started = append(p.started, path)
	p.state, p.job = "Printing", path
	return nil
}

func (p *press) Activity(context.Context) (octoprint.Activity, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return octoprint.Activity{State: p.state, Path: p.job}, nil
}

func (p *press) Download(_ context.Context, f *octoprint.FileInfo, from int64) (io.ReadCloser, int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return io.NopCloser(strings.NewReader(p.files[f.Download][from:])), from, nil
}

// depot is the server: it has one file under the token T, and takes one. cut is how many bytes go through until a
// connection breaks; 0: any number.
type depot struct {
	*httptest.Server
	mu      sync.Mutex
	content string
	got     strings.Builder
	size    int
	cut     int
	asked   []string // Range headers
	status  int      // unless 0, the answer
}

func newDepot(t *testing.T, content string) *depot {
	t.Helper()
	d := &depot{content: content}
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user != "device" || password != "secret" || r.URL.Path != "/api/device/files/T" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		d.mu.Lock()
		status, cut := d.status, d.cut
		d.mu.Unlock()
		if status != 0 {
			w.WriteHeader(status)
			return
		}
		switch r.Method {
		case http.MethodGet:
			d.give(w, r, cut)
		case http.MethodHead:
			d.mu.Lock()
			w.Header().Set("Upload-Offset", strconv.Itoa(d.got.Len()))
			d.mu.Unlock()
			w.WriteHeader(http.StatusNoContent)
		case http.MethodPut:
			d.take(w, r, cut)
		}
	}))
	t.Cleanup(d.Close)
	return d
}

func (d *depot) give(w http.ResponseWriter, r *http.Request, cut int) {
	d.mu.Lock()
	d.asked = append(d.asked, r.Header.Get("Range"))
	d.mu.Unlock()
	w.Header().Set("ETag", `"`+sum(d.content)+`"`)
	if cut > 0 {
		w = &cutting{ResponseWriter: w, left: cut}
	}
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(d.content))
}

type cutting struct {
	http.ResponseWriter
	left int
}

func (c *cutting) Write(b []byte) (int, error) {
	if len(b) > c.left {
		_, _ = c.ResponseWriter.Write(b[:c.left])
		_ = http.NewResponseController(c.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	c.left -= len(b)
	return c.ResponseWriter.Write(b)
}

func (d *depot) take(w http.ResponseWriter, r *http.Request, cut int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.Header.Get("Upload-Offset") != strconv.Itoa(d.got.Len()) {
		w.WriteHeader(http.StatusConflict)
		return
	}
	body := io.Reader(r.Body)
	if cut > 0 {
		body = io.LimitReader(body, int64(cut))
	}
	_, _ = io.Copy(&d.got, body)
	d.size, _ = strconv.Atoi(r.Header.Get("Upload-Length"))
	if d.got.Len() < d.size {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(http.StatusNoContent)
}

func sum(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

// mustCarry makes a carrier on a folder, and runs it until the test or stop ends it.
func mustCarry(t *testing.T, dir string, d *depot, p OctoPrint, change ...func(*Carrier)) (c *Carrier, stop func()) {
	t.Helper()
	c = &Carrier{Dir: dir, Server: d.URL, Client: d.Client(), UUID: "device", Token: "secret", OctoPrint: func() OctoPrint { return p }, Log: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(c)
	}
	if err := c.Initialize(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); c.Run(ctx) }()
	stop = sync.OnceFunc(func() { cancel(); <-ended })
	t.Cleanup(stop)
	return c, stop
}

// end waits for how a transfer ends, and gives its stages.
func (c *Carrier) end(t *testing.T) (end wire.Transfer, stages []wire.TransferStage) {
	t.Helper()
	for limit := time.After(await); ; {
		for _, m := range c.Untold() {
			if len(stages) == 0 || stages[len(stages)-1] != m.Stage {
				stages = append(stages, m.Stage)
			}
			if m.Stage == wire.TransferDone || m.Stage == wire.TransferFailed {
				c.Told(m)
				return m, stages
			}
		}
		select {
		case <-c.More():
		case <-limit:
			t.Fatalf("it does not end: %v", stages)
		}
	}
}

func task(content string, print bool) wire.FetchFile {
	return wire.FetchFile{Transfer: "x1", Token: "T", Name: "통 (1).gcode", Size: int64(len(content)), SHA256: sum(content), Target: "local", Print: print}
}

var long = strings.Repeat("G1 X1 Y1 E1\n", 100_000) // 1.2 MB

func newPress() *press { return &press{files: map[string]string{}, state: "Operational"} }

func TestFetch_OverCuts(t *testing.T) {
	d, p := newDepot(t, long), newPress()
	d.cut = 300_000
	p.files["통 (1).gcode"] = "another"
	c, _ := mustCarry(t, t.TempDir(), d, p)
	if err := c.Fetch(t.Context(), task(long, true)); err != nil {
		t.Fatal(err)
	}
	if err := c.Fetch(t.Context(), task(long, true)); err != nil { // said twice
		t.Fatal(err)
	}
	end, _ := c.end(t)
	if end.Stage != wire.TransferDone || end.Path != "통 (1) (2).gcode" {
		t.Fatalf("%+v", end)
	}
	if p.files["통 (1) (2).gcode"] != long || p.files["통 (1).gcode"] != "another" || fmt.Sprint(p.started) != "[통 (1) (2).gcode]" || p.uploads != 1 {
		t.Errorf("%v, %d uploads, started %v", len(p.files), p.uploads, p.started)
	}
	if len(d.asked) < 4 || d.asked[0] != "" || !strings.HasPrefix(d.asked[1], "bytes=") {
		t.Errorf("asked for %q", d.asked)
	}
	if left, _ := os.ReadDir(c.Dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestFetch_WhatGoesWrong(t *testing.T) {
	for _, c := range []struct {
		name, code string
		set        func(d *depot, p *press, c *Carrier, f *wire.FetchFile)
	}{
		{"Damaged", "checksum", func(_ *depot, _ *press, _ *Carrier, f *wire.FetchFile) { f.SHA256 = sum("else") }},
		{"Ended", "cancelled", func(d *depot, _ *press, _ *Carrier, _ *wire.FetchFile) { d.status = http.StatusGone }},
		{"Removed", "cancelled", func(d *depot, _ *press, _ *Carrier, _ *wire.FetchFile) { d.status = http.StatusUnauthorized }},
		{"NoRoom", "no_space", func(_ *depot, _ *press, c *Carrier, _ *wire.FetchFile) {
			c.Free = func(string) (int64, error) { return 1 << 20, nil }
		}},
		{"Refused", "octoprint_refused", func(_ *depot, p *press, _ *Carrier, _ *wire.FetchFile) { p.fault = octoprint.ErrRefused }},
		{"Busy", "not_now", func(_ *depot, p *press, _ *Carrier, _ *wire.FetchFile) { p.startNo = octoprint.ErrNotNow }},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, p := newDepot(t, long), newPress()
			f := task(long, true)
			carrier, _ := mustCarry(t, t.TempDir(), d, p, func(carrier *Carrier) { c.set(d, p, carrier, &f) })
			if err := carrier.Fetch(t.Context(), f); err != nil {
				t.Fatal(err)
			}
			if end, _ := carrier.end(t); end.Stage != wire.TransferFailed || end.Code != c.code || end.Message == "" {
				t.Errorf("%+v", end)
			}
			if len(p.started) != 0 {
				t.Error("it was printed all the same")
			}
			if left, _ := filepath.Glob(filepath.Join(carrier.Dir, "*")); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
	c, _ := mustCarry(t, t.TempDir(), newDepot(t, long), newPress())
	f := task(long, true)
	c.Free = func(string) (int64, error) { return 1 << 20, nil }
	if err := c.room(&job{Fetch: &f}, 0); !errors.Is(err, syscall.ENOSPC) { // by which the plugin's page tells it
		t.Errorf("a disk without room: %v", err)
	}
	f.Name = "../x.gcode"
	if err := c.Fetch(t.Context(), f); err == nil {
		t.Error("a path is taken for a name")
	}
}

// What another print has come before is carried and not printed, over a kill, too.
func TestFetch_AnotherPrintMeanwhile(t *testing.T) {
	for _, kind := range []string{wire.EventPrintStarted, wire.EventPrintDone, wire.EventPrintFailed, wire.EventPrintCancelled} {
		t.Run(kind, func(t *testing.T) {
			dir, d, p := t.TempDir(), newDepot(t, long), newPress()
			before := &Carrier{Dir: dir, Log: slog.New(slog.DiscardHandler)}
			if err := before.Initialize(); err != nil {
				t.Fatal(err)
			}
			printed, sent := task(long, true), task(long, false)
			sent.Transfer = "x2"
			for _, f := range []wire.FetchFile{printed, sent} {
				if err := before.Fetch(t.Context(), f); err != nil {
					t.Fatal(err)
				}
			}
			before.Event(wire.Event{Type: wire.EventPrintPaused})
			if err := before.alone(before.jobs[0]); err != nil {
				t.Errorf("a pause is no other print: %v", err)
			}
			before.Event(wire.Event{Type: kind})

			carrier, _ := mustCarry(t, dir, d, p)
			if end, _ := carrier.end(t); end.ID != printed.Transfer || end.Code != "another_print" {
				t.Errorf("%+v", end)
			}
			if end, _ := carrier.end(t); end.ID != sent.Transfer || end.Stage != wire.TransferDone {
				t.Errorf("one that is only to be sent: %+v", end)
			}
			if len(p.started) != 0 || p.uploads != 2 {
				t.Errorf("started %v, %d uploads", p.started, p.uploads)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
			again := task(long, true)
			again.Transfer = "x3"
			if err := carrier.Fetch(t.Context(), again); err != nil {
				t.Fatal(err)
			}
			if end, _ := carrier.end(t); end.Stage != wire.TransferDone || len(p.started) != 1 {
				t.Errorf("the next one: %+v, started %v", end, p.started)
			}
		})
	}
}

// An agent that was killed goes on with what it had, at each stage, and prints once at most.
func TestFetch_AfterKill(t *testing.T) {
	for _, c := range []struct {
		stage   wire.TransferStage
		prepare func(dir string, p *press)
		code    string
		starts  int
		uploads int
	}{
		{wire.TransferWaiting, func(string, *press) {}, "", 1, 1},
		{wire.TransferFetching, func(dir string, _ *press) { write(dir, long[:500_000]) }, "", 1, 1},
		{wire.TransferFetching, func(dir string, _ *press) { write(dir, strings.Repeat("\x00", 500_000)) }, "", 1, 1}, // a power cut
		{wire.TransferChecking, func(dir string, _ *press) { write(dir, long) }, "", 1, 1},
		{wire.TransferUploading, func(dir string, _ *press) { write(dir, long) }, "", 1, 1},
		{wire.TransferUploading, func(dir string, p *press) { write(dir, long); p.files["통 (1).gcode"] = long }, "", 1, 0},
		{wire.TransferStarting, func(_ string, p *press) { p.state, p.job = "Printing", "통 (1).gcode" }, "", 0, 0},
		{wire.TransferStarting, func(string, *press) {}, "outcome_unknown", 0, 0},
	} {
		t.Run(string(c.stage), func(t *testing.T) {
			dir, d, p := t.TempDir(), newDepot(t, long), newPress()
			c.prepare(dir, p)
			f := task(long, true)
			j := &job{ID: "x1", Fetch: &f, Stage: c.stage}
			if c.stage == wire.TransferUploading || c.stage == wire.TransferStarting {
				short := sha1.Sum([]byte(long))
				j.Name, j.Path, j.SHA1 = f.Name, f.Name, hex.EncodeToString(short[:])
			}
			before := &Carrier{Dir: dir}
			if err := before.save(j); err != nil {
				t.Fatal(err)
			}
			carrier, _ := mustCarry(t, dir, d, p)
			end, _ := carrier.end(t)
			if end.Code != c.code || (c.code == "") != (end.Stage == wire.TransferDone) || len(p.started) != c.starts || p.uploads != c.uploads {
				t.Errorf("%+v, started %v, %d uploads", end, p.started, p.uploads)
			}
		})
	}
}

func write(dir, content string) {
	if err := os.WriteFile(filepath.Join(dir, "x1.part"), []byte(content), 0o600); err != nil {
		panic(err)
	}
}

// What goes to the SD card is known by what the card lists then.
func TestFetch_ToCard(t *testing.T) {
	defer func(within time.Duration) { listedWithin = within }(listedWithin)
	listedWithin = 50 * time.Millisecond
	for _, c := range []struct {
		name  string
		sends func(p *press)
		print bool
		path  string // where it is then; empty: the transfer fails
		code  string
	}{
		{"AsSaid", func(p *press) { p.card = append(p.card, "ODD~1.GCO", "other.gco") }, false, "ODD~1.GCO", ""},
		{"UnderAnotherName", func(p *press) { p.card = append(p.card, "odd-1.gco") }, true, "odd-1.gco", ""},
		{"NotListed", func(*press) {}, true, "", "outcome_unknown"},
		{"PrinterLost", func(p *press) { p.state = "Offline after error" }, true, "", "octoprint_refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, p := newDepot(t, long), newPress()
			p.card = []string{"old.gco"}
			p.sends = func() { c.sends(p) }
			carrier, _ := mustCarry(t, t.TempDir(), d, p)
			f := task(long, c.print)
			f.Target = wire.OriginSDCard
			if err := carrier.Fetch(t.Context(), f); err != nil {
				t.Fatal(err)
			}
			end, _ := carrier.end(t)
			if end.Code != c.code || end.Path != c.path || (c.code == "") != (end.Stage == wire.TransferDone) {
				t.Errorf("%+v", end)
			}
			if begun := len(p.started) == 1 && p.started[0] == c.path; begun != (c.print && c.code == "") {
				t.Errorf("started %v", p.started)
			}
		})
	}
}

// An agent that was killed while OctoPrint sent the file to the card does not send it again.
func TestFetch_ToCardAfterKill(t *testing.T) {
	dir, d, p := t.TempDir(), newDepot(t, long), newPress()
	p.card = []string{"odd-1.gco"}
	f := task(long, true)
	f.Target = wire.OriginSDCard
	write(dir, long)
	if err := (&Carrier{Dir: dir}).save(&job{ID: "x1", Fetch: &f, Stage: wire.TransferUploading, Name: f.Name, Path: "/odd~1.gco"}); err != nil {
		t.Fatal(err)
	}
	carrier, _ := mustCarry(t, dir, d, p)
	if end, _ := carrier.end(t); end.Path != "odd-1.gco" || p.uploads != 0 || len(p.started) != 1 {
		t.Errorf("%+v, %d uploads, started %v", end, p.uploads, p.started)
	}
}

// An end that the server has not heard of is told again after a restart.
func TestEnd_IsToldUntilItIsHeard(t *testing.T) {
	dir, d, p := t.TempDir(), newDepot(t, long), newPress()
	c, stop := mustCarry(t, dir, d, p)
	if err := c.Fetch(t.Context(), task(long, false)); err != nil {
		t.Fatal(err)
	}
	for limit := time.After(await); ; {
		if left, _ := filepath.Glob(filepath.Join(dir, "*.part")); len(left) == 0 && c.next() == nil {
			break
		}
		select {
		case <-c.More():
		case <-time.After(5 * time.Millisecond):
		case <-limit:
			t.Fatal("it does not end")
		}
	}
	stop()
	again, _ := mustCarry(t, dir, d, p)
	if end, _ := again.end(t); end.Stage != wire.TransferDone || end.Path != "통 (1).gcode" {
		t.Errorf("%+v", end)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 || p.uploads != 1 {
		t.Errorf("left behind: %v, %d uploads", left, p.uploads)
	}
}

func TestSend_OverCuts(t *testing.T) {
	d, p := newDepot(t, ""), newPress()
	d.cut = 300_000
	p.files["old/통.gcode"] = long
	c, _ := mustCarry(t, t.TempDir(), d, p)
	if err := c.Send(t.Context(), "local", "old/통.gcode", wire.SendFile{Transfer: "x1", Token: "T"}); err != nil {
		t.Fatal(err)
	}
	if end, _ := c.end(t); end.Stage != wire.TransferDone || d.got.String() != long {
		t.Errorf("%+v, %d bytes", end, d.got.Len())
	}
	if err := c.Send(t.Context(), "local", "gone.gcode", wire.SendFile{Transfer: "x2", Token: "T"}); err != nil {
		t.Fatal(err)
	}
	if end, _ := c.end(t); end.Code != "no_file" {
		t.Errorf("%+v", end)
	}
}

func TestInitialize_LeavesNothingOfStrangers(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"torn.json": `{"id":"to`, "other.json": `{"id":"x"}`, "x9.part": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mustCarry(t, dir, newDepot(t, ""), newPress())
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%v", left)
	}
}

package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

const patience = 60 * time.Second

// printer is a Printer that remembers.
type printer struct {
	mu   sync.Mutex
	did  []string
	fail error
	hold chan struct{} // not nil: a command waits for it
}

func (p *printer) Command(ctx context.Context, c *wire.Command) error {
	p.mu.Lock()
	p.did = append(p.did, c.ID)
	fail, hold := p.fail, p.hold
	p.mu.Unlock()
	if hold != nil && c.Type != wire.CommandEmergencyStop {
		select {
		case <-hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return fail
}

func (p *printer) list() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.did)
}

// clock is the server's time, as a test sets it.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	known bool
}

func (c *clock) Now() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now, c.known
}

type bench struct {
	*Dispatcher
	t       *testing.T
	path    string
	printer *printer
	clock   *clock
	end     func()
}

// server is a time of the server that this machine's clock is far from.
var server = time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC)

func newBench(t *testing.T, path string) *bench {
	t.Helper()
	b := &bench{t: t, path: path, printer: &printer{}, clock: &clock{now: server, known: true}}
	journal, err := OpenJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	b.Dispatcher = &Dispatcher{Journal: journal, Printer: b.printer, Clock: b.clock.Now, Log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); b.Run(ctx) }()
	b.end = sync.OnceFunc(func() { cancel(); <-ended; journal.Close() })
	t.Cleanup(b.end)
	return b
}

func (b *bench) give(c wire.Command) {
	b.t.Helper()
	if c.Expires == 0 {
		c.Expires = float64(server.Unix() + 10)
	}
	payload, err := json.Marshal(c)
	if err != nil {
		b.t.Fatal(err)
	}
	b.Take(payload)
}

// answered waits for the answer to a command.
func (b *bench) answered(id string) wire.CommandResult {
	b.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		for _, r := range b.Journal.Waiting() {
			if r.ID == id {
				return r
			}
		}
	}
	b.t.Fatalf("%s is never answered; %v were done", id, b.printer.list())
	panic("unreachable")
}

func (b *bench) want(id string, code wire.ResultCode) wire.CommandResult {
	b.t.Helper()
	r := b.answered(id)
	if r.Code != code || r.OK != (code == wire.ResultDone) {
		b.t.Errorf("%s: %+v, want %s", id, r, code)
	}
	return r
}

func TestDispatcher_DoesEachOnceInOrder(t *testing.T) {
	b := newBench(t, filepath.Join(t.TempDir(), "commands"))
	var want []string
	for i := range 20 {
		id := fmt.Sprint("c", i)
		want = append(want, id)
		b.give(wire.Command{Type: wire.CommandPause, ID: id})
		b.give(wire.Command{Type: wire.CommandPause, ID: id}) // as a resent message
	}
	b.want("c19", wire.ResultDone)
	if got := b.printer.list(); !slices.Equal(got, want) {
		t.Errorf("did %v", got)
	}
	if r := b.want("c0", wire.ResultDone); r.At != float64(server.Unix()) {
		t.Errorf("at %v", r.At)
	}
	// Asked again after the server had the answer: it gets it again, and nothing is done.
	if err := b.Journal.Acked("c3"); err != nil {
		t.Fatal(err)
	}
	b.give(wire.Command{Type: wire.CommandPause, ID: "c3"})
	b.want("c3", wire.ResultDone)
	if n := len(b.printer.list()); n != 20 {
		t.Errorf("%d were done", n)
	}
}

func TestDispatcher_NeverLate(t *testing.T) {
	b := newBench(t, filepath.Join(t.TempDir(), "commands"))
	b.give(wire.Command{Type: wire.CommandPause, ID: "late", Expires: float64(server.Unix())})
	b.give(wire.Command{Type: wire.CommandEmergencyStop, ID: "late stop", Expires: float64(server.Unix() - 1)})
	b.want("late", wire.ResultExpired)
	b.want("late stop", wire.ResultExpired)
	b.give(wire.Command{Type: wire.CommandPause, ID: "endless", Expires: -1})
	b.want("endless", wire.ResultExpired)
	b.clock.mu.Lock()
	b.clock.known = false
	b.clock.mu.Unlock()
	b.give(wire.Command{Type: wire.CommandPause, ID: "no clock"})
	b.want("no clock", wire.ResultNoClock)
	if got := b.printer.list(); len(got) != 0 {
		t.Errorf("did %v", got)
	}
	// The time comes a moment after the connection.
	b.give(wire.Command{Type: wire.CommandPause, ID: "just"})
	b.clock.mu.Lock()
	b.clock.known = true
	b.clock.mu.Unlock()
	b.want("just", wire.ResultDone)
}

// What waited behind a slow one until it had expired is not begun.
func TestDispatcher_ExpiresWhileWaiting(t *testing.T) {
	b := newBench(t, filepath.Join(t.TempDir(), "commands"))
	b.printer.hold = make(chan struct{})
	b.give(wire.Command{Type: wire.CommandPause, ID: "slow"})
	for len(b.printer.list()) == 0 {
		time.Sleep(time.Millisecond)
	}
	b.give(wire.Command{Type: wire.CommandResume, ID: "behind"})
	b.clock.mu.Lock()
	b.clock.now = server.Add(11 * time.Second)
	b.clock.mu.Unlock()
	close(b.printer.hold)
	b.want("slow", wire.ResultDone)
	b.want("behind", wire.ResultExpired)
}

func TestDispatcher_EmergencyStopWaitsForNothing(t *testing.T) {
	b := newBench(t, filepath.Join(t.TempDir(), "commands"))
	b.printer.hold = make(chan struct{})
	for i := range 10 {
		b.give(wire.Command{Type: wire.CommandPause, ID: fmt.Sprint("waits", i)})
	}
	b.give(wire.Command{Type: wire.CommandEmergencyStop, ID: "stop"})
	b.give(wire.Command{Type: wire.CommandEmergencyStop, ID: "stop"})
	b.want("stop", wire.ResultDone)
	if got := b.printer.list(); len(got) > 2 || !slices.Contains(got, "stop") {
		t.Errorf("did %v", got)
	}
	close(b.printer.hold)
	b.want("waits9", wire.ResultDone)
}

// no is a Coded error.
type no wire.ResultCode

func (n no) Error() string               { return "no" }
func (n no) ResultCode() wire.ResultCode { return wire.ResultCode(n) }

func TestDispatcher_SaysWhy(t *testing.T) {
	b := newBench(t, filepath.Join(t.TempDir(), "commands"))
	b.printer.fail = errors.New("no paper\n\x07")
	b.give(wire.Command{Type: wire.CommandPause, ID: "fails"})
	if r := b.want("fails", wire.ResultFailed); r.Message != "no paper" {
		t.Errorf("%q", r.Message)
	}
	b.printer.fail = context.DeadlineExceeded
	b.give(wire.Command{Type: wire.CommandPause, ID: "silent"})
	b.want("silent", wire.ResultOutcomeUnknown)
	b.printer.fail = fmt.Errorf("wrapped: %w", no(wire.ResultNotNow))
	b.give(wire.Command{Type: wire.CommandPause, ID: "busy"})
	b.want("busy", wire.ResultNotNow)
	b.printer.fail = nil
	hot, tool := 501.0, 0
	b.give(wire.Command{Type: wire.CommandSetTemperature, ID: "hot", Tool: &tool, Temperature: &hot})
	b.want("hot", wire.ResultOutOfRange)
	b.give(wire.Command{Type: wire.CommandFetchFile, ID: "file", Fetch: &wire.FetchFile{Transfer: "t", Token: "k", Name: "a.gcode", Size: 1,
		SHA256: strings.Repeat("0", 64), Target: wire.OriginLocal}})
	b.want("file", wire.ResultFailed)
	for _, bad := range []string{`{`, `{"type":"pause"}`, `{"type":"pause","id":"x","more":1}`, `{"type":"pause","id":"` + strings.Repeat("x", 65) + `"}`} {
		b.Take([]byte(bad))
	}
	b.give(wire.Command{Type: wire.CommandPause, ID: "after"})
	b.want("after", wire.ResultDone)
	if got := b.printer.list(); !slices.Equal(got, []string{"fails", "silent", "busy", "after"}) {
		t.Errorf("did %v", got)
	}
}

// An agent that ends between taking a command and its answer says afterwards that it does not know, and does nothing.
func TestJournal_OverAnEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "commands")
	b := newBench(t, path)
	b.give(wire.Command{Type: wire.CommandPause, ID: "done"})
	b.want("done", wire.ResultDone)
	b.give(wire.Command{Type: wire.CommandPause, ID: "known"})
	b.want("known", wire.ResultDone)
	if err := b.Journal.Acked("known"); err != nil {
		t.Fatal(err)
	}
	b.printer.mu.Lock()
	b.printer.hold = make(chan struct{})
	b.printer.mu.Unlock()
	b.give(wire.Command{Type: wire.CommandPause, ID: "under way"})
	for len(b.printer.list()) < 3 {
		time.Sleep(time.Millisecond)
	}
	at, err := os.ReadFile(path) // as a kill leaves it
	if err != nil {
		t.Fatal(err)
	}
	b.end()
	for name, content := range map[string]string{"killed": string(at), "torn": string(at) + `{"id":"to`, "garbage": string(at) + "\x00\xff\nnull\n[]\n"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "commands")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			b := newBench(t, path)
			b.want("done", wire.ResultDone)
			b.want("under way", wire.ResultOutcomeUnknown)
			if w := b.Journal.Waiting(); len(w) != 2 {
				t.Errorf("%+v", w)
			}
			for _, id := range []string{"done", "known", "under way"} {
				b.give(wire.Command{Type: wire.CommandPause, ID: id})
			}
			b.give(wire.Command{Type: wire.CommandPause, ID: "new"})
			b.want("new", wire.ResultDone)
			b.want("known", wire.ResultDone)
			if got := b.printer.list(); !slices.Equal(got, []string{"new"}) {
				t.Errorf("did %v", got)
			}
		})
	}
}

// The journal stays small, and forgets no answer that the server has not got.
func TestJournal_StaysSmall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "commands")
	j, err := OpenJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Take("kept", 1); err != nil {
		t.Fatal(err)
	}
	if err := j.End(wire.CommandResult{ID: "kept", OK: true, Code: wire.ResultDone}); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Take("under way", 1); err != nil {
		t.Fatal(err)
	}
	for i := range 2 * maxEntries {
		id := fmt.Sprint(i)
		if _, err := j.Take(id, 1); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(j.End(wire.CommandResult{ID: id, Code: wire.ResultFailed, Message: strings.Repeat("x", 200)}), j.Acked(id)); err != nil {
			t.Fatal(err)
		}
	}
	if fresh, err := j.Take(fmt.Sprint(2*maxEntries-1), 1); fresh || err != nil {
		t.Errorf("a recent one is taken again: %v", err)
	}
	if fresh, err := j.Take("under way", 1); fresh || err != nil {
		t.Errorf("one under way is taken again: %v", err)
	}
	if w := j.Waiting(); len(w) != 1 || w[0].ID != "kept" {
		t.Errorf("%+v", w)
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > 2*maxJournal {
		t.Errorf("%v, %v bytes", err, info.Size())
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	if _, err := j.Take("closed", 1); err == nil {
		t.Error("taken by a closed journal")
	}
}

// Whatever is in the file, the agent starts, and does nothing of it.
func FuzzJournal(f *testing.F) {
	f.Add([]byte(`{"id":"a","expires":1}` + "\n" + `{"id":"a","result":{"id":"a","ok":true}}` + "\n" + `{"id":"a","acked":true}`))
	f.Add([]byte("\x00\n{}\n{\"id\":\"\"}"))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "commands")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := OpenJournal(path)
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		if _, err := j.Take("mine", 1); err != nil {
			t.Fatal(err)
		}
		for _, r := range j.Waiting() {
			if r.ID == "" {
				t.Error("an answer to nothing")
			}
		}
	})
}

package octoprint_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/octoprint"
	"github.com/kangbyounggwan/factor/internal/agent/octoprint/octoprinttest"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// listener is a Receiver that remembers.
type listener struct {
	t *testing.T

	mu       sync.Mutex
	view     octoprint.View
	statuses []wire.Status // each change
	events   []string
	files    []wire.Files
	synced   int
	lines    []string // of the terminal
}

func (l *listener) Terminal(lines []string, _ int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, lines...)
}

func (l *listener) Changed(v octoprint.View, _ bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.view = v
	if n := len(l.statuses); n == 0 || l.statuses[n-1] != v.Snapshot.Status {
		l.statuses = append(l.statuses, v.Snapshot.Status)
	}
}

func (l *listener) Synced(context.Context, octoprint.View) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.synced++
}

func (l *listener) Event(kind string, _ time.Time, _ json.RawMessage, _ octoprint.View) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, kind)
}

func (l *listener) Files(f wire.Files) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.files = append(l.files, f)
}

// await waits until ok holds.
func (l *listener) await(what string, ok func() bool) {
	l.t.Helper()
	for end := time.Now().Add(octoprinttest.Patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		l.mu.Lock()
		done := ok()
		l.mu.Unlock()
		if done {
			return
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.t.Fatalf("never: %s\nstatuses %v\nevents %v\nhealth %s %s\nterminal %q", what, l.statuses, l.events,
		l.view.Health, l.view.Error, l.lines[max(0, len(l.lines)-20):])
}

func (l *listener) awaitStatus(s wire.Status) {
	l.t.Helper()
	l.await("status "+string(s), func() bool { return l.view.Snapshot.Status == s })
}

func (l *listener) awaitEvent(kind string) {
	l.t.Helper()
	l.await("event "+kind, func() bool { return slices.Contains(l.events, kind) })
	l.mu.Lock()
	l.events = l.events[slices.Index(l.events, kind)+1:]
	l.mu.Unlock()
}

// follow starts an adapter and ends it with the test.
func follow(t *testing.T, url, key string) *listener {
	t.Helper()
	l, _ := followed(t, url, key)
	return l
}

func followed(t *testing.T, url, key string) (*listener, *octoprint.Adapter) {
	t.Helper()
	c, err := octoprint.NewClient(url, key)
	if err != nil {
		t.Fatal(err)
	}
	l := &listener{t: t}
	a := &octoprint.Adapter{Client: c, Receiver: l, Log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case <-done:
		case <-time.After(octoprinttest.Patience):
			t.Error("the adapter does not end")
		}
	})
	return l, a
}

func TestAdapter_Run_RealPrint(t *testing.T) {
	o := octoprinttest.Start(t)
	l := follow(t, o.URL+"/", octoprinttest.Key)
	l.awaitStatus(wire.StatusIdle)
	l.await("port and profile", func() bool {
		c := l.view.Snapshot.Connection
		return c.Port == "VIRTUAL" && c.Baudrate == 115200 && c.Profile.ID == "_default" && c.Profile.Volume.Width == 200
	})
	l.await("versions", func() bool { return l.view.OctoPrint != "" && l.view.Python != "" })
	l.await("an empty file list", func() bool { return len(l.files) == 1 && len(l.files[0].Local) == 0 })

	o.Upload("시험 조각.gcode", octoprinttest.Print(1000), true)
	l.awaitEvent(wire.EventPrintStarted)
	l.awaitStatus(wire.StatusHeating)
	l.awaitStatus(wire.StatusPrinting)
	l.await("progress of the file", func() bool {
		s := l.view.Snapshot
		return strings.HasSuffix(s.Job.File.Name, ".gcode") && s.Progress.Completion != nil && *s.Progress.Completion > 1 &&
			s.Progress.PrintTime != nil && s.Temperatures["tool0"].Target != nil && *s.Temperatures["tool0"].Target == 60
	})
	o.Job("pause", "pause")
	l.awaitEvent(wire.EventPrintPaused)
	l.awaitStatus(wire.StatusPaused)
	o.Job("pause", "resume")
	l.awaitEvent(wire.EventPrintResumed)
	l.awaitStatus(wire.StatusPrinting)
	l.awaitEvent(wire.EventPrintDone)
	l.awaitStatus(wire.StatusIdle)
	l.await("the file in the list", func() bool {
		n := len(l.files)
		return n > 1 && len(l.files[n-1].Local) == 1 && l.files[n-1].Local[0].Size > 5_000
	})
	l.mu.Lock()
	for _, f := range l.files[:len(l.files)-1] {
		if len(f.Local) > 0 {
			t.Error("the file list was asked for more than once, or during the print")
		}
	}
	l.mu.Unlock()

	o.Job("start", "")
	l.awaitEvent(wire.EventPrintStarted)
	o.Command("!!DEBUG:drop_connection")
	l.awaitEvent(wire.EventPrintFailed)
	l.await("a closed connection", func() bool { // 2.0 calls it an error
		return l.view.Snapshot.Status == wire.StatusOffline || l.view.Snapshot.Status == wire.StatusError
	})
	o.Call("POST", "/api/connection", `{"command":"connect","port":"VIRTUAL"}`)
	l.awaitEvent(wire.EventConnected)
	l.awaitStatus(wire.StatusIdle)

	o.Stop()
	l.await("that OctoPrint is away is said", func() bool {
		return l.view.Health == octoprint.Unreachable && l.view.Snapshot.Status == wire.StatusOffline &&
			slices.Contains(l.view.Snapshot.Attention, wire.AttentionOctoPrintUnreachable)
	})
	o.Up()
	l.await("it follows the restarted one", func() bool {
		return l.synced == 2 && l.view.Snapshot.Status == wire.StatusIdle && len(l.view.Snapshot.Attention) == 0
	})
}

func TestAdapter_Run_KeyRefused(t *testing.T) {
	o := octoprinttest.Start(t)
	l := follow(t, o.URL, "ANOTHER-KEY")
	l.await("that the key is refused is said", func() bool {
		return l.view.Health == octoprint.KeyRefused && l.view.Snapshot.Status == wire.StatusUnknown &&
			slices.Equal(l.view.Snapshot.Attention, []wire.Attention{wire.AttentionKeyRefused})
	})
}

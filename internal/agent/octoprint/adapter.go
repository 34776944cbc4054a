package octoprint

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// Health is how the connection to OctoPrint is.
type Health string

// The states of a connection to OctoPrint.
const (
	Connecting  Health = "connecting"
	Connected   Health = "connected"
	KeyRefused  Health = "key_refused" // until the owner gives another key, tried slowly
	Unreachable Health = "unreachable"
)

// View is all that the adapter knows at a moment.
type View struct {
	Snapshot  wire.Snapshot
	OctoPrint string // version, empty until known
	Python    string
	Health    Health
	Error     string // why Health is not Connected, for people
	Rights    Rights
}

// Receiver is told what happens, by one goroutine, in order. It may keep what it gets.
type Receiver interface {
	// Changed comes with every message of OctoPrint; urgent when the state itself changed.
	Changed(v View, urgent bool)
	// Synced comes once after each log-in, before Changed: what happened since the last one was not told by events.
	Synced(ctx context.Context, v View)
	// Event is an event of OctoPrint that people want to know of. Snapshot is the state after it.
	Event(kind string, at time.Time, data json.RawMessage, v View)
	// Terminal is new lines of OctoPrint's terminal, while they are wanted; skipped counts those left out before them.
	Terminal(lines []string, skipped int)
	// Files is the file tree, when it may have changed and no print is under way.
	Files(wire.Files)
}

const (
	rightsAge     = 10 * time.Minute // nothing tells when OctoPrint's owner ticks a right
	rightsPause   = 5 * time.Second  // at least, between two questions
	filesDelay    = 5 * time.Second  // after the last change: an upload fires several events
	firstRetry    = time.Second
	longestRetry  = 30 * time.Second
	refusedRetry  = 30 * time.Second
	messageBuffer = 16
)

// Adapter keeps a connection to OctoPrint for as long as Run runs.
type Adapter struct {
	Client   *Client
	Receiver Receiver
	Log      *slog.Logger
	Retry    <-chan struct{} // ends a wait for the next try; nil for never

	nudged   chan struct{} // capacity 1: one of the following changed
	setup    sync.Once
	terminal atomic.Bool // its lines are wanted
	recheck  atomic.Bool // what we may do may have changed

	// owned by Run's goroutine
	printer Printer
	view    View
	synced  bool        // this session has had its history
	wake    *time.Timer // at filesAt
	filesAt time.Time   // not before: filesDelay after the last change
	dirty   bool        // the file tree may have changed
	details bool        // port and profile may have changed
	rights  time.Time   // when Rights was asked for last; zero: not in this session
	shown   bool        // OctoPrint sends the terminal's lines
	busy    bool        // a REST question is under way
	answers chan func()
}

func (a *Adapter) init() {
	a.setup.Do(func() { a.nudged = make(chan struct{}, 1) })
}

// Terminal says whether the terminal's lines are wanted.
func (a *Adapter) Terminal(wanted bool) {
	a.init()
	if a.terminal.Swap(wanted) != wanted {
		a.nudge()
	}
}

// Recheck has what we may do asked for again, soon.
func (a *Adapter) Recheck() {
	a.init()
	a.recheck.Store(true)
	a.nudge()
}

func (a *Adapter) nudge() {
	select {
	case a.nudged <- struct{}{}:
	default:
	}
}

// Run connects again and again until ctx ends.
func (a *Adapter) Run(ctx context.Context) {
	a.init()
	defer a.Client.Close()
	a.answers = make(chan func(), 1)
	a.view.Health = Connecting
	failures := 0
	for ctx.Err() == nil {
		a.synced = false
		err := a.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if a.synced {
			failures = 0
		}
		failures++
		wait := min(firstRetry<<min(failures-1, 5), longestRetry)
		switch {
		case errors.Is(err, ErrKeyRefused):
			wait = refusedRetry
			a.lost(KeyRefused, err)
		case errors.Is(err, errSessionEnded):
			wait = 0
		case failures > 1: // one reconnect is nothing to tell anybody
			a.lost(Unreachable, err)
		}
		a.Log.Info("no connection to OctoPrint", "error", err, "retry", wait)
		wait += rand.N(wait/4 + 1)
		select {
		case <-ctx.Done():
		case <-a.Retry:
		case <-time.After(wait):
		}
	}
}

// lost tells that nothing is known of the printer any more, except what cannot have changed.
func (a *Adapter) lost(h Health, err error) {
	urgent := a.view.Health != h
	a.view.Health, a.view.Error = h, clip(err.Error(), 300)
	a.printer = Printer{profile: a.printer.profile}
	attention := wire.AttentionOctoPrintUnreachable
	a.printer.status = wire.StatusOffline
	if h == KeyRefused {
		attention = wire.AttentionKeyRefused
		a.printer.status = wire.StatusUnknown // OctoPrint may well be printing
	}
	a.view.Snapshot = a.printer.Snapshot()
	a.view.Snapshot.Attention = append(a.view.Snapshot.Attention, attention)
	a.Receiver.Changed(a.view, urgent)
}

var errSessionEnded = errors.New("OctoPrint ended our session")

// session runs one connection until it breaks.
func (a *Adapter) session(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	version, err := a.Client.Version(ctx)
	if err != nil {
		return err
	}
	a.shown = a.terminal.Load()
	s, err := a.Client.dial(ctx, a.shown)
	if err != nil {
		return err
	}
	a.view.OctoPrint = version

	messages := make(chan message, messageBuffer)
	broken := make(chan error, 2)
	go func() {
		broken <- s.read(ctx, a.terminal.Load, func(m message) {
			select {
			case messages <- m:
			case <-ctx.Done():
			}
		}, func(err error) {
			a.Log.Warn("a message of OctoPrint was left out", "trouble", "octoprint_message", "error", err)
		})
	}()
	go func() { broken <- s.keep(ctx) }()
	ended := 0
	defer func() { // both goroutines, and a question that may be under way
		cancel()
		s.close()
		for ; ended < 2; ended++ {
			<-broken
		}
		if a.busy {
			<-a.answers
			a.busy = false
		}
		a.wake.Stop()
	}()

	first := time.NewTimer(firstTimeout)
	defer first.Stop()
	a.wake = time.NewTimer(filesDelay)
	a.filesAt = time.Now().Add(filesDelay)
	a.dirty, a.details, a.rights = true, true, time.Time{}
	for {
		select {
		case err := <-broken:
			ended++
			return err
		case <-first.C:
			if !a.synced {
				return errors.New("OctoPrint accepts the key but tells no state: the key's user lacks the permission STATUS")
			}
		case m := <-messages:
			if m.Reauth {
				return errSessionEnded
			}
			a.message(ctx, m)
		case answer := <-a.answers:
			a.busy = false
			answer()
		case <-a.wake.C:
		case <-a.nudged:
			if wanted := a.terminal.Load(); wanted != a.shown {
				a.shown = wanted
				if err := s.write(ctx, subscription(wanted)); err != nil {
					return err
				}
			}
		}
		a.ask(ctx)
	}
}

// message folds a message in and passes on what it says.
func (a *Adapter) message(ctx context.Context, m message) {
	if m.Connected != nil {
		a.view.Python = clip(string(m.Connected.Python), 40)
		if v := m.Connected.Version; v != "" {
			a.view.OctoPrint = clip(string(v), 40)
		}
		return
	}
	now := time.Now()
	changed := a.printer.apply(m, now)
	a.view.Snapshot = a.printer.Snapshot()
	switch {
	case m.History != nil:
		a.view.Health, a.view.Error = Connected, ""
		if !a.synced {
			a.synced = true
			a.Receiver.Synced(ctx, a.view)
		}
		changed = true
	case m.Event != nil:
		a.event(m.Event, now)
	case m.Current == nil:
		return
	case len(m.Current.Logs.lines) > 0:
		a.Receiver.Terminal(m.Current.Logs.lines, m.Current.Logs.skipped)
	}
	if a.synced {
		a.Receiver.Changed(a.view, changed)
	}
}

// event passes an event on, or takes it as a hint that something must be asked for.
func (a *Adapter) event(e *eventMessage, now time.Time) {
	switch e.Type {
	case "UpdatedFiles", "FileAdded", "FileRemoved", "FileMoved", "FolderRemoved", "FolderMoved":
		a.dirty = true
		a.filesAt = now.Add(filesDelay)
		a.wake.Reset(filesDelay)
	case "PrinterProfileModified", "SettingsUpdated", wire.EventConnected:
		a.details = true
	}
	if data, ok := forward(e); ok && a.synced {
		a.Receiver.Event(string(e.Type), now, data, a.view)
	}
}

// ask puts a question to OctoPrint if one is due and none is under way, so that there is never more than one.
func (a *Adapter) ask(ctx context.Context) {
	if a.busy || !a.synced {
		return
	}
	switch {
	case a.details:
		a.details, a.busy = false, true
		go func() {
			d, err := a.Client.details(ctx)
			a.answers <- func() {
				if err != nil {
					a.Log.Warn("port and printer profile stay unknown", "trouble", "octoprint_question", "error", err)
					return
				}
				a.printer.setConnection(d.port, d.baudrate)
				a.printer.profile = d.profile
				a.view.Snapshot = a.printer.Snapshot()
				a.Receiver.Changed(a.view, true)
			}
		}()
	case time.Since(a.rights) > rightsAge || (a.recheck.Load() && time.Since(a.rights) > rightsPause):
		a.rights, a.busy = time.Now(), true
		a.recheck.Store(false)
		go func() {
			r, err := a.Client.Rights(ctx)
			a.answers <- func() {
				if err != nil {
					a.Log.Warn("what OctoPrint lets us do stays unknown", "trouble", "octoprint_question", "error", err)
					return
				}
				if !a.view.Rights.Same(&r) {
					a.view.Rights = r
					a.Receiver.Changed(a.view, false)
				}
			}
		}()
	case a.dirty && !a.printer.Status().Active() && !time.Now().Before(a.filesAt):
		a.dirty, a.busy = false, true
		go func() {
			files, err := a.Client.Files(ctx)
			a.answers <- func() {
				if err != nil {
					a.Log.Warn("the file list stays as it was", "trouble", "octoprint_question", "error", err)
					return
				}
				a.Receiver.Files(files)
			}
		}()
	}
}

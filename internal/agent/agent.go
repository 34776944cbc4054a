// Package agent puts the agent's parts together: OctoPrint on one side, the server on the other, the event queue and
// the record of the print between them.
package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/broker"
	"github.com/kangbyounggwan/factor/internal/agent/camera/publish"
	"github.com/kangbyounggwan/factor/internal/agent/command"
	"github.com/kangbyounggwan/factor/internal/agent/folder"
	"github.com/kangbyounggwan/factor/internal/agent/job"
	"github.com/kangbyounggwan/factor/internal/agent/local"
	"github.com/kangbyounggwan/factor/internal/agent/octoprint"
	"github.com/kangbyounggwan/factor/internal/agent/queue"
	"github.com/kangbyounggwan/factor/internal/agent/transfer"
	"github.com/kangbyounggwan/factor/internal/agent/uplink"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// Caps are the capabilities that presence names: what this agent does beyond the published plugin.
var Caps = []string{"events", "files", "clock", "watch", "camera", wire.CapCommands, "terminal", wire.CapTransfer}

// diskRetry is how often events that the disk would not take are tried again.
const diskRetry = 30 * time.Second

// introduction is how long an agent that is told about OctoPrint waits for that before it tries what it knows itself.
const introduction = 30 * time.Second

// Agent is an agent at work for one registration. Initialize, Run, then Close.
type Agent struct {
	Folder  *folder.Folder // locked by the caller
	Version string
	Log     slog.Handler
	// Program is this program, which becomes a process of its own for each camera that somebody looks at. "" for none.
	Program    string
	Introduced bool // somebody calls Introduce soon: what the folder knows of OctoPrint is likely out of date

	complaints *local.Complaints
	log        *slog.Logger
	started    time.Time
	queue      *queue.Queue
	jobs       *job.Tracker                      // only on the adapter's goroutine
	adapter    atomic.Pointer[octoprint.Adapter] // the one that runs
	journal    *command.Journal
	commands   *command.Dispatcher
	carrier    *transfer.Carrier
	client     *octoprint.Client // for the first one
	introduced chan *octoprint.Client
	retry      chan struct{}
	link       *uplink.Link
	cameras    *publish.Publisher
	reporter   *reporter
	broker     *broker.Publisher // somebody's own, beside the server
	watched    atomic.Bool
	terminal   atomic.Bool // somebody looks at the terminal
	unsent     int         // lines of it since the last message; only on the adapter's goroutine

	saving sync.Mutex // one at a time writes the config

	mu       sync.Mutex // holds what follows, for status and presence
	config   folder.Config
	view     octoprint.View
	since    time.Time // of view.Health
	jobID    string
	filesSum string // of the file tree that the server has
}

// Initialize reads the folder. ErrNotEnrolled of package folder when there is no enrolment in it.
func (a *Agent) Initialize() (err error) {
	a.started = time.Now()
	var kept bool
	if a.complaints, kept = a.Log.(*local.Complaints); !kept {
		a.complaints = local.NewComplaints(a.Log)
	}
	a.log = slog.New(a.complaints)
	c, err := a.Folder.Config()
	if err != nil {
		return err
	}
	a.config = *c
	if err := a.config.Validate(); err != nil {
		return fmt.Errorf("config.json: %w", err)
	}
	if a.client, err = octoprint.NewClient(c.OctoPrint.URL, c.OctoPrint.Key); err != nil {
		return err
	}
	a.introduced, a.retry = make(chan *octoprint.Client, 1), make(chan struct{}, 1)
	roots, err := folder.Roots(a.config.CA)
	if err != nil {
		return err
	}
	if a.queue, err = queue.Open(a.Folder.Join("events"), queue.DefaultLimit, a.log); err != nil {
		return err
	}
	a.broker = &broker.Publisher{UUID: c.UUID, Log: a.log.With("part", "broker"),
		Settings: func() (broker.Settings, error) { return broker.Read(a.Folder) }}
	a.carrier = &transfer.Carrier{Dir: a.Folder.Join("transfers"), Server: c.Server, Client: transfer.NewClient(roots), UUID: c.UUID, Token: c.Token,
		OctoPrint: a.currentOctoPrint, Log: a.log.With("part", "files")}
	if err := a.carrier.Initialize(); err != nil {
		return err
	}
	heard := func(e wire.Event) { a.broker.Event(e); a.carrier.Event(e) }
	if a.jobs, err = job.Open(a.Folder.Join("job.json"), tapped{a.queue, heard}, a.log); err != nil {
		return err
	}
	a.jobID = a.jobs.ID()
	if sum, err := os.ReadFile(a.Folder.Join("files.sent")); err == nil {
		a.filesSum = strings.TrimSpace(string(sum))
	}
	if a.journal, err = command.OpenJournal(a.Folder.Join("commands")); err != nil {
		return err
	}
	a.commands = &command.Dispatcher{Journal: a.journal, Printer: commander{a}, Transfers: a.carrier, Log: a.log.With("part", "commands"),
		Clock: func() (time.Time, bool) { return a.link.Now() }}
	a.view.Health, a.since = octoprint.Connecting, time.Now()
	m := c.MQTT
	a.link = &uplink.Link{Host: m.Host, Port: m.Port, Plain: !m.TLS, WebsocketURL: websocketURL(c), Roots: roots,
		UUID: c.UUID, Token: c.Token, Queue: a.queue, Presence: a.presence, Watched: a.setWatched,
		Connected: a.connected, FilesSent: a.filesSent, Registered: a.registered,
		Command: a.commands.Take, Results: a.journal, Transfers: a.carrier, Terminal: a.setTerminal, Log: a.log.With("part", "server")}
	if a.Program != "" {
		a.cameras = &publish.Publisher{Program: a.Program, Server: c.Server, CA: c.CA, UUID: c.UUID, Token: c.Token, Now: a.link.Now,
			Log: a.log.With("part", "camera")}
		a.link.Camera, a.link.Lost = a.cameras.Command, a.cameras.Lost
	}
	a.reporter = newReporter(a.link.Status)
	return nil
}

// currentOctoPrint gives the OctoPrint that files are carried to; nil while none is known.
func (a *Agent) currentOctoPrint() transfer.OctoPrint {
	if adapter := a.adapter.Load(); adapter != nil {
		return adapter.Client
	}
	return nil
}

func websocketURL(c *folder.Config) string {
	if c.MQTT.WebsocketPath == "" {
		return ""
	}
	if rest, ok := strings.CutPrefix(c.Server, "https://"); ok {
		return "wss://" + rest + c.MQTT.WebsocketPath
	}
	if rest, ok := strings.CutPrefix(c.Server, "http://"); ok { // a server on this machine
		return "ws://" + rest + c.MQTT.WebsocketPath
	}
	return ""
}

// Run works until ctx ends, then says goodbye to the server and returns.
func (a *Agent) Run(ctx context.Context) error {
	a.log.Info("agent started", "version", a.Version, "uuid", a.config.UUID, "server", a.config.Server)
	var parts sync.WaitGroup
	parts.Go(func() { a.follow(ctx) })
	parts.Go(func() { a.link.Run(ctx) })
	parts.Go(func() { a.reporter.run(ctx) })
	parts.Go(func() { a.commands.Run(ctx) })
	parts.Go(func() { a.carrier.Run(ctx) })
	parts.Go(func() { a.retryDisk(ctx) })
	parts.Go(func() { a.broker.Run(ctx) })
	parts.Wait()
	if a.cameras != nil {
		a.cameras.Close()
	}
	a.log.Info("agent ended")
	return nil
}

// Close lets go of files. Call it after Run.
func (a *Agent) Close() error {
	var errs []error
	if a.journal != nil {
		errs = append(errs, a.journal.Close())
	}
	if a.queue != nil {
		errs = append(errs, a.queue.Close())
	}
	return errors.Join(errs...)
}

func (a *Agent) retryDisk(ctx context.Context) {
	tick := time.NewTicker(diskRetry)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := a.queue.Retry(); err != nil {
				a.log.Error("events wait in memory", "trouble", "disk_write", "error", err)
			}
		}
	}
}

// tapped is the queue with somebody who is told of each event, too.
type tapped struct {
	*queue.Queue
	tell func(wire.Event)
}

func (t tapped) Append(e wire.Event) error {
	t.tell(e)
	return t.Queue.Append(e)
}

// presence says who we are.
func (a *Agent) presence() wire.Presence {
	host, _ := os.Hostname() // without one, the field is left out
	a.mu.Lock()
	defer a.mu.Unlock()
	return wire.Presence{Agent: a.Version, Proto: wire.Proto, Caps: Caps, Epoch: a.queue.Epoch(),
		Since: seconds(a.started), OctoPrint: a.view.OctoPrint, Python: a.view.Python,
		OS: runtime.GOOS + "/" + runtime.GOARCH, Host: host, Rights: a.view.Rights.Names, System: a.view.Rights.System}
}

func (a *Agent) setWatched(w bool) {
	if a.watched.Swap(w) != w {
		a.reporter.setWatched(w)
		if adapter := a.adapter.Load(); w && adapter != nil {
			adapter.Recheck() // somebody may want to use what was ticked a moment ago
		}
	}
}

func (a *Agent) connected() {
	if a.cameras != nil {
		a.cameras.Connected()
	}
	a.reporter.now()
}

// seconds gives a time as Unix seconds, exact to the millisecond.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

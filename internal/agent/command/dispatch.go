// Package command carries out what the server asks of the printer: each command once at most, none late, none without
// knowing the server's time, and each with an answer that reaches the server, over kills and restarts.
package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// Printer does what a command says. The adapter to OctoPrint is one.
type Printer interface {
	// Command does it, or says why not. An error that has a method ResultCode says with that what kind of no it is; any
	// other is wire.ResultFailed. Its text goes to people.
	Command(ctx context.Context, c *wire.Command) error
}

// Transfers carries files between the server and the printer. Its calls return once the transfer is written down as begun;
// how far it is, it tells itself. Errors as of Printer.
type Transfers interface {
	Fetch(ctx context.Context, f wire.FetchFile) error
	Send(ctx context.Context, origin, path string, to wire.SendFile) error
}

// Coded is an error that says what kind of no it is.
type Coded interface {
	error
	ResultCode() wire.ResultCode
}

const (
	clockPatience = 3 * time.Second // for the server's time, just after a connection
	clockStep     = 20 * time.Millisecond
	workTime      = 60 * time.Second // for one command; a macro's lines are several calls
	queueLength   = 64               // commands that wait behind another
	stopsKept     = 16
)

// Dispatcher takes commands and has them done in the order that they came in, but for the emergency stop, which waits for
// nothing. Fill in the exported fields before the first call.
type Dispatcher struct {
	Journal   *Journal
	Printer   Printer
	Transfers Transfers                // nil: there are none
	Clock     func() (time.Time, bool) // the server's time; false: it is not known
	Log       *slog.Logger

	once  sync.Once
	taken chan wire.Command // not written down yet
	work  chan wire.Command // written down
	stop  chan wire.Command
	stops []string // ids of the last emergency stops; only on Run's goroutine
}

func (d *Dispatcher) init() {
	d.once.Do(func() {
		d.taken, d.work = make(chan wire.Command, queueLength), make(chan wire.Command, queueLength)
		d.stop = make(chan wire.Command, queueLength)
	})
}

// Take takes a command as it came from the server. It never waits. What is no command of ours is left out: the published
// plugin's have no id, so they can be neither told apart nor answered.
func (d *Dispatcher) Take(payload []byte) {
	d.init()
	c, err := wire.DecodeCommand(payload)
	if err == nil && (c.ID == "" || len(c.ID) > wire.MaxCommandID) {
		err = errors.New("it has no id")
	}
	if err != nil {
		d.Log.Warn("a command was left out", "trouble", "command_unknown", "error", err)
		return
	}
	queue := d.taken
	if c.Type == wire.CommandEmergencyStop {
		queue = d.stop
	}
	select {
	case queue <- c:
	default:
		d.Log.Warn("a command was left out: too many wait", "trouble", "commands_too_many", "type", c.Type)
	}
}

// Run works until ctx ends. What waits then is not done.
func (d *Dispatcher) Run(ctx context.Context) {
	d.init()
	var parts sync.WaitGroup
	defer parts.Wait()
	parts.Go(func() { d.writeDown(ctx) })
	parts.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case c := <-d.work:
				d.handle(ctx, &c)
			}
		}
	})
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-d.stop:
			if !d.stoppedBefore(c.ID) {
				parts.Go(func() { d.emergency(ctx, &c) })
			}
		}
	}
}

// writeDown puts ids on the disk while the command before is still under way, so that a kill leaves an answer to each.
func (d *Dispatcher) writeDown(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-d.taken:
			fresh, err := d.Journal.Take(c.ID, c.Expires)
			switch {
			case err != nil:
				d.Log.Error("a command was not begun", "trouble", "disk_write", "type", c.Type, "error", err)
				d.end(c.ID, wire.ResultFailed, "the device's disk does not take what must be written down first")
			case !fresh:
				d.Journal.Again(c.ID)
			default:
				select {
				case d.work <- c:
				case <-ctx.Done():
					return
				}
			}
		}
	}
}

// handle does a command that is written down, if it may still be begun.
func (d *Dispatcher) handle(ctx context.Context, c *wire.Command) {
	if code, text := d.late(ctx, c); code != "" {
		d.end(c.ID, code, text)
		return
	}
	working, cancel := context.WithTimeout(ctx, workTime)
	defer cancel()
	err := d.do(working, c)
	code, text := ended(err)
	if err != nil && ctx.Err() != nil {
		code, text = wire.ResultOutcomeUnknown, "the agent was stopped meanwhile"
	}
	d.end(c.ID, code, text)
}

func (d *Dispatcher) do(ctx context.Context, c *wire.Command) error {
	if err := c.Check(wire.Limits{Tool: wire.HighestTool, Bed: wire.HighestBed, Chamber: wire.HighestChamber}); err != nil {
		return err // the printer's own limits are the server's to keep; this is what no printer is asked for
	}
	switch c.Type {
	case wire.CommandFetchFile, wire.CommandSendFile:
		if d.Transfers == nil {
			return errors.New("this agent carries no files")
		}
		if c.Type == wire.CommandFetchFile {
			return d.Transfers.Fetch(ctx, *c.Fetch)
		}
		return d.Transfers.Send(ctx, c.Origin, c.Path, *c.Send)
	}
	return d.Printer.Command(ctx, c)
}

// late tells why a command must not be begun: it has expired, or the server's time is not known. Just after a connection
// that may be for a moment.
func (d *Dispatcher) late(ctx context.Context, c *wire.Command) (code wire.ResultCode, text string) {
	for end := time.Now().Add(clockPatience); ; {
		now, known := d.Clock()
		if known {
			if !(float64(now.UnixMilli())/1000 < c.Expires) {
				return wire.ResultExpired, "the command came too late"
			}
			return "", ""
		}
		if time.Now().After(end) {
			return wire.ResultNoClock, "the device does not know the server's time yet"
		}
		select {
		case <-ctx.Done():
			return wire.ResultNoClock, "the agent is being stopped"
		case <-time.After(clockStep):
		}
	}
}

// emergency stops the printer at once: what is written down is written meanwhile. A second M112 does no harm.
func (d *Dispatcher) emergency(ctx context.Context, c *wire.Command) {
	if code, text := d.late(ctx, c); code != "" {
		d.end(c.ID, code, text)
		return
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		if _, err := d.Journal.Take(c.ID, c.Expires); err != nil {
			d.Log.Error("an emergency stop was not written down", "trouble", "disk_write", "error", err)
		}
	}()
	err := d.Printer.Command(ctx, c)
	<-written
	code, text := ended(err)
	d.end(c.ID, code, text)
}

func (d *Dispatcher) stoppedBefore(id string) bool {
	for _, s := range d.stops {
		if s == id {
			d.Journal.Again(id)
			return true
		}
	}
	d.stops = append(d.stops, id)
	if len(d.stops) > stopsKept {
		d.stops = d.stops[1:]
	}
	return false
}

// ended turns what became of a command into the server's words.
func ended(err error) (code wire.ResultCode, text string) {
	if err == nil {
		return wire.ResultDone, ""
	}
	var coded Coded
	if errors.As(err, &coded) {
		return coded.ResultCode(), coded.Error()
	}
	var field *wire.FieldError
	if errors.As(err, &field) && field.Code == wire.FieldOutOfRange {
		return wire.ResultOutOfRange, field.Error()
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return wire.ResultOutcomeUnknown, "OctoPrint has not answered in time"
	}
	return wire.ResultFailed, err.Error()
}

func (d *Dispatcher) end(id string, code wire.ResultCode, text string) {
	text, _ = wire.CleanText(text, 300)
	r := wire.CommandResult{ID: id, OK: code == wire.ResultDone, Code: code, Message: text}
	if now, known := d.Clock(); known {
		r.At = float64(now.UnixMilli()) / 1000
	}
	if err := d.Journal.End(r); err != nil {
		d.Log.Error("an answer was not written down", "trouble", "disk_write", "error", fmt.Errorf("%s: %w", code, err))
	}
}

// Package transfer carries files between the server and OctoPrint. What is to be carried is written down before it is
// begun, and how far it is with each step, so that an agent that is killed goes on where it was: nothing is fetched twice,
// nothing printed twice.
package transfer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/durable"
	"github.com/kangbyounggwan/factor/internal/agent/octoprint"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// OctoPrint is what files are brought to and taken from. octoprint.Client is one.
type OctoPrint interface {
	Taken(ctx context.Context, name string) (bool, error)
	File(ctx context.Context, origin, path string) (*octoprint.FileInfo, error)
	Upload(ctx context.Context, origin, name string, size int64, content io.Reader) (path string, err error)
	Card(ctx context.Context) ([]wire.DeviceFile, error)
	Start(ctx context.Context, origin, path string) error
	Activity(ctx context.Context) (octoprint.Activity, error)
	Download(ctx context.Context, f *octoprint.FileInfo, from int64) (body io.ReadCloser, begins int64, err error)
}

// Times that tests shorten.
var (
	firstRetry   = time.Second
	longestRetry = 30 * time.Second
	patience     = time.Minute // in which a body must bring something
	giveUp       = time.Hour   // without a byte, as the server does
	pollEvery    = 2 * time.Second
	listedWithin = time.Minute // that a file is on the SD card until OctoPrint lists it there
)

const (
	spare     = 64 << 20 // bytes that stay free on the disk
	tellEvery = 500 * time.Millisecond
	maxJobs   = 50
)

// Carrier does one transfer after the other. Fill in the exported fields, then Initialize; Run works until its context
// ends. mu guards what follows it.
type Carrier struct {
	Dir       string           // of what is under way
	Server    string           // its URL
	Client    *http.Client     // that trusts the server
	UUID      string           // of the device
	Token     string           // of the device
	OctoPrint func() OctoPrint // nil: there is none at the moment
	Free      func(dir string) (int64, error)
	Log       *slog.Logger

	work chan struct{} // capacity 1
	more chan struct{} // capacity 1: there is something to tell

	mu     sync.Mutex
	jobs   []*job // in the order they came
	untold map[string]wire.Transfer
	order  []string
}

// job is a transfer as it is written down.
type job struct {
	ID     string             `json:"id"`
	Fetch  *wire.FetchFile    `json:"fetch,omitzero"`
	Send   *wire.SendFile     `json:"send,omitzero"`
	Origin string             `json:"origin,omitzero"` // of Send
	Path   string             `json:"path,omitzero"`   // of Send; where OctoPrint has it, of Fetch
	Name   string             `json:"name,omitzero"`   // that it is uploaded under
	Card   []string           `json:"card,omitempty"`  // what the SD card had before
	SHA1   string             `json:"sha1,omitzero"`
	Again  bool               `json:"again,omitzero"` // it came damaged once
	Stage  wire.TransferStage `json:"stage"`
	End    *wire.Transfer     `json:"end,omitzero"` // what the server has not acknowledged
}

// failure is why a transfer ended without success: a code of wire.Transfer, and an error whose text is for people.
type failure struct {
	code string
	error
}

func (f *failure) Unwrap() error { return f.error }

func failed(code, format string, args ...any) error {
	return &failure{code, fmt.Errorf(format, args...)}
}

// Initialize reads what was under way.
func (c *Carrier) Initialize() error {
	if c.Free == nil {
		c.Free = free
	}
	c.work, c.more, c.untold = make(chan struct{}, 1), make(chan struct{}, 1), map[string]wire.Transfer{}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return fmt.Errorf("make the folder of transfers: %w", err)
	}
	entries, err := os.ReadDir(c.Dir)
	if err != nil {
		return fmt.Errorf("read the transfers: %w", err)
	}
	known := map[string]bool{}
	type dated struct {
		job *job
		at  time.Time
	}
	var list []dated
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".json") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(c.Dir, e.Name()))
		j := &job{}
		if err != nil || json.Unmarshal(b, j) != nil || j.ID+".json" != e.Name() || (j.Fetch == nil) == (j.Send == nil) {
			c.Log.Warn("what was written down of a transfer cannot be read", "trouble", "disk_read", "file", e.Name(), "error", err)
			os.Remove(filepath.Join(c.Dir, e.Name()))
			continue
		}
		at := time.Time{}
		if info, err := e.Info(); err == nil {
			at = info.ModTime()
		}
		known[j.ID] = true
		list = append(list, dated{j, at})
	}
	slices.SortFunc(list, func(a, b dated) int { return a.at.Compare(b.at) })
	for _, d := range list {
		c.jobs = append(c.jobs, d.job)
		if d.job.End != nil {
			c.tell(*d.job.End)
		}
	}
	for _, e := range entries { // what belongs to nothing that is written down
		if ext := filepath.Ext(e.Name()); (ext == ".part" || ext == otherPrint) && !known[strings.TrimSuffix(e.Name(), ext)] {
			os.Remove(filepath.Join(c.Dir, e.Name()))
		}
	}
	nudge(c.work)
	return nil
}

// Fetch takes the task to fetch a file. It returns once that is written down.
func (c *Carrier) Fetch(_ context.Context, f wire.FetchFile) error {
	if err := wire.CheckFileName(f.Name); err != nil {
		return fmt.Errorf("the file's name: %w", err)
	}
	return c.take(&job{ID: f.Transfer, Fetch: &f, Stage: wire.TransferWaiting})
}

// Send takes the task to send a file of OctoPrint's. It returns once that is written down.
func (c *Carrier) Send(_ context.Context, origin, path string, to wire.SendFile) error {
	return c.take(&job{ID: to.Transfer, Send: &to, Origin: origin, Path: path, Stage: wire.TransferWaiting})
}

func (c *Carrier) take(j *job) error {
	if j.ID == "" || strings.ContainsAny(j.ID, `/\.`) {
		return errors.New("a transfer without a proper id")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, other := range c.jobs {
		if other.ID == j.ID {
			return nil // said twice
		}
	}
	if len(c.jobs) >= maxJobs {
		return errors.New("too many files wait already")
	}
	if err := c.save(j); err != nil {
		return err
	}
	c.jobs = append(c.jobs, j)
	nudge(c.work)
	return nil
}

func (c *Carrier) save(j *job) error {
	b, err := json.Marshal(j)
	if err == nil {
		err = durable.WriteFile(c.file(j, ".json"), b)
	}
	if err != nil {
		return fmt.Errorf("write a transfer down: %w", err)
	}
	return nil
}

func (c *Carrier) file(j *job, extension string) string {
	return filepath.Join(c.Dir, j.ID+extension)
}

// Run carries until ctx ends.
func (c *Carrier) Run(ctx context.Context) {
	for ctx.Err() == nil {
		j := c.next()
		if j == nil {
			select {
			case <-ctx.Done():
			case <-c.work:
			}
			continue
		}
		c.carry(ctx, j)
	}
}

// next gives the transfer that has not ended and came first.
func (c *Carrier) next() *job {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, j := range c.jobs {
		if j.End == nil {
			return j
		}
	}
	return nil
}

// carry does a transfer to its end, or until ctx ends.
func (c *Carrier) carry(ctx context.Context, j *job) {
	var err error
	if j.Fetch != nil {
		err = c.bring(ctx, j)
	} else {
		err = c.give(ctx, j)
	}
	if ctx.Err() != nil {
		return // the next run goes on with it
	}
	end := wire.Transfer{ID: j.ID, Stage: wire.TransferDone, Path: j.Path}
	if err != nil {
		f, ok := errors.AsType[*failure](err)
		if !ok {
			f = &failure{"failed", err}
		}
		end = wire.Transfer{ID: j.ID, Stage: wire.TransferFailed, Code: f.code, Message: f.Error()}
		c.Log.Warn("a file was not carried", "trouble", "file_not_carried", "code", f.code, "error", f)
	}
	os.Remove(c.file(j, ".part"))
	c.mu.Lock()
	os.Remove(c.file(j, otherPrint))
	j.End = &end
	err = c.save(j)
	c.mu.Unlock()
	if err != nil {
		c.Log.Warn("the end of a transfer could not be written down", "trouble", "disk_write", "error", err)
	}
	c.tell(end)
}

// stage goes on to the next part of a transfer, written down.
func (c *Carrier) stage(j *job, s wire.TransferStage) error {
	j.Stage = s
	if err := c.save(j); err != nil {
		return failed("no_space", "the device's disk does not take what must be written down: %w", err)
	}
	c.tell(wire.Transfer{ID: j.ID, Stage: s, Total: j.total()})
	return nil
}

func (j *job) total() int64 {
	if j.Fetch != nil {
		return j.Fetch.Size
	}
	return 0
}

// tell has the server hear of a transfer; the newest word on each counts.
func (c *Carrier) tell(t wire.Transfer) {
	c.mu.Lock()
	if _, waits := c.untold[t.ID]; !waits {
		c.order = append(c.order, t.ID)
	}
	c.untold[t.ID] = t
	c.mu.Unlock()
	nudge(c.more)
}

// More says that there is something to tell the server.
func (c *Carrier) More() <-chan struct{} { return c.more }

// Untold gives what is to be told the server, taking it off the list but for ends, which stay until Told.
func (c *Carrier) Untold() []wire.Transfer {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []wire.Transfer
	kept := c.order[:0]
	for _, id := range c.order {
		t := c.untold[id]
		list = append(list, t)
		if t.Stage == wire.TransferDone || t.Stage == wire.TransferFailed {
			kept = append(kept, id)
			continue
		}
		delete(c.untold, id)
	}
	c.order = kept
	return list
}

// Told says that the server has the end of a transfer.
func (c *Carrier) Told(t wire.Transfer) {
	if t.Stage != wire.TransferDone && t.Stage != wire.TransferFailed {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.untold, t.ID)
	c.order = slices.DeleteFunc(c.order, func(id string) bool { return id == t.ID })
	c.jobs = slices.DeleteFunc(c.jobs, func(j *job) bool {
		if j.ID != t.ID || j.End == nil {
			return false
		}
		os.Remove(c.file(j, ".json"))
		return true
	})
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// pause waits a moment longer with each failure.
func pause(ctx context.Context, failures int) {
	wait := min(firstRetry<<min(failures, 5), longestRetry)
	select {
	case <-ctx.Done():
	case <-time.After(wait):
	}
}

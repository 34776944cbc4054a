package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"os"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/durable"
	"github.com/kangbyounggwan/factor/internal/agent/job"
	"github.com/kangbyounggwan/factor/internal/agent/local"
	"github.com/kangbyounggwan/factor/internal/agent/octoprint"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// receiver takes what the adapter tells, on the adapter's goroutine.
type receiver struct{ *Agent }

// Changed passes a reading on.
func (r *receiver) Changed(v octoprint.View, urgent bool) {
	v.Snapshot.Job.ID = ""
	if v.Health == octoprint.Connected {
		v.Snapshot.Job.ID = r.jobs.ID()
	}
	r.mu.Lock()
	before := r.view
	r.view, r.jobID = v, r.jobs.ID()
	if before.Health != v.Health {
		r.since = time.Now()
	}
	r.mu.Unlock()
	if before.OctoPrint != v.OctoPrint || before.Python != v.Python || !before.Rights.Same(&v.Rights) {
		r.link.PresenceChanged()
	}
	if before.Health != v.Health && v.Health != octoprint.Connected {
		r.log.Warn("OctoPrint: "+string(v.Health), "trouble", "octoprint_"+string(v.Health), "error", v.Error)
	}
	r.reporter.set(v.Snapshot, urgent)
	r.broker.Set(v.Snapshot, urgent)
}

// Synced finds out what became of a print while nothing was heard of OctoPrint.
func (r *receiver) Synced(ctx context.Context, v octoprint.View) {
	r.jobs.Sync(v.Snapshot, seconds(time.Now()), func(origin, path string) *job.Ended {
		last, err := r.adapter.Load().Client.LastPrint(ctx, origin, path)
		if err != nil {
			r.log.Warn("how the last print ended is not known", "trouble", "print_end_unknown", "error", err)
		}
		if err != nil || last == nil {
			return nil
		}
		return &job.Ended{Success: last.Success, At: last.At, PrintTime: last.PrintTime}
	})
}

// Event queues an event.
func (r *receiver) Event(kind string, at time.Time, data json.RawMessage, v octoprint.View) {
	r.jobs.Event(kind, seconds(at), data, v.Snapshot)
}

// Files sends the file tree unless the server has it already.
func (r *receiver) Files(f wire.Files) {
	payload, err := json.Marshal(f)
	if err != nil || len(payload) > wire.MaxFiles {
		r.log.Warn("the file list is too long to send", "trouble", "files_too_long", "bytes", len(payload), "error", err)
		return
	}
	hash := sha256.Sum256(payload)
	sum := hex.EncodeToString(hash[:])
	r.mu.Lock()
	known := r.filesSum == sum
	r.mu.Unlock()
	if known {
		payload = nil // and takes back another one that still waits
	}
	r.link.Files(payload, sum)
}

// filesSent remembers what the server has, over restarts.
func (a *Agent) filesSent(sum string) {
	a.mu.Lock()
	a.filesSum = sum
	a.mu.Unlock()
	if err := durable.WriteFile(a.Folder.Join("files.sent"), []byte(sum+"\n")); err != nil {
		a.log.Warn("the file list will be sent again after a restart", "trouble", "disk_write", "error", err)
	}
}

// Status tells how the agent is. It may be called from anywhere.
func (a *Agent) Status() local.Status {
	a.mu.Lock()
	v, since, jobID, config := a.view, a.since, a.jobID, a.config
	a.mu.Unlock()
	s := local.Status{Version: a.Version, PID: os.Getpid(), StartedAt: a.started, RSS: local.RSS(),
		UUID: config.UUID, Name: config.Name, Pending: config.Pending,
		Server: local.Server{URL: config.Server, State: a.link.State(), Watched: a.watched.Load()},
		OctoPrint: local.OctoPrint{URL: withoutPassword(config.OctoPrint.URL), Health: string(v.Health), Since: since,
			Version: v.OctoPrint, Error: v.Error},
		Printer: local.Printer{Status: string(v.Snapshot.Status), Text: v.Snapshot.State.Text,
			Completion: v.Snapshot.Progress.Completion, Job: jobID, File: v.Snapshot.Job.File.Path},
		Queue: a.queue.Stats(), Broker: a.broker.State(), Errors: a.complaints.Last()}
	if a.cameras != nil {
		s.Cameras = a.cameras.States()
	}
	if now, known := a.link.Now(); known {
		offset := time.Until(now).Seconds()
		s.Server.Offset = &offset
	}
	return s
}

func withoutPassword(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Redacted()
}

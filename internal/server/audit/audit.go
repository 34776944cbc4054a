// Package audit keeps who did what, from where and with what result: from log-ins to commands to printers.
package audit

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/store"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// Result is how an action ended.
type Result string

// The results.
const (
	OK      Result = "ok"
	Refused Result = "refused" // the right or the proof was missing
	Failed  Result = "failed"  // allowed, but it did not work
)

// Target is what an action was done to.
type Target struct {
	Kind string `json:"kind" doc:"user, session, token, printer, workspace, …"`
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty" doc:"Its name at that time"`
}

// Entry is one thing that somebody did. Actor fields left empty are taken from the context's actor.
type Entry struct {
	WorkspaceID string // whose owners see it; "" is for the administrator only
	ActorID     string
	Actor       string // name at that time
	OnBehalfOf  string
	Via         workspace.Via
	Address     string
	Action      string // noun.verb: session.login, printer.remove
	Target      Target
	Result      Result // "" is OK
	Detail      any    // marshalled to JSON of at most 2 KB; never a secret
}

// Log is the audit. Set the fields before Initialize.
type Log struct {
	DB         *store.DB
	Workspaces *workspace.Service
	Logger     *slog.Logger
	Retention  time.Duration    // entries older than this are deleted; 0 keeps a year
	Now        func() time.Time // nil: time.Now
}

var errSoon = errors.New("not written yet")

// Initialize readies the log.
func (l *Log) Initialize() error { return errSoon }

// Run deletes what is older than the retention, and writes what was counted, until ctx ends.
func (l *Log) Run(ctx context.Context) error { return errSoon }

// Record writes an entry: within tx where one is given, so that it is there exactly when the change is, else on its own.
func (l *Log) Record(ctx context.Context, tx bun.IDB, e Entry) error { return errSoon }

// RecordFailure notes something that anybody can cause as often as he likes. The first of its kind is written at
// once, repetitions are counted and written as one, so that nobody fills the disk by failing.
func (l *Log) RecordFailure(ctx context.Context, e Entry) {}

// WorkspaceChanged records a change of a workspace: what workspace.Service.OnChange is set to.
func (l *Log) WorkspaceChanged(ctx context.Context, tx bun.IDB, c workspace.Change) error { return errSoon }

// Register adds the calls under /api/v1 to api.
func (l *Log) Register(api huma.API) {}

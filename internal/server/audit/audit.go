// Package audit keeps who did what, from where and with what result: from log-ins to commands to printers.
package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
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
	Pending Result = "pending" // begun, and not ended yet: see Finish
	Unknown Result = "unknown" // whether it worked cannot be told
)

const (
	// DefaultRetention is how long entries are kept when nobody says.
	DefaultRetention = 365 * 24 * time.Hour
	// detailLimit is the most bytes of JSON that an entry's detail takes.
	detailLimit = 2048
	// textLimit is the most bytes of a name in an entry.
	textLimit = 300
)

// Target is what an action was done to.
type Target struct {
	Kind string `json:"kind" doc:"user, session, token, printer, workspace, …"`
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty" doc:"Its name at that time"`
}

// Entry is one thing that somebody did. Actor fields left empty are taken from the context's actor.
type Entry struct {
	ID          string // a UUID v7, for Finish; "": made here
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
	Retention  time.Duration    // entries older than this are deleted; 0 is DefaultRetention
	Now        func() time.Time // nil: time.Now

	failures failures
}

// Initialize readies the log.
func (l *Log) Initialize() error {
	if l.DB == nil || l.Workspaces == nil {
		return errors.New("audit: DB and Workspaces are needed")
	}
	if l.Retention < 0 {
		return errors.New("audit: the retention cannot be negative")
	}
	if l.Retention == 0 {
		l.Retention = DefaultRetention
	}
	if l.Now == nil {
		l.Now = time.Now
	}
	if l.Logger == nil {
		l.Logger = slog.Default()
	}
	l.failures.wake = make(chan struct{}, 1)
	return nil
}

type row struct {
	bun.BaseModel `bun:"table:audit"`

	ID          string `bun:",pk"`
	At          int64
	WorkspaceID string
	ActorID     string
	Actor       string
	OnBehalfOf  string
	Via         string
	Address     string
	Action      string
	TargetKind  string
	TargetID    string
	TargetName  string
	Result      Result
	Detail      string
}

// Record writes an entry: within tx where one is given, so that it is there exactly when the change is, else on its own.
func (l *Log) Record(ctx context.Context, tx bun.IDB, e Entry) error {
	r, err := l.newRow(ctx, e)
	if err != nil {
		return err
	}
	if tx != nil {
		return insert(ctx, tx, r)
	}
	return l.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error { return insert(ctx, tx, r) })
}

func insert(ctx context.Context, db bun.IDB, rows ...row) error {
	if _, err := db.NewInsert().Model(&rows).Exec(ctx); err != nil {
		return fmt.Errorf("write the audit: %w", err)
	}
	return nil
}

// Finish says in tx how an entry ended that was recorded as pending.
func (l *Log) Finish(ctx context.Context, tx bun.IDB, id string, result Result, detail any) error {
	_, err := tx.NewUpdate().Model((*row)(nil)).Set("result = ?", result).Set("detail = ?", marshalDetail(detail)).Where("id = ?", id).Exec(ctx)
	if err != nil {
		return fmt.Errorf("finish an entry of the audit: %w", err)
	}
	return nil
}

func (l *Log) newRow(ctx context.Context, e Entry) (row, error) {
	if e.ID == "" {
		id, err := uuid.NewV7()
		if err != nil {
			return row{}, err
		}
		e.ID = id.String()
	}
	a, _ := workspace.ActorFrom(ctx)
	if e.ActorID == "" && e.Actor == "" {
		e.ActorID, e.Actor = a.UserID, a.Name
	}
	if e.Via == "" {
		e.Via = a.Via
	}
	if e.Address == "" {
		e.Address = a.Address
	}
	if e.Result == "" {
		e.Result = OK
	}
	return row{
		ID: e.ID, At: l.Now().UnixMilli(), WorkspaceID: e.WorkspaceID,
		ActorID: e.ActorID, Actor: clip(e.Actor), OnBehalfOf: clip(e.OnBehalfOf), Via: string(e.Via), Address: clip(e.Address),
		Action: e.Action, TargetKind: e.Target.Kind, TargetID: clip(e.Target.ID), TargetName: clip(e.Target.Name),
		Result: e.Result, Detail: marshalDetail(e.Detail),
	}, nil
}

func marshalDetail(detail any) string {
	if detail == nil {
		return ""
	}
	b, err := json.Marshal(detail)
	if err != nil || len(b) > detailLimit {
		return `{"truncated":true}`
	}
	return string(b)
}

// clip shortens text to textLimit bytes without cutting a character.
func clip(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= textLimit {
		return s
	}
	s = s[:textLimit]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s
}

// WorkspaceChanged records a change of a workspace: what workspace.Service.OnChange is set to.
func (l *Log) WorkspaceChanged(ctx context.Context, tx bun.IDB, c workspace.Change) error {
	target := Target{Kind: "workspace", ID: c.WorkspaceID, Name: c.WorkspaceName}
	detail := map[string]string{}
	if c.PersonName != "" || c.PersonID != "" {
		target = Target{Kind: "member", ID: c.PersonID, Name: c.PersonName}
		detail["workspace"] = c.WorkspaceName
	}
	if c.Role != "" {
		detail["role"] = string(c.Role)
	}
	return l.Record(ctx, tx, Entry{WorkspaceID: c.WorkspaceID, Action: c.Action, Target: target, Detail: detail})
}

// DeleteWorkspaces removes the entries of workspaces that are being deleted, in that transaction.
func (l *Log) DeleteWorkspaces(ctx context.Context, tx bun.Tx, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	l.failures.forget(ids)
	if _, err := tx.NewRaw("DELETE FROM audit WHERE workspace_id IN (?)", bun.List(ids)).Exec(ctx); err != nil {
		return fmt.Errorf("delete audit entries: %w", err)
	}
	return nil
}

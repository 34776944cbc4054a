package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"
)

// LogItem is an entry as the API shows it.
type LogItem struct {
	ID         string          `json:"id"`
	At         time.Time       `json:"at"`
	Actor      string          `json:"actor" doc:"Name of who did it, as it was then"`
	ActorID    string          `json:"actor_id,omitempty"`
	OnBehalfOf string          `json:"on_behalf_of,omitempty"`
	Via        string          `json:"via" doc:"session, token, plugin, device, system"`
	Address    string          `json:"address"`
	Action     string          `json:"action"`
	Target     Target          `json:"target"`
	Result     Result          `json:"result" enum:"ok,refused,failed,pending,unknown"`
	Detail     json.RawMessage `json:"detail,omitempty"`
}

// Query is what to list: newest first.
type Query struct {
	WorkspaceIDs []string // entries of these
	Server       bool     // instead: what concerns the server and its accounts, see serverKinds
	TargetID     string   // only what was done to this
	ActorID      string   // only what this one did
	Action       string   // only actions that begin with this
	ID           string   // only this one
	Before       string   // id of an entry: what came before it
	Text         string   // in actor, action, address or target
	Limit        int
}

// serverKinds are the kinds of targets that the administrator sees whatever workspace they belong to. What people do
// with their printers is not among them.
var serverKinds = []string{"user", "session", "token", "invitation", "mail", "server"}

// LogPage is one page of entries. Next is what Before is for the following one, "" on the last.
type LogPage struct {
	Items []LogItem `json:"items"`
	Next  string    `json:"next,omitempty"`
}

// List gives entries, newest first.
func (l *Log) List(ctx context.Context, q Query) (LogPage, error) {
	page := LogPage{Items: []LogItem{}}
	var rows []row
	sel := l.DB.Read.NewSelect().Model(&rows).Order("id DESC").Limit(int64(q.Limit) + 1)
	switch {
	case q.Server:
		sel = sel.Where("(workspace_id = '' OR target_kind IN (?))", bun.List(serverKinds))
	case len(q.WorkspaceIDs) == 0:
		return page, nil
	default:
		sel = sel.Where("workspace_id IN (?)", bun.List(q.WorkspaceIDs))
	}
	for column, value := range map[string]string{"target_id": q.TargetID, "actor_id": q.ActorID, "id": q.ID} {
		if value != "" {
			sel = sel.Where("? = ?", bun.Ident(column), value)
		}
	}
	if q.Action != "" {
		sel = sel.Where("substr(action, 1, ?) = ?", len(q.Action), q.Action)
	}
	if q.Before != "" {
		sel = sel.Where("id < ?", q.Before)
	}
	if q.Text != "" {
		like := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(q.Text) + "%"
		sel = sel.Where(`(actor LIKE ?0 ESCAPE '\' OR action LIKE ?0 ESCAPE '\' OR address LIKE ?0 ESCAPE '\' OR target_name LIKE ?0 ESCAPE '\')`, like)
	}
	if err := sel.Scan(ctx); err != nil {
		return page, fmt.Errorf("list the audit: %w", err)
	}
	if len(rows) > q.Limit {
		rows = rows[:q.Limit]
		page.Next = rows[q.Limit-1].ID
	}
	for _, r := range rows {
		page.Items = append(page.Items, r.item())
	}
	return page, nil
}

func (r row) item() LogItem {
	i := LogItem{
		ID: r.ID, At: time.UnixMilli(r.At).UTC(), Actor: r.Actor, ActorID: r.ActorID, OnBehalfOf: r.OnBehalfOf, Via: r.Via,
		Address: r.Address, Action: r.Action, Target: Target{Kind: r.TargetKind, ID: r.TargetID, Name: r.TargetName}, Result: r.Result,
	}
	if r.Detail != "" {
		i.Detail = json.RawMessage(r.Detail)
	}
	return i
}

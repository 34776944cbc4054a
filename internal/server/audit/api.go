package audit

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// Register adds the calls under /api/v1 to api.
func (l *Log) Register(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "list-audit", Method: http.MethodGet, Path: "/api/v1/audit", Tags: []string{"Audit"},
		Summary:  "What was done in the workspaces that you own, newest first",
		Security: []map[string][]string{{"session": {}}, {"token": {}}},
		Metadata: map[string]any{"access": "user"},
	}, l.apiList)
	huma.Register(api, huma.Operation{
		OperationID: "export-audit", Method: http.MethodGet, Path: "/api/v1/audit.csv", Tags: []string{"Audit"},
		Summary:  "The same as CSV, all of it",
		Security: []map[string][]string{{"session": {}}, {"token": {}}},
		Metadata: map[string]any{"access": "user"},
	}, l.apiExport)
	huma.Register(api, huma.Operation{
		OperationID: "list-server-audit", Method: http.MethodGet, Path: "/api/v1/admin/audit", Tags: []string{"Administration"},
		Summary:  "What was done with accounts and the server, newest first; what happens within people's workspaces is theirs",
		Security: []map[string][]string{{"session": {}}, {"token": {}}},
		Metadata: map[string]any{"access": "admin"},
	}, l.apiAdminList)
}

// Filter narrows a list of entries. It is exported because huma looks into no other embedded type.
type Filter struct {
	ActorID   string `query:"actor_id" maxLength:"64" doc:"Only what this account did"`
	PrinterID string `query:"printer_id" maxLength:"64" doc:"Only what was done to this printer: its id, not its device's UUID"`
	Action    string `query:"action" maxLength:"64" doc:"Only actions that begin with this, such as command."`
}

// owned is the query of what the context's actor may see as an owner.
func (l *Log) owned(ctx context.Context, f Filter) (Query, error) {
	actor, err := workspace.RequireUser(ctx)
	if err != nil {
		return Query{}, err
	}
	mine, err := l.Workspaces.VisibleWorkspaces(ctx, actor)
	if err != nil {
		return Query{}, err
	}
	q := Query{WorkspaceIDs: []string{}, ActorID: f.ActorID, TargetID: f.PrinterID, Action: f.Action}
	for _, w := range mine {
		if w.Role == workspace.RoleOwner {
			q.WorkspaceIDs = append(q.WorkspaceIDs, w.ID)
		}
	}
	return q, nil
}

func (l *Log) apiList(ctx context.Context, in *struct {
	Before string `query:"before" maxLength:"64" doc:"The next of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Filter
}) (*struct{ Body LogPage }, error) {
	q, err := l.owned(ctx, in.Filter)
	if err != nil {
		return nil, err
	}
	q.Before, q.Limit = in.Before, in.Limit
	page, err := l.List(ctx, q)
	return &struct{ Body LogPage }{page}, err
}

func (l *Log) apiExport(ctx context.Context, in *struct{ Filter }) (*huma.StreamResponse, error) {
	q, err := l.owned(ctx, in.Filter)
	if err != nil {
		return nil, err
	}
	return l.StreamCSV(q, true, "factor-audit.csv"), nil
}

// StreamCSV answers a call with an export.
func (l *Log) StreamCSV(q Query, addresses bool, name string) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(c huma.Context) {
		c.SetHeader("Content-Type", "text/csv; charset=utf-8; header=present")
		c.SetHeader("Content-Disposition", `attachment; filename="`+name+`"`)
		c.SetHeader("Cache-Control", "no-store")
		if err := l.ExportCSV(c.Context(), c.BodyWriter(), q, addresses); err != nil && c.Context().Err() == nil {
			l.Logger.Error("an export ended early", "error", err)
		}
	}}
}

func (l *Log) apiAdminList(ctx context.Context, in *struct {
	Before string `query:"before" maxLength:"64" doc:"The next of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Text   string `query:"q" maxLength:"100" doc:"Part of an actor, action, address or target"`
}) (*struct{ Body LogPage }, error) {
	if _, err := workspace.RequireAdmin(ctx); err != nil {
		return nil, err
	}
	page, err := l.List(ctx, Query{Server: true, Before: in.Before, Text: in.Text, Limit: in.Limit})
	return &struct{ Body LogPage }{page}, err
}

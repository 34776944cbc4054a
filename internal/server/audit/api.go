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
		OperationID: "list-server-audit", Method: http.MethodGet, Path: "/api/v1/admin/audit", Tags: []string{"Administration"},
		Summary:  "What was done with accounts and the server, newest first; what happens within people's workspaces is theirs",
		Security: []map[string][]string{{"session": {}}, {"token": {}}},
		Metadata: map[string]any{"access": "admin"},
	}, l.apiAdminList)
}

type paging struct {
	Before string `query:"before" maxLength:"64" doc:"The next of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (l *Log) apiList(ctx context.Context, in *paging) (*struct{ Body LogPage }, error) {
	actor, err := workspace.RequireUser(ctx)
	if err != nil {
		return nil, err
	}
	mine, err := l.Workspaces.VisibleWorkspaces(ctx, actor)
	if err != nil {
		return nil, err
	}
	ids := []string{}
	for _, w := range mine {
		if w.Role == workspace.RoleOwner {
			ids = append(ids, w.ID)
		}
	}
	page, err := l.List(ctx, Query{WorkspaceIDs: ids, Before: in.Before, Limit: in.Limit})
	return &struct{ Body LogPage }{page}, err
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

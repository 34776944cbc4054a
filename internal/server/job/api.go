package job

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// Register adds the calls under /api/v1 to api.
func (s *Service) Register(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "list-jobs", Method: http.MethodGet, Path: "/api/v1/printers/{uuid}/jobs",
		Summary: "A printer's prints, the newest first", Tags: []string{"Printers"},
		Security: []map[string][]string{{"session": {}}, {"token": {}}}, Metadata: map[string]any{"access": "member"},
	}, s.apiList)
}

type jobList struct {
	Body struct {
		Items []Job      `json:"items"`
		Next  *time.Time `json:"next,omitempty" doc:"There are older ones: ask again with this as before"`
	}
}

func (s *Service) apiList(ctx context.Context, in *struct {
	UUID   string    `path:"uuid" maxLength:"64" doc:"UUID of the printer's device"`
	Before time.Time `query:"before" doc:"Only prints that began before this"`
	Limit  int       `query:"limit" minimum:"1" maximum:"200" default:"50"`
}) (*jobList, error) {
	id, _, err := s.Printers.Authorize(ctx, in.UUID, workspace.PrinterView)
	if err != nil {
		return nil, err
	}
	list, more, err := s.Jobs(ctx, id, in.Before, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &jobList{}
	out.Body.Items = list
	if more {
		out.Body.Next = &list[len(list)-1].StartedAt
	}
	return out, nil
}

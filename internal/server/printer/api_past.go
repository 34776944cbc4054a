package printer

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// registerPast adds the calls about what was.
func (s *Service) registerPast(api huma.API) {
	huma.Register(api, op("list-events", http.MethodGet, "/api/v1/printers/{uuid}/events", "member",
		"What happened to a printer: the newest first, or with after what came since, oldest first"), s.apiEvents)
	huma.Register(api, op("get-history", http.MethodGet, "/api/v1/printers/{uuid}/history", "member",
		"Temperatures, progress and status of a span of time, as columns"), s.apiHistory)
	huma.Register(api, op("list-device-files", http.MethodGet, "/api/v1/printers/{uuid}/files", "member",
		"The files on the printer's own device, as it last said"), s.apiFiles)
}

func (s *Service) apiEvents(ctx context.Context, in *struct {
	PrinterPath
	After  string `query:"after" maxLength:"64" doc:"Id of an event: only what was stored after it, oldest first"`
	Before string `query:"before" maxLength:"64" doc:"Id of an event: only what was stored before it"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
}) (*struct {
	Body struct {
		Items []Event `json:"items"`
		Next  string  `json:"next,omitempty" doc:"There is more: ask again with this as after or before"`
	}
}, error) {
	id, _, err := s.Authorize(ctx, in.UUID, workspace.PrinterView)
	if err != nil {
		return nil, err
	}
	list, more, err := s.Events(ctx, id, EventPage{After: in.After, Before: in.Before, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &struct {
		Body struct {
			Items []Event `json:"items"`
			Next  string  `json:"next,omitempty" doc:"There is more: ask again with this as after or before"`
		}
	}{}
	out.Body.Items = list
	if more {
		out.Body.Next = list[len(list)-1].ID
	}
	return out, nil
}

// defaultSpan is how much of the past is shown when nobody says from when on.
const defaultSpan = time.Hour

func (s *Service) apiHistory(ctx context.Context, in *struct {
	PrinterPath
	From time.Time `query:"from" doc:"Default: an hour before to"`
	To   time.Time `query:"to" doc:"Default: now"`
	Step int64     `query:"step" enum:"0,10,60,600" doc:"s between two places; default: the finest that fits"`
}) (*struct{ Body History }, error) {
	id, _, err := s.Authorize(ctx, in.UUID, workspace.PrinterView)
	if err != nil {
		return nil, err
	}
	if in.To.IsZero() {
		in.To = s.now()
	}
	if in.From.IsZero() {
		in.From = in.To.Add(-defaultSpan)
	}
	h, err := s.History(ctx, id, in.From, in.To, in.Step)
	return &struct{ Body History }{h}, err
}

func (s *Service) apiFiles(ctx context.Context, in *PrinterPath) (*struct{ Body FileTree }, error) {
	id, _, err := s.Authorize(ctx, in.UUID, workspace.PrinterView)
	if err != nil {
		return nil, err
	}
	tree, err := s.FileTree(ctx, id)
	return &struct{ Body FileTree }{tree}, err
}

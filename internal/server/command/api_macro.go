package command

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

func (s *Service) registerMacros(api huma.API) {
	huma.Register(api, op("list-macros", http.MethodGet, "/api/v1/workspaces/{id}/macros", "A workspace's macros: named lists of G-code lines"),
		func(ctx context.Context, in *workspacePath) (*list[Macro], error) {
			return listed(s.Macros(ctx, in.ID))
		})
	huma.Register(api, roomy(op("set-macros", http.MethodPut, "/api/v1/workspaces/{id}/macros", "Replace the list of a workspace's macros")),
		func(ctx context.Context, in *struct {
			ID   string `path:"id" maxLength:"64"`
			Body struct {
				Items []Macro `json:"items" maxItems:"1000"`
			}
		}) (*list[Macro], error) {
			return listed(s.SetMacros(ctx, in.ID, in.Body.Items))
		})
	huma.Register(api, op("list-presets", http.MethodGet, "/api/v1/workspaces/{id}/presets", "A workspace's temperature presets"),
		func(ctx context.Context, in *workspacePath) (*list[Preset], error) {
			return listed(s.Presets(ctx, in.ID))
		})
	huma.Register(api, op("set-presets", http.MethodPut, "/api/v1/workspaces/{id}/presets", "Replace the list of a workspace's temperature presets"),
		func(ctx context.Context, in *struct {
			ID   string `path:"id" maxLength:"64"`
			Body struct {
				Items []Preset `json:"items" maxItems:"1000"`
			}
		}) (*list[Preset], error) {
			return listed(s.SetPresets(ctx, in.ID, in.Body.Items))
		})
	run := op("run-macro", http.MethodPost, "/api/v1/printers/{uuid}/macros/{id}/run",
		"Have a printer do a macro of its workspace, line by line until one is refused")
	huma.Register(api, run, func(ctx context.Context, in *struct {
		UUID string `path:"uuid" maxLength:"64" doc:"UUID of the printer's device"`
		ID   string `path:"id" maxLength:"64" doc:"Of the macro"`
		Key  string `header:"Idempotency-Key" doc:"Of the click, as with give-command"`
	}) (*outcomeAnswer, error) {
		return answer(s.RunMacro(ctx, in.UUID, in.ID, in.Key))
	})
}

type workspacePath struct {
	ID string `path:"id" maxLength:"64"`
}

type list[T any] struct {
	Body struct {
		Items []T `json:"items"`
	}
}

func listed[T any](items []T, err error) (*list[T], error) {
	out := &list[T]{}
	if out.Body.Items = items; items == nil {
		out.Body.Items = []T{}
	}
	return out, err
}

// roomy lets a list of 50 macros of 100 lines in.
func roomy(o huma.Operation) huma.Operation {
	o.MaxBodyBytes = 2 << 20
	return o
}

package printer

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// Register adds the calls under /api/v1 to api.
func (s *Service) Register(api huma.API) {
	huma.Register(api, op("list-printers", http.MethodGet, "/api/v1/printers", "plugin",
		"Every printer that you may see, with its state"), s.apiList)
	huma.Register(api, op("register-printer", http.MethodPost, "/api/v1/printers", "plugin",
		"Make a printer (201, with its device's token, shown this once), or complete the one that its device registered (200)"), s.apiRegister)
	huma.Register(api, op("get-printer", http.MethodGet, "/api/v1/printers/{uuid}", "member",
		"A printer with its state"), s.apiGet)
	huma.Register(api, op("edit-printer", http.MethodPatch, "/api/v1/printers/{uuid}", "member",
		"Change a printer's name, description or ways to log in"), s.apiEdit)
	huma.Register(api, none(op("remove-printer", http.MethodDelete, "/api/v1/printers/{uuid}", "member",
		"Remove a printer and its past; its device is sent off")), s.apiRemove)
	huma.Register(api, op("new-device-token", http.MethodPost, "/api/v1/printers/{uuid}/token", "plugin",
		"Make a new token for the printer's device; the old one ends"), s.apiToken)
	huma.Register(api, op("replace-device", http.MethodPost, "/api/v1/printers/{uuid}/replace", "member",
		"Put another device in the place of a printer's: the printer keeps its past. A device of the same account that waits "+
			"to be completed keeps its token; another gets one"), s.apiReplace)
	huma.Register(api, op("list-cameras", http.MethodGet, "/api/v1/printers/{uuid}/cameras", "member",
		"A printer's cameras; owners see their addresses"), s.apiCameras)
	huma.Register(api, op("set-cameras", http.MethodPut, "/api/v1/printers/{uuid}/cameras", "member",
		"Replace the list of a printer's cameras"), s.apiSetCameras)
	huma.Register(api, none(op("acknowledge-attention", http.MethodPost, "/api/v1/printers/{uuid}/attention/ack", "member",
		"Say that you have seen that the last print failed")), s.apiAcknowledge)
	s.registerTransfer(api)
	s.registerPast(api)
}

func op(id, method, path, access, summary string) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"Printers"},
		Security: []map[string][]string{{"session": {}}, {"token": {}}},
		Metadata: map[string]any{"access": access}, MaxBodyBytes: 64 << 10,
	}
}

func none(o huma.Operation) huma.Operation {
	o.DefaultStatus = http.StatusNoContent
	return o
}

// PrinterPath is the part of a path that names a printer. It is exported because huma looks into no other embedded type.
type PrinterPath struct {
	UUID string `path:"uuid" maxLength:"64" doc:"UUID of the printer's device"`
}

type viewBody struct{ Body View }

func (s *Service) apiList(ctx context.Context, _ *struct{}) (*struct {
	Body struct {
		Items []View `json:"items"`
	}
}, error) {
	actor, err := workspace.RequireAccount(ctx)
	if err != nil {
		return nil, err
	}
	visible, err := s.roles(ctx, actor)
	if err != nil {
		return nil, err
	}
	out := &struct {
		Body struct {
			Items []View `json:"items"`
		}
	}{}
	out.Body.Items = []View{}
	plugin := actor.Via == workspace.ViaPlugin // which learns what there is, and no password of a camera
	for _, t := range s.twins() {
		t.mu.Lock()
		if role, ok := visible[t.printer.WorkspaceID]; ok && !t.gone {
			v := s.view(t, role)
			if plugin {
				v.Cameras = shownCameras(v.Cameras, false)
			}
			out.Body.Items = append(out.Body.Items, v)
		}
		t.mu.Unlock()
	}
	// The order of registration: it does not change while one looks.
	slices.SortFunc(out.Body.Items, func(a, b View) int {
		if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out, nil
}

// roles gives the actor's role in each workspace that he may see.
func (s *Service) roles(ctx context.Context, actor workspace.Actor) (map[string]workspace.Role, error) {
	list, err := s.Access.VisibleWorkspaces(ctx, actor)
	if err != nil {
		return nil, err
	}
	if actor.Via == workspace.ViaPlugin {
		list = slices.DeleteFunc(list, func(w workspace.Workspace) bool { return !w.Personal })
	}
	s.learnNames(list)
	roles := make(map[string]workspace.Role, len(list))
	for _, w := range list {
		roles[w.ID] = w.Role
	}
	return roles, nil
}

// viewFor gives a printer as the context's actor sees it.
func (s *Service) viewFor(ctx context.Context, uuid string) (View, error) {
	t, err := s.find(ctx, uuid, workspace.PrinterView)
	if err != nil {
		return View{}, err
	}
	return s.viewOf(ctx, t)
}

// viewOf gives a printer that the context's actor is known to be allowed to see.
func (s *Service) viewOf(ctx context.Context, t *twin) (View, error) {
	actor, _ := workspace.ActorFrom(ctx)
	roles, err := s.roles(ctx, actor)
	if err != nil {
		return View{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return s.view(t, roles[t.printer.WorkspaceID]), nil
}

func (s *Service) apiGet(ctx context.Context, in *PrinterPath) (*viewBody, error) {
	v, err := s.viewFor(ctx, in.UUID)
	return &viewBody{v}, err
}

// Made is a printer, with its device's token when that was made by this very call.
type Made struct {
	View
	DeviceToken string `json:"device_token,omitempty" doc:"The password of the device, whose user name is the UUID. Shown this once"`
}

func (s *Service) apiRegister(ctx context.Context, in *struct {
	Body struct {
		UUID        string   `json:"uuid" maxLength:"64" doc:"Of the device: RFC 4122 version 4, lower case"`
		Name        string   `json:"name" maxLength:"400"`
		Description string   `json:"description,omitempty" maxLength:"8000"`
		UUIDLogin   *bool    `json:"uuid_login,omitempty" doc:"Let it connect by its UUID alone"`
		Pending     bool     `json:"pending,omitempty" doc:"The device itself asks; its owner completes the printer later"`
		WorkspaceID string   `json:"workspace_id,omitempty" maxLength:"64" doc:"Default: your own"`
		Cameras     []Camera `json:"cameras,omitempty" maxItems:"64" doc:"Of a new printer, or of one that has none and whose device asks again"`
	}
}) (*struct {
	Status int
	Body   Made
}, error) {
	actor, err := workspace.RequireAccount(ctx)
	if err != nil {
		return nil, err
	}
	done, err := s.Enrol(ctx, actor, Registration{UUID: in.Body.UUID, Name: in.Body.Name, Description: in.Body.Description,
		UUIDLogin: in.Body.UUIDLogin, Pending: in.Body.Pending, WorkspaceID: in.Body.WorkspaceID,
		Cameras: in.Body.Cameras})
	if err != nil {
		return nil, err
	}
	t := s.twin(done.UUID)
	if t == nil {
		return nil, ErrNotFound // removed since
	}
	v, err := s.viewOf(ctx, t)
	if err != nil {
		return nil, err
	}
	out := &struct {
		Status int
		Body   Made
	}{Status: http.StatusOK, Body: Made{View: v, DeviceToken: done.Token}}
	if done.Created {
		out.Status = http.StatusCreated
	}
	return out, nil
}

func (s *Service) apiEdit(ctx context.Context, in *struct {
	PrinterPath
	Body struct {
		Name        *string `json:"name,omitempty" maxLength:"400"`
		Description *string `json:"description,omitempty" maxLength:"8000"`
		UUIDLogin   *bool   `json:"uuid_login,omitempty"`
	}
}) (*viewBody, error) {
	if err := s.Edit(ctx, in.UUID, Edit{Name: in.Body.Name, Description: in.Body.Description, UUIDLogin: in.Body.UUIDLogin}); err != nil {
		return nil, err
	}
	v, err := s.viewFor(ctx, in.UUID)
	return &viewBody{v}, err
}

func (s *Service) apiRemove(ctx context.Context, in *PrinterPath) (*struct{}, error) {
	return nil, s.Remove(ctx, in.UUID)
}

type tokenBody struct {
	Body struct {
		DeviceToken string `json:"device_token,omitempty" doc:"Shown this once"`
	}
}

func (s *Service) apiToken(ctx context.Context, in *PrinterPath) (*tokenBody, error) {
	out := &tokenBody{}
	var err error
	out.Body.DeviceToken, err = s.NewToken(ctx, in.UUID)
	return out, err
}

func (s *Service) apiReplace(ctx context.Context, in *struct {
	PrinterPath
	Body struct {
		UUID string `json:"uuid" maxLength:"64" doc:"Of the new device"`
	}
}) (*tokenBody, error) {
	out := &tokenBody{}
	var err error
	out.Body.DeviceToken, err = s.Replace(ctx, in.UUID, in.Body.UUID)
	return out, err
}

type cameraList struct {
	Body struct {
		Items      []Camera `json:"items"`
		UplinkKbps int      `json:"uplink_kbps,omitempty" doc:"What they may take of the printer's uplink together, kbit/s; none: as much as they like"`
	}
}

func (s *Service) apiCameras(ctx context.Context, in *PrinterPath) (*cameraList, error) {
	v, err := s.viewFor(ctx, in.UUID)
	out := &cameraList{}
	out.Body.Items, out.Body.UplinkKbps = v.Cameras, v.UplinkKbps
	return out, err
}

func (s *Service) apiSetCameras(ctx context.Context, in *struct {
	PrinterPath
	Body struct {
		Items      []Camera `json:"items" maxItems:"64"`
		UplinkKbps *int     `json:"uplink_kbps,omitempty" doc:"What they may take of the printer's uplink together, 100…50000 kbit/s; 0: as much as they like; left away: as it was"`
	}
}) (*cameraList, error) {
	if err := s.SetCameras(ctx, in.UUID, in.Body.Items, in.Body.UplinkKbps); err != nil {
		return nil, err
	}
	return s.apiCameras(ctx, &in.PrinterPath)
}

func (s *Service) apiAcknowledge(ctx context.Context, in *PrinterPath) (*struct{}, error) {
	return nil, s.Acknowledge(ctx, in.UUID)
}

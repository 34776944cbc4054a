package printer

import (
	"context"
	stdjson "encoding/json" // the form of problems and lists, as huma writes them
	"errors"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// The 1.x plugin's own calls, as its README shows them. They carry an access token that is good for these calls only.

type pluginItem struct {
	DeviceUUID string `json:"device_uuid"`
	Model      string `json:"model"`
	Name       string `json:"name"`
}

// PluginSummary answers GET /api/printers/summary: the account's devices, so that the plugin can take one's UUID again.
func (s *Service) PluginSummary(w http.ResponseWriter, r *http.Request) {
	actor, err := pluginActor(r.Context())
	if err != nil {
		s.refuse(w, err)
		return
	}
	own, err := s.Access.Personal(r.Context(), actor.UserID)
	if err == nil {
		err = s.Access.Can(r.Context(), actor, workspace.PrinterView, workspace.Target{WorkspaceID: own.ID})
	}
	if err != nil {
		s.refuse(w, err)
		return
	}
	items := []pluginItem{}
	for _, t := range s.inWorkspaces([]string{own.ID}) {
		t.mu.Lock()
		item := pluginItem{DeviceUUID: t.device.UUID, Model: t.snap.Connection.Profile.Model, Name: t.printer.Name}
		t.mu.Unlock()
		if item.Model == "" {
			item.Model = item.Name
		}
		items = append(items, item)
	}
	answer(w, http.StatusOK, map[string]any{"items": items})
}

// pluginActor gives who calls: the plugin by its access token, which is good for these calls and nothing else, or an
// account's API token. The web server lets nobody else through.
func pluginActor(ctx context.Context) (workspace.Actor, error) {
	actor, ok := workspace.ActorFrom(ctx)
	if !ok {
		return actor, problem.ErrNotSignedIn
	}
	return actor, nil
}

// pluginRegistration is the part of the plugin's registration that means something here.
type pluginRegistration struct {
	Payload pluginPayload `json:"payload"`
}

type pluginPayload struct {
	Client struct {
		UUID string `json:"uuid"`
	} `json:"client"`
	Printer struct {
		Connection jsontext.Value `json:"connection"` // as in a snapshot
	} `json:"printer"`
	Camera struct {
		StreamURL string `json:"stream_url"`
	} `json:"camera"`
}

// name finds a first name for the printer, for its owner to better: its profile's, or its model's.
func (p *pluginPayload) name() string {
	var c wire.Connection
	if len(p.Printer.Connection) > 0 && json.Unmarshal(p.Printer.Connection, &c) == nil {
		for _, name := range []string{c.Profile.Name, c.Profile.Model} {
			if tidy, err := checkName(name); err == nil && tidy != "" {
				return tidy
			}
		}
	}
	return "OctoPrint"
}

// maxPluginBody is far above what the plugin sends: its file tree is not among it.
const maxPluginBody = 256 << 10

// PluginRegister answers POST /api/printer/register: the printer is the account's from then on, pending until its
// owner completes it in the page.
func (s *Service) PluginRegister(w http.ResponseWriter, r *http.Request) {
	actor, err := pluginActor(r.Context())
	if err != nil {
		s.refuse(w, err)
		return
	}
	var in pluginRegistration
	if err := json.UnmarshalRead(http.MaxBytesReader(w, r.Body, maxPluginBody), &in); err != nil {
		s.refuse(w, problem.New(http.StatusBadRequest, "invalid", "The body is not the JSON of a registration."))
		return
	}
	p := &in.Payload
	done, err := s.Enrol(r.Context(), actor, Registration{UUID: strings.ToLower(strings.TrimSpace(p.Client.UUID)), Name: p.name(), Pending: true})
	if err != nil {
		var prob *problem.Problem
		if errors.As(err, &prob) && prob.Field == "uuid" {
			err = problem.Field(prob.Code, "payload.client.uuid", prob.Detail)
		}
		s.refuse(w, err)
		return
	}
	if done.Created && p.Camera.StreamURL != "" { // that it cannot be used is no reason to refuse the printer
		url, err := checkStreamURL("payload.camera.stream_url", p.Camera.StreamURL)
		if err == nil {
			err = s.firstCamera(r, done.UUID, url)
		}
		if err != nil {
			s.log.Warn("camera of a registration not kept", "printer", done.PrinterID, "err", err)
		}
	}
	answer(w, http.StatusOK, map[string]any{"ok": true, "id": done.PrinterID, "device_uuid": done.UUID, "created": done.Created})
}

// firstCamera keeps the camera that the plugin named when it registered its printer.
func (s *Service) firstCamera(r *http.Request, uuid, url string) error {
	s.registering.Lock()
	defer s.registering.Unlock()
	t := s.twin(uuid)
	if t == nil {
		return ErrNotFound
	}
	p := t.own()
	var err error
	if p.Cameras, err = checkCameras([]Camera{{Name: "Camera", StreamURL: url}}, nil); err != nil {
		return err
	}
	return s.store(r.Context(), t, p, "printer.cameras")
}

func answer(w http.ResponseWriter, status int, body any) {
	b, err := stdjson.Marshal(body)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte("{}")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b) // the plugin is gone: nobody to tell
}

// refuse answers with a problem. What is none is an internal error and not shown.
func (s *Service) refuse(w http.ResponseWriter, err error) {
	var p *problem.Problem
	if !errors.As(err, &p) {
		s.log.Error("a plugin's call failed", "err", err)
		p = problem.New(http.StatusInternalServerError, "internal", "Something went wrong on the server. Its log says what.")
	}
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	b, err := stdjson.Marshal(p)
	if err != nil {
		b = []byte("{}")
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_, _ = w.Write(b) // the plugin is gone: nobody to tell
}

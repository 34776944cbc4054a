package command

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

const commandsPath = "/api/v1/printers/{uuid}/commands"

// Register adds the calls under /api/v1 to api.
func (s *Service) Register(api huma.API) {
	give := op("give-command", http.MethodPost, commandsPath, "Have a printer do something")
	give.Description = "200: the device has answered, `ok` and `code` say what. 202: it was sent to the published plugin, which never " +
		"answers; whether its effect was seen comes over the push channel `commands:{uuid}`, and by asking for the command. " +
		"Nothing is kept for a device that is away, and no command is begun more than 10 s after the click."
	give.Errors = []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity,
		http.StatusTooManyRequests, http.StatusGatewayTimeout}
	give.MaxBodyBytes, give.SkipValidateBody = wire.MaxCommand, true
	huma.Register(api, give, s.apiGive)
	// The body is read by the same code as the agent's, and strictly; this is its description.
	api.OpenAPI().Paths[commandsPath].Post.RequestBody.Content["application/json"].Schema =
		api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Given](), true, "Given")
	huma.Register(api, op("list-commands", http.MethodGet, commandsPath,
		"What a printer was told, by whom and with what result, newest first"), s.apiList)
	huma.Register(api, op("export-commands", http.MethodGet, commandsPath+".csv", "The same as CSV, all of it"),
		func(ctx context.Context, in *struct {
			UUID string `path:"uuid" maxLength:"64" doc:"UUID of the printer's device"`
		}) (*huma.StreamResponse, error) {
			q, owner, err := s.query(ctx, in.UUID)
			if err != nil {
				return nil, err
			}
			return s.Audit.StreamCSV(q, owner, "factor-commands.csv"), nil
		})
	huma.Register(api, op("get-command", http.MethodGet, commandsPath+"/{id}", "What became of a command"), s.apiGet)
	huma.Register(api, op("get-controls", http.MethodGet, "/api/v1/printers/{uuid}/controls",
		"What you may do with a printer now, within which bounds, and why not"), func(ctx context.Context, in *struct {
		UUID string `path:"uuid" maxLength:"64" doc:"UUID of the printer's device"`
	}) (*struct{ Body Controls }, error) {
		v, err := s.Controls(ctx, in.UUID)
		return &struct{ Body Controls }{v}, err
	})
	s.registerMacros(api)
	huma.Register(api, op("set-limits", http.MethodPut, "/api/v1/printers/{uuid}/limits",
		"Set the highest temperatures of a printer, and what operators may send in its terminal"), s.apiSetLimits)
}

func op(id, method, path, summary string) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"Control"},
		Security: []map[string][]string{{"session": {}}, {"token": {}}},
		Metadata: map[string]any{"access": "member"}, MaxBodyBytes: 64 << 10,
	}
}

// Given is a command as people give it.
type Given struct {
	Type        wire.CommandType `json:"type" enum:"pause,resume,cancel,home,move,set_temperature,set_feed_rate,set_fan_speed,set_flow_rate,extrude,select_tool,emergency_stop,connect,disconnect,system,gcode,print,delete_file"`
	Axes        string           `json:"axes,omitempty" doc:"home: of the letters X, Y and Z"`
	Mode        string           `json:"mode,omitempty" enum:"relative,absolute" doc:"move; default relative"`
	X           *float64         `json:"x,omitempty" doc:"move: mm"`
	Y           *float64         `json:"y,omitempty" doc:"move: mm"`
	Z           *float64         `json:"z,omitempty" doc:"move: mm"`
	E           *float64         `json:"e,omitempty" doc:"move: mm of filament"`
	FeedRate    *float64         `json:"feedrate,omitempty" doc:"move, extrude: mm/min"`
	Tool        *int             `json:"tool,omitempty" doc:"set_temperature, extrude, select_tool: -1 bed, -2 chamber, 0 and up extruder"`
	Temperature *float64         `json:"temperature,omitempty" doc:"set_temperature: °C; 0 is off"`
	Wait        bool             `json:"wait,omitempty" doc:"set_temperature: the printer waits until it is reached"`
	Factor      *float64         `json:"factor,omitempty" doc:"set_feed_rate, set_flow_rate: %"`
	Speed       *float64         `json:"speed,omitempty" doc:"set_fan_speed: %"`
	Amount      *float64         `json:"amount,omitempty" doc:"extrude: mm of filament; negative retracts"`
	Line        string           `json:"line,omitempty" doc:"gcode: one line"`
	Lines       []string         `json:"lines,omitempty" doc:"gcode, instead of line: one after the other, until one is refused"`
	Action      string           `json:"action,omitempty" doc:"system: source/action, such as core/restart"`
	Origin      string           `json:"origin,omitempty" enum:"local,sdcard" doc:"print, delete_file"`
	Path        string           `json:"path,omitempty" doc:"print, delete_file: as in the device's file list"`
}

var errInternal = problem.Field("invalid", "type", "This command is not given by hand. Print a file of the library with POST /printers/{uuid}/print.")

// Status is left out of the body; it is 202 for what was only sent.
type outcomeAnswer struct {
	Status int
	Body   Outcome
}

func (s *Service) apiGive(ctx context.Context, in *struct {
	UUID    string `path:"uuid" maxLength:"64" doc:"UUID of the printer's device"`
	Key     string `header:"Idempotency-Key" doc:"Of the click: the same command with the same key is done once, and answered as the first time"`
	RawBody []byte `contentType:"application/json"`
}) (*outcomeAnswer, error) {
	if _, err := s.find(ctx, in.UUID, workspace.PrinterControl); err != nil {
		return nil, err
	}
	c, err := wire.DecodeCommand(in.RawBody)
	if err != nil {
		return nil, fieldProblem(err)
	}
	r, known := wire.RuleOf(c.Type)
	switch {
	case known && r.Internal:
		return nil, errInternal
	case c.ID != "":
		return nil, problem.Field("invalid", "id", "The server names commands.")
	case c.Expires != 0:
		return nil, problem.Field("invalid", "expires", "The server says how long a command is good.")
	case c.Macro != "":
		return nil, problem.Field("invalid", "macro", "Run a macro with POST /printers/{uuid}/macros/{id}/run.")
	}
	return answer(s.Do(ctx, in.UUID, c, in.Key))
}

func answer(out Outcome, err error) (*outcomeAnswer, error) {
	if err != nil {
		return nil, err
	}
	a := &outcomeAnswer{Status: http.StatusOK, Body: out}
	if out.State == StateSent {
		a.Status = http.StatusAccepted
	}
	return a, nil
}

// Item is a command in the list of those that were given.
type Item struct {
	ID      string           `json:"id"`
	At      time.Time        `json:"at"`
	Type    wire.CommandType `json:"type"`
	Actor   string           `json:"actor" doc:"Name of who gave it, as it was then"`
	ActorID string           `json:"actor_id,omitempty"`
	Via     string           `json:"via" doc:"session, token, system"`
	Address string           `json:"address,omitempty" doc:"Where from; owners see it"`
	Command json.RawMessage  `json:"command,omitempty" doc:"As it was given"`
	Result  audit.Result     `json:"result" enum:"ok,refused,failed,pending,unknown"`
	State   State            `json:"state,omitempty" doc:"As in the answer to the call"`
	Code    string           `json:"code,omitempty" doc:"What the device answered, or why it was refused"`
	Message string           `json:"message,omitempty" doc:"The device's own words"`
}

// itemOf reads an entry of the audit.
func itemOf(i audit.LogItem, owner bool) Item {
	v := Item{ID: i.ID, At: i.At, Type: wire.CommandType(i.Action[len(actionPrefix):]), Actor: i.Actor, ActorID: i.ActorID, Via: i.Via, Result: i.Result}
	if owner {
		v.Address = i.Address
	}
	var d struct {
		Command json.RawMessage `json:"command"`
		State   State           `json:"state"`
		Code    string          `json:"code"`
		Message string          `json:"message"`
	}
	if json.Unmarshal(i.Detail, &d) == nil { // an entry cut for its length has none
		v.Command, v.State, v.Code, v.Message = d.Command, d.State, d.Code, d.Message
	}
	return v
}

// query gives what of the audit is a printer's commands, and whether the context's actor is an owner.
func (s *Service) query(ctx context.Context, uuid string) (q audit.Query, owner bool, err error) {
	at, err := s.find(ctx, uuid, workspace.PrinterView)
	if err != nil {
		return q, false, err
	}
	actor, _ := workspace.ActorFrom(ctx)
	owner = s.Access.Can(ctx, actor, workspace.PrinterEdit, workspace.Target{WorkspaceID: at.WorkspaceID, PrinterID: at.PrinterID}) == nil
	return audit.Query{WorkspaceIDs: []string{at.WorkspaceID}, TargetID: at.PrinterID, Action: actionPrefix}, owner, nil
}

func (s *Service) apiList(ctx context.Context, in *struct {
	UUID   string `path:"uuid" maxLength:"64" doc:"UUID of the printer's device"`
	Before string `query:"before" maxLength:"64" doc:"The next of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}) (*struct {
	Body struct {
		Items []Item `json:"items"`
		Next  string `json:"next,omitempty"`
	}
}, error) {
	q, owner, err := s.query(ctx, in.UUID)
	if err != nil {
		return nil, err
	}
	q.Before, q.Limit = in.Before, in.Limit
	page, err := s.Audit.List(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &struct {
		Body struct {
			Items []Item `json:"items"`
			Next  string `json:"next,omitempty"`
		}
	}{}
	out.Body.Items, out.Body.Next = make([]Item, len(page.Items)), page.Next
	for i, entry := range page.Items {
		out.Body.Items[i] = itemOf(entry, owner)
	}
	return out, nil
}

func (s *Service) apiGet(ctx context.Context, in *struct {
	UUID string `path:"uuid" maxLength:"64" doc:"UUID of the printer's device"`
	ID   string `path:"id" maxLength:"64"`
}) (*struct{ Body Item }, error) {
	q, owner, err := s.query(ctx, in.UUID)
	if err != nil {
		return nil, err
	}
	q.ID, q.Limit = in.ID, 1
	page, err := s.Audit.List(ctx, q)
	if err != nil {
		return nil, err
	}
	if len(page.Items) == 0 {
		return nil, problem.NotFound("command")
	}
	return &struct{ Body Item }{itemOf(page.Items[0], owner)}, nil
}

func (s *Service) apiSetLimits(ctx context.Context, in *struct {
	UUID string `path:"uuid" maxLength:"64" doc:"UUID of the printer's device"`
	Body Limits
}) (*struct{ Body Limits }, error) {
	l, err := s.SetLimits(ctx, in.UUID, in.Body)
	return &struct{ Body Limits }{l}, err
}

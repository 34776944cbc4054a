package file

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// registerTransfers adds the calls about files on their way to printers and from them.
func (s *Service) registerTransfers(api huma.API) {
	toPrinter := op("print-file", http.MethodPost, "/api/v1/printers/{uuid}/print", "Bring a file of the library to a printer, and print it")
	toPrinter.Description = "Answers once the printer's device has taken the task; how far it is then comes over the push channel `transfers:{uuid}` and by " +
		"list-transfers. Nothing is overwritten on the device: a name that is taken gets a number. Problems besides those of commands: " +
		"`does_not_fit`, `file_refused`, `analysis_waiting` (all three can be overruled with anyway), `not_now`, `agent_too_old`, `too_large`, `transfer_under_way`."
	toPrinter.DefaultStatus = http.StatusAccepted
	huma.Register(api, toPrinter, s.apiPrint)
	huma.Register(api, op("get-fit", http.MethodGet, "/api/v1/printers/{uuid}/fit", "Whether a file of the library fits a printer, and what to know before a print"), s.apiFit)
	huma.Register(api, op("list-transfers", http.MethodGet, "/api/v1/printers/{uuid}/transfers", "Files on their way to a printer or from it, and the last ones that were, newest first"), s.apiTransfers)
	huma.Register(api, none(op("cancel-transfer", http.MethodDelete, "/api/v1/printers/{uuid}/transfers/{id}", "End a transfer")), s.apiCancel)
	bring := op("bring-file", http.MethodPost, "/api/v1/printers/{uuid}/files/bring", "Fetch a file of the printer's own device into the library")
	bring.DefaultStatus = http.StatusAccepted
	huma.Register(api, bring, s.apiBring)
	s.registerDevice(api)
}

// registerDevice adds what devices call.
func (s *Service) registerDevice(api huma.API) {
	device := func(id, method, summary string) huma.Operation {
		o := op(id, method, "/api/device/files/{token}", summary)
		o.Tags, o.Security = []string{"Devices"}, []map[string][]string{{"device": {}}}
		o.Metadata = map[string]any{"access": "public"} // a device logs in inside
		o.Parameters = []*huma.Param{pathParam("token", "From the command fetch_file or send_file; good for one file, one device, and an hour after its last use")}
		return o
	}
	if schemes := api.OpenAPI().Components.SecuritySchemes; schemes != nil {
		schemes["device"] = &huma.SecurityScheme{Type: "http", Scheme: "basic", Description: "A device's UUID and token"}
	}
	fetch := device("device-fetch-file", http.MethodGet, "A file that the device is to print, whole or by Range")
	fetch.Parameters = append(fetch.Parameters, headerParam("Range", false, "Such as bytes=1024-"))
	fetch.Responses = map[string]*huma.Response{
		"200": {Description: "The file. ETag is its SHA-256", Content: bytesOf("application/octet-stream")},
		"206": {Description: "The part that Range asks for", Content: bytesOf("application/octet-stream")},
	}
	raw(api, fetch, s.serveFetch)
	offset := device("device-get-sent", http.MethodHead, "How much of a file that the device sends has come")
	offset.Responses = map[string]*huma.Response{"204": {Description: "Told by the header", Headers: map[string]*huma.Header{"Upload-Offset": headerAnswer("integer", "Bytes that are on the disk")}}}
	raw(api, offset, s.serveOffset)
	send := device("device-send-file", http.MethodPut, "A file of the device for the library, or the rest of it")
	send.Parameters = append(send.Parameters, headerParam("Upload-Offset", true, "Where this goes on"), headerParam("Upload-Length", true, "Bytes of the whole file"))
	send.RequestBody = &huma.RequestBody{Required: true, Content: bytesOf("application/octet-stream")}
	send.Responses = map[string]*huma.Response{"204": {Description: "It is in the library"}}
	raw(api, send, s.serveSend)
}

// UUIDPath names a printer. It is exported because huma looks into no other embedded type.
type UUIDPath struct {
	UUID string `path:"uuid" maxLength:"64" doc:"UUID of the printer's device"`
}

type transferBody struct{ Body Transfer }

func (s *Service) apiPrint(ctx context.Context, in *struct {
	UUIDPath
	Key  string `header:"Idempotency-Key" maxLength:"128" doc:"Of the click: the same again begins nothing, and is answered with the transfer that was begun"`
	Body struct {
		File   string `json:"file" maxLength:"64" doc:"Id of a file of the library"`
		Target string `json:"target,omitempty" enum:"local,sdcard" default:"local" doc:"Where on the device"`
		Print  *bool  `json:"print,omitempty" doc:"false: bring it there only; default true"`
		Anyway bool   `json:"anyway,omitempty" doc:"Although it does not fit, or is not looked into yet"`
	}
}) (*transferBody, error) {
	t, err := s.Print(ctx, in.UUID, PrintRequest{FileID: in.Body.File, Target: first(in.Body.Target, "local"),
		Print: in.Body.Print == nil || *in.Body.Print, Anyway: in.Body.Anyway, Click: in.Key})
	return &transferBody{t}, err
}

func (s *Service) apiFit(ctx context.Context, in *struct {
	UUIDPath
	File string `query:"file" maxLength:"64" doc:"Id of a file of the library"`
}) (*struct{ Body Fit }, error) {
	f, err := s.FitOf(ctx, in.UUID, in.File)
	return &struct{ Body Fit }{f}, err
}

func (s *Service) apiTransfers(ctx context.Context, in *UUIDPath) (*struct {
	Body struct {
		Items []Transfer `json:"items"`
	}
}, error) {
	id, _, err := s.Printers.Authorize(ctx, in.UUID, workspace.PrinterView)
	if err != nil {
		return nil, err
	}
	out := &struct {
		Body struct {
			Items []Transfer `json:"items"`
		}
	}{}
	out.Body.Items, err = s.Transfers(ctx, id)
	return out, err
}

func (s *Service) apiCancel(ctx context.Context, in *struct {
	UUIDPath
	ID string `path:"id" maxLength:"64"`
}) (*struct{}, error) {
	return nil, s.Cancel(ctx, in.UUID, in.ID)
}

func (s *Service) apiBring(ctx context.Context, in *struct {
	UUIDPath
	Key  string `header:"Idempotency-Key" maxLength:"128" doc:"Of the click, as with print-file"`
	Body struct {
		Origin string `json:"origin" enum:"local,sdcard"`
		Path   string `json:"path" maxLength:"1024" doc:"As in the device's file list"`
		Folder string `json:"folder,omitempty" maxLength:"2048" doc:"Of the library"`
	}
}) (*transferBody, error) {
	t, err := s.Bring(ctx, in.UUID, in.Body.Origin, in.Body.Path, in.Body.Folder, in.Key)
	return &transferBody{t}, err
}

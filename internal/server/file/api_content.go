package file

import (
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kangbyounggwan/factor/internal/server/problem"
)

var problemSchema = reflect.TypeFor[problem.Problem]()

// registerContent adds the calls that answer with what is in a file.
func (s *Service) registerContent(api huma.API) {
	download := op("download-file", http.MethodGet, "/api/v1/files/{id}/download", "A file's content, whole or by Range")
	download.Parameters = []*huma.Param{pathParam("id", "Of the file"), headerParam("Range", false, "Such as bytes=0-1023")}
	download.Responses = map[string]*huma.Response{
		"200": {Description: "The file. ETag is its SHA-256", Content: bytesOf("application/octet-stream")},
		"206": {Description: "The part that Range asks for", Content: bytesOf("application/octet-stream")},
	}
	raw(api, download, func(w http.ResponseWriter, r *http.Request) { s.serveDownload(w, r, r.PathValue("id")) })

	thumbnail := op("get-thumbnail", http.MethodGet, "/api/v1/files/{id}/thumbnails/{n}", "A picture that the slicer put into the file")
	thumbnail.Parameters = []*huma.Param{pathParam("id", "Of the file"), pathParam("n", "Its place in analysis.thumbnails, from 0")}
	thumbnail.Responses = map[string]*huma.Response{
		"200": {Description: "The picture", Content: map[string]*huma.MediaType{"image/png": {Schema: binarySchema()}, "image/jpeg": {Schema: binarySchema()}}},
	}
	raw(api, thumbnail, func(w http.ResponseWriter, r *http.Request) {
		s.serveThumbnail(w, r, r.PathValue("id"), r.PathValue("n"))
	})
}

// registerToolpath adds the way of a file's nozzle.
func (s *Service) registerToolpath(api huma.API) {
	o := op("get-toolpath", http.MethodGet, "/api/v1/files/{id}/toolpath", "The way of a file's nozzle by layers, to draw it: gzipped, "+
		"in the binary form that internal/server/file/gcode/toolpath.go describes")
	o.Parameters = []*huma.Param{pathParam("id", "Of the file")}
	o.Responses = map[string]*huma.Response{"200": {Description: "The tool path", Content: bytesOf("application/octet-stream")}}
	raw(api, o, func(w http.ResponseWriter, r *http.Request) { s.serveToolpath(w, r, r.PathValue("id")) })
}

// registerUploads adds tus 1.0.
func (s *Service) registerUploads(api huma.API) {
	const how = "Uploads speak [tus 1.0](https://tus.io/protocols/resumable-upload) with creation, creation-with-upload, termination and " +
		"expiration, so that any tus client can send files and go on after a cut. An upload that lies still for 24 hours ends. " +
		"With its last byte it becomes a file of the same id, or is refused: `not_gcode`, `cut_off`, `checksum`."
	version := headerParam("Tus-Resumable", true, "1.0.0")
	offset := headerAnswer("integer", "How many bytes have come and are on the disk")

	options := tusOp("tus-options", http.MethodOptions, "/api/v1/files", "What this server does of tus")
	options.Responses = map[string]*huma.Response{"204": {Description: "Told by the headers", Headers: map[string]*huma.Header{
		"Tus-Version": headerAnswer("string", "1.0.0"), "Tus-Extension": headerAnswer("string", ""), "Tus-Max-Size": headerAnswer("integer", "Bytes of a file"),
	}}}
	raw(api, options, func(w http.ResponseWriter, _ *http.Request) { serveOptions(w) })

	create := tusOp("create-upload", http.MethodPost, "/api/v1/files", "Begin to upload a file")
	create.Description = how
	create.Parameters = []*huma.Param{version, headerParam("Upload-Length", true, "Bytes of the file, at most 2 GB"),
		headerParam("Upload-Metadata", true, "As tus has it, keys with values in base64: filename; where wanted folder, workspace (id), tags "+
			"(with commas between them), sha256 (in hex; what arrives otherwise is refused)")}
	create.RequestBody = &huma.RequestBody{Content: bytesOf("application/offset+octet-stream"), Description: "The beginning of the file, or nothing"}
	create.Responses = map[string]*huma.Response{"201": {Description: "The upload is begun", Headers: map[string]*huma.Header{
		"Location": headerAnswer("string", "Where it goes on: /api/v1/uploads/{id}"), "Upload-Offset": offset, "Upload-Expires": headerAnswer("string", "When it ends if nothing comes"),
	}}}
	raw(api, create, func(w http.ResponseWriter, r *http.Request) { s.serveTus(w, r, "", s.tus.PostFile) })

	head := tusOp("get-upload", http.MethodHead, uploadsPath+"{id}", "How much of an upload has come")
	head.Parameters = []*huma.Param{pathParam("id", "Of the upload"), version}
	head.Responses = map[string]*huma.Response{"200": {Description: "Told by the headers", Headers: map[string]*huma.Header{
		"Upload-Offset": offset, "Upload-Length": headerAnswer("integer", "Bytes of the file"),
	}}}
	raw(api, head, func(w http.ResponseWriter, r *http.Request) { s.serveTus(w, r, r.PathValue("id"), s.tus.HeadFile) })

	patch := tusOp("continue-upload", http.MethodPatch, uploadsPath+"{id}", "Send more of a file")
	patch.Parameters = []*huma.Param{pathParam("id", "Of the upload"), version, headerParam("Upload-Offset", true, "Where this goes on")}
	patch.RequestBody = &huma.RequestBody{Required: true, Content: bytesOf("application/offset+octet-stream")}
	patch.Responses = map[string]*huma.Response{"204": {Description: "It is on the disk", Headers: map[string]*huma.Header{"Upload-Offset": offset}}}
	raw(api, patch, func(w http.ResponseWriter, r *http.Request) { s.serveTus(w, r, r.PathValue("id"), s.tus.PatchFile) })

	end := tusOp("end-upload", http.MethodDelete, uploadsPath+"{id}", "End an upload that has not become a file")
	end.Parameters = []*huma.Param{pathParam("id", "Of the upload"), version}
	end.Responses = map[string]*huma.Response{"204": {Description: "It is gone"}}
	raw(api, end, func(w http.ResponseWriter, r *http.Request) { s.serveTus(w, r, r.PathValue("id"), s.tus.DelFile) })
}

func tusOp(id, method, path, summary string) huma.Operation {
	o := op(id, method, path, summary)
	o.Metadata = map[string]any{"access": "user"}
	return o
}

func pathParam(name, doc string) *huma.Param {
	return &huma.Param{Name: name, In: "path", Required: true, Description: doc, Schema: &huma.Schema{Type: "string"}}
}

func headerParam(name string, required bool, doc string) *huma.Param {
	return &huma.Param{Name: name, In: "header", Required: required, Description: doc, Schema: &huma.Schema{Type: "string"}}
}

func headerAnswer(kind, doc string) *huma.Header {
	return &huma.Header{Description: doc, Schema: &huma.Schema{Type: kind}}
}

func binarySchema() *huma.Schema { return &huma.Schema{Type: "string", Format: "binary"} }

func bytesOf(kind string) map[string]*huma.MediaType {
	return map[string]*huma.MediaType{kind: {Schema: binarySchema()}}
}

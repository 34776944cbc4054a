package file

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tus/tusd/v2/pkg/handler"
	tuslog "golang.org/x/exp/slog" // tusd's, which is older than log/slog

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// Uploads speak tus 1.0 (https://tus.io/protocols/resumable-upload): POST /api/v1/files makes one, what follows is at
// /api/v1/uploads/{id}. tusd does the protocol, this package keeps the bytes.
const (
	uploadsPath = "/api/v1/uploads/"
	extensions  = "creation,creation-with-upload,termination,expiration"
	// tusPatience is how long an upload may send nothing within a request.
	tusPatience = time.Minute
)

func (s *Service) readyTus() error {
	composer := handler.NewStoreComposer()
	composer.UseCore(s)
	composer.UseTerminater(s)
	s.locks = newLocks()
	composer.UseLocker(s.locks)
	var err error
	s.tus, err = handler.NewUnroutedHandler(handler.Config{
		StoreComposer: composer, MaxSize: MaxSize, BasePath: uploadsPath, DisableDownload: true,
		Cors: &handler.CorsConfig{Disable: true}, NetworkTimeout: tusPatience,
		Logger: tuslog.New(tuslog.NewTextHandler(io.Discard, &tuslog.HandlerOptions{Level: tuslog.Level(100)})),
	})
	return err
}

// refusedHeaders are parts of tus and of its servers that this one does not do.
var refusedHeaders = []struct{ name, words string }{
	{"X-HTTP-Method-Override", "A request is taken by its own method. Leave the header X-HTTP-Method-Override away."},
	{"Upload-Concat", "Uploads are not put together from parts. Send the file as one upload, in as many requests as you like."},
	{"Upload-Defer-Length", "Say the file's size with the first request, in the header Upload-Length."},
	{"Upload-Checksum", "Parts are not checked by themselves. Say the SHA-256 of the whole file, as sha256 in Upload-Metadata."},
}

// singleHeaders are read by their first line. A second one is refused, for it might say something else.
var singleHeaders = []string{"Upload-Length", "Upload-Offset", "Upload-Metadata"}

// checkHeaders refuses what tusd would pass over without a word. Errors: problems not_supported, invalid.
func checkHeaders(h http.Header) *problem.Problem {
	for _, refused := range refusedHeaders {
		if h.Get(refused.name) != "" {
			return problem.New(http.StatusBadRequest, "not_supported", refused.words)
		}
	}
	for _, name := range singleHeaders {
		if len(h.Values(name)) > 1 {
			return headerFault(name, "is there twice")
		}
	}
	return checkMetadata(h.Get("Upload-Metadata"))
}

// checkMetadata refuses metadata of which tusd leaves a part out: what was meant to be the folder or the checksum of a file
// would be lost. Keys that are not known are no fault, as clients have some of their own.
func checkMetadata(header string) *problem.Problem {
	if strings.TrimSpace(header) == "" {
		return nil
	}
	seen := map[string]bool{}
	for element := range strings.SplitSeq(header, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(element), " ")
		_, err := base64.StdEncoding.DecodeString(value)
		name, _ := wire.CleanText(key, 100)
		switch {
		case key == "":
			return headerFault("Upload-Metadata", "has a part without a key")
		case err != nil:
			return headerFault("Upload-Metadata", "has a value that is no base64: that of "+name)
		case seen[key]:
			return headerFault("Upload-Metadata", "has a key twice: "+name)
		}
		seen[key] = true
	}
	return nil
}

func headerFault(name, what string) *problem.Problem {
	p := problem.New(http.StatusBadRequest, "invalid", "The header "+name+" "+what+".")
	p.Field = name
	return p
}

// serveTus has tusd answer, in problems of ours where it refuses. id is of the upload, "" to make one.
func (s *Service) serveTus(w http.ResponseWriter, r *http.Request, id string, serve http.HandlerFunc) {
	if p := checkHeaders(r.Header); p != nil {
		p.Write(w)
		return
	}
	own := r.WithContext(r.Context()) // a copy
	own.URL = &url.URL{Path: id}
	a := &tusAnswer{ResponseWriter: w, service: s, method: r.Method}
	w.Header().Set("Upload-Expires", s.now().Add(UploadAge).UTC().Format(http.TimeFormat))
	s.tus.Middleware(serve).ServeHTTP(a, own)
	a.finish()
}

// serveOptions tells what this server does of tus.
func serveOptions(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Tus-Resumable", "1.0.0")
	h.Set("Tus-Version", "1.0.0")
	h.Set("Tus-Extension", extensions)
	h.Set("Tus-Max-Size", "2147483648")
	w.WriteHeader(http.StatusNoContent)
}

// tusAnswer turns tusd's refusals into problems, and its address of a new upload into a path: behind a proxy this
// server does not know what the browser calls it.
type tusAnswer struct {
	http.ResponseWriter
	service *Service
	method  string
	refused int // status of a refusal in tusd's own words
	words   bytes.Buffer
}

func (a *tusAnswer) WriteHeader(status int) {
	h := a.Header()
	if location := h.Get("Location"); location != "" {
		if u, err := url.Parse(location); err == nil {
			h.Set("Location", u.Path)
		}
	}
	if status >= http.StatusBadRequest {
		h.Del("Upload-Expires")
		if h.Get("Content-Type") != problemType {
			h.Del("Content-Length")
			a.refused = status
			return
		}
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *tusAnswer) Write(b []byte) (int, error) {
	if a.refused != 0 {
		return a.words.Write(b)
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (a *tusAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *tusAnswer) finish() {
	if a.refused == 0 {
		return
	}
	code, _, _ := strings.Cut(a.words.String(), ":")
	p, known := tusProblems[code]
	if !known {
		if a.refused >= 500 {
			a.service.log.Error("an upload failed", "error", strings.TrimSpace(a.words.String()))
			p = problem.New(http.StatusInternalServerError, "internal", "Something went wrong on the server. Its log says what.")
		} else {
			p = problem.New(a.refused, "refused", "The upload was refused.")
		}
	}
	if a.method == http.MethodHead { // which has no body
		a.ResponseWriter.WriteHeader(p.Status)
		return
	}
	p.Write(a.ResponseWriter)
}

const problemType = "application/problem+json"

// tusProblems is how tusd refuses, in our words.
var tusProblems = map[string]*problem.Problem{
	handler.ErrUnsupportedVersion.ErrorCode:  problem.New(http.StatusPreconditionFailed, "tus_version", "This server speaks tus 1.0.0. Send the header Tus-Resumable: 1.0.0."),
	handler.ErrMaxSizeExceeded.ErrorCode:     errTooLarge,
	handler.ErrInvalidContentType.ErrorCode:  problem.New(http.StatusUnsupportedMediaType, "unsupported_media_type", "Send the content as application/offset+octet-stream."),
	handler.ErrInvalidUploadLength.ErrorCode: problem.New(http.StatusBadRequest, "invalid", "The header Upload-Length is missing, or is no number of bytes."),
	handler.ErrInvalidOffset.ErrorCode:       problem.New(http.StatusBadRequest, "invalid", "The header Upload-Offset is missing, or is no number of bytes."),
	handler.ErrNotFound.ErrorCode:            errNoUpload,
	handler.ErrFileLocked.ErrorCode:          errLocked,
	handler.ErrLockTimeout.ErrorCode:         errLocked,
	handler.ErrMismatchOffset.ErrorCode:      problem.New(http.StatusConflict, "offset", "The upload does not go on there. Ask with HEAD how much of it has come."),
	handler.ErrSizeExceeded.ErrorCode:        problem.New(http.StatusRequestEntityTooLarge, "too_large", "More came than the upload was said to have."),
	handler.ErrNotImplemented.ErrorCode:      problem.New(http.StatusNotImplemented, "not_supported", "This server does not do that part of tus."),
	handler.ErrUploadInterrupted.ErrorCode:   problem.New(http.StatusConflict, "interrupted", "Another request took this upload over."),
	handler.ErrServerShutdown.ErrorCode:      problem.New(http.StatusServiceUnavailable, "stopping", "The server stops. Go on with the upload in a moment."),
	handler.ErrUnexpectedEOF.ErrorCode:       problem.New(http.StatusBadRequest, "interrupted", "The request ended early. Go on from what HEAD says."),
	handler.ErrReadTimeout.ErrorCode:         problem.New(http.StatusRequestTimeout, "interrupted", "Nothing came for a minute. Go on from what HEAD says."),
	handler.ErrConnectionReset.ErrorCode:     problem.New(http.StatusBadRequest, "interrupted", "The connection broke. Go on from what HEAD says."),
	handler.ErrInvalidUploadDeferLength.ErrorCode: problem.New(http.StatusBadRequest, "not_supported",
		"Say the file's size with the first request, in the header Upload-Length."),
}

// tusError makes of a problem what tusd answers with. What is none is an internal error, which tusAnswer hides.
func tusError(err error) error {
	p, ok := errors.AsType[*problem.Problem](err)
	if !ok {
		return err
	}
	body, marshalErr := json.Marshal(p)
	if marshalErr != nil {
		return err
	}
	e := handler.NewError(p.Code, p.Detail, p.Status)
	e.HTTPResponse.Body = string(body)
	e.HTTPResponse.Header = handler.HTTPHeader{"Content-Type": problemType, "Cache-Control": "no-store"}
	return e
}

var _ handler.DataStore = (*Service)(nil)
var _ handler.TerminaterDataStore = (*Service)(nil)

package camera

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

const (
	printerPath = "/api/v1/printers/{uuid}"
	maxOffer    = 64 << 10 // bytes of an SDP offer; Chromium's are 8 KB
)

// root is where a camera is: by id or name, or the first one.
type root struct{ path, id, of string }

var roots = []root{
	{printerPath + "/cameras/{camera}", "", "of a camera, by its id or name"},
	{printerPath + "/camera", "-first", "of the printer's first camera"},
}

// Register adds the calls under /api/v1 to api. They ask for rights themselves, since a viewing token may stand in the
// address in place of a log-in.
func (s *Service) Register(api huma.API) {
	for _, b := range roots {
		op := func(id, method, path, summary string) huma.Operation {
			return huma.Operation{OperationID: id + b.id, Method: method, Path: b.path + path, Summary: summary + " " + b.of,
				Tags: []string{"Cameras"}, Security: []map[string][]string{{"session": {}}, {"token": {}}},
				Metadata: map[string]any{"access": "public"}, MaxBodyBytes: maxOffer}
		}
		huma.Register(api, op("diagnose-camera", http.MethodGet, "", "How the stream is, what it can be shown as, and what is wrong with it:"), s.apiDiagnose)
		huma.Register(api, created(op("make-viewing-token", http.MethodPost, "/tokens", "Make a viewing token for one rung, good for a minute to begin with:")), s.apiToken)
		huma.Register(api, none(op("report-viewing", http.MethodPost, "/report", "Say that no way, or which way, reaches this viewer:")), s.apiReport)
		huma.Register(api, typed(op("camera-snapshot", http.MethodGet, "/snapshot.jpg", "The newest picture, at most two seconds older than the stream,"), "image/jpeg"), s.apiSnapshot)
		huma.Register(api, typed(op("camera-mjpeg", http.MethodGet, "/mjpeg", "JPEG after JPEG in one answer:"), mjpegType), s.apiMJPEG)
		huma.Register(api, typed(op("camera-hls", http.MethodGet, "/hls/{file}", "Low-latency HLS, beginning at index.m3u8:"), "application/vnd.apple.mpegurl"), s.apiHLS)
		whep := typed(op("camera-whep", http.MethodPost, "/whep", "WebRTC by WHEP: an SDP offer, answered by 201 with the SDP answer and the session's Location:"), "application/sdp")
		huma.Register(api, created(whep), s.apiWHEP)
		huma.Register(api, none(op("camera-whep-options", http.MethodOptions, "/whep", "The relays (TURN) that a WebRTC viewer may use, as Link headers,")), s.apiWHEPOptions)
		huma.Register(api, none(op("camera-whep-trickle", http.MethodPatch, "/whep/{session}", "Add ICE candidates to a WebRTC session (RFC 8840 fragment)")), s.apiTrickle)
		huma.Register(api, none(op("camera-whep-end", http.MethodDelete, "/whep/{session}", "End a WebRTC session")), s.apiHangUp)
	}
}

func created(o huma.Operation) huma.Operation { o.DefaultStatus = http.StatusCreated; return o }

func none(o huma.Operation) huma.Operation { o.DefaultStatus = http.StatusNoContent; return o }

func typed(o huma.Operation, kind string) huma.Operation {
	status := "200"
	if o.Method == http.MethodPost {
		status = "201"
	}
	o.Responses = map[string]*huma.Response{status: {Description: http.StatusText(http.StatusOK), Content: map[string]*huma.MediaType{
		kind: {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}}
	return o
}

// Path names a camera. It is exported because huma looks into no other embedded type.
type Path struct {
	UUID   string `path:"uuid" maxLength:"64" doc:"UUID of the printer's device"`
	Camera string `path:"camera" maxLength:"400" required:"false" doc:"Id or name of the camera"`
}

// View is a camera that is looked at, perhaps with a viewing token.
type View struct {
	Path
	Token string `query:"view" maxLength:"200" doc:"A viewing token for this rung, in place of a log-in"`
}

func (s *Service) at(ctx context.Context, in *View, rung Rung) (place, error) {
	return s.place(ctx, in.UUID, in.Camera, rung, in.Token)
}

func (s *Service) apiToken(ctx context.Context, in *struct {
	Path
	Body struct {
		Rung Rung `json:"rung" enum:"whep,hls,mjpeg,picture"`
	}
}) (*struct {
	Body struct {
		Token     string    `json:"token" doc:"For the query parameter view"`
		ExpiresAt time.Time `json:"expires_at" doc:"Until then it begins something; what has begun goes on"`
	}
}, error) {
	p, err := s.place(ctx, in.UUID, in.Camera, in.Body.Rung, "")
	if err != nil {
		return nil, err
	}
	out := &struct {
		Body struct {
			Token     string    `json:"token" doc:"For the query parameter view"`
			ExpiresAt time.Time `json:"expires_at" doc:"Until then it begins something; what has begun goes on"`
		}
	}{}
	out.Body.Token, out.Body.ExpiresAt, err = s.makeToken(p, in.Body.Rung, time.Now())
	return out, err
}

func (s *Service) apiReport(ctx context.Context, in *struct {
	Path
	Body struct {
		Rung    Rung   `json:"rung,omitempty" enum:"whep,hls,mjpeg,picture" doc:"The rung that was reached; none where nothing arrives"`
		Code    string `json:"code,omitempty" enum:"no_viewer_path,udp_blocked,tcp_blocked" doc:"What does not get through to this viewer"`
		DelayMS int    `json:"delay_ms,omitempty" minimum:"0" maximum:"600000" doc:"From camera to screen, as the page measures it"`
	}
}) (*struct{}, error) {
	p, err := s.place(ctx, in.UUID, in.Camera, in.Body.Rung, "")
	if err != nil {
		return nil, err
	}
	if in.Body.Code != "" {
		s.count.blocked.WithLabelValues(in.Body.Code).Inc()
	}
	if in.Body.DelayMS > 0 && in.Body.Rung != "" {
		s.count.delay.WithLabelValues(string(in.Body.Rung)).Observe(float64(in.Body.DelayMS) / 1000)
	}
	s.reported.put(p, in.Body.Code, time.Now())
	return nil, nil
}

// streamed hands the connection itself to fn, for answers that last.
func streamed(fn func(w http.ResponseWriter, r *http.Request)) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		r, w := humago.Unwrap(ctx)
		fn(w, r)
	}}
}

// Language is what the asker's words are in: the account's, else the browser's.
type Language struct {
	Accept string `header:"Accept-Language" maxLength:"400"`
}

func (l Language) of(a workspace.Actor) string {
	if a.Language != "" {
		return a.Language
	}
	if strings.HasPrefix(strings.TrimSpace(strings.ToLower(l.Accept)), "ko") {
		return "ko"
	}
	return "en"
}

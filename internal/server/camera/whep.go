package camera

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/kangbyounggwan/factor/internal/server/problem"
)

var (
	errOffer     = problem.Field("sdp_invalid", "body", "This is no SDP offer of a viewer that takes H.264 video (RFC 8866, WHEP).")
	errFragment  = problem.Field("fragment_invalid", "body", "This is no fragment with ICE candidates (RFC 8840).")
	errWebRTCOff = problem.New(http.StatusConflict, "webrtc_off", "WebRTC is off on this server. Use hls/index.m3u8 or mjpeg.")
)

type whepAnswer struct {
	Status      int
	ContentType string   `header:"Content-Type"`
	Location    string   `header:"Location"`
	Rung        string   `header:"X-Factor-Rungs" doc:"The other rungs that this stream can have now"`
	Links       []string `header:"Link" doc:"Relays, as OPTIONS tells them"`
	Body        []byte
}

// apiWHEP begins a WebRTC session: an offer, answered with everything that the viewer needs (no trickle from here).
func (s *Service) apiWHEP(ctx context.Context, in *struct {
	View
	Language
	RawBody []byte `contentType:"application/sdp"`
}) (*whepAnswer, error) {
	p, err := s.at(ctx, &in.View, RungWHEP)
	if err != nil {
		return nil, err
	}
	language := in.Language.of(p.actor)
	if !s.webrtc.on(s) {
		return nil, errWebRTCOff
	}
	offer := string(in.RawBody)
	if err := checkOffer(offer); err != nil {
		return nil, err
	}
	v, err := s.join(p, RungWHEP)
	if err != nil {
		return nil, err
	}
	if err := v.stream.until(ctx, firstFrame, v.stream.canVideo); err != nil {
		v.leave()
		return nil, explain(err, language)
	}
	if t := v.stream.noWebRTC(); t != "" {
		v.leave()
		return nil, t.problem(language)
	}
	answer, err := s.beginWebRTC(ctx, v, p, offer)
	if err != nil {
		v.leave()
		return nil, err
	}
	return &whepAnswer{Status: http.StatusCreated, ContentType: "application/sdp", Body: []byte(answer),
		Location: location(p, in.Camera, v.id), Rung: strings.Join(v.stream.rungNames(), ","), Links: links(s.iceServers(p, time.Now()))}, nil
}

func location(p place, ref, session string) string {
	if ref == "" {
		return "/api/v1/printers/" + p.uuid + "/camera/whep/" + session
	}
	return "/api/v1/printers/" + p.uuid + "/cameras/" + p.camera.ID + "/whep/" + session
}

// checkOffer refuses what no viewer's offer is, before anything is spent on it.
func checkOffer(offer string) error {
	if len(offer) < 20 || len(offer) > maxOffer || !strings.HasPrefix(offer, "v=0") || strings.Count(offer, "a=candidate:") > maxCandidates {
		return errOffer
	}
	var parsed webrtc.SessionDescription
	parsed.Type, parsed.SDP = webrtc.SDPTypeOffer, offer
	d, err := parsed.Unmarshal()
	if err != nil || len(d.MediaDescriptions) == 0 || len(d.MediaDescriptions) > 8 {
		return errOffer
	}
	video := 0
	for _, m := range d.MediaDescriptions {
		if len(m.Attributes) > 500 {
			return errOffer
		}
		if m.MediaName.Media == "video" {
			video++
		}
	}
	if video != 1 || !strings.Contains(strings.ToUpper(offer), "H264/90000") {
		return errOffer
	}
	return nil
}

// canVideo tells whether H.264 comes in that one can begin with. mu must be held.
func (st *stream) canVideo() bool {
	return len(st.kept) > 0 || (st.info.Codec == "jpeg" && st.camera.Encode != EncodeAlways && !st.lastFrame.IsZero())
}

// noWebRTC is why the stream cannot go out by WebRTC; "" for nothing.
func (st *stream) noWebRTC() Trouble {
	st.mu.Lock()
	defer st.mu.Unlock()
	switch {
	case len(st.kept) == 0:
		return TroubleNoVideo
	case st.params.bFrames || st.info.BFrames:
		return TroubleBFrames
	}
	return ""
}

// SessionPath names a WebRTC session of a camera.
type SessionPath struct {
	View
	Session string `path:"session" maxLength:"64"`
}

func (s *Service) apiTrickle(ctx context.Context, in *struct {
	SessionPath
	RawBody []byte `contentType:"application/trickle-ice-sdpfrag"`
}) (*struct{}, error) {
	x, err := s.own(ctx, &in.View, in.Session)
	if err != nil {
		return nil, err
	}
	return nil, x.rtc.trickle(string(in.RawBody))
}

func (s *Service) apiHangUp(ctx context.Context, in *SessionPath) (*struct{}, error) {
	x, err := s.own(ctx, &in.View, in.Session)
	if err != nil {
		return nil, err
	}
	x.v.end(errLeft)
	return nil, nil
}

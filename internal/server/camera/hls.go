package camera

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/bluenviron/gohlslib/v2"
	"github.com/bluenviron/gohlslib/v2/pkg/codecs"
	"github.com/danielgtaylor/huma/v2"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// Low-latency HLS: parts of 200 ms in segments of 1 s. A segment begins with a key frame, so cameras with few of them
// have longer ones.
const (
	hlsPart        = 200 * time.Millisecond
	hlsSegment     = 900 * time.Millisecond // key frames a second apart come a little earlier now and then
	hlsSegments    = 7                      // the fewest that low-latency HLS takes
	hlsSegmentSize = 16 << 20
	hlsAnswer      = 30 * time.Second // a player waits for its next part
)

// hlsOutput is a stream as HLS, while somebody takes it so. The stream's mu guards it; handling requests needs no lock once
// it is ready.
type hlsOutput struct {
	ready chan struct{}   // closed when there is a muxer, or will be none
	muxer *gohlslib.Muxer // nil: it is not known yet how long the parts are to be
	track *gohlslib.Track
	first []*frame // until then
	pace  pace
}

var errTooManyAnswers = problem.New(http.StatusTooManyRequests, "too_many_requests", "This player waits for too many answers already. Wait for them first.")

var hlsFile = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}\.(m3u8|mp4)$`)

func (s *Service) apiHLS(ctx context.Context, in *struct {
	View
	Language
	File    string `path:"file" maxLength:"100"`
	Session string `query:"session" maxLength:"64" doc:"Of this player; index.m3u8 without one begins one"`
}) (*huma.StreamResponse, error) {
	var x *session
	var err error
	if in.Session == "" && in.File == "index.m3u8" {
		x, err = s.beginHLS(ctx, &in.View, in.Language)
	} else {
		x, err = s.ownHLS(ctx, &in.View, in.Session)
	}
	if err != nil {
		return nil, err
	}
	st := x.v.stream
	st.mu.Lock()
	out := st.hls
	st.mu.Unlock()
	if out == nil || !hlsFile.MatchString(in.File) {
		return nil, errNoSession
	}
	return streamed(func(w http.ResponseWriter, r *http.Request) {
		done, ok := s.asks(x)
		if !ok {
			errTooManyAnswers.Write(w)
			return
		}
		defer done()
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(hlsAnswer))
		select {
		case <-out.ready:
		case <-r.Context().Done():
			return
		}
		if out.muxer == nil {
			errNoSession.Write(w)
			return
		}
		q := r.URL.Query()
		kept := url.Values{"session": {x.v.id}} // all that the addresses in a playlist carry on
		for _, name := range []string{"_HLS_msn", "_HLS_part", "_HLS_skip"} {
			if v := q.Get(name); v != "" {
				kept.Set(name, v)
			}
		}
		asked := r.Clone(r.Context())
		asked.URL.RawQuery = kept.Encode()
		answered := &answer{ResponseWriter: w, until: x.v.ended}
		out.muxer.Handle(answered, asked)
		x.v.out.Add(answered.bytes)
		s.count.sent(RungHLS, int(answered.bytes))
		if !answered.any {
			errNoSession.Write(w)
		}
	}), nil
}

// answer knows whether something was answered: the library says nothing of a file that it does not have. Once until is
// done nothing more is: a request may have waited for longer than its viewer was allowed to look.
type answer struct {
	http.ResponseWriter
	until context.Context
	any   bool
	bytes int64
}

func (a *answer) WriteHeader(status int) {
	if a.until.Err() == nil {
		a.any = true
		a.ResponseWriter.WriteHeader(status)
	}
}

func (a *answer) Write(b []byte) (int, error) {
	if a.until.Err() != nil {
		return 0, context.Cause(a.until)
	}
	a.any = true
	n, err := a.ResponseWriter.Write(b)
	a.bytes += int64(n)
	return n, err
}

// Header keeps what the library may not say: an answer to one person is for nobody's cache.
func (a *answer) Header() http.Header {
	h := a.ResponseWriter.Header()
	h.Del("Access-Control-Allow-Origin")
	return h
}

func (s *Service) beginHLS(ctx context.Context, in *View, l Language) (*session, error) {
	p, err := s.at(ctx, in, RungHLS)
	if err != nil {
		return nil, err
	}
	v, err := s.join(p, RungHLS)
	if err != nil {
		return nil, err
	}
	st := v.stream
	if err := st.until(ctx, firstFrame, st.canVideo); err != nil {
		v.leave()
		return nil, explain(err, l.of(p.actor))
	}
	st.mu.Lock()
	possible := len(st.kept) > 0
	if possible {
		st.openHLS()
		possible = st.hls != nil
	}
	st.mu.Unlock()
	if !possible {
		v.leave()
		return nil, TroubleNoVideo.problem(l.of(p.actor))
	}
	x := &session{v: v, rung: RungHLS, key: p.key(), used: time.Now(), byToken: p.token}
	s.keep(x)
	return x, nil
}

// ownHLS finds a player's session: of the one who began it, unless that was by a viewing token. Errors: errNoSession.
func (s *Service) ownHLS(ctx context.Context, in *View, id string) (*session, error) {
	if _, err := workspace.RequireUser(ctx); err != nil && id == "" {
		return nil, err
	}
	x, err := s.session(id, RungHLS)
	if err == nil {
		if target, ok := s.Printers.Place(in.UUID); !ok || target.PrinterID != x.key.printerID {
			err = errNoSession
		}
	}
	if err == nil && x.byToken {
		return x, nil
	}
	p, denied := s.at(ctx, &View{Path: in.Path}, RungHLS)
	switch {
	case denied != nil:
		return nil, denied
	case err != nil:
		return nil, err
	case x.v.actor.UserID != p.actor.UserID || x.key != p.key():
		return nil, errNoSession
	}
	return x, nil
}

// openHLS begins with what is kept. mu must be held.
func (st *stream) openHLS() {
	if st.hls != nil || len(st.kept) == 0 || st.params.sps == nil || st.params.pps == nil {
		return
	}
	st.hls = &hlsOutput{ready: make(chan struct{})}
	for _, f := range st.kept {
		st.writeHLS(f)
	}
}

// start makes the muxer, for parts as the pace has them.
func (h *hlsOutput) start(st *stream) error {
	h.track = &gohlslib.Track{Codec: &codecs.H264{SPS: st.params.sps, PPS: st.params.pps}, ClockRate: hlsClock}
	muxer := &gohlslib.Muxer{Variant: gohlslib.MuxerVariantLowLatency, Tracks: []*gohlslib.Track{h.track}, SegmentCount: hlsSegments,
		SegmentMinDuration: hlsSegment, PartMinDuration: h.pace.part(), SegmentMaxSize: hlsSegmentSize,
		OnEncodeError: func(error) { st.s.count.dropped.WithLabelValues("hls").Inc() }}
	if err := muxer.Start(); err != nil {
		return err
	}
	h.muxer = muxer
	close(h.ready)
	return nil
}

// writeHLS adds a frame. What the muxer cannot take ends it; players begin anew. mu must be held.
func (st *stream) writeHLS(f *frame) {
	h := st.hls
	if h == nil {
		return
	}
	if h.muxer != nil {
		if h.write(f, st.params.bFrames) != nil {
			st.endHLS()
		}
		return
	}
	h.first = append(h.first, f)
	p, enough := paceOf(h.first)
	if !enough {
		return
	}
	h.pace = p
	if h.start(st) != nil {
		st.endHLS()
		return
	}
	for _, f := range h.first {
		if h.write(f, st.params.bFrames) != nil {
			st.endHLS()
			return
		}
	}
	h.first = nil
}

func (h *hlsOutput) write(f *frame, reordered bool) error {
	pts := f.at.Sub(h.pace.begun).Milliseconds() * hlsClock / 1000
	if !reordered {
		pts = h.pace.next(f.at)
		if f.key && pts > 0 { // the first segment is over
			h.pace.learning = false
		}
	}
	return h.muxer.WriteH264(h.track, f.at, pts, f.units)
}

// endHLS ends the HLS output and those who take it: their players begin anew. mu must be held.
func (st *stream) endHLS() {
	h := st.hls
	if h == nil {
		return
	}
	if h.muxer != nil {
		h.muxer.Close()
	} else {
		close(h.ready)
	}
	st.hls = nil
	for v := range st.viewers {
		if v.rung == RungHLS {
			v.end(errCodecChanged)
		}
	}
}

// restHLS ends the HLS output when nobody takes it any more, or nothing has come for long: nothing else would answer
// those who wait for the next part. mu must be held.
func (st *stream) restHLS(now time.Time) {
	if now.Sub(st.lastFrame) > silence {
		st.endHLS()
	}
	for v := range st.viewers {
		if v.rung == RungHLS {
			return
		}
	}
	st.endHLS()
}

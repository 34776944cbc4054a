package camera

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/bluenviron/gohlslib/v2"
	"github.com/bluenviron/gohlslib/v2/pkg/codecs"
)

// maxSegment is how much one answer of an HLS server may hold: ten seconds of 25 Mbit/s.
const maxSegment = 32 << 20 // bytes

// hls follows an HLS stream: MPEG-TS or fMP4 segments, also low-latency parts.
func (f *follow) hls(ctx context.Context) error {
	f.stall = stallHLS
	f.alive()
	u := *f.url
	if u.Scheme == "hls" {
		u.Scheme = "http"
	}
	inner := newClient()
	defer inner.CloseIdleConnections()
	way := &watched{RoundTripper: inner.Transport, ctx: ctx}
	c := &gohlslib.Client{URI: u.String(), StartDistance: 1, MaxDistance: 1000,
		HTTPClient:                &http.Client{Transport: way, CheckRedirect: inner.CheckRedirect},
		OnDownloadPrimaryPlaylist: func(string) {}, OnDownloadStreamPlaylist: func(string) {},
		OnDownloadSegment: func(string) {}, OnDownloadPart: func(string) {}, OnDecodeError: func(error) {}}
	took := false // a picture; on the client's goroutine, then, when that has ended, on ours
	c.OnTracks = func(tracks []*gohlslib.Track) error {
		for _, t := range tracks {
			var sets [][]byte
			codec := CodecH264
			switch h := t.Codec.(type) {
			case *codecs.H264:
				sets = [][]byte{h.SPS, h.PPS}
			case *codecs.H265:
				sets, codec = [][]byte{h.VPS, h.SPS, h.PPS}, CodecH265
			default:
				continue
			}
			sets = slices.DeleteFunc(sets, func(s []byte) bool { return len(s) == 0 })
			f.is(Stream{HLS, codec})
			var line timeline
			c.OnDataH26x(t, func(ticks, _ int64, unit [][]byte) {
				took = true
				pts := time.Duration(ticks) * time.Second / time.Duration(max(t.ClockRate, 1))
				f.unit(append(sets, unit...), line.at(pts, time.Now()), pts)
				sets = nil
			})
			return nil
		}
		return failure(UnsupportedCodec)
	}
	if err := c.Start(); err != nil {
		return failure(BadURL)
	}
	stop := context.AfterFunc(ctx, c.Close)
	defer stop()
	err := c.Wait2()
	var known failure
	switch fault := way.failed(); {
	case ctx.Err() != nil:
		return ctx.Err()
	case fault != nil:
		return fault
	case errors.As(err, &known):
		return known
	case took: // a recording that has ended
		return errEnded
	}
	return failure(NotAStream)
}

// watched keeps what went wrong, which the library says in its own words, and limits how much comes and how fast.
type watched struct {
	http.RoundTripper
	ctx context.Context

	mu    sync.Mutex // holds fault
	fault error
}

func (w *watched) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fault
}

func (w *watched) keep(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fault == nil && w.ctx.Err() == nil {
		w.fault = err
	}
	return err
}

// RoundTrip asks.
func (w *watched) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := w.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, w.keep(err)
	}
	if err := refusal(res.StatusCode); err != nil {
		w.keep(err)
	}
	if res.ContentLength > maxSegment {
		res.Body.Close()
		return nil, w.keep(failure(TooLarge))
	}
	res.Body = struct {
		*allowance
		closer
	}{&allowance{&paced{Reader: res.Body, ctx: w.ctx}, maxSegment}, closer{res.Body.Close}}
	return res, nil
}

type closer struct{ close func() error }

func (c closer) Close() error { return c.close() }

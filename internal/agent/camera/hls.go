package camera

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/bluenviron/gohlslib/v2"
	"github.com/bluenviron/gohlslib/v2/pkg/codecs"
)

// hls looks at an HLS stream: MPEG-TS or fMP4 segments, also low-latency parts.
func (l *look) hls(ctx context.Context) error {
	l.result.Kind = HLS
	u := *l.url
	if u.Scheme == "hls" {
		u.Scheme = "http"
	}
	inner := newClient()
	defer inner.CloseIdleConnections()
	way := &watched{RoundTripper: inner.Transport, ctx: ctx, left: maxTotal, user: u.User}
	var v video
	done := make(chan error, 1)
	say := func(err error) {
		select {
		case done <- err:
		default:
		}
	}
	c := &gohlslib.Client{URI: u.String(), StartDistance: 1, MaxDistance: 1000,
		HTTPClient:                &http.Client{Transport: way, CheckRedirect: inner.CheckRedirect},
		OnDownloadPrimaryPlaylist: func(string) {}, OnDownloadStreamPlaylist: func(string) {},
		OnDownloadSegment: func(string) {}, OnDownloadPart: func(string) {}, OnDecodeError: func(error) {}}
	c.OnTracks = func(tracks []*gohlslib.Track) error {
		for _, t := range tracks {
			h, ok := t.Codec.(*codecs.H264)
			if !ok {
				continue
			}
			v.sps, v.pps = h.SPS, h.PPS
			c.OnDataH26x(t, func(pts, _ int64, unit [][]byte) {
				if full, err := v.add(unit, time.Duration(pts)*time.Second/time.Duration(max(t.ClockRate, 1))); full || err != nil {
					say(err)
				}
			})
			return nil
		}
		return failure(UnsupportedCodec)
	}
	if err := c.Start(); err != nil {
		return failure(BadURL)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait2() }()
	var err error
	select {
	case err = <-done:
	case err = <-ended:
		ended <- err
	case <-ctx.Done():
		err = ctx.Err()
	}
	c.Close()
	<-ended // no callback runs from here on
	if v.keyframe != nil {
		return l.video(ctx, &v) // a recording that has ended is as good
	}
	if f := way.failed(); f != nil {
		return f
	}
	if ctx.Err() != nil {
		l.sized(&v)
		return failure(Timeout)
	}
	if _, known := err.(failure); known {
		return err
	}
	return failure(NotAStream)
}

// watched counts what comes and keeps what went wrong, which the library says in its own words.
type watched struct {
	http.RoundTripper
	ctx  context.Context
	user *url.Userinfo

	mu    sync.Mutex // holds what follows
	left  int
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

// RoundTrip asks, with the look's time.
func (w *watched) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := w.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, w.keep(err)
	}
	switch res.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		w.keep(failure(RefusedLogin))
	case http.StatusNotFound, http.StatusGone:
		w.keep(failure(NotFound))
	}
	w.mu.Lock()
	left := w.left
	w.left -= int(max(res.ContentLength, 1<<10))
	w.mu.Unlock()
	if left <= 0 {
		res.Body.Close()
		return nil, w.keep(failure(TooLarge))
	}
	res.Body = struct {
		*allowance
		closer
	}{&allowance{res.Body, left}, closer{res.Body.Close}}
	return res, nil
}

type closer struct{ close func() error }

func (c closer) Close() error { return c.close() }

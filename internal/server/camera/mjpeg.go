package camera

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

const (
	boundary     = "factor-frame"
	mjpegType    = "multipart/x-mixed-replace;boundary=" + boundary
	slowestWrite = 10 * time.Second // a viewer who takes longer for one picture has gone
)

func (s *Service) apiMJPEG(ctx context.Context, in *struct {
	View
	Language
	MaxFPS float64 `query:"fps" minimum:"0" maximum:"60" doc:"At most this many pictures a second; 0: as they come"`
}) (*huma.StreamResponse, error) {
	p, err := s.at(ctx, &in.View, RungMJPEG)
	if err != nil {
		return nil, err
	}
	v, err := s.join(p, RungMJPEG)
	if err != nil {
		return nil, err
	}
	if err := v.stream.until(ctx, firstFrame, v.stream.canJPEG); err != nil {
		v.leave()
		return nil, explain(err, in.Language.of(p.actor))
	}
	return streamed(func(w http.ResponseWriter, r *http.Request) {
		defer v.leave()
		v.serveMJPEG(w, r, in.MaxFPS)
	}), nil
}

// serveMJPEG sends the newest picture as often as the viewer takes one. Each is followed by the next boundary at once:
// browsers show a picture when it ends, and would else show each a frame late.
func (v *viewer) serveMJPEG(w http.ResponseWriter, r *http.Request, maxFPS float64) {
	c := http.NewResponseController(w)
	w.Header().Set("Content-Type", mjpegType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would gather several pictures
	head := []byte("--" + boundary + "\r\n")
	var frames []*frame
	var last time.Time
	for {
		var err error
		if frames, err = v.next(r.Context(), frames); err != nil {
			return
		}
		f := frames[len(frames)-1]
		if maxFPS > 0 && !last.IsZero() && f.received.Sub(last).Seconds() < 0.9/maxFPS {
			continue
		}
		last = f.received
		head = append(head, "Content-Type: image/jpeg\r\nContent-Length: "...)
		head = strconv.AppendInt(head, int64(len(f.data)), 10)
		head = append(head, "\r\nX-Timestamp: "...)
		head = strconv.AppendFloat(head, float64(f.at.UnixMicro())/1e6, 'f', 6, 64)
		head = append(head, "\r\n\r\n"...)
		_ = c.SetWriteDeadline(time.Now().Add(slowestWrite))
		for _, part := range [][]byte{head, f.data, []byte("\r\n--" + boundary + "\r\n")} {
			if _, err := w.Write(part); err != nil {
				return
			}
		}
		if c.Flush() != nil {
			return
		}
		v.sent(f)
		head = head[:0]
	}
}

// canJPEG tells whether there is a JPEG to show. It starts a decoder where the stream has none of its own. mu must be
// held.
func (st *stream) canJPEG() bool {
	if st.picture != nil && time.Since(st.picture.received) < silence {
		return true
	}
	st.decodeIfNeeded()
	return false
}

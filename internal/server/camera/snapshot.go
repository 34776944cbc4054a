package camera

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// snapshot is the picture that everybody who asks for one within two seconds gets.
type snapshot struct{ frame *frame }

func (s *Service) apiSnapshot(ctx context.Context, in *struct {
	View
	Language
	None string `header:"If-None-Match" maxLength:"64"`
}) (*huma.StreamResponse, error) {
	p, err := s.at(ctx, &in.View, RungPicture)
	if err != nil {
		return nil, err
	}
	f, err := s.picture(ctx, p)
	if err != nil {
		return nil, explain(err, in.Language.of(p.actor))
	}
	return streamed(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		tag := `"` + strconv.FormatInt(f.received.UnixMicro(), 36) + `"`
		h.Set("Content-Type", "image/jpeg")
		h.Set("Cache-Control", "private, no-cache")
		h.Set("ETag", tag)
		h.Set("Last-Modified", f.at.UTC().Format(http.TimeFormat))
		h.Set("X-Timestamp", strconv.FormatFloat(float64(f.at.UnixMicro())/1e6, 'f', 6, 64))
		if in.None == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		http.ServeContent(w, r, "", f.at, bytes.NewReader(f.data))
	}), nil
}

// picture gives the newest picture of a camera: the same to all within two seconds. Errors: troubleError.
func (s *Service) picture(ctx context.Context, p place) (*frame, error) {
	var st *stream
	var err error
	for range 3 { // a stream may end between the two lines
		if st, err = s.stream(p); err != nil {
			return nil, err
		}
		if err = st.touch(); err == nil {
			break
		}
		s.forget(st)
	}
	if err != nil {
		return nil, err
	}
	s.count.pictures.Inc()
	var f *frame
	none := false
	err = st.until(ctx, firstFrame, func() bool {
		f = st.current(time.Now())
		none = f == nil && len(st.kept) > 0 && st.s.ffmpegPath() == ""
		return f != nil || none
	})
	if none {
		return nil, troubleError{TroubleNoPicture}
	}
	return f, err
}

// current gives the picture of these two seconds, if there is one. mu must be held.
func (st *stream) current(now time.Time) *frame {
	old := st.snapshot.frame
	if old != nil && now.Sub(old.received) < pictureEvery {
		return old
	}
	if f := st.picture; f != nil && now.Sub(f.received) < 2*pictureEvery+time.Second && (old == nil || f != old) {
		st.snapshot.frame = f
		return f
	}
	if st.pictureFromVideo(now) {
		return nil // it is being made
	}
	if old != nil && now.Sub(old.received) < silence {
		return old // the next one is on its way
	}
	return nil
}

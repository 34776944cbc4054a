package camera

import (
	"context"
	"strings"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// place finds the camera that somebody asks for and may look at: by id or by name, "" for the first. view is a viewing
// token, or "". Errors: not_signed_in, not_allowed, not_found, camera_unknown, view_expired.
func (s *Service) place(ctx context.Context, uuid, ref string, rung Rung, view string) (place, error) {
	p := place{uuid: uuid, token: view != ""}
	if view != "" {
		t, err := s.openToken(view, rung)
		if err != nil {
			return p, err
		}
		p.actor, p.check = t.actor, t.check
		if target, ok := s.Printers.Place(uuid); !ok || target.PrinterID != t.key.printerID {
			return p, errViewExpired
		}
		if p.check != nil && !p.check(ctx) {
			return p, errViewExpired
		}
		ref = t.key.cameraID
	} else {
		actor, err := workspace.RequireUser(ctx)
		if err != nil {
			return p, err
		}
		p.actor, p.check = actor, workspace.CheckFrom(ctx)
	}
	target, ok := s.Printers.Place(uuid)
	if !ok {
		return p, errNoPrinter
	}
	p.target = target
	if err := s.Access.Can(ctx, p.actor, workspace.PrinterView, target); err != nil {
		return p, err
	}
	list := s.Printers.Cameras(uuid)
	for _, match := range []func(c *Camera) bool{
		func(c *Camera) bool { return ref == "" || c.ID == ref },
		func(c *Camera) bool { return c.Name == ref },
		func(c *Camera) bool { return strings.EqualFold(c.Name, ref) },
	} {
		for i := range list {
			if match(&list[i]) {
				p.camera = list[i]
				return p, nil
			}
		}
	}
	return p, errNoCamera
}

// until waits until ready says so of the stream, which it is asked with st.mu held. Errors: ctx's, the viewer's end, or
// the trouble that the stream is in for good.
func (st *stream) until(ctx context.Context, limit time.Duration, ready func() bool) error {
	timeout := time.NewTimer(limit)
	defer timeout.Stop()
	for {
		st.mu.Lock()
		ok, over, changed, trouble := ready(), st.over, st.changed, st.failing()
		st.mu.Unlock()
		switch {
		case ok:
			return nil
		case over:
			return errCameraGone
		case trouble != "":
			return troubleError{trouble}
		}
		select {
		case <-changed:
		case <-timeout.C:
			st.mu.Lock()
			trouble = st.mostLikely()
			st.mu.Unlock()
			return troubleError{trouble}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// failing is what is wrong with the stream, "" for nothing. mu must be held.
func (st *stream) failing() Trouble {
	if st.report.State == "failed" && st.report.Code != "" {
		return Trouble(st.report.Code)
	}
	if st.trouble != "" {
		return st.trouble
	}
	if t := Trouble(st.report.Code); t != "" && st.lastFrame.IsZero() {
		return t
	}
	return ""
}

// mostLikely is why nothing came in all the time that somebody waited. mu must be held.
func (st *stream) mostLikely() Trouble {
	if t := st.failing(); t != "" {
		return t
	}
	switch {
	case st.publishing != nil:
		return TroublePublish
	case st.link == nil:
		return TroubleSilent
	case st.info.Codec == "h264" && len(st.kept) == 0:
		return TroubleNoKeyFrame
	}
	return TroubleNoFrames
}

// troubleError is a trouble as an error.
type troubleError struct{ trouble Trouble }

func (e troubleError) Error() string { return "camera: " + string(e.trouble) }

// explain turns an error into what the asker is told.
func explain(err error, language string) error {
	if t, ok := err.(troubleError); ok {
		return t.trouble.problem(language)
	}
	switch err {
	case errCameraGone:
		return errNoCamera
	case errServerStops:
		return errStopping
	case errRightEnded:
		return problem.ErrNotSignedIn
	}
	return err
}

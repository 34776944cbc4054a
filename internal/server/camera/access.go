package camera

import (
	"context"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// recheckEvery is how often viewers and links are asked whether what they came with is still good. With a look at the
// database at each, an ended one is gone within 5 s.
const recheckEvery = 3 * time.Second

const rightsTimeout = 5 * time.Second

// listen takes from the bus what ends streams. Its handlers run in the goroutine of whoever has news, so all that may
// wait goes to jobs.
func (s *Service) listen() {
	s.ends = []func(){
		s.Bus.PrinterChanged.Subscribe(func(m bus.PrinterChanged) {
			s.later(func(ctx context.Context) { s.printerChanged(ctx, m) })
		}),
		s.Bus.AccessEnded.Subscribe(func(m bus.AccessEnded) {
			s.later(func(ctx context.Context) { s.accessEnded(ctx, m) })
		}),
	}
}

// later does something that may wait, in the order of the calls. With too much to do it is left to recheck.
func (s *Service) later(job func(context.Context)) {
	select {
	case s.jobs <- job:
	default:
		s.missed.Store(true)
	}
}

func (s *Service) work() {
	for {
		select {
		case <-s.ctx.Done():
			return
		case job := <-s.jobs:
			job(s.ctx)
		}
	}
}

// printerChanged has streams follow what their owner changed, and ends those of printers, cameras and rights that are
// not there any more.
func (s *Service) printerChanged(ctx context.Context, m bus.PrinterChanged) {
	for _, st := range s.all() {
		if st.key.printerID == m.PrinterID {
			s.refresh(st)
		}
	}
	s.checkRights(ctx, func(v *viewer) bool { return v.stream.key.printerID == m.PrinterID })
}

// refresh has a stream follow its camera's settings. Another address, or another device, is another stream.
func (s *Service) refresh(st *stream) {
	uuid, ok := s.Printers.Find(st.key.printerID)
	var now *Camera
	if ok {
		for _, c := range s.Printers.Cameras(uuid) {
			if c.ID == st.key.cameraID {
				now = &c
			}
		}
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	switch {
	case now == nil:
		st.close(errCameraGone)
	case st.uuid != uuid || st.camera.URL != now.URL || st.camera.Rotation != now.Rotation || st.camera.FlipH != now.FlipH || st.camera.FlipV != now.FlipV:
		st.uuid, st.camera = uuid, *now
		st.restart()
	case st.camera != *now:
		st.camera = *now
		st.drive(time.Now())
	default:
		st.drive(time.Now()) // its device may have come back
	}
}

// restart opens the camera anew. mu must be held.
func (st *stream) restart() {
	if st.over {
		return
	}
	if st.link != nil {
		st.link.close(errCodecChanged)
		st.link = nil
	}
	st.stopPublished()
	st.name, st.tries, st.trouble, st.picture = "", 0, "", nil
	st.snapshot = snapshot{}
	st.reset()
	st.tell()
	st.drive(time.Now())
}

func (s *Service) accessEnded(ctx context.Context, m bus.AccessEnded) {
	for _, v := range s.everybody() {
		switch {
		case m.SessionID != "" && v.actor.SessionID == m.SessionID,
			m.TokenID != "" && v.actor.TokenID == m.TokenID,
			m.SessionID == "" && m.TokenID == "" && m.WorkspaceID == "" && v.actor.UserID == m.UserID:
			v.end(errRightEnded)
		}
	}
	if m.WorkspaceID != "" {
		s.checkRights(ctx, func(v *viewer) bool { return v.actor.UserID == m.UserID })
	}
}

func (s *Service) everybody() []*viewer {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*viewer, 0, len(s.viewers))
	for v := range s.viewers {
		if v.stream != nil {
			list = append(list, v)
		}
	}
	return list
}

// checkRights ends those of some viewers who may not see their printer any more.
func (s *Service) checkRights(ctx context.Context, which func(*viewer) bool) {
	for _, v := range s.everybody() {
		if which(v) && !s.maySee(ctx, v.actor, v.stream.key.printerID) {
			v.end(errRightEnded)
		}
	}
}

func (s *Service) maySee(ctx context.Context, actor workspace.Actor, printerID string) bool {
	uuid, ok := s.Printers.Find(printerID)
	if !ok {
		return false
	}
	target, ok := s.Printers.Place(uuid)
	if !ok {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, rightsTimeout)
	defer cancel()
	return s.Access.Can(ctx, actor, workspace.PrinterView, target) == nil
}

func (s *Service) recheck(ctx context.Context) {
	if s.missed.Swap(false) {
		for _, st := range s.all() {
			s.refresh(st)
		}
		s.checkRights(ctx, func(*viewer) bool { return true })
	}
	s.checkViewers(ctx, s.everybody())
	s.checkLinks(ctx)
}

// checkViewers ends those whose session or token is over. Viewers with the same one are asked for once.
func (s *Service) checkViewers(ctx context.Context, list []*viewer) {
	good := map[string]bool{}
	for _, v := range list {
		if v.check == nil || ctx.Err() != nil {
			continue
		}
		by := v.actor.SessionID + "/" + v.actor.TokenID
		ok, known := good[by]
		if !known {
			ok = v.check(ctx)
			good[by] = ok
		}
		if !ok && ctx.Err() == nil {
			v.end(errRightEnded)
		}
	}
}

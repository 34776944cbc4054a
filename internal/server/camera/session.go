package camera

import (
	"context"
	"net/http"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/problem"
)

// session is a viewer whose stream is more than one request: WebRTC, or HLS.
type session struct {
	v       *viewer
	rung    Rung
	key     streamKey
	used    time.Time // HLS: when something was last asked for; guarded by Service.mu
	waiting int       // HLS: what is being answered now, as a part that has yet to come; guarded by Service.mu
	rtc     *rtcSession
	byToken bool // begun by a viewing token
}

var errNoSession = problem.New(http.StatusNotFound, "session_unknown", "This viewing session has ended. Begin a new one.")

func (s *Service) keep(x *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions[x.v.id] = x
}

// session gives one by its id, if it is of this camera's and of this rung. Errors: errNoSession.
func (s *Service) session(id string, rung Rung) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.sessions[id]
	if x == nil || x.rung != rung || x.v.ended.Err() != nil {
		return nil, errNoSession
	}
	x.used = time.Now()
	return x, nil
}

// maxAnswers is how many answers an HLS player may wait for at a time. One asks for a playlist and a part or two.
const maxAnswers = 16

// asks takes note that an HLS player waits for an answer; call what it gives when it has it. The first playlist is there
// with the second key frame only, which may be far away. false: it waits for too many.
func (s *Service) asks(x *session) (answered func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x.waiting >= maxAnswers {
		return nil, false
	}
	x.waiting++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		x.waiting--
		x.used = time.Now()
	}, true
}

func (s *Service) drop(x *session) {
	s.mu.Lock()
	delete(s.sessions, x.v.id)
	s.mu.Unlock()
	x.v.leave()
}

// hlsIdle is how long an HLS player may ask for nothing before it counts as gone. It asks at least once a segment.
const hlsIdle = 12 * time.Second

func (s *Service) sweepSessions(now time.Time) {
	s.mu.Lock()
	var over []*session
	for _, x := range s.sessions {
		if x.v.ended.Err() != nil || (x.rung == RungHLS && x.waiting == 0 && now.Sub(x.used) > hlsIdle) {
			over = append(over, x)
		}
	}
	s.mu.Unlock()
	for _, x := range over {
		if x.rtc == nil { // the other kind ends by itself
			s.drop(x)
		}
	}
	s.reported.sweep(now)
	s.sweepTokens(now)
}

func (s *Service) closeSessions() {
	s.mu.Lock()
	list := make([]*session, 0, len(s.sessions))
	for _, x := range s.sessions {
		list = append(list, x)
	}
	s.mu.Unlock()
	for _, x := range list {
		x.v.end(errServerStops)
		if x.rtc == nil {
			s.drop(x)
		}
	}
}

// own finds a WebRTC session for somebody who may see its camera and began it himself, or knows its name by a viewing
// token that he began it with. Errors: as place, errNoSession.
func (s *Service) own(ctx context.Context, in *View, id string) (*session, error) {
	view := *in
	if view.Token != "" { // the session's name, which nobody else knows, stands for the token that has expired by now
		x, err := s.session(id, RungWHEP)
		if err != nil {
			return nil, err
		}
		if target, ok := s.Printers.Place(in.UUID); !ok || !x.byToken || target.PrinterID != x.key.printerID {
			return nil, errNoSession
		}
		return x, nil
	}
	p, err := s.at(ctx, &view, RungWHEP)
	if err != nil {
		return nil, err
	}
	x, err := s.session(id, RungWHEP)
	if err != nil {
		return nil, err
	}
	if x.key != p.key() || x.v.actor.UserID != p.actor.UserID {
		return nil, errNoSession
	}
	return x, nil
}

package command

import (
	"math"
	"slices"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// runPublished sends a command to the published plugin, which never answers, and looks for its effect in what it reports.
func (s *Service) runPublished(o *order) {
	c := forPublished(&o.command)
	moved := make(chan struct{}, 1)
	s.mu.Lock()
	s.watched[o.uuid] = append(s.watched[o.uuid], moved)
	s.mu.Unlock()
	defer s.unwatch(o.uuid, moved)
	if o.command.Type == wire.CommandPause && !s.begun(o, moved) {
		out := o.outcomeAs(StateAnswered)
		out.Code = wire.ResultStarting
		if err := s.finish(o, out); err != nil {
			s.log.Error("what became of a command was not written down", "command", o.id, "error", err)
		}
		s.conclude(o, out, nil)
		return
	}
	if err := s.send(o, &c); err != nil {
		s.conclude(o, Outcome{}, err)
		return
	}
	sent := s.now()
	out := o.outcomeAs(StateSent)
	s.tell(o, out)
	s.conclude(o, out, nil)
	timer := time.NewTimer(effectTime)
	defer timer.Stop()
	for seen := false; !seen; {
		select {
		case <-moved:
			now, ok := s.Printers.Situation(o.uuid)
			if ok && now.Starting && o.command.Type == wire.CommandPause {
				out.Code = wire.ResultStarting // why it may have been lost
			}
			if seen = ok && now.ReportedAt.After(sent) && effect(&o.command, &now); !seen {
				continue
			}
			out.State, out.OK, out.Code = StateEffectSeen, true, ""
		case <-timer.C:
			seen, out.State = true, StateUnconfirmed
		case <-s.work.Context.Done():
			return
		}
	}
	if err := s.finish(o, out); err != nil {
		s.log.Error("what became of a command was not written down", "command", o.id, "error", err)
	}
}

// begun waits until a print that is starting has begun, for as long as the command is good: OctoPrint would lose a pause,
// and the published plugin does not tell.
func (s *Service) begun(o *order, moved <-chan struct{}) bool {
	timer := time.NewTimer(lifetime - s.now().Sub(o.at))
	defer timer.Stop()
	for {
		if now, ok := s.Printers.Situation(o.uuid); !ok || !now.Starting {
			return true
		}
		select {
		case <-moved:
		case <-timer.C:
			return false
		case <-s.work.Context.Done():
			return true // sending says that the server ends
		}
	}
}

func (s *Service) unwatch(uuid string, moved chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := slices.DeleteFunc(s.watched[uuid], func(c chan struct{}) bool { return c == moved })
	if len(left) == 0 {
		delete(s.watched, uuid)
		return
	}
	s.watched[uuid] = left
}

// twinChanged has those look again who look for an effect. It runs in the publisher's goroutine and never waits.
func (s *Service) twinChanged(m bus.TwinChanged) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, moved := range s.watched[m.UUID] {
		select {
		case moved <- struct{}{}:
		default:
		}
	}
}

// forPublished gives a command as the published plugin takes it. It knows no id and no end.
func forPublished(c *wire.Command) wire.Command {
	p := *c
	p.ID, p.Expires = "", 0
	if p.Type == wire.CommandMove && p.Mode == "" {
		p.Mode = wire.MoveRelative
	}
	return p
}

// effects tell whether a printer does what it was told. A command without one shows in no snapshot.
var effects = map[wire.CommandType]func(*wire.Command, *Situation) bool{
	wire.CommandPause: func(_ *wire.Command, s *Situation) bool {
		return s.Status == wire.StatusPausing || s.Status == wire.StatusPaused
	},
	wire.CommandResume: func(_ *wire.Command, s *Situation) bool {
		return s.Status == wire.StatusResuming || s.Status == wire.StatusPrinting || s.Status == wire.StatusHeating
	},
	wire.CommandCancel: func(_ *wire.Command, s *Situation) bool {
		return s.Status == wire.StatusCancelling || s.Status == wire.StatusIdle
	},
	wire.CommandSetTemperature: func(c *wire.Command, s *Situation) bool {
		target, ok := s.Targets[heater(*c.Tool)]
		return ok && math.Abs(target-*c.Temperature) < 0.5
	},
	wire.CommandSetFeedRate: func(c *wire.Command, s *Situation) bool {
		return s.FeedRate != nil && math.Abs(*s.FeedRate-*c.Factor) < 0.5
	},
}

func effect(c *wire.Command, s *Situation) bool {
	shows := effects[c.Type]
	return shows != nil && s.Online && shows(c, s)
}

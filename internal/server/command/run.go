package command

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// ErrInvalid says that a device's answer will never be acceptable: acknowledge it, so that it does not come again.
var ErrInvalid = errors.New("invalid answer to a command")

// run sends a command that is written down and sees it to its end.
func (s *Service) run(o *order) {
	if o.situation.Plugin == PluginPublished {
		s.runPublished(o)
		return
	}
	c := o.command
	c.ID, c.Expires = o.id, unix(o.at.Add(lifetime))
	s.mu.Lock()
	s.waiting[o.id] = o
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.waiting, o.id)
		s.mu.Unlock()
	}()
	if err := s.send(o, &c); err != nil {
		s.conclude(o, Outcome{}, err)
		return
	}
	timer := time.NewTimer(answerTime - s.now().Sub(o.at))
	defer timer.Stop()
	select {
	case r := <-o.answers:
		s.count.took.Observe(s.now().Sub(o.at).Seconds())
		s.conclude(o, o.answered(&r), nil)
	case <-timer.C:
		out := o.outcomeAs(StateUnknown)
		if err := s.finish(o, out); err != nil {
			s.log.Error("what became of a command was not written down", "command", o.id, "error", err)
		}
		s.conclude(o, out, errTimeout)
	case <-s.work.Context.Done():
		s.conclude(o, Outcome{}, errStopping)
	}
}

// send gives the command to the device, or says in the audit that it was not sent. Problems: device_offline.
func (s *Service) send(o *order, c *wire.Command) error {
	payload, err := json.Marshal(c)
	if err == nil && s.Devices == nil {
		err = errOffline
	}
	if err == nil && s.now().Sub(o.at) >= lifetime {
		err = errors.New("the server took too long")
	}
	if err == nil {
		err = s.Devices.Publish(o.uuid, wire.KindControl, payload, 1)
	}
	if err == nil {
		s.count.sent.WithLabelValues(string(c.Type)).Inc()
		return nil
	}
	s.log.Info("command not sent", "printer", o.situation.PrinterID, "command", c.Type, "error", err)
	out := o.outcomeAs(StateAnswered)
	out.Code = notSent
	if err := s.finish(o, out); err != nil {
		s.log.Error("what became of a command was not written down", "command", o.id, "error", err)
	}
	return errOffline
}

// notSent is the code in the audit of a command whose device went away before it was sent.
const notSent wire.ResultCode = "not_sent"

func (o *order) outcomeAs(state State) Outcome {
	return Outcome{ID: o.id, Type: o.command.Type, State: state, At: o.at.UTC().Truncate(time.Millisecond)}
}

func (o *order) answered(r *wire.CommandResult) Outcome {
	out := o.outcomeAs(StateAnswered)
	out.OK, out.Code, out.Message = r.OK, r.Code, r.Message
	return out
}

// Result takes a device's answer to a command. printerID is whose device it is. Errors: ErrInvalid; others mean that it
// could not be stored, so that it must come again.
func (s *Service) Result(ctx context.Context, printerID string, payload []byte) error {
	var r wire.CommandResult
	if len(payload) > wire.MaxSmall || json.Unmarshal(payload, &r) != nil || r.ID == "" || len(r.ID) > wire.MaxCommandID {
		s.count.answers.WithLabelValues("invalid").Inc()
		return ErrInvalid
	}
	clean(&r)
	s.mu.Lock()
	o := s.waiting[r.ID]
	s.mu.Unlock()
	if o == nil {
		var err error
		if o, err = s.load(ctx, r.ID); err != nil {
			return err
		}
	}
	if o == nil || o.situation.PrinterID != printerID {
		s.count.answers.WithLabelValues("unknown").Inc()
		return ErrInvalid
	}
	out := o.answered(&r)
	stored, err := s.finishOnce(ctx, o, out)
	if err != nil {
		return err
	}
	if !stored {
		s.count.answers.WithLabelValues("repeated").Inc()
		return nil
	}
	s.count.answers.WithLabelValues(string(r.Code)).Inc()
	select {
	case o.answers <- r:
	default: // nobody waits any more
	}
	return nil
}

// clean bounds what a device says.
func clean(r *wire.CommandResult) {
	known := r.Code == wire.ResultDone
	for _, c := range wire.ResultCodes {
		known = known || r.Code == c
	}
	switch {
	case !known && r.OK:
		r.Code = wire.ResultDone
	case !known:
		r.Code = wire.ResultFailed
	}
	r.OK = r.Code == wire.ResultDone
	r.Message, _ = wire.CleanText(r.Message, 300)
}

// resultOf is an outcome in the audit's words.
func resultOf(out Outcome) audit.Result {
	switch {
	case out.State == StateWaiting || out.State == StateSent:
		return audit.Pending
	case out.OK:
		return audit.OK
	case out.State == StateUnknown || out.State == StateUnconfirmed || out.Code == wire.ResultOutcomeUnknown:
		return audit.Unknown
	}
	return audit.Failed
}

func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func seconds(d time.Duration) int { return max(1, int((d+time.Second-1)/time.Second)) }

package command

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// maxKey is the longest Idempotency-Key, in bytes.
const maxKey = 128

var (
	errKey     = problem.Field("invalid", "Idempotency-Key", "An Idempotency-Key has at most 128 visible characters.")
	errSameKey = problem.New(http.StatusUnprocessableEntity, "idempotency_mismatch",
		"This Idempotency-Key was used for another command. Make a new key for each click.")
	errOffline = problem.New(http.StatusConflict, "device_offline",
		"The printer's device is not connected. Nothing was sent, and nothing waits for its return.")
	errTimeout = problem.New(http.StatusGatewayTimeout, "device_timeout",
		"The device has not answered in time. It does not begin the command any more, but may have begun it: look at the printer.")
	errStopping = problem.New(http.StatusServiceUnavailable, "stopping", "The server is being stopped. Try again in a moment.")
)

// Do has a printer do something on behalf of the context's actor, and waits for what becomes of it: the device's answer,
// or, for the published plugin, that it was sent. key is the click's own: the same one again does nothing, and is answered
// as before.
//
// Problems: not_signed_in, not_found, not_allowed, invalid and out_of_range with the field, rate_limited,
// idempotency_mismatch, device_offline, not_now with the reason, device_timeout. A device that answered no is no error: the
// outcome says so.
func (s *Service) Do(ctx context.Context, uuid string, c wire.Command, key string) (Outcome, error) {
	o, err := s.admit(ctx, uuid, c, key)
	if err != nil {
		return Outcome{}, err
	}
	select {
	case <-o.done:
	case <-ctx.Done():
		return Outcome{}, ctx.Err()
	}
	switch {
	case o.err != nil:
		return Outcome{}, o.err
	case o.outcome.Code == notSent:
		return Outcome{}, errOffline
	case o.outcome.State == StateUnknown:
		return Outcome{}, errTimeout
	}
	return o.outcome, nil
}

// admit checks a command and starts it, or finds the order that its key belongs to.
func (s *Service) admit(ctx context.Context, deviceUUID string, c wire.Command, key string) (*order, error) {
	now := s.now()
	at, ok := s.Printers.Situation(deviceUUID)
	if !ok {
		return nil, problem.NotFound("printer")
	}
	c.ID, c.Expires = "", 0
	o := &order{command: c, uuid: deviceUUID, situation: at, at: now, answers: make(chan wire.CommandResult, 1), done: make(chan struct{})}
	o.actor, _ = workspace.ActorFrom(ctx)
	if err := s.allowed(ctx, o); err != nil {
		s.refused(ctx, o, err)
		return nil, err
	}
	if !validKey(key) {
		return nil, errKey
	}
	o.key = keyOf{o.actor.UserID, at.PrinterID, key}
	o.hash = hashOf(&c)
	if earlier, err := s.reserve(ctx, o); earlier != nil || err != nil {
		return earlier, err
	}
	if err := s.sensible(ctx, o); err != nil {
		s.refused(ctx, o, err)
		s.conclude(o, Outcome{}, err)
		return nil, err
	}
	if err := s.start(ctx, o); err != nil {
		s.conclude(o, Outcome{}, err)
		return nil, err
	}
	return o, nil
}

// reserve takes the order's key, or gives the order that has it: under way, or of the last day.
func (s *Service) reserve(ctx context.Context, o *order) (*order, error) {
	if o.key.key == "" {
		return nil, nil
	}
	s.mu.Lock()
	earlier := s.keys[o.key]
	if earlier == nil {
		s.keys[o.key] = o
	}
	s.mu.Unlock()
	var err error
	if earlier == nil {
		if earlier, err = s.loadByKey(ctx, o.key); err != nil || earlier != nil {
			// Whoever came with the same key meanwhile waits for this one.
			if err == nil && earlier.hash != o.hash {
				err = errSameKey
			}
			out := Outcome{}
			if err == nil {
				out = earlier.outcome
			}
			s.conclude(o, out, err)
			return earlier, err
		}
		return nil, nil
	}
	if earlier.hash != o.hash {
		return nil, errSameKey
	}
	return earlier, nil
}

// conclude answers the click, and whoever else waits for it.
func (s *Service) conclude(o *order, out Outcome, err error) {
	s.mu.Lock()
	if s.keys[o.key] == o {
		delete(s.keys, o.key)
	}
	s.mu.Unlock()
	o.outcome, o.err = out, err
	close(o.done)
}

// allowed tells whether the actor may give such a command at all.
func (s *Service) allowed(ctx context.Context, o *order) error {
	target := workspace.Target{WorkspaceID: o.situation.WorkspaceID, PrinterID: o.situation.PrinterID}
	if err := s.Access.Can(ctx, o.actor, workspace.PrinterControl, target); err != nil {
		return err
	}
	r, known := wire.RuleOf(o.command.Type)
	if known && r.Need == wire.NeedOwner || o.command.Type == wire.CommandGCode {
		err := s.Access.Can(ctx, o.actor, workspace.PrinterEdit, target)
		if err == nil || o.command.Type != wire.CommandGCode {
			return err
		}
		return s.allowedLines(ctx, o)
	}
	return nil
}

// sensible tells whether the command makes sense now.
func (s *Service) sensible(ctx context.Context, o *order) error {
	limits, err := s.limitsOf(ctx, &o.situation)
	if err != nil {
		return err
	}
	if err := o.command.Check(limits.wire(&o.situation)); err != nil {
		return fieldProblem(err)
	}
	if wait := s.rates.take(o.actor.UserID, o.situation.PrinterID, o.command.Type); wait > 0 {
		p := problem.New(http.StatusTooManyRequests, "rate_limited", "Too many commands in a short time. Wait a moment.")
		p.RetryAfter = seconds(wait)
		return p
	}
	if !o.situation.Online {
		return errOffline
	}
	if h := hindrance(&o.situation, &o.command); h != wire.Unhindered {
		return notNow(h)
	}
	return nil
}

// fieldProblem turns a fault of a field into what the API says of it.
func fieldProblem(err error) error {
	var f *wire.FieldError
	if !errors.As(err, &f) {
		return err
	}
	text := f.Text
	if f.Field != "" {
		text = f.Field + " " + f.Text
	}
	p := problem.Field(f.Code, f.Field, text+".")
	p.Reason = f.Line
	return p
}

func validKey(key string) bool {
	if len(key) > maxKey {
		return false
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return false
		}
	}
	return true
}

func hashOf(c *wire.Command) string {
	b, err := json.Marshal(c)
	if err != nil {
		return "" // NaN: refused a moment later
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// refused takes note that somebody was not let. Anybody can cause that as often as he likes, so it is bounded.
func (s *Service) refused(ctx context.Context, o *order, err error) {
	code := problem.Code(err)
	switch code {
	case "", "not_found", "not_signed_in":
		return
	}
	s.count.refused.WithLabelValues(code).Inc()
	s.Audit.RecordFailure(ctx, string(o.command.Type)+" "+code, audit.Entry{
		WorkspaceID: o.situation.WorkspaceID, ActorID: o.actor.UserID, Actor: o.actor.Name, Via: o.actor.Via, Address: o.actor.Address,
		Action: actionOf(o.command.Type), Target: o.target(), Detail: map[string]any{"command": shown(&o.command), "code": code},
	})
}

func (o *order) target() audit.Target {
	return audit.Target{Kind: "printer", ID: o.situation.PrinterID, Name: o.situation.Name}
}

// actionOf names a command in the audit. What is no command of ours is not repeated there.
func actionOf(t wire.CommandType) string {
	if _, known := wire.RuleOf(t); !known {
		return actionPrefix + "unknown"
	}
	return actionPrefix + string(t)
}

const actionPrefix = "command."

// start writes the command down, sends it and has its end waited for. The audit knows of it before the device does.
func (s *Service) start(ctx context.Context, o *order) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	o.id = id.String()
	done, ok := s.work.Begin()
	if !ok {
		return errStopping
	}
	if err := s.insert(ctx, o); err != nil {
		done()
		return err
	}
	go func() { defer done(); s.run(o) }()
	return nil
}

package mail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

// A mail is tried at once, then after 15 s, 30 s, 1 min … up to an hour, until what it says is over.
const (
	firstRetry = 15 * time.Second
	lastRetry  = time.Hour
	batch      = 20
	idle       = time.Minute
)

// Mail is one thing to tell somebody.
type Mail struct {
	Kind      Kind
	To        string
	Language  string            // ko, else English
	Data      map[string]string // what the text of that kind shows
	ExpiresAt time.Time         // after that it is of no use
}

type row struct {
	bun.BaseModel `bun:"table:mails"`

	ID        string `bun:",pk"`
	Kind      Kind
	Recipient string
	Language  string
	Data      string
	CreatedAt int64
	NextAt    int64
	ExpiresAt int64
	Attempts  int
}

// Enqueue writes a mail down, within the transaction of what causes it. Call Wake once that is on disk. Without a
// mail server it does nothing.
func (s *Sender) Enqueue(ctx context.Context, tx bun.IDB, m Mail) error {
	if !s.Configured() {
		return nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	data, err := json.Marshal(m.Data)
	if err != nil {
		return fmt.Errorf("write a mail: %w", err)
	}
	now := s.Now().UnixMilli()
	r := row{
		ID: id.String(), Kind: m.Kind, Recipient: m.To, Language: m.Language, Data: string(data),
		CreatedAt: now, NextAt: now, ExpiresAt: m.ExpiresAt.UnixMilli(),
	}
	if _, err := tx.NewInsert().Model(&r).Exec(ctx); err != nil {
		return fmt.Errorf("write a mail: %w", err)
	}
	return nil
}

// Forget takes back what waits for a recipient, within the transaction that deletes him.
func (s *Sender) Forget(ctx context.Context, tx bun.IDB, recipient string) error {
	if _, err := tx.NewRaw("DELETE FROM mails WHERE recipient = ?", recipient).Exec(ctx); err != nil {
		return fmt.Errorf("forget mails: %w", err)
	}
	return nil
}

// Wake has what waits sent now.
func (s *Sender) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run sends what waits until ctx ends, and returns nil then. A mail under way is finished or tried again later.
func (s *Sender) Run(ctx context.Context) error {
	if !s.Configured() {
		<-ctx.Done()
		return nil
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-timer.C:
		}
		wait, err := s.sendDue(ctx)
		if err != nil && ctx.Err() == nil {
			s.Logger.Error("mails not sent", "error", err)
		}
		timer.Reset(wait)
	}
}

// sendDue sends every mail whose turn it is and gives how long until the next one's.
func (s *Sender) sendDue(ctx context.Context) (time.Duration, error) {
	for {
		var rows []row
		err := s.DB.Read.NewSelect().Model(&rows).Where("next_at <= ?", s.Now().UnixMilli()).Order("next_at").Limit(batch).Scan(ctx)
		if err != nil {
			return idle, fmt.Errorf("read the mails: %w", err)
		}
		for _, r := range rows {
			if err := s.send(ctx, r); err != nil || ctx.Err() != nil {
				return idle, err
			}
		}
		if len(rows) < batch {
			return s.untilNext(ctx)
		}
	}
}

func (s *Sender) untilNext(ctx context.Context) (time.Duration, error) {
	var next *int64
	if err := s.DB.Read.NewRaw("SELECT MIN(next_at) FROM mails").Scan(ctx, &next); err != nil {
		return idle, fmt.Errorf("read the mails: %w", err)
	}
	if next == nil {
		return idle, nil
	}
	return min(idle, max(100*time.Millisecond, time.UnixMilli(*next).Sub(s.Now()))), nil
}

// send tries one mail and writes down what became of it. Its error is the database's alone.
func (s *Sender) send(ctx context.Context, r row) error {
	if s.Now().UnixMilli() >= r.ExpiresAt {
		s.sent.WithLabelValues("expired").Inc()
		s.Logger.Warn("a mail could not be sent in time", "kind", r.Kind, "attempts", r.Attempts)
		return s.drop(ctx, r)
	}
	var data map[string]string
	if err := json.Unmarshal([]byte(r.Data), &data); err != nil {
		return errors.Join(fmt.Errorf("read a mail: %w", err), s.drop(ctx, r))
	}
	msg, err := s.compose(r.ID, Mail{Kind: r.Kind, To: r.Recipient, Language: r.Language, Data: data})
	if err != nil {
		return errors.Join(err, s.drop(ctx, r))
	}
	err = s.deliver(ctx, msg)
	if err == nil {
		s.sent.WithLabelValues("sent").Inc()
		return s.drop(context.WithoutCancel(ctx), r)
	}
	if ctx.Err() != nil {
		return nil
	}
	if se := (*SendError)(nil); errors.As(err, &se) && se.hopeless() {
		s.sent.WithLabelValues("refused").Inc()
		s.Logger.Warn("the mail server does not take mail for a recipient", "kind", r.Kind, "code", se.Code)
		return s.drop(ctx, r)
	}
	s.sent.WithLabelValues("retry").Inc()
	wait := lastRetry
	if r.Attempts < 8 {
		wait = firstRetry << r.Attempts
	}
	s.Logger.Warn("a mail waits for the mail server", "kind", r.Kind, "attempts", r.Attempts+1, "wait", wait, "error", err)
	return s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewRaw("UPDATE mails SET attempts = attempts + 1, next_at = ? WHERE id = ?", s.Now().Add(wait).UnixMilli(), r.ID).Exec(ctx)
		return err
	})
}

func (s *Sender) drop(ctx context.Context, r row) error {
	return s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewRaw("DELETE FROM mails WHERE id = ?", r.ID).Exec(ctx)
		return err
	})
}

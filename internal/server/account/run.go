package account

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/bus"
)

const (
	// endEvery is how late an expired session's or token's connections end at most.
	endEvery = 3 * time.Second
	// endedTokenAge is how long an ended token is still shown to its owner.
	endedTokenAge = 30 * 24 * time.Hour
	tidyEvery     = 10 * time.Minute
)

// Run keeps the service tidy until ctx ends: last uses written, expired things ended, mails that were asked for
// written. It returns nil then.
func (s *Service) Run(ctx context.Context) error {
	end, flush, tidy := time.NewTicker(endEvery), time.NewTicker(flushUses), time.NewTicker(tidyEvery)
	defer end.Stop()
	defer flush.Stop()
	defer tidy.Stop()
	since := s.Now()
	attempt := func(what string, err error) {
		if err != nil && ctx.Err() == nil {
			s.Logger.Error(what, "error", err)
		}
	}
	for {
		select {
		case <-ctx.Done():
			return s.writeUses(context.WithoutCancel(ctx))
		case task := <-s.tasks:
			task(context.WithoutCancel(ctx))
		case <-flush.C:
			attempt("last uses not written", s.writeUses(ctx))
		case <-end.C:
			now := s.Now()
			attempt("expired sessions not ended", s.endExpired(ctx, since, now))
			since = now
		case <-tidy.C:
			attempt("old rows not deleted", s.tidy(ctx))
		}
	}
}

// endExpired ends the connections of what expired between two times. Nothing new is let in by an expired secret in
// any case.
func (s *Service) endExpired(ctx context.Context, since, now time.Time) error {
	var sessions, tokens []string
	for table, ids := range map[string]*[]string{"sessions": &sessions, "tokens": &tokens} {
		err := s.DB.Read.NewRaw("SELECT id FROM ? WHERE expires_at > ? AND expires_at <= ?", bun.Ident(table), since.UnixMilli(), now.UnixMilli()).Scan(ctx, ids)
		if err != nil {
			return fmt.Errorf("find expired %s: %w", table, err)
		}
	}
	s.publishEnded(sessions)
	for _, id := range tokens {
		s.Bus.AccessEnded.Publish(bus.AccessEnded{TokenID: id})
	}
	return nil
}

// tidy deletes what nobody can use any more.
func (s *Service) tidy(ctx context.Context) error {
	now := s.Now()
	return s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		return exec(ctx, tx, "delete old rows",
			q("DELETE FROM sessions WHERE expires_at <= ?", now.Add(-time.Minute).UnixMilli()), // endExpired has told of them
			q("DELETE FROM tokens WHERE expires_at <= ?", now.Add(-endedTokenAge).UnixMilli()),
			q("DELETE FROM links WHERE expires_at <= ?", now.Add(-deadLinkAge).UnixMilli()),
			q("DELETE FROM signups WHERE expires_at <= ?", now.UnixMilli()),
			q("DELETE FROM invitations WHERE expires_at <= ?", now.UnixMilli()),
			q("DELETE FROM setup_codes WHERE expires_at <= ?", now.UnixMilli()))
	})
}

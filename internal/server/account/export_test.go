package account

import (
	"context"
	"net/http"
	"time"
)

func init() { hashMemory = 64 }

// What tests outside of the package need to reach.

func CookiesOf(ctx context.Context, l Login) []http.Cookie { return l.cookies(ctx) }

func (s *Service) WriteUses(ctx context.Context) error { return s.writeUses(ctx) }

func (s *Service) EndExpired(ctx context.Context, since, now time.Time) error {
	return s.endExpired(ctx, since, now)
}

func (s *Service) Tidy(ctx context.Context) error { return s.tidy(ctx) }

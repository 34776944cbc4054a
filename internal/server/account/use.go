package account

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/uptrace/bun"
)

// Last uses are kept to the minute and written together, so that looking at a page costs no write.
const (
	useEvery  = time.Minute
	flushUses = 15 * time.Second
)

type sessionUse struct {
	at, until          int64
	address, userAgent string
}

// uses is what was used and not yet written, guarded by mu.
type uses struct {
	mu       sync.Mutex
	sessions map[string]sessionUse
	tokens   map[string]int64
}

func (u *uses) session(id string, use sessionUse) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.sessions == nil {
		u.sessions = map[string]sessionUse{}
	}
	u.sessions[id] = use
}

func (u *uses) token(id string, at int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.tokens == nil {
		u.tokens = map[string]int64{}
	}
	u.tokens[id] = at
}

func (u *uses) take() (map[string]sessionUse, map[string]int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	sessions, tokens := u.sessions, u.tokens
	u.sessions, u.tokens = nil, nil
	return sessions, tokens
}

// writeUses writes what was used since the last time.
func (s *Service) writeUses(ctx context.Context) error {
	sessions, tokens := s.uses.take()
	if len(sessions)+len(tokens) == 0 {
		return nil
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		for id, use := range sessions {
			err := exec(ctx, tx, "write a session's use", q("UPDATE sessions SET last_seen = ?, expires_at = ?, address = ?, user_agent = ? WHERE id = ?",
				use.at, use.until, use.address, use.userAgent, id))
			if err != nil {
				return err
			}
		}
		for id, at := range tokens {
			if err := exec(ctx, tx, "write a token's use", q("UPDATE tokens SET last_used_at = ? WHERE id = ?", at, id)); err != nil {
				return err
			}
		}
		return nil
	})
}

// validText replaces what is not UTF-8, and control characters.
func validText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

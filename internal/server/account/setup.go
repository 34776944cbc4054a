package account

import (
	"context"
	"crypto/subtle"
	"net/http"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/problem"
)

var errSetupCode = problem.Field("setup_code_wrong", "setup_code", "This is not the set-up code. The server printed it when it started; after a restart there is a new one.")

// SetupCode gives the code that makes the first account, or "" when there is an account already. It is made anew by
// each process and kept in memory only.
func (s *Service) SetupCode(ctx context.Context) (string, error) {
	empty, err := s.SetupRequired(ctx)
	if err != nil || !empty {
		return "", err
	}
	s.setupMu.Lock()
	defer s.setupMu.Unlock()
	if s.setupCode == "" {
		s.setupCode = newSetupCode()
	}
	return s.setupCode, nil
}

// SetupRequired tells whether nobody has an account yet.
func (s *Service) SetupRequired(ctx context.Context) (bool, error) {
	n, err := s.Count(ctx)
	return n == 0, err
}

// signupFirst makes the administrator.
func (s *Service) signupFirst(ctx context.Context, p person, code string, out Login) (string, Login, error) {
	from := addressKey(OriginFrom(ctx).Address)
	if wait := s.slow.code.take(from); wait > 0 {
		return "", Login{}, problem.SlowDown(wait)
	}
	if !s.isSetupCode(code) {
		return "", Login{}, errSetupCode
	}
	s.slow.code.clear(from)
	hash, err := s.hasher.hash(ctx, p.password)
	if err != nil {
		return "", Login{}, err
	}
	return s.signupReady(ctx, &out, func(ctx context.Context, tx bun.Tx) (userRow, error) {
		n, err := countUsers(ctx, tx)
		if err != nil {
			return userRow{}, err
		}
		if n > 0 {
			return userRow{}, problem.New(http.StatusConflict, "signup_closed", "Somebody else made the first account just now.")
		}
		return s.finishSignup(ctx, tx, p, hash, true, "setup_code", &out)
	})
}

func (s *Service) isSetupCode(code string) bool {
	s.setupMu.Lock()
	want := tidySetupCode(s.setupCode)
	s.setupMu.Unlock()
	return want != "" && subtle.ConstantTimeCompare([]byte(tidySetupCode(code)), []byte(want)) == 1
}

// forgetSetupCode ends the code once it was used.
func (s *Service) forgetSetupCode() {
	s.setupMu.Lock()
	defer s.setupMu.Unlock()
	s.setupCode = ""
}

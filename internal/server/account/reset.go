package account

import (
	"context"
	"errors"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/mail"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// ForgotPassword mails a link to choose a new password, where the address has an account. What it finds does not
// show. Errors: problems email_invalid, slow_down, busy.
func (s *Service) ForgotPassword(ctx context.Context, rawEmail string) error {
	return s.later(ctx, rawEmail, func(ctx context.Context, email Email) error {
		return s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
			u, err := findUser(ctx, tx, "email_key = ?", email.Key)
			if errors.Is(err, errNoUser) {
				return nil
			}
			if err != nil {
				return err
			}
			to := Email{Address: u.Email, Key: u.EmailKey}
			secret, err := s.newLink(ctx, tx, purposeReset, u.ID, to, resetAge)
			if err != nil {
				return err
			}
			return s.mailLink(ctx, tx, mail.KindReset, to, u.Language, s.pageURL("/reset", "token", secret), resetAge)
		})
	})
}

// ResetPassword takes the token of the mailed link and sets a new password. Every session ends; from where it was
// done, the account is known afterwards. Errors: problems token_invalid, token_expired, password_weak, busy.
func (s *Service) ResetPassword(ctx context.Context, token, password string) error {
	u, err := s.resetOf(ctx, token)
	if err != nil {
		return err
	}
	if err := checkPassword("password", password, u.EmailKey, u.Name); err != nil {
		return err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	var ended []string
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		link, err := s.useLink(ctx, tx, token, purposeReset)
		if err != nil {
			return err
		}
		if u, err = findUser(ctx, tx, "id = ?", link.SubjectID); errors.Is(err, errNoUser) {
			return errTokenInvalid
		} else if err != nil {
			return err
		}
		if ended, err = s.setPassword(ctx, tx, u, hash, ""); err != nil {
			return err
		}
		if err := exec(ctx, tx, "forget origins", q("DELETE FROM known_origins WHERE user_id = ?", u.ID)); err != nil {
			return err
		}
		if err := s.remember(ctx, tx, u.ID, ""); err != nil {
			return err
		}
		return s.recordBy(ctx, tx, u, "user.password_reset", audit.Target{Kind: "user", ID: u.ID, Name: u.Name}, nil)
	})
	if err != nil {
		return err
	}
	s.Mail.Wake()
	s.slow.account.clear(u.EmailKey)
	for _, hash := range knownHashes("", OriginFrom(ctx).Address) {
		s.slow.known.clear(u.EmailKey + " " + hash) // who forgot his password has tried a few
	}
	s.slow.reauth.clear(u.ID)
	s.publishEnded(ended)
	return nil
}

// resetOf gives whose link it is without using it, so that a weak password does not cost the link.
func (s *Service) resetOf(ctx context.Context, token string) (userRow, error) {
	link, err := s.readLink(ctx, s.DB.Read, token, purposeReset)
	if err != nil {
		return userRow{}, err
	}
	u, err := findUser(ctx, s.DB.Read, "id = ?", link.SubjectID)
	if errors.Is(err, errNoUser) {
		err = errTokenInvalid
	}
	return u, err
}

// setPassword puts a password in force, ends every session but the one to keep, and tells the owner.
func (s *Service) setPassword(ctx context.Context, tx bun.Tx, u userRow, hash, keepSession string) (ended []string, err error) {
	err = exec(ctx, tx, "set a password",
		q("UPDATE users SET password_hash = ? WHERE id = ?", hash, u.ID),
		q("DELETE FROM links WHERE subject_id = ? AND purpose = ? AND used_at IS NULL", u.ID, purposeReset))
	if err != nil {
		return nil, err
	}
	if ended, err = deleteSessions(ctx, tx, u.ID, keepSession); err != nil {
		return nil, err
	}
	data := map[string]string{}
	if s.Mail.CanLink() {
		data["Link"] = s.pageURL("/forgot", "", "")
	}
	return ended, s.notify(ctx, tx, mail.KindPasswordChanged, u, data)
}

// ChangePassword sets a new password for somebody who knows the old one; his other sessions end.
// Errors: problems invalid_credentials (403), password_weak about new, slow_down, busy.
func (s *Service) ChangePassword(ctx context.Context, user workspace.Actor, current, next string) error {
	u, err := s.reauthenticate(ctx, user.UserID, current)
	if err != nil {
		return aboutField(err, "current")
	}
	if err := checkPassword("new", next, u.EmailKey, u.Name); err != nil {
		return err
	}
	hash, err := s.hasher.hash(ctx, next)
	if err != nil {
		return err
	}
	var ended []string
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		if ended, err = s.setPassword(ctx, tx, u, hash, user.SessionID); err != nil {
			return err
		}
		return s.record(ctx, tx, u.ID, "user.password", audit.Target{Kind: "user", ID: u.ID, Name: u.Name}, nil)
	})
	if err != nil {
		return err
	}
	s.Mail.Wake()
	s.publishEnded(ended)
	return nil
}

// aboutField gives a wrong-password problem the name that the field has in this call.
func aboutField(err error, field string) error {
	if p, ok := errors.AsType[*problem.Problem](err); ok && p == errWrongPassword {
		named := *p
		named.Field = field
		return &named
	}
	return err
}

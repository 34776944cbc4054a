package account

import (
	"context"
	"errors"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/mail"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// Me gives the account of somebody signed in.
func (s *Service) Me(ctx context.Context, userID string) (User, error) {
	u, err := findUser(ctx, s.DB.Read, "id = ?", userID)
	if err != nil {
		return User{}, err
	}
	return s.user(ctx, u)
}

// Change is what a person changes about himself; nil leaves a thing alone.
type Change struct{ Name, Language, TimeZone *string }

// ChangeMe changes name, language or time zone. Errors: problems name_invalid, language_invalid, time_zone_invalid.
func (s *Service) ChangeMe(ctx context.Context, userID string, c Change) (User, error) {
	var tidy Change
	for _, f := range []struct {
		in    *string
		out   **string
		check func(string) (string, error)
	}{
		{c.Name, &tidy.Name, func(v string) (string, error) { return workspace.TidyName("name", v) }},
		{c.Language, &tidy.Language, checkLanguage},
		{c.TimeZone, &tidy.TimeZone, checkTimeZone},
	} {
		if f.in == nil {
			continue
		}
		v, err := f.check(*f.in)
		if err != nil {
			return User{}, err
		}
		*f.out = &v
	}
	var u userRow
	err := s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		if u, err = findUser(ctx, tx, "id = ?", userID); err != nil {
			return err
		}
		before := u.Name
		for to, v := range map[*string]*string{&u.Name: tidy.Name, &u.Language: tidy.Language, &u.TimeZone: tidy.TimeZone} {
			if v != nil {
				*to = *v
			}
		}
		err = exec(ctx, tx, "change an account", q("UPDATE users SET name = ?, language = ?, time_zone = ? WHERE id = ?", u.Name, u.Language, u.TimeZone, u.ID))
		if err != nil {
			return err
		}
		if before != u.Name {
			if err := s.Workspaces.RenamePersonal(ctx, tx, u.ID, before, u.Name); err != nil {
				return err
			}
		}
		return s.record(ctx, tx, u.ID, "user.change", audit.Target{Kind: "user", ID: u.ID, Name: u.Name}, nil)
	})
	if err != nil {
		return User{}, err
	}
	return s.user(ctx, u)
}

// ChangeEmail mails a link to the new address, which puts it in force, and a notice to the present one. The answer
// does not tell whether the new address has an account already. Errors: problems invalid_credentials (403),
// email_invalid, mail_not_configured, slow_down, busy.
func (s *Service) ChangeEmail(ctx context.Context, user workspace.Actor, password, rawEmail string) error {
	email, err := ParseEmail("email", rawEmail)
	if err != nil {
		return err
	}
	if !s.Mail.CanLink() {
		return mail.ErrNotConfigured
	}
	u, err := s.reauthenticate(ctx, user.UserID, password)
	if err != nil {
		return err
	}
	mayMail := s.mayMail(email)
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		err := exec(ctx, tx, "forget a pending address", q("DELETE FROM links WHERE subject_id = ? AND purpose = ? AND used_at IS NULL", u.ID, purposeEmail))
		if err != nil {
			return err
		}
		secret, err := s.newLink(ctx, tx, purposeEmail, u.ID, email, confirmAge)
		if err != nil {
			return err
		}
		if mayMail {
			if err := s.mailNewAddress(ctx, tx, u, email, secret); err != nil {
				return err
			}
		}
		if err := s.notify(ctx, tx, mail.KindEmailChanging, u, map[string]string{"NewEmail": email.Address}); err != nil {
			return err
		}
		return s.record(ctx, tx, u.ID, "user.email_request", audit.Target{Kind: "user", ID: u.ID, Name: u.Name}, nil)
	})
	s.Mail.Wake()
	return err
}

// mailNewAddress asks the new address for its confirmation, or tells its owner that somebody else entered it.
func (s *Service) mailNewAddress(ctx context.Context, tx bun.Tx, u userRow, email Email, secret string) error {
	other, err := findUser(ctx, tx, "email_key = ?", email.Key)
	switch {
	case err == nil && other.ID != u.ID:
		return s.notify(ctx, tx, mail.KindEmailTaken, other, nil)
	case err != nil && !errors.Is(err, errNoUser):
		return err
	}
	return s.mailLink(ctx, tx, mail.KindEmailConfirm, email, u.Language, s.pageURL("/verify", "token", secret), confirmAge)
}

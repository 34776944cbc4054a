package account

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// AddUser makes a verified account, for the command line: its language and time zone are the machine's. It works
// while a server runs on the same folder. Errors: problems email_invalid, name_invalid, password_weak, email_taken.
func (s *Service) AddUser(ctx context.Context, email, name, password string, admin bool) (User, error) {
	p, err := newPerson(email, name, password, machineLanguage(), machineTimeZone())
	if err != nil {
		return User{}, err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return User{}, err
	}
	var u userRow
	var w workspace.Workspace
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		if u, w, err = s.insertUser(ctx, tx, p, hash, admin); err != nil {
			return err
		}
		target := audit.Target{Kind: "user", ID: u.ID, Name: u.Name}
		return s.record(asSystem(ctx), tx, u.ID, "user.add", target, map[string]bool{"admin": admin})
	})
	return u.user(w), err
}

// AddToken makes an API token for the account with that e-mail address and returns it in full, for the command
// line. A nil expires never ends. Errors: problems email_invalid, not_found, name_invalid, expires_invalid, too_many.
func (s *Service) AddToken(ctx context.Context, rawEmail, name string, expires *time.Time) (string, error) {
	email, err := ParseEmail("email", rawEmail)
	if err != nil {
		return "", err
	}
	u, err := findUser(ctx, s.DB.Read, "email_key = ?", email.Key)
	if err != nil {
		return "", err
	}
	t, err := s.CreateToken(asSystem(ctx), u.ID, name, expires)
	return t.Secret, err
}

// SetPassword gives the account with that e-mail address another password and ends its sessions, for the command line:
// the way back in for who has forgotten it where no mail can be sent. Errors: problems email_invalid, not_found,
// password_weak.
func (s *Service) SetPassword(ctx context.Context, rawEmail, password string) (User, error) {
	u, err := s.userByEmail(ctx, rawEmail)
	if err != nil {
		return User{}, err
	}
	if err := checkPassword("password", password, u.EmailKey, u.Name); err != nil {
		return User{}, err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return User{}, err
	}
	var ended []string
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		if ended, err = s.setPassword(ctx, tx, u, hash, ""); err != nil {
			return err
		}
		return s.record(asSystem(ctx), tx, u.ID, "user.password_set", audit.Target{Kind: "user", ID: u.ID, Name: u.Name}, nil)
	})
	if err != nil {
		return User{}, err
	}
	s.publishEnded(ended)
	return s.Me(ctx, u.ID)
}

// UserID gives the id of the account with that e-mail address, for the command line. Errors: problems email_invalid,
// not_found.
func (s *Service) UserID(ctx context.Context, rawEmail string) (string, error) {
	u, err := s.userByEmail(ctx, rawEmail)
	return u.ID, err
}

func (s *Service) userByEmail(ctx context.Context, rawEmail string) (userRow, error) {
	email, err := ParseEmail("email", rawEmail)
	if err != nil {
		return userRow{}, err
	}
	return findUser(ctx, s.DB.Read, "email_key = ?", email.Key)
}

func asSystem(ctx context.Context) context.Context {
	return workspace.WithActor(ctx, workspace.Actor{Name: "factor", Via: workspace.ViaSystem})
}

// machineLanguage follows POSIX: the first of these variables that is set decides.
func machineLanguage() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			if strings.HasPrefix(v, "ko") {
				return "ko"
			}
			return "en"
		}
	}
	return "en"
}

// machineTimeZone reads the name behind TZ or /etc/localtime; "UTC" where there is none.
func machineTimeZone() string {
	name := strings.TrimPrefix(os.Getenv("TZ"), ":")
	if name == "" {
		if link, err := os.Readlink("/etc/localtime"); err == nil {
			_, name, _ = strings.Cut(link, "zoneinfo/")
		}
	}
	if name, err := checkTimeZone(name); err == nil {
		return name
	}
	return "UTC"
}

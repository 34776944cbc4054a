package account

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/mail"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// SignupMode says how a new account comes to be at this moment.
type SignupMode string

// The ways to a new account.
const (
	SignupSetup      SignupMode = "setup"      // nobody is here yet: the set-up code makes the administrator
	SignupOpen       SignupMode = "open"       // anybody, by a mailed link
	SignupInvitation SignupMode = "invitation" // only with an invitation link of the administrator
)

const (
	// signupAge is how long a filled-in form waits for its link, or for a new one.
	signupAge = 7 * 24 * time.Hour
	// signupTries is how many forms wait for one address; see the table signups for why it is more than one.
	signupTries = 5
)

// Signup is a filled-in sign-up form.
type Signup struct {
	Email, Name, Password string
	Language, TimeZone    string // "" takes the browser's, UTC
	SetupCode, Invitation string
}

// The states of a sign-up.
const (
	StateVerify = "verify" // a mail is on its way
	StateReady  = "ready"  // signed in
)

var errSignupClosed = problem.New(http.StatusForbidden, "signup_closed", "Ask the administrator of this server for an invitation link.")

// SignupMode tells how one gets an account now. Open sign-up needs a mail server and a public URL, since the link in
// the mail proves the address.
func (s *Service) SignupMode(ctx context.Context) (SignupMode, error) {
	empty, err := s.SetupRequired(ctx)
	switch {
	case err != nil:
		return "", err
	case empty:
		return SignupSetup, nil
	case s.Mail.CanLink():
		return SignupOpen, nil
	}
	return SignupInvitation, nil
}

// Signup makes an account, or has a mail sent that does. The Login is empty with StateVerify. Errors: problems about
// the field at fault, setup_code_wrong, invitation_invalid, signup_closed, slow_down, busy; email_taken only for the
// holder of an invitation where no mail can be sent instead.
func (s *Service) Signup(ctx context.Context, in Signup, device string) (state string, out Login, err error) {
	if in.Language == "" {
		in.Language = OriginFrom(ctx).Language
	}
	p, err := newPerson(in.Email, in.Name, in.Password, in.Language, in.TimeZone)
	if err != nil {
		return "", out, err
	}
	mode, err := s.SignupMode(ctx)
	if err != nil {
		return "", out, err
	}
	if wait := s.slow.signup.take(addressKey(OriginFrom(ctx).Address)); wait > 0 {
		return "", out, problem.SlowDown(wait)
	}
	if len(device) != len(newSecret()) {
		device = newSecret()
	}
	out.Device = device
	switch {
	case mode == SignupSetup:
		return s.signupFirst(ctx, p, in.SetupCode, out)
	case in.Invitation != "":
		return s.signupInvited(ctx, p, in.Invitation, out)
	case in.SetupCode != "":
		return "", Login{}, errSetupCode
	case mode == SignupOpen:
		return StateVerify, Login{}, s.signupByMail(ctx, p, "")
	}
	return "", Login{}, errSignupClosed
}

// signupByMail keeps the form and mails the link, or tells the owner that he has an account. Both write the same. The
// link uses up the invitation that the form came by, unless that is "".
func (s *Service) signupByMail(ctx context.Context, p person, invitationID string) error {
	hash, err := s.hasher.hash(ctx, p.password)
	if err != nil {
		return err
	}
	mayMail := s.mayMail(p.email)
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		id, err := s.insertSignup(ctx, tx, p, hash, invitationID)
		if err != nil {
			return err
		}
		secret, err := s.newLink(ctx, tx, purposeSignup, id, p.email, confirmAge)
		if err != nil || !mayMail {
			return err
		}
		switch owner, err := findUser(ctx, tx, "email_key = ?", p.email.Key); {
		case err == nil:
			to := Email{Address: owner.Email, Key: owner.EmailKey}
			return s.mailLink(ctx, tx, mail.KindSignupTaken, to, owner.Language, s.pageURL("/login", "", ""), noticeAge)
		case !errors.Is(err, errNoUser):
			return err
		}
		return s.mailLink(ctx, tx, mail.KindVerify, p.email, p.language, s.pageURL("/verify", "token", secret), confirmAge)
	})
	s.Mail.Wake()
	return err
}

type signupRow struct {
	bun.BaseModel `bun:"table:signups"`

	ID           string `bun:",pk"`
	Email        string
	EmailKey     string
	Name         string
	PasswordHash string
	Language     string
	TimeZone     string
	CreatedAt    int64
	ExpiresAt    int64
	InvitationID string // "": none
}

func (r signupRow) person() person {
	return person{email: Email{Address: r.Email, Key: r.EmailKey}, name: r.Name, language: r.Language, timeZone: r.TimeZone}
}

func (s *Service) insertSignup(ctx context.Context, tx bun.Tx, p person, hash, invitationID string) (string, error) {
	now := s.Now()
	row := signupRow{
		ID: newID(), Email: p.email.Address, EmailKey: p.email.Key, Name: p.name, PasswordHash: hash, Language: p.language,
		TimeZone: p.timeZone, CreatedAt: now.UnixMilli(), ExpiresAt: now.Add(signupAge).UnixMilli(), InvitationID: invitationID,
	}
	if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
		return "", fmt.Errorf("write a sign-up: %w", err)
	}
	return row.ID, exec(ctx, tx, "make room for a sign-up", q(`DELETE FROM signups WHERE email_key = ? AND id NOT IN
		(SELECT id FROM signups WHERE email_key = ? ORDER BY id DESC LIMIT ?)`, p.email.Key, p.email.Key, signupTries))
}

// ResendSignup mails the link again, to the latest who signed up with that address. What it finds does not show.
func (s *Service) ResendSignup(ctx context.Context, rawEmail string) error {
	return s.later(ctx, rawEmail, func(ctx context.Context, email Email) error {
		return s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
			var rows []signupRow
			err := tx.NewSelect().Model(&rows).Where("email_key = ? AND expires_at > ?", email.Key, s.Now().UnixMilli()).Order("id DESC").Limit(1).Scan(ctx)
			if err != nil || len(rows) == 0 {
				return err
			}
			if _, err := findUser(ctx, tx, "email_key = ?", email.Key); !errors.Is(err, errNoUser) {
				return err
			}
			secret, err := s.newLink(ctx, tx, purposeSignup, rows[0].ID, email, confirmAge)
			if err != nil {
				return err
			}
			return s.mailLink(ctx, tx, mail.KindVerify, rows[0].person().email, rows[0].Language, s.pageURL("/verify", "token", secret), confirmAge)
		})
	})
}

// later does what somebody asked for an address, after the answer has gone out: its time tells nothing then. An
// address that got enough mails gets none. Errors: problems email_invalid, slow_down, busy.
func (s *Service) later(ctx context.Context, rawEmail string, do func(context.Context, Email) error) error {
	email, err := ParseEmail("email", rawEmail)
	if err != nil {
		return err
	}
	if wait := s.slow.mailFrom.take(addressKey(OriginFrom(ctx).Address)); wait > 0 {
		return problem.SlowDown(wait)
	}
	if !s.mayMail(email) {
		return nil
	}
	origin := OriginFrom(ctx)
	select {
	case s.tasks <- func(ctx context.Context) {
		if err := do(WithOrigin(ctx, origin), email); err != nil {
			s.Logger.Error("a mail that was asked for is not on its way", "error", err)
		}
		s.Mail.Wake()
	}:
		return nil
	default:
		return errBusy
	}
}

// finishSignup makes the account of a form that its link has proven, and signs in.
func (s *Service) finishSignup(ctx context.Context, tx bun.Tx, p person, hash string, admin bool, how string, out *Login) (userRow, error) {
	u, _, err := s.insertUser(ctx, tx, p, hash, admin)
	if err != nil {
		return u, err
	}
	err = exec(ctx, tx, "forget sign-ups",
		q("DELETE FROM links WHERE purpose = ? AND email_key = ? AND used_at IS NULL", purposeSignup, p.email.Key),
		q("DELETE FROM signups WHERE email_key = ?", p.email.Key))
	if err != nil {
		return u, err
	}
	if err := s.enter(ctx, tx, u, out, workspace.ViaSession); err != nil {
		return u, err
	}
	return u, s.recordBy(ctx, tx, u, "user.signup", audit.Target{Kind: "user", ID: u.ID, Name: u.Name}, map[string]string{"by": how})
}

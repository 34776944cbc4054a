package account

import (
	"context"
	"database/sql"
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

const (
	invitationAge   = 7 * 24 * time.Hour
	invitationLimit = 500
)

var errInvitation = problem.Field("invitation_invalid", "invitation", "This invitation was used already, is too old or is not complete. Ask the administrator for a new one.")

// Invitation lets one person sign up.
type Invitation struct {
	ID        string    `json:"id"`
	Email     string    `json:"email,omitempty" doc:"Only this address may use it"`
	Language  string    `json:"language" enum:"ko,en"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// NewInvitation is an invitation as it is shown once.
type NewInvitation struct {
	Invitation
	Token  string `json:"token" doc:"Shown this once"`
	URL    string `json:"url" doc:"The link to hand over. Without a public URL it is a path on this server"`
	Mailed bool   `json:"mailed" doc:"It is on its way by mail, too"`
}

type invitationRow struct {
	bun.BaseModel `bun:"table:invitations"`

	ID        string `bun:",pk"`
	Hash      string
	Email     string
	EmailKey  string
	Language  string
	CreatedBy string
	CreatedAt int64
	ExpiresAt int64
	Mailed    bool // to that address
}

func (r invitationRow) invitation() Invitation {
	return Invitation{ID: r.ID, Email: r.Email, Language: r.Language, CreatedAt: fromMillis(r.CreatedAt), ExpiresAt: fromMillis(r.ExpiresAt)}
}

// Invite makes an invitation; with an address and a mail server it is mailed, too. Errors: problems email_invalid,
// language_invalid, too_many.
func (s *Service) Invite(ctx context.Context, by workspace.Actor, rawEmail, language string) (NewInvitation, error) {
	var email Email
	var err error
	if rawEmail != "" {
		if email, err = ParseEmail("email", rawEmail); err != nil {
			return NewInvitation{}, err
		}
	}
	if language == "" {
		language = by.Language
	}
	if language, err = checkLanguage(language); err != nil {
		return NewInvitation{}, err
	}
	secret, now := newSecret(), s.Now()
	row := invitationRow{
		ID: newID(), Hash: hashSecret(secret), Email: email.Address, EmailKey: email.Key, Language: language, CreatedBy: by.UserID,
		CreatedAt: now.UnixMilli(), ExpiresAt: now.Add(invitationAge).UnixMilli(),
	}
	out := NewInvitation{Invitation: row.invitation(), Token: secret, URL: s.pageURL("/login", "invitation", secret)}
	out.Mailed = email.Key != "" && s.mayMail(email)
	row.Mailed = out.Mailed
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		var open int
		if err := tx.NewRaw("SELECT COUNT(*) FROM invitations WHERE expires_at > ?", now.UnixMilli()).Scan(ctx, &open); err != nil {
			return fmt.Errorf("count invitations: %w", err)
		}
		if open >= invitationLimit {
			return problem.New(http.StatusConflict, "too_many", fmt.Sprintf("There are %d open invitations. Withdraw some first.", open))
		}
		if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
			return fmt.Errorf("write an invitation: %w", err)
		}
		if out.Mailed {
			err := s.Mail.Enqueue(ctx, tx, mail.Mail{
				Kind: mail.KindInvitation, To: email.Address, Language: language, ExpiresAt: now.Add(invitationAge),
				Data: map[string]string{"Link": out.URL, "InvitedBy": by.Name},
			})
			if err != nil {
				return err
			}
		}
		return s.Audit.Record(ctx, tx, audit.Entry{Action: "invitation.create", Target: audit.Target{Kind: "invitation", ID: row.ID, Name: row.Email}})
	})
	s.Mail.Wake()
	return out, err
}

// ListInvitations gives the open ones, the latest first.
func (s *Service) ListInvitations(ctx context.Context) ([]Invitation, error) {
	var rows []invitationRow
	err := s.DB.Read.NewSelect().Model(&rows).Where("expires_at > ?", s.Now().UnixMilli()).Order("id DESC").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("list invitations: %w", err)
	}
	list := make([]Invitation, 0, len(rows))
	for _, r := range rows {
		list = append(list, r.invitation())
	}
	return list, nil
}

// Withdraw ends an open invitation. Errors: problem not_found.
func (s *Service) Withdraw(ctx context.Context, id string) error {
	return s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		res, err := tx.NewRaw("DELETE FROM invitations WHERE id = ?", id).Exec(ctx)
		if err != nil {
			return fmt.Errorf("withdraw an invitation: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, problem.NotFound("invitation"))
		}
		return s.Audit.Record(ctx, tx, audit.Entry{Action: "invitation.withdraw", Target: audit.Target{Kind: "invitation", ID: id}})
	})
}

// LookUpInvitation gives an open invitation for its token, for the sign-up page to fill in. Errors: errInvitation.
func (s *Service) LookUpInvitation(ctx context.Context, token string) (Invitation, error) {
	row, err := s.findInvitation(ctx, s.DB.Read, token)
	return row.invitation(), err
}

func (s *Service) findInvitation(ctx context.Context, db bun.IDB, token string) (invitationRow, error) {
	var row invitationRow
	if token == "" || len(token) > secretLength {
		return row, errInvitation
	}
	err := db.NewSelect().Model(&row).Where("hash = ? AND expires_at > ?", hashSecret(token), s.Now().UnixMilli()).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return row, errInvitation
	}
	if err != nil {
		return row, fmt.Errorf("read an invitation: %w", err)
	}
	return row, nil
}

// signupInvited makes an account for who has the link of an invitation. It does so at once where the invitation went to
// that very address by mail, or where nothing can be mailed; else the address is proven as that of anybody, or the holder
// of the link could take one that is not his.
func (s *Service) signupInvited(ctx context.Context, p person, token string, out Login) (string, Login, error) {
	from := addressKey(OriginFrom(ctx).Address)
	if wait := s.slow.code.take(from); wait > 0 {
		return "", Login{}, problem.SlowDown(wait)
	}
	row, err := s.findInvitation(ctx, s.DB.Read, token)
	if err != nil {
		return "", Login{}, err
	}
	if row.EmailKey != "" && row.EmailKey != p.email.Key {
		return "", Login{}, problem.Field("invitation_invalid", "email", "This invitation is for another e-mail address.")
	}
	if s.Mail.CanLink() && !row.Mailed {
		s.slow.code.giveBack(from)
		return StateVerify, Login{}, s.signupByMail(ctx, p, row.ID)
	}
	hash, err := s.hasher.hash(ctx, p.password)
	if err != nil {
		return "", Login{}, err
	}
	state, login, err := s.signupReady(ctx, &out, func(ctx context.Context, tx bun.Tx) (userRow, error) {
		if _, err := s.findInvitation(ctx, tx, token); err != nil {
			return userRow{}, err
		}
		u, err := s.finishSignup(ctx, tx, p, hash, false, "invitation", &out)
		if err != nil {
			return u, err
		}
		return u, useInvitation(ctx, tx, row.ID)
	})
	if errors.Is(err, errEmailTaken) && s.Mail.CanLink() {
		// The mail says so to the owner alone. Without mail there is no other way than to tell the invited one.
		return StateVerify, Login{}, s.signupByMail(ctx, p, "")
	}
	if err == nil {
		s.slow.code.giveBack(from)
	}
	return state, login, err
}

// useInvitation ends an invitation by which somebody has got an account.
func useInvitation(ctx context.Context, tx bun.Tx, id string) error {
	return exec(ctx, tx, "use an invitation", q("DELETE FROM invitations WHERE id = ?", id))
}

// signupReady runs finish in a transaction and gives the signed-in user.
func (s *Service) signupReady(ctx context.Context, out *Login, finish func(context.Context, bun.Tx) (userRow, error)) (string, Login, error) {
	var u userRow
	err := s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		u, err = finish(ctx, tx)
		return err
	})
	if err != nil {
		return "", Login{}, err
	}
	s.forgetSetupCode()
	out.User, err = s.user(ctx, u)
	return StateReady, *out, err
}

package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/mail"
)

// Verify takes the token of a mailed link: of a sign-up, which it finishes and signs in, or of a new e-mail address,
// which it puts in force. Errors: problems token_invalid, token_expired.
func (s *Service) Verify(ctx context.Context, token, device string) (out Login, purpose string, err error) {
	if len(device) != len(newSecret()) {
		device = newSecret()
	}
	out.Device = device
	var u userRow
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		link, err := s.useLink(ctx, tx, token, purposeSignup, purposeEmail)
		if err != nil {
			return err
		}
		purpose = link.Purpose
		if purpose == purposeSignup {
			u, err = s.verifySignup(ctx, tx, link, &out)
		} else {
			u, err = s.verifyEmail(ctx, tx, link)
		}
		return err
	})
	if err != nil {
		return Login{}, "", err
	}
	s.Mail.Wake()
	out.User, err = s.user(ctx, u)
	return out, purpose, err
}

func (s *Service) verifySignup(ctx context.Context, tx bun.Tx, link linkRow, out *Login) (userRow, error) {
	var row signupRow
	err := tx.NewSelect().Model(&row).Where("id = ? AND expires_at > ?", link.SubjectID, s.Now().UnixMilli()).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return userRow{}, errTokenInvalid
	}
	if err != nil {
		return userRow{}, fmt.Errorf("read a sign-up: %w", err)
	}
	how := "mail"
	if row.InvitationID != "" {
		how = "invitation"
	}
	u, err := s.finishSignup(ctx, tx, row.person(), row.PasswordHash, false, how, out)
	if errors.Is(err, errEmailTaken) {
		return u, errTokenInvalid
	}
	if err != nil || row.InvitationID == "" {
		return u, err
	}
	return u, useInvitation(ctx, tx, row.InvitationID)
}

func (s *Service) verifyEmail(ctx context.Context, tx bun.Tx, link linkRow) (userRow, error) {
	u, err := findUser(ctx, tx, "id = ?", link.SubjectID)
	if errors.Is(err, errNoUser) {
		return u, errTokenInvalid
	}
	if err != nil {
		return u, err
	}
	if other, err := findUser(ctx, tx, "email_key = ?", link.EmailKey); err == nil && other.ID != u.ID {
		return u, errTokenInvalid
	} else if err != nil && !errors.Is(err, errNoUser) {
		return u, err
	}
	if err := s.notify(ctx, tx, mail.KindEmailChanged, u, map[string]string{"NewEmail": link.Email}); err != nil {
		return u, err
	}
	err = exec(ctx, tx, "change an e-mail address",
		q("UPDATE users SET email = ?, email_key = ? WHERE id = ?", link.Email, link.EmailKey, u.ID),
		q("DELETE FROM links WHERE subject_id = ? AND used_at IS NULL", u.ID),
		q("DELETE FROM signups WHERE email_key = ?", link.EmailKey))
	if err != nil {
		return u, err
	}
	u.Email, u.EmailKey = link.Email, link.EmailKey
	return u, s.recordBy(ctx, tx, u, "user.email", audit.Target{Kind: "user", ID: u.ID, Name: u.Name}, nil)
}

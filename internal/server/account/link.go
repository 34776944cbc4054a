package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/mail"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// What a mailed link is good for, and for how long.
const (
	purposeSignup = "signup"
	purposeEmail  = "email"
	purposeReset  = "reset"

	confirmAge = 24 * time.Hour
	resetAge   = time.Hour
	// deadLinkAge is how long an ended link is remembered, so that its holder is told why it does not work.
	deadLinkAge = 7 * 24 * time.Hour
	// noticeAge is how long it is worth telling somebody what happened.
	noticeAge = 3 * 24 * time.Hour
)

type linkRow struct {
	bun.BaseModel `bun:"table:links"`

	Hash      string `bun:",pk"`
	Purpose   string
	SubjectID string
	Email     string
	EmailKey  string
	CreatedAt int64
	ExpiresAt int64
	UsedAt    int64 `bun:",nullzero"`
}

// newLink writes a link down and gives its secret.
func (s *Service) newLink(ctx context.Context, tx bun.Tx, purpose, subjectID string, to Email, age time.Duration) (string, error) {
	secret, now := newSecret(), s.Now()
	row := linkRow{
		Hash: hashSecret(secret), Purpose: purpose, SubjectID: subjectID, Email: to.Address, EmailKey: to.Key,
		CreatedAt: now.UnixMilli(), ExpiresAt: now.Add(age).UnixMilli(),
	}
	if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
		return "", fmt.Errorf("write a link: %w", err)
	}
	return secret, nil
}

// readLink gives what a link says, when it still works. Errors: errTokenInvalid, errTokenExpired.
func (s *Service) readLink(ctx context.Context, db bun.IDB, secret string, purposes ...string) (linkRow, error) {
	var row linkRow
	if len(secret) > secretLength {
		return row, errTokenInvalid
	}
	err := db.NewSelect().Model(&row).Where("hash = ? AND purpose IN (?)", hashSecret(secret), bun.List(purposes)).Scan(ctx)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return row, errTokenInvalid
	case err != nil:
		return row, fmt.Errorf("read a link: %w", err)
	case row.UsedAt != 0:
		return row, errTokenInvalid
	case row.ExpiresAt <= s.Now().UnixMilli():
		return row, errTokenExpired
	}
	return row, nil
}

// useLink marks a link as used, for one caller only: transactions come one after the other. Errors as readLink.
func (s *Service) useLink(ctx context.Context, tx bun.Tx, secret string, purposes ...string) (linkRow, error) {
	row, err := s.readLink(ctx, tx, secret, purposes...)
	if err != nil {
		return row, err
	}
	return row, exec(ctx, tx, "use a link", q("UPDATE links SET used_at = ? WHERE hash = ?", s.Now().UnixMilli(), row.Hash))
}

// pageURL gives the address of a page, with a token behind it where there is one.
func (s *Service) pageURL(path, parameter, token string) string {
	if token == "" {
		return s.PublicURL + path
	}
	return s.PublicURL + path + "?" + url.Values{parameter: {token}}.Encode()
}

// mailLink writes a mail with a link down.
func (s *Service) mailLink(ctx context.Context, tx bun.Tx, kind mail.Kind, to Email, language, link string, age time.Duration) error {
	return s.Mail.Enqueue(ctx, tx, mail.Mail{
		Kind: kind, To: to.Address, Language: language, Data: map[string]string{"Link": link}, ExpiresAt: s.Now().Add(age),
	})
}

// notify tells the owner of an account what was done to it.
func (s *Service) notify(ctx context.Context, tx bun.Tx, kind mail.Kind, u userRow, data map[string]string) error {
	return s.Mail.Enqueue(ctx, tx, mail.Mail{Kind: kind, To: u.Email, Language: u.Language, Data: data, ExpiresAt: s.Now().Add(noticeAge)})
}

// mayMail counts a mail to an address; false means that it got enough of them.
func (s *Service) mayMail(to Email) bool {
	return s.Mail.CanLink() && s.slow.mailTo.take(to.Key) == 0
}

// mailMemberInvite mails an invitation to a workspace to those who have an account; others are not written to.
func (s *Service) mailMemberInvite(ctx context.Context, tx bun.Tx, in workspace.Invite) error {
	u, err := findUser(ctx, tx, "email_key = ?", in.EmailKey)
	if errors.Is(err, errNoUser) {
		return nil
	}
	if err != nil || !s.mayMail(Email{Address: u.Email, Key: u.EmailKey}) {
		return err
	}
	defer s.Mail.Wake()
	return s.Mail.Enqueue(ctx, tx, mail.Mail{
		Kind: mail.KindMember, To: u.Email, Language: u.Language, ExpiresAt: in.ExpiresAt,
		Data: map[string]string{"Link": s.pageURL("/account", "", ""), "InvitedBy": in.InvitedBy, "Workspace": in.WorkspaceName},
	})
}

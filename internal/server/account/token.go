package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// tokenLimit is how many API tokens an account has at most.
const tokenLimit = 50

// Token is an API token, without what makes it work.
type Token struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Prefix     string     `json:"prefix" doc:"Its first characters, to tell tokens apart"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at,omitempty"`
	LastUsedAt *time.Time `json:"last_used_at,omitempty" doc:"To the minute"`
}

// NewToken is an API token as it is shown once.
type NewToken struct {
	Token
	Secret string `json:"token" doc:"Shown this once"`
}

type tokenRow struct {
	bun.BaseModel `bun:"table:tokens"`

	ID         string `bun:",pk"`
	Hash       string
	UserID     string
	Name       string
	Prefix     string
	CreatedAt  int64
	ExpiresAt  int64 `bun:",nullzero"`
	LastUsedAt int64 `bun:",nullzero"`
}

func (r tokenRow) token() Token {
	return Token{ID: r.ID, Name: r.Name, Prefix: r.Prefix, CreatedAt: fromMillis(r.CreatedAt), ExpiresAt: orNil(r.ExpiresAt), LastUsedAt: orNil(r.LastUsedAt)}
}

func orNil(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := fromMillis(ms)
	return &t
}

// CreateToken makes an API token; a nil expires never ends. Errors: problems name_invalid, expires_invalid, too_many.
func (s *Service) CreateToken(ctx context.Context, userID, rawName string, expires *time.Time) (NewToken, error) {
	name, err := workspace.TidyName("name", rawName)
	if err != nil {
		return NewToken{}, err
	}
	now := s.Now()
	secret := newToken()
	row := tokenRow{ID: newID(), Hash: hashSecret(secret), UserID: userID, Name: name, Prefix: secret[:tokenPrefix], CreatedAt: now.UnixMilli()}
	if expires != nil {
		if !expires.After(now) || expires.Year() > 9999 {
			return NewToken{}, problem.Field("expires_invalid", "expires_at", "The end of a token must lie in the future.")
		}
		row.ExpiresAt = expires.UnixMilli()
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		var have int
		err := tx.NewRaw("SELECT COUNT(*) FROM tokens WHERE user_id = ? AND (expires_at IS NULL OR expires_at > ?)", userID, now.UnixMilli()).Scan(ctx, &have)
		if err != nil {
			return fmt.Errorf("count tokens: %w", err)
		}
		if have >= tokenLimit {
			return problem.New(http.StatusConflict, "too_many", fmt.Sprintf("An account has at most %d API tokens. Delete one first.", tokenLimit))
		}
		if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
			return fmt.Errorf("write a token: %w", err)
		}
		return s.record(ctx, tx, userID, "token.create", audit.Target{Kind: "token", ID: row.ID, Name: row.Name}, nil)
	})
	return NewToken{Token: row.token(), Secret: secret}, err
}

// ListTokens gives a user's tokens, the latest first. One that has ended is shown for another 30 days.
func (s *Service) ListTokens(ctx context.Context, userID string) ([]Token, error) {
	var rows []tokenRow
	if err := s.DB.Read.NewSelect().Model(&rows).Where("user_id = ?", userID).Order("id DESC").Scan(ctx); err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	list := make([]Token, 0, len(rows))
	for _, r := range rows {
		list = append(list, r.token())
	}
	return list, nil
}

// DeleteToken ends a token. Errors: problem not_found.
func (s *Service) DeleteToken(ctx context.Context, userID, id string) error {
	err := s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		var name string
		err := tx.NewRaw("SELECT name FROM tokens WHERE id = ? AND user_id = ?", id, userID).Scan(ctx, &name)
		if errors.Is(err, sql.ErrNoRows) {
			return problem.NotFound("token")
		}
		if err != nil {
			return fmt.Errorf("read a token: %w", err)
		}
		if err := exec(ctx, tx, "delete a token", q("DELETE FROM tokens WHERE id = ?", id)); err != nil {
			return err
		}
		return s.record(ctx, tx, userID, "token.delete", audit.Target{Kind: "token", ID: id, Name: name}, nil)
	})
	if err == nil {
		s.Bus.AccessEnded.Publish(bus.AccessEnded{TokenID: id})
	}
	return err
}

// TokenActor tells who a bearer token belongs to: an API token (fct_…) or the 1.x plugin's access token (fcp_…,
// Via plugin). Errors: problem not_signed_in for one that is unknown, wrongly copied or over.
func (s *Service) TokenActor(ctx context.Context, bearer, address string) (workspace.Actor, error) {
	if strings.HasPrefix(bearer, PluginPrefix) {
		return s.secretActor(ctx, bearer, workspace.ViaPlugin, address, "")
	}
	if !isToken(bearer) {
		return workspace.Actor{}, problem.ErrNotSignedIn
	}
	var row struct {
		TokenID, UserID, Name, Language string
		Admin                           bool
		LastUsedAt                      int64
	}
	now := s.Now()
	err := s.DB.Read.NewRaw(`SELECT t.id AS token_id, COALESCE(t.last_used_at, 0) AS last_used_at, u.id AS user_id, u.name, u.language, u.admin
		FROM tokens t JOIN users u ON u.id = t.user_id
		WHERE t.hash = ? AND (t.expires_at IS NULL OR t.expires_at > ?) AND u.disabled_at IS NULL`,
		hashSecret(bearer), now.UnixMilli()).Scan(ctx, &row)
	if errors.Is(err, sql.ErrNoRows) {
		return workspace.Actor{}, problem.ErrNotSignedIn
	}
	if err != nil {
		return workspace.Actor{}, fmt.Errorf("read a token: %w", err)
	}
	if now.Sub(time.UnixMilli(row.LastUsedAt)) >= useEvery {
		s.uses.token(row.TokenID, now.UnixMilli())
	}
	return workspace.Actor{
		UserID: row.UserID, Name: row.Name, Admin: row.Admin, Via: workspace.ViaToken, TokenID: row.TokenID, Address: address, Language: row.Language,
	}, nil
}

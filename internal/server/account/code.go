package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

const (
	codeLife  = 10 * time.Minute
	codeLimit = 10 // an account's that nobody has used yet; the oldest makes room
)

// Code is what somebody types into a plugin instead of his password: 40 random bits, which live for ten minutes and
// whose guessing is slowed down.
type Code struct {
	Code      string    `json:"code" example:"ABCD-EFGH" doc:"Shown this once"`
	ExpiresAt time.Time `json:"expires_at"`
}

var (
	errCode     = problem.Field("code_invalid", "code", "This code is wrong, was used already, or is older than ten minutes. Make a new one on the page.")
	errCodeUsed = problem.New(http.StatusUnauthorized, "not_signed_in", "The code was good for one registration. Make a new one on the page.")
)

// CreateCode makes a code that signs a plugin in as the user, for one registration.
func (s *Service) CreateCode(ctx context.Context, userID string) (Code, error) {
	now := s.Now()
	code := typedCode(8)
	out := Code{Code: code[:4] + "-" + code[4:], ExpiresAt: fromMillis(now.Add(codeLife).UnixMilli())}
	err := s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		err := exec(ctx, tx, "write a set-up code",
			q(`DELETE FROM setup_codes WHERE user_id = ? AND hash NOT IN
				(SELECT hash FROM setup_codes WHERE user_id = ? ORDER BY created_at DESC, hash LIMIT ?)`, userID, userID, codeLimit-1),
			q("INSERT INTO setup_codes (hash, user_id, created_at, expires_at) VALUES (?, ?, ?, ?)",
				hashSecret(code), userID, now.UnixMilli(), out.ExpiresAt.UnixMilli()))
		if err != nil {
			return err
		}
		return s.record(ctx, tx, userID, "setup_code.create", audit.Target{Kind: "user", ID: userID}, nil)
	})
	return out, err
}

// RedeemCode signs a plugin in by a code, which ends with that. Errors: problems code_invalid, slow_down.
func (s *Service) RedeemCode(ctx context.Context, code string) (PluginLogin, error) {
	from := addressKey(OriginFrom(ctx).Address)
	if wait := s.slow.setup.take(from); wait > 0 {
		return PluginLogin{}, problem.SlowDown(wait)
	}
	if len(code) > secretLength {
		return PluginLogin{}, errCode
	}
	hash := hashSecret(tidySetupCode(code))
	var u userRow
	var secret string
	err := s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		if u, err = codeOwner(ctx, tx, hash, s.Now()); err != nil {
			return err
		}
		if err := exec(ctx, tx, "use a set-up code", q("DELETE FROM setup_codes WHERE hash = ?", hash)); err != nil {
			return err
		}
		if secret, err = s.newSession(ctx, tx, u.ID, workspace.ViaPlugin, true); err != nil {
			return err
		}
		by := workspace.Actor{UserID: u.ID, Name: u.Name, Via: workspace.ViaPlugin, Address: OriginFrom(ctx).Address}
		return s.record(workspace.WithActor(ctx, by), tx, u.ID, "setup_code.redeem", audit.Target{Kind: "user", ID: u.ID, Name: u.Name}, nil)
	})
	if err != nil {
		return PluginLogin{}, err
	}
	s.slow.setup.giveBack(from)
	user, err := s.user(ctx, u)
	return PluginLogin{AccessToken: secret, ExpiresIn: pluginLife, User: user}, err
}

// codeOwner gives whose code it is. Errors: problem code_invalid.
func codeOwner(ctx context.Context, tx bun.Tx, hash string, now time.Time) (userRow, error) {
	var userID string
	err := tx.NewRaw("SELECT user_id FROM setup_codes WHERE hash = ? AND expires_at > ?", hash, now.UnixMilli()).Scan(ctx, &userID)
	if errors.Is(err, sql.ErrNoRows) {
		return userRow{}, errCode
	}
	if err != nil {
		return userRow{}, fmt.Errorf("read a set-up code: %w", err)
	}
	u, err := findUser(ctx, tx, "id = ?", userID)
	if errors.Is(err, errNoUser) || (err == nil && u.DisabledAt != 0) {
		return u, errCode
	}
	return u, err
}

// Spend ends a log-in that is good for one registration, in the transaction that makes this registration: of two at
// the same time one is refused. It does nothing for others. Errors: problem not_signed_in.
func (s *Service) Spend(ctx context.Context, tx bun.Tx, a workspace.Actor) error {
	if !a.Once {
		return nil
	}
	res, err := tx.NewRaw("DELETE FROM sessions WHERE id = ? AND once", a.SessionID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("end a plugin's log-in: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, errCodeUsed)
	}
	return nil
}

func (s *Service) registerCodes(api huma.API) {
	huma.Register(api, describe(status(op(http.MethodPost, "/setup-codes", "make-setup-code", forUser, "Make a code that signs a plugin in"), http.StatusCreated),
		"Typed into the plugin instead of a password. It lives for ten minutes, works once, and is good for one registration."), s.apiCreateCode)
	huma.Register(api, describe(status(op(http.MethodPost, "/setup-codes/redeem", "redeem-setup-code", forAll, "Sign a plugin in by a code"), http.StatusOK),
		"Gives an access token that lists the account's printers and makes one registration: a printer, or a new token for one's device. "+
			"Problems: code_invalid (422), slow_down (429)."), s.apiRedeemCode)
}

func (s *Service) apiCreateCode(ctx context.Context, _ *struct{}) (*struct{ Body Code }, error) {
	actor, err := workspace.RequireUser(ctx)
	if err != nil {
		return nil, err
	}
	code, err := s.CreateCode(ctx, actor.UserID)
	return &struct{ Body Code }{code}, err
}

type redeemed struct {
	Body struct {
		AccessToken string `json:"access_token" doc:"For the header Authorization: Bearer"`
		ExpiresIn   int    `json:"expires_in" doc:"s"`
		User        struct {
			Email string `json:"email"`
			Name  string `json:"name"`
		} `json:"user"`
	}
}

func (s *Service) apiRedeemCode(ctx context.Context, in *struct {
	Body struct {
		Code string `json:"code" maxLength:"64" doc:"Small letters, spaces and dashes do not matter"`
	}
}) (*redeemed, error) {
	login, err := s.RedeemCode(ctx, in.Body.Code)
	if err != nil {
		return nil, err
	}
	out := &redeemed{}
	out.Body.AccessToken, out.Body.ExpiresIn = login.AccessToken, int(login.ExpiresIn.Seconds())
	out.Body.User.Email, out.Body.User.Name = login.User.Email, login.User.Name
	return out, nil
}

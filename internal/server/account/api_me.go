package account

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

func (s *Service) registerMe(api huma.API) {
	huma.Register(api, op(http.MethodGet, "/me", "get-me", forUser, "Your account"), s.apiMe)
	huma.Register(api, op(http.MethodPatch, "/me", "change-me", forUser, "Change name, language or time zone"), s.apiChangeMe)
	huma.Register(api, describe(op(http.MethodDelete, "/me", "delete-me", forSession, "Delete your account with everything it owns"),
		"Problems: invalid_credentials (403), last_admin (409)."), s.apiDeleteMe)
	huma.Register(api, describe(op(http.MethodPost, "/me/password", "change-password", forSession, "Change your password; your other sessions end"),
		"API tokens stay valid: end them one by one."), s.apiChangePassword)
	huma.Register(api, describe(status(op(http.MethodPost, "/me/email", "change-email", forSession, "Change your e-mail address"), http.StatusAccepted),
		"A link is mailed to the new address, which puts it in force, and a notice to the present one. The answer does not tell whether the new "+
			"address has an account. Problem: mail_not_configured (409)."), s.apiChangeEmail)
}

func (s *Service) registerTokens(api huma.API) {
	huma.Register(api, op(http.MethodGet, "/tokens", "list-tokens", forUser, "Your API tokens"), s.apiTokens)
	huma.Register(api, status(op(http.MethodPost, "/tokens", "create-token", forSession, "Make an API token; it is shown this once"), http.StatusCreated), s.apiCreateToken)
	huma.Register(api, op(http.MethodDelete, "/tokens/{id}", "delete-token", forSession, "End an API token"), s.apiDeleteToken)
}

type userAnswer struct{ Body User }

func (s *Service) apiMe(ctx context.Context, _ *struct{}) (*userAnswer, error) {
	actor, err := workspace.RequireUser(ctx)
	if err != nil {
		return nil, err
	}
	u, err := s.Me(ctx, actor.UserID)
	return &userAnswer{u}, err
}

func (s *Service) apiChangeMe(ctx context.Context, in *struct {
	Body struct {
		Name     *string `json:"name,omitempty" maxLength:"320"`
		Language *string `json:"language,omitempty" enum:"ko,en"`
		TimeZone *string `json:"time_zone,omitempty" maxLength:"64" doc:"IANA name"`
	}
}) (*userAnswer, error) {
	actor, err := workspace.RequireUser(ctx)
	if err != nil {
		return nil, err
	}
	u, err := s.ChangeMe(ctx, actor.UserID, Change{Name: in.Body.Name, Language: in.Body.Language, TimeZone: in.Body.TimeZone})
	return &userAnswer{u}, err
}

func (s *Service) apiDeleteMe(ctx context.Context, in *struct {
	Body struct {
		Password string `json:"password" maxLength:"1000"`
	}
}) (*signedOut, error) {
	actor, err := requireSession(ctx)
	if err != nil {
		return nil, err
	}
	return signOut(ctx), s.DeleteMe(ctx, actor, in.Body.Password)
}

func (s *Service) apiChangePassword(ctx context.Context, in *struct {
	Body struct {
		Current string `json:"current" maxLength:"1000"`
		New     string `json:"new" maxLength:"1000"`
	}
}) (*struct{}, error) {
	actor, err := requireSession(ctx)
	if err != nil {
		return nil, err
	}
	return nil, s.ChangePassword(ctx, actor, in.Body.Current, in.Body.New)
}

func (s *Service) apiChangeEmail(ctx context.Context, in *struct {
	Body struct {
		Password string `json:"password" maxLength:"1000"`
		Email    string `json:"email" maxLength:"320"`
	}
}) (*struct{}, error) {
	actor, err := requireSession(ctx)
	if err != nil {
		return nil, err
	}
	return nil, s.ChangeEmail(ctx, actor, in.Body.Password, in.Body.Email)
}

type tokenList struct {
	Body struct {
		Items []Token `json:"items"`
	}
}

func (s *Service) apiTokens(ctx context.Context, _ *struct{}) (*tokenList, error) {
	actor, err := workspace.RequireUser(ctx)
	if err != nil {
		return nil, err
	}
	out := &tokenList{}
	out.Body.Items, err = s.ListTokens(ctx, actor.UserID)
	return out, err
}

func (s *Service) apiCreateToken(ctx context.Context, in *struct {
	Body struct {
		Name      string     `json:"name" maxLength:"320"`
		ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"Without it the token does not end"`
	}
}) (*struct{ Body NewToken }, error) {
	actor, err := requireSession(ctx)
	if err != nil {
		return nil, err
	}
	t, err := s.CreateToken(ctx, actor.UserID, in.Body.Name, in.Body.ExpiresAt)
	return &struct{ Body NewToken }{t}, err
}

func (s *Service) apiDeleteToken(ctx context.Context, in *idPath) (*struct{}, error) {
	actor, err := requireSession(ctx)
	if err != nil {
		return nil, err
	}
	return nil, s.DeleteToken(ctx, actor.UserID, in.ID)
}

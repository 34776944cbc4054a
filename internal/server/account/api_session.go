package account

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

func (s *Service) registerSession(api huma.API) {
	huma.Register(api, describe(status(op(http.MethodPost, "/session", "log-in", forAll, "Log in"), http.StatusOK),
		"Sets the cookie factor_session. Problems: invalid_credentials (401), email_unverified (403), account_disabled (403), slow_down (429)."), s.apiLogin)
	huma.Register(api, op(http.MethodDelete, "/session", "log-out", forSession, "Log out here"), s.apiLogout)
	huma.Register(api, op(http.MethodGet, "/sessions", "list-sessions", forUser, "Where you are signed in"), s.apiSessions)
	huma.Register(api, describe(op(http.MethodDelete, "/sessions", "log-out-everywhere", forSession, "Log out everywhere, here too"),
		"API tokens stay valid: end them one by one."), s.apiLogoutEverywhere)
	huma.Register(api, op(http.MethodDelete, "/sessions/{id}", "end-session", forSession, "Log out somewhere else"), s.apiEndSession)
}

func (s *Service) apiLogin(ctx context.Context, in *struct {
	Device string `cookie:"factor_device" doc:"Set by an earlier log-in: failures of others do not slow this browser down"`
	Body   struct {
		Email    string `json:"email" maxLength:"320"`
		Password string `json:"password" maxLength:"1000"`
	}
}) (*signedIn, error) {
	login, err := s.Login(ctx, in.Body.Email, in.Body.Password, in.Device)
	if err != nil {
		return nil, err
	}
	return &signedIn{SetCookie: login.cookies(ctx), Body: login.User}, nil
}

func (s *Service) apiLogout(ctx context.Context, _ *struct{}) (*signedOut, error) {
	actor, err := requireSession(ctx)
	if err != nil {
		return nil, err
	}
	return signOut(ctx), s.EndSession(ctx, actor, actor.SessionID)
}

func (s *Service) apiLogoutEverywhere(ctx context.Context, _ *struct{}) (*signedOut, error) {
	actor, err := requireSession(ctx)
	if err != nil {
		return nil, err
	}
	return signOut(ctx), s.EndSessions(ctx, actor)
}

type sessionList struct {
	Body struct {
		Items []Session `json:"items"`
	}
}

func (s *Service) apiSessions(ctx context.Context, _ *struct{}) (*sessionList, error) {
	actor, err := workspace.RequireUser(ctx)
	if err != nil {
		return nil, err
	}
	out := &sessionList{}
	out.Body.Items, err = s.ListSessions(ctx, actor.UserID, actor.SessionID)
	return out, err
}

func (s *Service) apiEndSession(ctx context.Context, in *idPath) (*struct{}, error) {
	actor, err := requireSession(ctx)
	if err != nil {
		return nil, err
	}
	return nil, s.EndSession(ctx, actor, in.ID)
}

type idPath struct {
	ID string `path:"id" maxLength:"64"`
}

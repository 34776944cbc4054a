package account

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// Register adds the calls under /api/v1 to api.
func (s *Service) Register(api huma.API) {
	s.registerSignup(api)
	s.registerSession(api)
	s.registerMe(api)
	s.registerTokens(api)
	s.registerCodes(api)
	s.registerAdmin(api)
}

// Who may call, and how he shows who he is.
const (
	forAll     = "public"
	forUser    = "user"
	forSession = "session" // a user, but not by an API token: what it changes would outlive the token
	forAdmin   = "admin"
)

func op(method, path, id, access, summary string) huma.Operation {
	o := huma.Operation{
		OperationID: id, Method: method, Path: "/api/v1" + path, Summary: summary, Tags: []string{"Account"},
		Metadata: map[string]any{"access": access}, MaxBodyBytes: 16 << 10,
	}
	switch access {
	case forSession:
		o.Security = []map[string][]string{{"session": {}}}
		o.Metadata["access"] = forUser
	case forUser, forAdmin:
		o.Security = []map[string][]string{{"session": {}}, {"token": {}}}
	}
	if access == forAdmin {
		o.Tags = []string{"Administration"}
	}
	return o
}

func status(o huma.Operation, code int) huma.Operation {
	o.DefaultStatus = code
	return o
}

func describe(o huma.Operation, text string) huma.Operation {
	o.Description = text
	return o
}

// requireSession gives somebody signed in by a browser. Errors: not_signed_in, session_required.
func requireSession(ctx context.Context) (workspace.Actor, error) {
	a, err := workspace.RequireUser(ctx)
	if err == nil && a.Via != workspace.ViaSession {
		return a, errSessionNeeded
	}
	return a, err
}

// cookies is what signs a browser in; none for an empty login.
func (l Login) cookies(ctx context.Context) []http.Cookie {
	if l.Secret == "" {
		return nil
	}
	return []http.Cookie{
		cookie(ctx, SessionCookie, l.Secret, int(sessionLife.Seconds())),
		cookie(ctx, DeviceCookie, l.Device, int(sessionLife.Seconds())),
	}
}

// cookie gives one that scripts cannot read and other sites cannot send along with what they post. How long a
// session really lasts is decided here, not by the cookie's age.
func cookie(ctx context.Context, name, value string, seconds int) http.Cookie {
	return http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: seconds, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: OriginFrom(ctx).Secure,
	}
}

type signedIn struct {
	SetCookie []http.Cookie `header:"Set-Cookie"`
	Body      User
}

type signedOut struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

func signOut(ctx context.Context) *signedOut {
	return &signedOut{SetCookie: cookie(ctx, SessionCookie, "", -1)}
}

// isRefusal tells an answer that is about the request from a fault of the server.
func isRefusal(err error) bool { return problem.Code(err) != "" }

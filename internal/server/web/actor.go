package web

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/kangbyounggwan/factor/internal/server/account"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// withActor finds out who asks: by a bearer token, else by the session cookie. Somebody whose proof is no good is
// nobody; the route decides what nobody may do. Pages and their files need nobody.
func (s *Server) withActor(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isAPI(r.URL.Path) && r.URL.Path != "/metrics" {
			next.ServeHTTP(w, r)
			return
		}
		find := s.proof(r)
		if find == nil {
			next.ServeHTTP(w, r)
			return
		}
		actor, err := find(r.Context())
		if err != nil && !errors.Is(err, problem.ErrNotSignedIn) {
			if r.Context().Err() == nil {
				s.Log.Error("it could not be told who asks", "id", visitOf(r.Context()).id, "error", err)
			}
			writeProblem(w, errInternal)
			return
		}
		ctx := r.Context()
		if err == nil {
			visitOf(ctx).user = actor.UserID
			ctx = workspace.WithActor(ctx, actor)
			ctx = workspace.WithCheck(ctx, func(ctx context.Context) bool {
				_, err := find(ctx)
				return !errors.Is(err, problem.ErrNotSignedIn) // a database that does not answer ends nobody
			})
		}
		known := r.WithContext(ctx)
		defer func() { r.Pattern = known.Pattern }() // the metrics in front of us name the route
		next.ServeHTTP(w, known)
	})
}

// proof gives the way to find out who asks, or nil where the request brings nothing to prove it.
func (s *Server) proof(r *http.Request) func(ctx context.Context) (workspace.Actor, error) {
	address, agent := visitOf(r.Context()).address.String(), r.UserAgent()
	if token := bearer(r); token != "" {
		return func(ctx context.Context) (workspace.Actor, error) { return s.Accounts.TokenActor(ctx, token, address) }
	}
	cookie, err := r.Cookie(account.SessionCookie)
	if err != nil || cookie.Value == "" {
		return nil
	}
	value := cookie.Value
	return func(ctx context.Context) (workspace.Actor, error) {
		return s.Accounts.SessionActor(ctx, value, address, agent)
	}
}

// bearer gives the token of the Authorization header, or "".
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

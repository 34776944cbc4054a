package web

import (
	"net/http"

	"github.com/kangbyounggwan/factor/internal/server/account"
	"github.com/kangbyounggwan/factor/internal/server/problem"
)

var errCrossOrigin = problem.New(http.StatusForbidden, "cross_origin", "This request came from another site's page and was refused.")

// refuseCrossOrigin refuses what another site's page makes a browser do here. A request with a bearer token and
// without a session cookie is let through: no page of somebody else's can send one.
func (s *Server) refuseCrossOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	if s.PublicURL != nil {
		// A proxy that does not pass the host on makes Origin and Host differ.
		if err := protection.AddTrustedOrigin(s.PublicURL.Scheme + "://" + s.PublicURL.Host); err != nil {
			s.Log.Error("the public URL is no origin", "error", err)
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := r.Cookie(account.SessionCookie)
		if (err == nil || bearer(r) == "") && protection.Check(r) != nil {
			writeProblem(w, errCrossOrigin)
			return
		}
		next.ServeHTTP(w, r)
	})
}

package web

import (
	"net/http"
	"strings"

	"github.com/kangbyounggwan/factor/internal/server/problem"
)

var errNUL = problem.New(http.StatusBadRequest, "invalid", "The address has a NUL character in it, which no name, id or search has.")

// refuseNUL refuses addresses with a NUL in them: the database takes no text that has one.
func refuseNUL(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.IndexByte(r.URL.Path, 0) >= 0 || strings.Contains(r.URL.RawQuery, "%00") || strings.IndexByte(r.URL.RawQuery, 0) >= 0 {
			writeProblem(w, errNUL)
			return
		}
		next.ServeHTTP(w, r)
	})
}

package web

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/kangbyounggwan/factor/internal/server/problem"
)

var (
	errNUL  = problem.New(http.StatusBadRequest, "invalid", "The address has a NUL character in it, which no name, id or search has.")
	errUTF8 = problem.New(http.StatusBadRequest, "invalid", "The address is not written in UTF-8.")
)

// refuseNUL refuses addresses with a NUL in them, which the database takes for the end of a text, or that are no UTF-8.
// badText does the same for bodies.
func refuseNUL(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.IndexByte(r.URL.Path, 0) >= 0 || strings.Contains(r.URL.RawQuery, "%00") || strings.IndexByte(r.URL.RawQuery, 0) >= 0 {
			writeProblem(w, errNUL)
			return
		}
		query, err := url.QueryUnescape(r.URL.RawQuery)
		if !utf8.ValidString(r.URL.Path) || (err == nil && !utf8.ValidString(query)) {
			writeProblem(w, errUTF8)
			return
		}
		next.ServeHTTP(w, r)
	})
}

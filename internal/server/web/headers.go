package web

import (
	"net/http"
	"strings"
)

const apiPolicy = "default-src 'none'; frame-ancestors 'none'"

// withHeaders sets what browsers are to keep to. policy is the Content-Security-Policy of the pages.
func (s *Server) withHeaders(next http.Handler, policy string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin") // links from mails carry tokens
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if isAPI(r.URL.Path) {
			h.Set("Content-Security-Policy", apiPolicy)
			h.Set("Cache-Control", "no-store")
		} else {
			h.Set("Content-Security-Policy", policy)
		}
		// Only for the public name: an address in the local network may have no certificate that browsers trust, and
		// its owner must be able to go back to plain HTTP.
		if s.PublicURL != nil && s.PublicURL.Scheme == "https" && visitOf(r.Context()).secure && strings.EqualFold(hostname(r.Host), s.PublicURL.Hostname()) {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

package web

import (
	"context"
	"net/http"
	"time"
)

const readyTimeout = 2 * time.Second

// serveHealth says that the process answers, and nothing more.
func serveHealth(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// serveReady says whether the server can do its work: 503 while it starts, when the database does not answer, and
// while it stops. What is wrong stands in the log: anybody may ask here.
func (s *Server) serveReady(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if s.isStopping() {
		writeJSON(w, http.StatusServiceUnavailable, map[string]string{"status": "stopping"})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		s.Log.Warn("not ready", "error", err)
		writeJSON(w, http.StatusServiceUnavailable, map[string]string{"status": "not ready"})
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"status": "ready"})
}

// serveAuthority gives the certificate of the server's own authority, for browsers and agents to trust.
func (s *Server) serveAuthority(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/x-x509-ca-cert")
	h.Set("Content-Disposition", `attachment; filename="factor-ca.crt"`)
	h.Set("Cache-Control", "no-cache")
	_, _ = w.Write(s.AuthorityPEM)
}

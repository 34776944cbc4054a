package web

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/problem"
)

// withLog gives each request an id, writes what became of it, and answers for a handler that panics. The query is
// never logged: links from mails carry tokens there.
func (s *Server) withLog(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := visitOf(r.Context())
		begun := time.Now()
		rec := &recorder{ResponseWriter: w}
		rec.Header().Set("X-Request-Id", v.id)
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				s.Log.Error("a request made the server panic", "id", v.id, "method", r.Method, "path", r.URL.Path,
					"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				if rec.status == 0 && !rec.hijacked {
					writeProblem(rec, errInternal)
				}
			}
			s.logRequest(rec, r, v, time.Since(begun))
		}()
		next.ServeHTTP(rec, r)
	})
}

var errInternal = problem.New(http.StatusInternalServerError, "internal", "Something went wrong on the server. Its log says what.")

func (s *Server) logRequest(rec *recorder, r *http.Request, v *visit, took time.Duration) {
	status := rec.status
	if status == 0 {
		status = http.StatusOK
	}
	if rec.hijacked {
		status = http.StatusSwitchingProtocols
	}
	s.count.request(r.Method, r.Pattern, status, took)
	level := slog.LevelDebug
	switch {
	case status >= 500:
		level = slog.LevelError
	case status >= 400 && status != http.StatusNotFound && status != http.StatusUnauthorized, r.Method != http.MethodGet && r.Method != http.MethodHead:
		level = slog.LevelInfo
		if v.user == "" && status >= 400 {
			level = s.logLimit.Level(level, time.Now())
		}
	}
	ctx := r.Context()
	if !s.Log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("id", v.id), slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", status),
		slog.Int64("bytes", rec.bytes), slog.Float64("ms", float64(took.Microseconds())/1000), slog.String("address", v.address.String()),
	}
	if v.user != "" {
		attrs = append(attrs, slog.String("user", v.user))
	}
	if v.cause != nil && status >= 500 {
		attrs = append(attrs, slog.Any("error", v.cause))
	}
	s.Log.LogAttrs(ctx, level, "request", attrs...)
}

func newRequestID() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status   int
	bytes    int64
	hijacked bool
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush is for handlers that ask by type.
func (w *recorder) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Hijack is for WebSockets.
func (w *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	w.hijacked = err == nil
	return conn, rw, err
}

// isAPI tells whether a path is for programs: it is answered with problems, not with pages.
func isAPI(path string) bool { return path == "/api" || strings.HasPrefix(path, "/api/") }

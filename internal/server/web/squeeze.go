package web

import (
	"net/http"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// squeezeOver is how large an answer must be to be worth it, in bytes: a phone that opens 200 printers gets 400 KB.
const squeezeOver = 4 << 10

var squeezers = sync.Pool{New: func() any {
	z, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant of the package
	}
	return z
}}

// squeezeAnswers compresses what the API answers to GET. Answers that hold a secret are never squeezed together with
// what somebody else chose (BREACH): secrets are shown in answers to POST only.
func squeezeAnswers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || !strings.HasPrefix(r.URL.Path, "/api/v1/") || r.Header.Get("Upgrade") != "" || !acceptsGzip(r.Header.Get("Accept-Encoding")) {
			next.ServeHTTP(w, r)
			return
		}
		s := &squeezer{ResponseWriter: w}
		defer s.close()
		next.ServeHTTP(s, r)
	})
}

// squeezer compresses an answer whose first piece is large enough. huma writes an answer in one piece.
type squeezer struct {
	http.ResponseWriter
	status int
	z      *gzip.Writer
	begun  bool
}

func (s *squeezer) WriteHeader(status int) { s.status = status }

func (s *squeezer) Write(p []byte) (int, error) {
	if !s.begun {
		s.begin(len(p) >= squeezeOver && strings.Contains(s.Header().Get("Content-Type"), "json"))
	}
	if s.z != nil {
		return s.z.Write(p)
	}
	return s.ResponseWriter.Write(p)
}

func (s *squeezer) begin(worth bool) {
	s.begun = true
	h := s.Header()
	h.Add("Vary", "Accept-Encoding")
	if worth && h.Get("Content-Encoding") == "" {
		h.Set("Content-Encoding", "gzip")
		h.Del("Content-Length")
		z, _ := squeezers.Get().(*gzip.Writer)
		z.Reset(s.ResponseWriter)
		s.z = z
	}
	if s.status != 0 {
		s.ResponseWriter.WriteHeader(s.status)
	}
}

func (s *squeezer) close() {
	if !s.begun {
		s.begin(false)
	}
	if s.z != nil {
		_ = s.z.Close()
		squeezers.Put(s.z)
	}
}

// Unwrap is for http.ResponseController.
func (s *squeezer) Unwrap() http.ResponseWriter { return s.ResponseWriter }

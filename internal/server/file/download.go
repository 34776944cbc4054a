package file

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// sendPatience is how long a download may take nothing.
const sendPatience = time.Minute

// serveDownload answers GET /files/{id}/download, with Range.
func (s *Service) serveDownload(w http.ResponseWriter, r *http.Request, id string) {
	row, err := s.authorize(r.Context(), id, workspace.FileView)
	if err != nil {
		s.refuse(w, err)
		return
	}
	w.Header().Set("Content-Disposition", attachment(row.Name))
	s.serveContent(w, r, row)
}

// serveContent answers with a file's content, whole or by Range.
func (s *Service) serveContent(w http.ResponseWriter, r *http.Request, row *fileRow) {
	f, err := os.Open(s.contentPath(row.ID))
	if err != nil {
		s.refuse(w, fmt.Errorf("open a file: %w", err))
		return
	}
	defer f.Close()
	serve(w, r, row, f)
}

func serve(w http.ResponseWriter, r *http.Request, row *fileRow, f *os.File) {
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream") // never something that a browser would show
	h.Set("ETag", `"`+row.SHA256+`"`)
	h.Set("Cache-Control", "private, no-cache")
	http.ServeContent(&patient{ResponseWriter: w}, r, "", time.UnixMilli(row.CreatedAt), f)
}

// serveThumbnail answers GET /files/{id}/thumbnails/{n}.
func (s *Service) serveThumbnail(w http.ResponseWriter, r *http.Request, id, number string) {
	row, err := s.authorize(r.Context(), id, workspace.FileView)
	if err != nil {
		s.refuse(w, err)
		return
	}
	file, err := row.file()
	if err != nil {
		s.refuse(w, err)
		return
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || n >= len(file.Analysis.Thumbnails) {
		s.refuse(w, errNoThumbnail)
		return
	}
	f, err := os.Open(s.thumbPath(id, n))
	if err != nil {
		s.refuse(w, fmt.Errorf("open a picture: %w", err))
		return
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", file.Analysis.Thumbnails[n].Type)
	h.Set("ETag", fmt.Sprintf(`"%s-%d"`, row.SHA256[:32], n))
	h.Set("Cache-Control", "private, max-age=86400")
	http.ServeContent(&patient{ResponseWriter: w}, r, "", time.Time{}, f)
}

// attachment names a download: the name as it is, and without accents for programs that know no other.
func attachment(name string) string {
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return '_'
		}
		return r
	}, name)
	// RFC 6266, 4.3
	return mime.FormatMediaType("attachment", map[string]string{"filename": plain}) + "; filename*=UTF-8''" + url.PathEscape(name)
}

// patient gives an answer as long as somebody takes it, beyond the web server's own deadline.
type patient struct {
	http.ResponseWriter
	due time.Time
}

func (p *patient) Write(b []byte) (int, error) {
	if now := time.Now(); p.due.Sub(now) < sendPatience/2 {
		p.due = now.Add(sendPatience)
		_ = http.NewResponseController(p.ResponseWriter).SetWriteDeadline(p.due) // a test's recorder has none
	}
	return p.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (p *patient) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// refuse answers with a problem. What is none is an internal error and not shown.
func (s *Service) refuse(w http.ResponseWriter, err error) {
	p, ok := errors.AsType[*problem.Problem](err)
	if !ok {
		s.log.Error("a call about files failed", "error", err)
		p = problem.New(http.StatusInternalServerError, "internal", "Something went wrong on the server. Its log says what.")
	}
	p.Write(w)
}

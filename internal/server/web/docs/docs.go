// Package docs shows the pages of the folder docs under /docs: Markdown, rendered once when the server starts, in the
// look of the other pages and under the same Content-Security-Policy.
package docs

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// Prefix is where the pages are.
const Prefix = "/docs/"

// imageFolder is where the pages' pictures are, in the tree and below Prefix.
const imageFolder = "images/guide/"

//go:embed docs.css
var ownStyle []byte

// Site is the rendered pages. Fill in the exported fields, then Initialize; afterwards nothing changes.
type Site struct {
	Files  fs.FS  // en/….md, ko/….md and images/guide/….webp
	Pages  fs.FS  // the built pages, whose font is used
	Tokens []byte // the pages' colours, radii and spaces, and what every page is made of

	files map[string]file // by path below Prefix
}

type file struct {
	body []byte
	kind string
	etag string
}

// languages are the folders, in the order in which they are offered.
var languages = []string{"ko", "en"}

// Initialize renders every page. It fails when a page is there in one language only.
func (s *Site) Initialize() error {
	if s.Files == nil || s.Pages == nil {
		return errors.New("docs: Files and Pages are needed")
	}
	s.files = map[string]file{}
	for _, language := range languages {
		for _, p := range order {
			html, err := s.render(language, p)
			if err != nil {
				return fmt.Errorf("docs: %s/%s: %w", language, p, err)
			}
			s.add(pathOf(language, p), html, "text/html; charset=utf-8")
		}
	}
	images, err := fs.Glob(s.Files, imageFolder+"*.webp")
	if err != nil {
		return err
	}
	for _, name := range images {
		picture, err := fs.ReadFile(s.Files, name)
		if err != nil {
			return err
		}
		s.add(name, picture, "image/webp")
	}
	s.add("docs.css", bytes.Join([][]byte{fontFace(s.Pages), s.Tokens, ownStyle}, []byte("\n")), "text/css; charset=utf-8")
	return nil
}

func (s *Site) add(name string, body []byte, kind string) {
	sum := sha256.Sum256(body)
	s.files[name] = file{body: body, kind: kind, etag: `"` + hex.EncodeToString(sum[:12]) + `"`}
}

// pathOf gives where a page is below Prefix. The first page is the language's own address.
func pathOf(language, page string) string {
	if page == order[0] {
		return language + "/"
	}
	return language + "/" + page
}

// Language says which language somebody who names none wants: "ko", "en" or "".
type Language func(r *http.Request) string

// Handler answers below Prefix. Who asks for no language is sent to the one that his browser prefers.
func (s *Site) Handler(preferred Language) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(path.Clean(r.URL.Path), strings.TrimSuffix(Prefix, "/"))
		name = strings.TrimPrefix(name, "/")
		if name == "ko" || name == "en" {
			name += "/"
		}
		if f, ok := s.files[name]; ok {
			f.serve(w, r)
			return
		}
		first, rest, _ := strings.Cut(name, "/")
		if first == "ko" || first == "en" {
			// An address of another version of these pages: what there is instead.
			http.Redirect(w, r, Prefix+first+"/", http.StatusFound)
			return
		}
		language := preferred(r)
		if language == "" {
			language = "en"
		}
		w.Header().Add("Vary", "Accept-Language")
		target := Prefix + language + "/"
		if _, ok := s.files[language+"/"+name]; ok && rest == "" {
			target += name // /docs/cameras, as it is said aloud
		}
		http.Redirect(w, r, target, http.StatusFound)
	})
}

func (f file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "no-cache")
	h.Set("Etag", f.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.body))
}

// fontFace names the Latin font of the built pages, whose file has another name with each version; nothing where the
// pages were not built. Korean is shown in the reader's own font.
func fontFace(pages fs.FS) []byte {
	found, err := fs.Glob(pages, "_app/immutable/assets/inter-latin-wght-normal*.woff2")
	if err != nil || len(found) == 0 {
		return nil
	}
	return fmt.Appendf(nil, "@font-face {\n\tfont-family: 'Inter Variable';\n\tfont-weight: 100 900;\n\tfont-display: swap;\n"+
		"\tsrc: url('/%s') format('woff2-variations');\n\tunicode-range: U+0000-00FF, U+2000-206F, U+2190-2193;\n}\n", found[0])
}

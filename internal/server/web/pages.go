package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
)

// pages serves the built site. Every path that is no file is index.html: the site finds its page itself.
// mu guards files.
type pages struct {
	site   fs.FS
	policy string // Content-Security-Policy
	built  bool

	mu    sync.Mutex
	files map[string]*page
}

// page is a file as it goes out.
type page struct {
	body    []byte
	gzipped []byte // nil: not worth it
	etag    string
	kind    string // content type
	forever bool   // its name changes with its content
}

const (
	index         = "index.html"
	immutable     = "_app/immutable/"
	gzipWorthOver = 860 // bytes; below, a packet is a packet
	notBuiltHTML  = `<!doctype html><html lang="en"><meta charset="utf-8"><title>FACTOR</title>
<h1>FACTOR is running. Its pages were not built.</h1>
<p>This program was built without the pages. Run <code>make build</code> in the source tree, then start it again. The API works: <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</p>
<p lang="ko">페이지 없이 빌드된 프로그램입니다. 소스 폴더에서 <code>make build</code>를 실행한 뒤 다시 시작하세요.</p>
`
)

// announcerHash is of the one inline style that SvelteKit's route announcer carries.
const announcerHash = "'sha256-S8qMpvofolR8Mpjy4kQvEm7m1q8clzU4dfDH0AmvZjo='"

func newPages(site fs.FS) (*pages, error) {
	p := &pages{site: site, files: map[string]*page{}}
	html, err := fs.ReadFile(site, index)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	p.built = err == nil
	p.policy = policyFor(html)
	return p, nil
}

var (
	inlineScript = regexp.MustCompile(`(?is)<script(\s[^>]*)?>(.*?)</script>`)
	inlineStyle  = regexp.MustCompile(`(?is)<style(\s[^>]*)?>(.*?)</style>`)
)

// policyFor writes the Content-Security-Policy: nothing but our own, and of inline code only what index.html holds.
func policyFor(html []byte) string {
	scripts := append([]string{"'self'"}, hashes(inlineScript, html)...)
	styles := append([]string{"'self'"}, hashes(inlineStyle, html)...)
	return strings.Join([]string{
		"default-src 'self'",
		"script-src " + strings.Join(scripts, " "),
		"style-src " + strings.Join(styles, " "),
		"style-src-attr 'unsafe-hashes' " + announcerHash,
		"img-src 'self' data: blob:",
		"media-src 'self' blob:",
		"font-src 'self'",
		"connect-src 'self'",
		"worker-src 'self' blob:",
		"manifest-src 'self'",
		"object-src 'none'",
		"base-uri 'self'",
		"form-action 'self'",
		"frame-ancestors 'none'",
	}, "; ")
}

func hashes(tag *regexp.Regexp, html []byte) []string {
	var list []string
	for _, m := range tag.FindAllSubmatch(html, -1) {
		if bytes.Contains(bytes.ToLower(m[1]), []byte("src=")) || len(m[2]) == 0 {
			continue
		}
		sum := sha256.Sum256(m[2])
		if h := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !slices.Contains(list, h) {
			list = append(list, h)
		}
	}
	return list
}

func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		writeProblem(w, errNoMethod)
		return
	}
	if !p.built {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, notBuiltHTML)
		return
	}
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if name == "" {
		name = index
	}
	file, err := p.file(name)
	if errors.Is(err, fs.ErrNotExist) && !strings.HasPrefix(name, "_app/") && path.Ext(name) == "" {
		file, err = p.file(index)
	}
	if err != nil {
		// A page of an older version asks for files that are gone: it must not get a page instead of a script.
		http.Error(w, "404 page not found", http.StatusNotFound)
		return
	}
	file.serve(w, r)
}

func (f *page) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "no-cache")
	if f.forever {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body, etag := f.body, f.etag
	if f.gzipped != nil {
		h.Set("Vary", "Accept-Encoding")
		if r.Header.Get("Range") == "" && acceptsGzip(r.Header.Get("Accept-Encoding")) {
			h.Set("Content-Encoding", "gzip")
			body, etag = f.gzipped, strings.TrimSuffix(f.etag, `"`)+`-gzip"`
		}
	}
	h.Set("Etag", etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// file gives a file of the site, prepared at its first use.
func (p *pages) file(name string) (*page, error) {
	p.mu.Lock()
	f := p.files[name]
	p.mu.Unlock()
	if f != nil {
		return f, nil
	}
	if !fs.ValidPath(name) || strings.HasPrefix(path.Base(name), ".") {
		return nil, fs.ErrNotExist
	}
	body, gzipped, err := p.read(name)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	f = &page{body: body, gzipped: gzipped, etag: `"` + hex.EncodeToString(sum[:12]) + `"`, kind: contentType(name), forever: strings.HasPrefix(name, immutable)}
	if f.gzipped == nil && len(body) > gzipWorthOver && compressible(f.kind) {
		if f.gzipped, err = squeeze(body); err != nil {
			return nil, err
		}
	}
	p.mu.Lock()
	p.files[name] = f
	p.mu.Unlock()
	return f, nil
}

// read gives a file of the site, which holds most texts compressed alone (web/squeeze.js): then gzipped is that.
func (p *pages) read(name string) (body, gzipped []byte, err error) {
	if info, err := fs.Stat(p.site, name); err == nil {
		if info.IsDir() {
			return nil, nil, fs.ErrNotExist
		}
		body, err = fs.ReadFile(p.site, name)
		return body, nil, err
	}
	if gzipped, err = fs.ReadFile(p.site, name+".gz"); err != nil {
		return nil, nil, fs.ErrNotExist
	}
	z, err := gzip.NewReader(bytes.NewReader(gzipped))
	if err != nil {
		return nil, nil, fmt.Errorf("read %s.gz: %w", name, err)
	}
	if body, err = io.ReadAll(z); err != nil {
		return nil, nil, fmt.Errorf("read %s.gz: %w", name, err)
	}
	return body, gzipped, nil
}

func squeeze(body []byte) ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(body); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return bytes.Clone(out.Bytes()), nil
}

// contentTypes are those that a machine's own tables may not know, or know otherwise.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8", ".json": "application/json", ".webmanifest": "application/manifest+json",
	".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".woff2": "font/woff2", ".txt": "text/plain; charset=utf-8",
	".wasm": "application/wasm", ".map": "application/json",
}

func contentType(name string) string {
	ext := strings.ToLower(path.Ext(name))
	if t, ok := contentTypes[ext]; ok {
		return t
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	return "application/octet-stream"
}

func compressible(kind string) bool {
	return strings.HasPrefix(kind, "text/") || strings.HasPrefix(kind, "application/json") || strings.HasPrefix(kind, "application/manifest+json") ||
		strings.HasPrefix(kind, "image/svg") || strings.HasPrefix(kind, "application/wasm")
}

func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") && !strings.Contains(strings.ReplaceAll(params, " ", ""), "q=0") {
			return true
		}
	}
	return false
}

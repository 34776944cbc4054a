package docs

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/kangbyounggwan/factor/docs"
)

func site(t *testing.T) *Site {
	t.Helper()
	s := &Site{Files: docs.Files, Pages: fstest.MapFS{"_app/immutable/assets/inter-latin-wght-normal.abc.woff2": {}}, Tokens: []byte(":root { --bg: #fff }")}
	if err := s.Initialize(); err != nil {
		t.Fatal(err)
	}
	return s
}

func get(s *Site, path, language string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.Handler(func(*http.Request) string { return language }).ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// Every page of the tree is in the menu, in both languages.
func TestEveryPageIsShown(t *testing.T) {
	for _, language := range languages {
		files, err := fs.Glob(docs.Files, language+"/*.md")
		if err != nil {
			t.Fatal(err)
		}
		if len(files) != len(order) {
			t.Errorf("%s has %d files, the menu %d", language, len(files), len(order))
		}
	}
	s := site(t)
	for path, f := range s.files {
		if !strings.HasPrefix(f.kind, "text/html") {
			continue
		}
		body := string(f.body)
		for _, bad := range []string{"raw HTML omitted", "style=", "<script>", "<style"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s: %q is not for this policy", path, bad)
			}
		}
		if n := strings.Count(body, "<h1"); n != 1 {
			t.Errorf("%s: %d headings of level 1", path, n)
		}
		if n := strings.Count(body, `aria-current="page"`); n != 1 {
			t.Errorf("%s: %d pages of the menu are this one", path, n)
		}
	}
}

var anchors, hrefs = regexp.MustCompile(` id="([^"]+)"`), regexp.MustCompile(`<a href="([^"]+)"`)

// A link from page to page leads to one, and to a heading that is there.
func TestLinks(t *testing.T) {
	s := site(t)
	ids := map[string][]string{}
	for path, f := range s.files {
		for _, m := range anchors.FindAllSubmatch(f.body, -1) {
			ids[path] = append(ids[path], string(m[1]))
		}
	}
	for path, f := range s.files {
		folder, _, _ := strings.Cut(path, "/")
		for _, m := range hrefs.FindAllSubmatch(f.body, -1) {
			link := string(m[1])
			if strings.Contains(link, "://") || link == "/" || strings.HasSuffix(path, ".css") {
				continue
			}
			to, section, _ := strings.Cut(link, "#")
			section = unescape(section)
			switch {
			case strings.HasPrefix(to, Prefix):
				to = strings.TrimPrefix(to, Prefix)
			case to == "":
				to = path
			case to == "./":
				to = folder + "/"
			default:
				to = folder + "/" + to
			}
			if _, ok := s.files[to]; !ok {
				t.Errorf("%s links to %s, which is not there", path, link)
			} else if section != "" && !slices.Contains(ids[to], section) {
				t.Errorf("%s links to %s: there is no such heading among %q", path, link, ids[to])
			}
		}
	}
}

// Every picture of the tree is shown, and none is missing.
func TestPictures(t *testing.T) {
	s := site(t)
	shown := map[string]bool{}
	for path, f := range s.files {
		for _, m := range regexp.MustCompile(`<img src="([^"]+)" alt="([^"]*)"`).FindAllSubmatch(f.body, -1) {
			name := strings.TrimPrefix(string(m[1]), Prefix)
			if _, ok := s.files[name]; !ok {
				t.Errorf("%s shows %s, which is not there", path, m[1])
			}
			if len(m[2]) == 0 {
				t.Errorf("%s: %s says nothing to those who do not see it", path, m[1])
			}
			shown[name] = true
		}
	}
	for name, f := range s.files {
		if f.kind == "image/webp" && !shown[name] {
			t.Errorf("%s is shown nowhere", name)
		}
	}
	if len(shown) == 0 {
		t.Error("no picture at all: the test looks at nothing")
	}
}

func unescape(section string) string {
	r := httptest.NewRequest(http.MethodGet, "/"+section, nil)
	return strings.TrimPrefix(r.URL.Path, "/")
}

func TestHandler(t *testing.T) {
	s := site(t)
	for _, c := range []struct{ path, language, to string }{
		{"/docs/", "ko", "/docs/ko/"},
		{"/docs/", "", "/docs/en/"},
		{"/docs/cameras", "ko", "/docs/ko/cameras"},
		{"/docs/nothing", "ko", "/docs/ko/"},
		{"/docs/en/of-another-version", "ko", "/docs/en/"},
		{"/docs/en/../../api", "en", "/docs/en/"},
	} {
		if w := get(s, c.path, c.language); w.Code != http.StatusFound || w.Header().Get("Location") != c.to {
			t.Errorf("%s: %d %s, want %s", c.path, w.Code, w.Header().Get("Location"), c.to)
		}
	}
	for path, want := range map[string]string{
		"/docs/ko/": `<html lang="ko"`, "/docs/en": `<html lang="en"`, "/docs/en/error-codes": "<code>rc=5</code>",
		"/docs/docs.css": "inter-latin-wght-normal.abc.woff2",
	} {
		w := get(s, path, "en")
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d without %q", path, w.Code, want)
		}
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("If-None-Match", w.Header().Get("Etag"))
		again := httptest.NewRecorder()
		s.Handler(nil).ServeHTTP(again, r)
		if again.Code != http.StatusNotModified {
			t.Errorf("%s again: %d", path, again.Code)
		}
	}
}

func TestInitialize_WantsBothLanguages(t *testing.T) {
	files := fstest.MapFS{}
	for _, p := range order {
		files["en/"+p+".md"] = &fstest.MapFile{Data: []byte("# A page\n")}
	}
	s := &Site{Files: files, Pages: fstest.MapFS{}}
	if err := s.Initialize(); err == nil || !strings.Contains(err.Error(), "ko/start") {
		t.Errorf("%v", err)
	}
}

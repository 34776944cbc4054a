package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/kangbyounggwan/factor/internal/server/account"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/prometheus/client_golang/prometheus"
)

// people are accounts held in memory: cookie or token → actor.
type people map[string]workspace.Actor

func (p people) SessionActor(_ context.Context, cookie, _, _ string) (workspace.Actor, error) {
	return p.TokenActor(context.Background(), cookie, "")
}

func (p people) TokenActor(_ context.Context, token, _ string) (workspace.Actor, error) {
	if token == "database-down" {
		return workspace.Actor{}, errors.New("disk I/O error")
	}
	a, ok := p[token]
	if !ok {
		return a, problem.ErrNotSignedIn
	}
	return a, nil
}

func (people) LoginPlugin(_ context.Context, email, password string) (account.PluginLogin, error) {
	if password != "right" {
		return account.PluginLogin{}, problem.New(http.StatusUnauthorized, "invalid_credentials", "No.")
	}
	return account.PluginLogin{AccessToken: "fcp_x", ExpiresIn: time.Hour, User: account.User{ID: "u1", Email: email}}, nil
}

func (people) SetupRequired(context.Context) (bool, error) { return false, nil }

func (people) SignupMode(context.Context) (account.SignupMode, error) {
	return account.SignupInvitation, nil
}

// sample is a capability with one call of each access level, and one that breaks.
type sample struct{}

func (sample) Register(api huma.API) {
	for _, level := range accessLevels {
		huma.Register(api, huma.Operation{
			OperationID: "sample-" + level, Method: http.MethodPost, Path: "/api/v1/sample/" + level, Metadata: map[string]any{"access": level},
		}, func(context.Context, *struct {
			Body struct {
				Name string `json:"name" maxLength:"5"`
			}
		}) (*struct{}, error) {
			return nil, nil
		})
	}
	huma.Register(api, huma.Operation{
		OperationID: "sample-broken", Method: http.MethodGet, Path: "/api/v1/sample/broken", Metadata: map[string]any{"access": "public"},
	}, func(context.Context, *struct{}) (*struct{}, error) { return nil, errors.New("secret of the house") })
	huma.Register(api, huma.Operation{
		OperationID: "sample-panic", Method: http.MethodGet, Path: "/api/v1/sample/panic", Metadata: map[string]any{"access": "public"},
	}, func(context.Context, *struct{}) (*struct{}, error) { panic("secret of the house") })
}

type house struct {
	*Server
	log *bytes.Buffer
}

func newHouse(t *testing.T, change func(*Server)) *house {
	t.Helper()
	registry := prometheus.NewRegistry()
	h := &house{log: &bytes.Buffer{}}
	public, err := url.Parse("https://factor.example.com")
	if err != nil {
		t.Fatal(err)
	}
	h.Server = &Server{
		Version: "1.2.3", PublicURL: public, Names: func() []string { return []string{"pi.local", "192.0.2.7", "2001:db8::7"} },
		Pages: fstest.MapFS{
			"index.html":             {Data: []byte(`<!doctype html><script>start()</script><script src="/theme.js"></script>` + strings.Repeat("x", 2000))},
			"theme.js":               {Data: []byte("theme()")},
			"_app/immutable/a.js":    {Data: []byte(strings.Repeat("let a;", 1000))},
			"_app/version.json":      {Data: []byte(`{}`)},
			"fonts/한글.woff2":         {Data: []byte("font")},
			".secret":                {Data: []byte("no")},
			"_app/immutable/img.png": {Data: []byte("png")},
			"_app/immutable/b.js.gz": {Data: squeezed(strings.Repeat("let b;", 1000))},
		},
		Accounts: people{
			"user": {UserID: "u1", Via: workspace.ViaSession, SessionID: "s1"}, "admin": {UserID: "u2", Admin: true, Via: workspace.ViaToken, TokenID: "t1"},
			"plugin": {UserID: "u1", Admin: true, Via: workspace.ViaPlugin},
		},
		Capabilities: []Capability{sample{}},
		Push:         http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }),
		AuthorityPEM: []byte("PEM"), Ready: func(context.Context) error { return nil },
		Describe: Description{MQTTHost: func(h string) string { return h }, MQTTPort: func() int { return 8883 }, MQTTTLS: true},
		Gatherer: registry, Registerer: registry,
		Log: slog.New(slog.NewJSONHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(h.Server)
	}
	if err := h.Initialize(); err != nil {
		t.Fatal(err)
	}
	return h
}

// ask makes a request. Each of more is "Header: value".
func (h *house) ask(method, target string, body string, more ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if !strings.HasPrefix(target, "http") {
		r.Host = "pi.local:8080"
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, m := range more {
		name, value, _ := strings.Cut(m, ": ")
		switch name {
		case "Host":
			r.Host = value
		case "Peer":
			r.RemoteAddr = value
		default:
			r.Header.Add(name, value)
		}
	}
	w := httptest.NewRecorder()
	h.Handler().ServeHTTP(w, r)
	return w
}

func codeOf(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var p problem.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%d %s is no problem: %s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	return p.Code
}

func TestServer_Hosts(t *testing.T) {
	h := newHouse(t, nil)
	for host, want := range map[string]int{
		"factor.example.com": 200, "FACTOR.example.com.": 200, "factor.example.com:8443": 200, "pi.local": 200, "192.0.2.7:8080": 200,
		"[2001:db8::7]:8080": 200, "evil.example": 421, "factor.example.com.evil.example": 421, "": 421, "192.0.2.8": 421, "pi.local:x:y": 421,
	} {
		w := h.ask("GET", "/", "", "Host: "+host)
		if w.Code != want {
			t.Errorf("host %q: %d, want %d", host, w.Code, want)
		}
	}
	if got := codeOf(t, h.ask("GET", "/api/v1/server", "", "Host: evil.example")); got != "unknown_host" {
		t.Error(got)
	}
}

func TestServer_CrossOrigin(t *testing.T) {
	h := newHouse(t, nil)
	for name, c := range map[string]struct {
		headers []string
		want    int
	}{
		"SamePage":           {[]string{"Origin: http://pi.local:8080", "Sec-Fetch-Site: same-origin", "Cookie: factor_session=user"}, 204},
		"PublicOrigin":       {[]string{"Origin: https://factor.example.com", "Sec-Fetch-Site: cross-site", "Cookie: factor_session=user"}, 204},
		"OtherSite":          {[]string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site", "Cookie: factor_session=user"}, 403},
		"OtherSiteOldBrowse": {[]string{"Origin: https://evil.example", "Cookie: factor_session=user"}, 403},
		"OtherSiteNoCookie":  {[]string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site"}, 403},
		"TokenFromElsewhere": {[]string{"Origin: https://tools.example", "Sec-Fetch-Site: cross-site", "Authorization: Bearer admin"}, 204},
		"TokenAndCookie":     {[]string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site", "Authorization: Bearer admin", "Cookie: factor_session=user"}, 403},
		"Program":            {[]string{"Cookie: factor_session=user"}, 204},
	} {
		if w := h.ask("POST", "/api/v1/sample/user", `{"name":"x"}`, c.headers...); w.Code != c.want {
			t.Errorf("%s: %d %s, want %d", name, w.Code, w.Body, c.want)
		}
	}
}

func TestServer_Access(t *testing.T) {
	h := newHouse(t, nil)
	for _, c := range []struct {
		who                         string
		public, user, member, admin int
	}{
		{"", 204, 401, 401, 401},
		{"Cookie: factor_session=user", 204, 204, 204, 403},
		{"Authorization: Bearer admin", 204, 204, 204, 204},
		{"Authorization: Bearer plugin", 204, 403, 403, 403},
		{"Authorization: Bearer ended", 204, 401, 401, 401},
		{"Authorization: Bearer database-down", 500, 500, 500, 500},
	} {
		for path, want := range map[string]int{"public": c.public, "user": c.user, "member": c.member, "admin": c.admin} {
			if w := h.ask("POST", "/api/v1/sample/"+path, `{"name":"x"}`, c.who); w.Code != want {
				t.Errorf("%q %s: %d, want %d: %s", c.who, path, w.Code, want, w.Body)
			}
		}
	}
	if w := h.ask("GET", "/api/v1/push", ""); w.Code != 401 {
		t.Errorf("push for nobody: %d", w.Code)
	}
}

func TestServer_UnknownCalls(t *testing.T) {
	h := newHouse(t, nil)
	if w := h.ask("GET", "/api/v1/nothing", ""); w.Code != 404 || codeOf(t, w) != "not_found" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	w := h.ask("DELETE", "/api/v1/server", "")
	if w.Code != 405 || codeOf(t, w) != "method_not_allowed" || w.Header().Get("Allow") != "GET" {
		t.Errorf("%d %s %s", w.Code, w.Header().Get("Allow"), w.Body)
	}
	if w := h.ask("POST", "/api/v1/sample/public", `{"name":"too long"}`); w.Code != 422 || codeOf(t, w) != "invalid" || !strings.Contains(w.Body.String(), `"field":"name"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := h.ask("POST", "/printers", ""); w.Code != 405 {
		t.Errorf("POST to a page: %d", w.Code)
	}
}

func TestServer_BrokenHandlersTellNothing(t *testing.T) {
	h := newHouse(t, nil)
	for _, path := range []string{"broken", "panic"} {
		w := h.ask("GET", "/api/v1/sample/"+path, "")
		if w.Code != 500 || codeOf(t, w) != "internal" || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		if !strings.Contains(h.log.String(), "secret of the house") || !strings.Contains(h.log.String(), w.Header().Get("X-Request-Id")) {
			t.Errorf("%s: the log does not say what happened: %s", path, h.log)
		}
		h.log.Reset()
	}
}

func TestServer_LogHoldsNoSecrets(t *testing.T) {
	h := newHouse(t, nil)
	h.ask("GET", "/verify?token=geheim", "", "Authorization: Bearer geheim", "Cookie: factor_session=geheim")
	h.ask("POST", "/api/auth/login?token=geheim", `{"email":"a@b.c","password":"geheim"}`)
	if !strings.Contains(h.log.String(), "/verify") || strings.Contains(h.log.String(), "geheim") {
		t.Error(h.log.String())
	}
}

func TestServer_Headers(t *testing.T) {
	h := newHouse(t, nil)
	w := h.ask("GET", "/", "")
	policy := w.Header().Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'self'", "frame-ancestors 'none'", "object-src 'none'", "'sha256-"} {
		if !strings.Contains(policy, part) {
			t.Errorf("%s is not in %s", part, policy)
		}
	}
	if strings.Contains(policy, "unsafe-inline") || strings.Contains(policy, "unsafe-eval") {
		t.Error(policy)
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin"} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if w.Header().Get("Strict-Transport-Security") != "" {
		t.Error("HSTS over plain HTTP in the local network")
	}
	if w := h.ask("GET", "https://factor.example.com/", ""); w.Header().Get("Strict-Transport-Security") == "" {
		t.Error("no HSTS on the public address")
	}
	if w := h.ask("GET", "/api/v1/server", ""); w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Content-Security-Policy") != apiPolicy {
		t.Errorf("%v", w.Header())
	}
}

func TestServer_Pages(t *testing.T) {
	h := newHouse(t, nil)
	for _, c := range []struct {
		path, kind, cache string
		status            int
	}{
		{"/", "text/html; charset=utf-8", "no-cache", 200},
		{"/printers/0b9c7b8e-1111-4222-8333-444455556666", "text/html; charset=utf-8", "no-cache", 200},
		{"/setup/x", "text/html; charset=utf-8", "no-cache", 200},
		{"/theme.js", "text/javascript; charset=utf-8", "no-cache", 200},
		{"/_app/immutable/a.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", 200},
		{"/_app/immutable/old.js", "", "", 404},
		{"/missing.png", "", "", 404},
		{"/.secret", "", "", 404},
		{"/../../etc/passwd", "text/html; charset=utf-8", "no-cache", 200}, // cleaned: a page of the site, which it does not know
		{"/fonts/한글.woff2", "font/woff2", "no-cache", 200},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path, r.Host = c.path, "pi.local"
		w := httptest.NewRecorder()
		h.Handler().ServeHTTP(w, r)
		if w.Code == http.StatusTemporaryRedirect || w.Code == http.StatusMovedPermanently {
			continue // the mux cleans paths by itself
		}
		if w.Code != c.status || (c.status == 200 && (w.Header().Get("Content-Type") != c.kind || w.Header().Get("Cache-Control") != c.cache)) {
			t.Errorf("%s: %d %s %s", c.path, w.Code, w.Header().Get("Content-Type"), w.Header().Get("Cache-Control"))
		}
	}
	w := h.ask("GET", "/_app/immutable/a.js", "", "Accept-Encoding: br, gzip")
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(z); err != nil || len(text) != 6000 {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	// What the site holds compressed alone is the same file to a browser, and to one that takes it in no other form.
	compressed, plain := h.ask("GET", "/_app/immutable/b.js", "", "Accept-Encoding: gzip"), h.ask("GET", "/_app/immutable/b.js", "")
	if compressed.Header().Get("Content-Encoding") != "gzip" || !bytes.Equal(compressed.Body.Bytes(), squeezed(strings.Repeat("let b;", 1000))) {
		t.Errorf("compressed: %d bytes, %v", compressed.Body.Len(), compressed.Header())
	}
	if plain.Header().Get("Content-Encoding") != "" || plain.Body.String() != strings.Repeat("let b;", 1000) {
		t.Errorf("plain: %d bytes, %v", plain.Body.Len(), plain.Header())
	}
	for _, w := range []*httptest.ResponseRecorder{compressed, plain} {
		if w.Header().Get("Content-Type") != "text/javascript; charset=utf-8" || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%v", w.Header())
		}
	}
	etag := w.Header().Get("Etag")
	if w := h.ask("GET", "/_app/immutable/a.js", "", "Accept-Encoding: gzip", "If-None-Match: "+etag); w.Code != 304 || w.Body.Len() != 0 {
		t.Errorf("known: %d", w.Code)
	}
	if w := h.ask("HEAD", "/", ""); w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Length") == "0" {
		t.Errorf("HEAD: %d, %d bytes, length %s", w.Code, w.Body.Len(), w.Header().Get("Content-Length"))
	}
}

func squeezed(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(text)) // to memory
	z.Close()
	return b.Bytes()
}

func TestServer_SqueezesLargeAnswers(t *testing.T) {
	h := newHouse(t, nil)
	plain := h.ask("GET", "/api/v1/openapi.json", "")
	w := h.ask("GET", "/api/v1/openapi.json", "", "Accept-Encoding: gzip")
	if w.Header().Get("Content-Encoding") != "gzip" || w.Body.Len() >= plain.Body.Len()/2 {
		t.Fatalf("%d of %d bytes, %v", w.Body.Len(), plain.Body.Len(), w.Header())
	}
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(z); err != nil || !bytes.Equal(text, plain.Body.Bytes()) {
		t.Errorf("another text: %v", err)
	}
	for _, small := range []string{"/api/v1/server", "/api/v1/nothing", "/api/v1/sample/panic"} {
		if w := h.ask("GET", small, "", "Accept-Encoding: gzip"); w.Header().Get("Content-Encoding") != "" || w.Code == 0 {
			t.Errorf("%s: %d %v", small, w.Code, w.Header())
		}
	}
}

func TestServer_PagesNotBuilt(t *testing.T) {
	h := newHouse(t, func(s *Server) { s.Pages = fstest.MapFS{".gitkeep": {}} })
	w := h.ask("GET", "/", "")
	if w.Code != 503 || !strings.Contains(w.Body.String(), "make build") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestServer_TrustedProxies(t *testing.T) {
	h := newHouse(t, func(s *Server) {
		s.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		s.MetricsLocal = true
	})
	var seen account.Origin
	var host string
	handler := h.withOrigin(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen, host = account.OriginFrom(r.Context()), r.Host
	}))
	for _, c := range []struct {
		name, peer string
		headers    map[string]string
		address    string
		secure     bool
		host       string
	}{
		{"Stranger", "203.0.113.5:1", map[string]string{"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "x"}, "203.0.113.5", false, "pi.local"},
		{"Proxy", "10.0.0.1:1", map[string]string{"X-Forwarded-For": "9.9.9.9, 198.51.100.4", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "factor.example.com"}, "198.51.100.4", true, "factor.example.com"},
		{"TwoProxies", "10.0.0.1:1", map[string]string{"X-Forwarded-For": "6.6.6.6, 198.51.100.4, 10.0.0.2"}, "198.51.100.4", false, "pi.local"},
		{"ProxySaysNonsense", "10.0.0.1:1", map[string]string{"X-Forwarded-For": "<script>"}, "10.0.0.1", false, "pi.local"},
		{"MappedIPv4", "[::ffff:203.0.113.5]:1", nil, "203.0.113.5", false, "pi.local"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr, r.Host = c.peer, "pi.local"
		for name, value := range c.headers {
			r.Header.Set(name, value)
		}
		handler.ServeHTTP(httptest.NewRecorder(), r)
		if seen.Address != c.address || seen.Secure != c.secure || host != c.host {
			t.Errorf("%s: %+v host %s", c.name, seen, host)
		}
	}
}

func TestServer_Metrics(t *testing.T) {
	h := newHouse(t, func(s *Server) { s.MetricsLocal = true })
	for _, c := range []struct {
		name    string
		headers []string
		want    int
	}{
		{"Nobody", nil, 401},
		{"User", []string{"Cookie: factor_session=user"}, 403},
		{"Administrator", []string{"Authorization: Bearer admin"}, 200},
		{"PluginOfAdministrator", []string{"Authorization: Bearer plugin"}, 403},
		{"ThisMachine", []string{"Peer: 127.0.0.1:5"}, 200},
		{"ProxyOnThisMachine", []string{"Peer: 127.0.0.1:5", "X-Forwarded-For: 203.0.113.9"}, 401},
	} {
		if w := h.ask("GET", "/metrics", "", c.headers...); w.Code != c.want {
			t.Errorf("%s: %d, want %d", c.name, w.Code, c.want)
		}
	}
	off := newHouse(t, nil)
	if w := off.ask("GET", "/metrics", "", "Peer: 127.0.0.1:5"); w.Code != 401 {
		t.Errorf("this machine with the setting off: %d", w.Code)
	}
}

func TestServer_Ready(t *testing.T) {
	broken := errors.New("no database")
	h := newHouse(t, func(s *Server) { s.Ready = func(context.Context) error { return broken } })
	if w := h.ask("GET", "/readyz", ""); w.Code != 503 || strings.Contains(w.Body.String(), "database") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	broken = nil
	if w := h.ask("GET", "/readyz", ""); w.Code != 200 {
		t.Errorf("%d", w.Code)
	}
	h.Stop()
	if w := h.ask("GET", "/readyz", ""); w.Code != 503 {
		t.Errorf("while it stops: %d", w.Code)
	}
	if w := h.ask("GET", "/healthz", ""); w.Code != 200 {
		t.Errorf("health: %d", w.Code)
	}
}

func TestServer_PluginLogin(t *testing.T) {
	h := newHouse(t, nil)
	w := h.ask("POST", "/api/auth/login", `{"email":"a@b.c","password":"right"}`)
	var got struct {
		AccessToken string `json:"access_token"`
		User        struct{ ID string }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 || got.AccessToken != "fcp_x" || got.User.ID != "u1" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for body, want := range map[string]int{`{"email":"a@b.c","password":"wrong"}`: 401, `nonsense`: 400, `{"email":"` + strings.Repeat("a", 5000) + `"}`: 413} {
		if w := h.ask("POST", "/api/auth/login", body); w.Code != want {
			t.Errorf("%.30s: %d, want %d", body, w.Code, want)
		}
	}
}

func TestServer_SameOrigin(t *testing.T) {
	h := newHouse(t, nil)
	for origin, want := range map[string]bool{
		"": true, "http://pi.local:8080": true, "https://pi.local:8080": false, "http://pi.local": false, "https://factor.example.com": true,
		"https://evil.example": false, "null": false,
	} {
		r := httptest.NewRequest("GET", "/api/v1/push", nil)
		r.Host = "pi.local:8080"
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		if got := h.SameOrigin(r); got != want {
			t.Errorf("%q: %v", origin, got)
		}
	}
}

func TestServer_CallWithoutAccessIsRefusedAtStart(t *testing.T) {
	s := newHouse(t, nil).Server
	s.Capabilities = append(s.Capabilities, unguarded{})
	s.Registerer = nil
	if err := s.Initialize(); err == nil || !strings.Contains(err.Error(), "unguarded-call") {
		t.Errorf("%v", err)
	}
}

type unguarded struct{}

func (unguarded) Register(api huma.API) {
	huma.Get(api, "/api/v1/unguarded", func(context.Context, *struct{}) (*struct{}, error) { return nil, nil }, func(o *huma.Operation) {
		o.OperationID = "unguarded-call"
	})
}

package account_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/kangbyounggwan/factor/internal/server/account"
	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/mail"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/store"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

func init() { huma.NewError = problem.Huma }

const goodPassword = "filament spool 7"

// clock is a time that a test sets.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// server is the accounts behind a real HTTP server, with a mail server beside it where wanted.
type server struct {
	t     *testing.T
	url   string
	dir   string
	clock *clock
	db    *store.DB
	bus   *bus.Bus
	ws    *workspace.Service
	log   *audit.Log
	acc   *account.Service
	inbox *inbox
	ended chan bus.AccessEnded
}

type option func(*server)

// withMail gives the server a mail server and a public URL, so that sign-up is open.
func withMail(s *server) { s.inbox = newInbox(s.t) }

func newServer(t *testing.T, options ...option) *server {
	t.Helper()
	s := &server{
		t: t, dir: t.TempDir(), clock: &clock{t: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}, bus: &bus.Bus{},
		ended: make(chan bus.AccessEnded, 1000),
	}
	for _, o := range options {
		o(s)
	}
	var err error
	if s.db, err = store.Open(t.Context(), s.dir); err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	sender := &mail.Sender{DB: s.db, Logger: quiet, Now: s.clock.now}
	if s.inbox != nil {
		sender.SMTP, sender.From, sender.PublicURL = s.inbox.url(), "FACTOR <factor@example.com>", "https://factor.example"
	}
	s.ws = &workspace.Service{DB: s.db, Bus: s.bus, Logger: quiet, Now: s.clock.now}
	s.log = &audit.Log{DB: s.db, Workspaces: s.ws, Logger: quiet, Now: s.clock.now}
	s.ws.OnChange = s.log.WorkspaceChanged
	s.acc = &account.Service{
		DB: s.db, Bus: s.bus, Workspaces: s.ws, Audit: s.log, Mail: sender, Logger: quiet, Now: s.clock.now, PublicURL: sender.PublicURL,
	}
	for _, init := range []func() error{sender.Initialize, s.ws.Initialize, s.log.Initialize, s.acc.Initialize} {
		if err := init(); err != nil {
			t.Fatal(err)
		}
	}
	s.bus.AccessEnded.Subscribe(func(e bus.AccessEnded) { s.ended <- e })

	mux := http.NewServeMux()
	api := humago.New(mux, huma.DefaultConfig("test", "1"))
	s.acc.Register(api)
	s.ws.Register(api)
	s.log.Register(api)
	sender.Register(api)
	srv := httptest.NewServer(s.resolve(mux))
	s.url = srv.URL

	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, run := range []func(context.Context) error{sender.Run, s.acc.Run, s.log.Run} {
		running.Go(func() {
			if err := run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() {
		srv.Close()
		cancel()
		running.Wait()
		if err := s.db.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// resolve does what the web server does before a handler runs. A test says where it comes from by a header.
func (s *server) resolve(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		address := r.Header.Get("Test-Address")
		if address == "" {
			address = "192.0.2.1"
		}
		ctx := account.WithOrigin(r.Context(), account.Origin{Address: address, UserAgent: r.UserAgent(), Language: r.Header.Get("Test-Language")})
		actor, err := workspace.Actor{}, error(nil)
		if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
			actor, err = s.acc.TokenActor(ctx, bearer, address)
		} else if c, cerr := r.Cookie(account.SessionCookie); cerr == nil {
			actor, err = s.acc.SessionActor(ctx, c.Value, address, r.UserAgent())
		}
		if err != nil {
			actor = workspace.Actor{}
		}
		next.ServeHTTP(w, r.WithContext(workspace.WithActor(ctx, actor)))
	})
}

// browser keeps cookies and knows where it is.
type browser struct {
	s       *server
	client  *http.Client
	address string
	bearer  string
}

func (s *server) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{s: s, client: &http.Client{Jar: jar}, address: "192.0.2.1"}
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(a.body, &m); err != nil {
		t.Fatalf("not a JSON object: %q", a.body)
	}
	return m
}

func (a answer) code() string {
	var p struct{ Code string }
	json.Unmarshal(a.body, &p)
	return p.Code
}

func (b *browser) do(method, path string, body any) answer {
	b.s.t.Helper()
	var in io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(body)
	default:
		raw, err := json.Marshal(body)
		if err != nil {
			b.s.t.Fatal(err)
		}
		in = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(b.s.t.Context(), method, b.s.url+"/api/v1"+path, in)
	if err != nil {
		b.s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Test-Address", b.address)
	if b.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+b.bearer)
	}
	resp, err := b.client.Do(req)
	if err != nil {
		b.s.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		b.s.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, raw}
}

// want is do that fails the test when the answer is another status or code ("" for none).
func (b *browser) want(status int, code, method, path string, body any) answer {
	b.s.t.Helper()
	a := b.do(method, path, body)
	if a.status != status || a.code() != code {
		b.s.t.Fatalf("%s %s: %d %s, want %d %s", method, path, a.status, a.body, status, code)
	}
	return a
}

// m is a JSON object.
type m = map[string]any

// addUser makes an account as the command line does.
func (s *server) addUser(email string, admin bool) account.User {
	s.t.Helper()
	u, err := s.acc.AddUser(s.t.Context(), email, "Kim "+email[:1], goodPassword, admin)
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

// signedIn gives a browser in which an account made by addUser is signed in.
func (s *server) signedIn(email string) *browser {
	s.t.Helper()
	b := s.browser()
	b.want(200, "", "POST", "/session", m{"email": email, "password": goodPassword})
	return b
}

// drainEnded gives what AccessEnded said so far.
func (s *server) drainEnded() []bus.AccessEnded {
	var all []bus.AccessEnded
	for {
		select {
		case e := <-s.ended:
			all = append(all, e)
		default:
			return all
		}
	}
}

// auditOf gives the entries that a user sees, as action/result.
func (b *browser) auditOf(path string) []string {
	b.s.t.Helper()
	a := b.want(200, "", "GET", path, nil)
	var page struct {
		Items []struct{ Action, Result string }
	}
	if err := json.Unmarshal(a.body, &page); err != nil {
		b.s.t.Fatal(err)
	}
	list := []string{}
	for _, i := range page.Items {
		list = append(list, i.Action+"/"+i.Result)
	}
	return list
}

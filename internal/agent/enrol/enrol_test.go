package enrol_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/kangbyounggwan/factor/internal/agent/enrol"
	"github.com/kangbyounggwan/factor/internal/agent/folder"
	"github.com/kangbyounggwan/factor/internal/wire"
)

const (
	email    = "owner@example.com"
	password = "a long password"
	apiToken = "fct_0123456789"
	octoKey  = "OCTOKEY"
)

// site is a server as far as the API's contract goes that an enrolment uses. The real one is tried in e2e.
type site struct {
	*httptest.Server
	mu       sync.Mutex
	owner    map[string]string // UUID → name
	tokens   int               // device tokens given
	sessions int
	breakOff bool // answers the registration with a broken connection, after doing it
	problem  string
	status   int
}

func newSite(t *testing.T, secure bool) *site {
	t.Helper()
	s := &site{owner: map[string]string{}}
	s.Server = httptest.NewUnstartedServer(s)
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	s.Config.ErrorLog = nil
	t.Cleanup(s.Close)
	return s
}

func (s *site) ca() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	say := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(v)
	}
	problem := func(status int, code string) {
		say(status, map[string]any{"type": "about:blank", "title": code, "status": status, "code": code, "detail": "said " + code})
	}
	cookie, _ := r.Cookie("factor_session")
	signedIn := cookie != nil || r.Header.Get("Authorization") == "Bearer "+apiToken
	switch at := r.Method + " " + r.URL.Path; {
	case at == "GET /api/v1/server":
		say(200, map[string]any{"version": "0.1.0", "mqtt": map[string]any{"host": "", "port": 8883, "tls": true, "websocket_path": "/mqtt"}})
	case at == "GET /ca.crt":
		if s.TLS == nil {
			http.NotFound(w, r)
			return
		}
		w.Write(s.ca())
	case at == "POST /api/v1/session":
		var b struct{ Email, Password string }
		json.NewDecoder(r.Body).Decode(&b)
		if b.Email != email || b.Password != password {
			problem(401, "invalid_credentials")
			return
		}
		s.sessions++
		http.SetCookie(w, &http.Cookie{Name: "factor_session", Value: "x", Path: "/", HttpOnly: true, Secure: s.TLS != nil})
		say(200, map[string]string{"email": email})
	case !signedIn:
		problem(401, "not_signed_in")
	case at == "DELETE /api/v1/session":
		s.sessions--
		w.WriteHeader(204)
	case s.problem != "":
		problem(s.status, s.problem)
	case at == "POST /api/v1/printers":
		var b struct{ UUID, Name string }
		json.NewDecoder(r.Body).Decode(&b)
		_, known := s.owner[b.UUID]
		s.owner[b.UUID] = b.Name
		if s.breakOff {
			panic(http.ErrAbortHandler)
		}
		if known {
			say(200, map[string]string{"uuid": b.UUID, "name": b.Name})
			return
		}
		s.tokens++
		say(201, map[string]string{"uuid": b.UUID, "name": b.Name, "device_token": fmt.Sprint("token-", s.tokens)})
	case r.Method == "POST" && strings.HasSuffix(r.URL.Path, "/token"):
		s.tokens++
		say(200, map[string]string{"device_token": fmt.Sprint("token-", s.tokens)})
	default:
		http.NotFound(w, r)
	}
}

// octoPrint answers the one question that an enrolment has.
func octoPrint(t *testing.T) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Api-Key") != octoKey {
			w.WriteHeader(403)
			return
		}
		io.WriteString(w, `{"api":"0.1","server":"1.11.8","text":"OctoPrint 1.11.8"}`)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func mustOpen(t *testing.T) *folder.Folder {
	t.Helper()
	f, err := folder.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (s *site) enrolment(t *testing.T, change ...func(*enrol.Enrolment)) *enrol.Enrolment {
	e := &enrol.Enrolment{Folder: mustOpen(t), Server: s.URL, OctoPrintURL: octoPrint(t), OctoPrintKey: octoKey,
		Name: "거실 프린터", Email: email, Password: password}
	if s.TLS != nil {
		e.CA = s.ca()
	}
	for _, f := range change {
		f(e)
	}
	return e
}

func mustDo(t *testing.T, e *enrol.Enrolment) (*enrol.Result, *folder.Config) {
	t.Helper()
	r, err := e.Do(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.Folder.Config()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	return r, c
}

func TestEnrolment_Do(t *testing.T) {
	s := newSite(t, true)
	e := s.enrolment(t)
	r, c := mustDo(t, e)
	if r.Renewed || r.OctoPrint != "1.11.8" || r.Server != "0.1.0" || r.UUID != c.UUID {
		t.Errorf("%+v", r)
	}
	if c.Token != "token-1" || c.MQTT.Host != "127.0.0.1" || c.MQTT.Port != 8883 || !c.MQTT.TLS || s.owner[c.UUID] != "거실 프린터" {
		t.Errorf("%+v", c)
	}
	if info, err := os.Stat(e.Folder.Join("config.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if s.sessions != 0 {
		t.Error("the session was left open")
	}
	content, _ := os.ReadFile(e.Folder.Join("config.json"))
	if strings.Contains(string(content), password) {
		t.Error("the password was kept")
	}

	e.Name = "서재"
	r, again := mustDo(t, e)
	if !r.Renewed || again.UUID != c.UUID || again.Token != c.Token || s.owner[c.UUID] != "서재" || len(s.owner) != 1 {
		t.Errorf("again: %+v %+v", r, again)
	}
}

func TestEnrolment_Do_APIToken(t *testing.T) {
	s := newSite(t, false)
	uuid := wire.NewUUID()
	_, c := mustDo(t, s.enrolment(t, func(e *enrol.Enrolment) { e.Email, e.Password, e.APIToken, e.UUID = "", "", apiToken, uuid }))
	if c.UUID != uuid || c.CA != "" {
		t.Errorf("%+v", c)
	}
}

func TestEnrolment_Do_Fingerprint(t *testing.T) {
	s := newSite(t, true)
	sum := sha256.Sum256(s.Certificate().Raw)
	right := strings.ToUpper(hex.EncodeToString(sum[:]))
	_, c := mustDo(t, s.enrolment(t, func(e *enrol.Enrolment) { e.CA, e.Fingerprint = nil, right[:2]+":"+right[2:] }))
	if !strings.Contains(c.CA, "BEGIN CERTIFICATE") {
		t.Error("the CA was not kept")
	}
}

func TestEnrolment_Do_BrokenOff(t *testing.T) {
	s := newSite(t, true)
	e := s.enrolment(t)
	s.breakOff = true
	if _, err := e.Do(context.Background()); err == nil {
		t.Fatal("no error")
	}
	s.breakOff = false
	_, c := mustDo(t, e)
	if len(s.owner) != 1 || c.Token == "" {
		t.Errorf("%d printers, token %q", len(s.owner), c.Token)
	}
}

func TestEnrolment_Do_Fault(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	for _, c := range []struct {
		name   string
		change func(*enrol.Enrolment, *site)
		want   enrol.Fault
	}{
		{"NoURL", func(e *enrol.Enrolment, _ *site) { e.Server = "factor" }, enrol.FaultServerURL},
		{"PasswordInClear", func(e *enrol.Enrolment, _ *site) { e.Server = "http://192.0.2.1" }, enrol.FaultServerURL},
		{"ServerAway", func(e *enrol.Enrolment, _ *site) { e.Server = strings.Replace(closed.URL, "http", "https", 1) }, enrol.FaultServerAway},
		{"NotFactor", func(e *enrol.Enrolment, _ *site) { e.Server = other.URL }, enrol.FaultNotFactor},
		{"Untrusted", func(e *enrol.Enrolment, _ *site) { e.CA = nil }, enrol.FaultCertificate},
		{"NoCertificate", func(e *enrol.Enrolment, _ *site) { e.CA = []byte("x") }, enrol.FaultCertificate},
		{"Fingerprint", func(e *enrol.Enrolment, _ *site) { e.CA, e.Fingerprint = nil, strings.Repeat("00", 32) }, enrol.FaultFingerprint},
		{"Password", func(e *enrol.Enrolment, _ *site) { e.Password = "wrong" }, enrol.FaultCredentials},
		{"APIToken", func(e *enrol.Enrolment, _ *site) { e.APIToken = "fct_wrong" }, enrol.FaultCredentials},
		{"Nobody", func(e *enrol.Enrolment, _ *site) { e.Email = "" }, enrol.FaultNoAuthorization},
		{"Taken", func(_ *enrol.Enrolment, s *site) { s.problem, s.status = "uuid_taken", 409 }, enrol.FaultTaken},
		{"Refused", func(_ *enrol.Enrolment, s *site) { s.problem, s.status = "too_many", 422 }, enrol.FaultRefused},
		{"OctoPrintURL", func(e *enrol.Enrolment, _ *site) { e.OctoPrintURL = "octopi.local" }, enrol.FaultOctoPrintURL},
		{"OctoPrintAway", func(e *enrol.Enrolment, _ *site) { e.OctoPrintURL = closed.URL }, enrol.FaultOctoPrintAway},
		{"OctoPrintKey", func(e *enrol.Enrolment, _ *site) { e.OctoPrintKey = "x" }, enrol.FaultOctoPrintKey},
		{"UUID", func(e *enrol.Enrolment, _ *site) { e.UUID = "x" }, enrol.FaultUUID},
		{"Name", func(e *enrol.Enrolment, _ *site) { e.Name = "  " }, enrol.FaultName},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, true)
			e := s.enrolment(t)
			c.change(e, s)
			_, err := e.Do(context.Background())
			var got *enrol.Error
			if !errors.As(err, &got) || got.Fault != c.want {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			for _, secret := range []string{password, apiToken, octoKey} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%q is in the error", secret)
				}
			}
			if len(s.owner) > 0 {
				t.Error("a printer was registered all the same")
			}
		})
	}
}

// A terminal obeys what stands behind an escape character.
func TestEnrolment_Do_RefusedInHostileWords(t *testing.T) {
	s := newSite(t, true)
	s.problem, s.status = "x\x1b[5m", 409
	_, err := s.enrolment(t).Do(context.Background())
	if err == nil || strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' }) {
		t.Errorf("got %q", err)
	}
}

package account_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/account"
	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

func login(email, password string) m { return m{"email": email, "password": password} }

func TestLogin(t *testing.T) {
	s := newServer(t)
	u := s.addUser("kim@example.com", false)
	b := s.browser()
	b.want(401, "not_signed_in", "GET", "/me", nil)
	b.want(401, "invalid_credentials", "POST", "/session", login("kim@example.com", "not my password"))
	b.want(401, "invalid_credentials", "POST", "/session", login("nobody@example.com", goodPassword))
	b.want(401, "invalid_credentials", "POST", "/session", login("not an address", goodPassword))
	a := b.want(200, "", "POST", "/session", login(" KIM@example.com", goodPassword))
	if a.json(t)["id"] != u.ID {
		t.Fatalf("got %s", a.body)
	}
	cookies := a.header.Values("Set-Cookie")
	if len(cookies) != 2 || !strings.HasPrefix(cookies[0], "factor_session=") || !strings.Contains(cookies[0], "HttpOnly") || !strings.Contains(cookies[0], "SameSite=Lax") {
		t.Fatalf("cookies %q", cookies)
	}
	b.want(200, "", "GET", "/me", nil)
	b.want(204, "", "DELETE", "/session", nil)
	b.want(401, "not_signed_in", "GET", "/me", nil)
}

func TestLogin_SetsSecureCookiesOverHTTPS(t *testing.T) {
	s := newServer(t)
	s.addUser("kim@example.com", false)
	ctx := account.WithOrigin(t.Context(), account.Origin{Address: "192.0.2.1", Secure: true})
	for _, c := range account.CookiesOf(ctx, account.Login{Secret: "s", Device: "d"}) {
		if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" {
			t.Errorf("cookie %v", &c)
		}
	}
}

// A stranger's failures cost him waits, and whoever signed in from his own place or browser before none.
func TestLogin_FailuresDoNotLockTheOwnerOut(t *testing.T) {
	s := newServer(t)
	s.addUser("kim@example.com", false)
	home := s.signedIn("kim@example.com")
	laptop := s.browser()
	laptop.address = "198.51.100.1"
	laptop.want(200, "", "POST", "/session", login("kim@example.com", goodPassword))

	for i := range 10 {
		stranger := s.browser()
		stranger.address = "203.0.113." + strconv.Itoa(i)
		stranger.want(401, "invalid_credentials", "POST", "/session", login("kim@example.com", "a wrong one "+strconv.Itoa(i)))
	}
	stranger := s.browser()
	stranger.address = "203.0.113.99"
	a := stranger.want(429, "slow_down", "POST", "/session", login("kim@example.com", "a wrong one"))
	if a.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
	}
	// The right password from a place nobody knows waits as well …
	stranger.want(429, "slow_down", "POST", "/session", login("kim@example.com", goodPassword))
	// … but not from an address or with a browser that is known.
	fresh := s.browser()
	fresh.want(200, "", "POST", "/session", login("kim@example.com", goodPassword))
	laptop.address = "198.51.100.77" // on the train
	laptop.want(200, "", "POST", "/session", login("kim@example.com", goodPassword))
	home.want(200, "", "GET", "/me", nil)
	// Waits end, double and have a limit.
	s.clock.add(2 * time.Second)
	stranger.want(200, "", "POST", "/session", login("kim@example.com", goodPassword))
}

func TestLogin_KnownPlacesAreSlowedByTheirOwnFailures(t *testing.T) {
	s := newServer(t)
	s.addUser("kim@example.com", false)
	b := s.signedIn("kim@example.com")
	for range 10 {
		b.want(401, "invalid_credentials", "POST", "/session", login("kim@example.com", "a wrong one"))
	}
	b.want(429, "slow_down", "POST", "/session", login("kim@example.com", goodPassword))
	s.clock.add(2 * time.Second)
	b.want(200, "", "POST", "/session", login("kim@example.com", goodPassword))
}

// Somebody who tried until he had to wait, and then asked for a new password, need not wait any more.
func TestLogin_ResetEndsTheWait(t *testing.T) {
	s := newServer(t, withMail)
	s.addUser("kim@example.com", false)
	for _, b := range []*browser{s.signedIn("kim@example.com"), s.browser()} {
		for range 10 {
			b.want(401, "invalid_credentials", "POST", "/session", login("kim@example.com", "a wrong one"))
		}
		b.want(429, "slow_down", "POST", "/session", login("kim@example.com", goodPassword))
		b.want(202, "", "POST", "/password/forgot", m{"email": "kim@example.com"})
		b.want(204, "", "POST", "/password/reset", m{"token": s.inbox.next("kim@example.com").token(t), "password": goodPassword})
		s.inbox.next("kim@example.com")
		b.want(200, "", "POST", "/session", login("kim@example.com", goodPassword))
	}
}

func TestLogin_AddressIsSlowedOverAllAccounts(t *testing.T) {
	s := newServer(t)
	s.addUser("kim@example.com", false)
	b := s.browser()
	b.address = "2001:db8::1"
	for i := range 30 {
		b.address = "2001:db8::" + strconv.Itoa(i+1) // one subscriber has them all
		b.want(401, "invalid_credentials", "POST", "/session", login("user"+strconv.Itoa(i)+"@example.com", "whatever it is"))
	}
	b.want(429, "slow_down", "POST", "/session", login("kim@example.com", goodPassword))
	b.address = "2001:db8:0:1::1"
	b.want(200, "", "POST", "/session", login("kim@example.com", goodPassword))
}

func TestLogin_ManyAtOnceGetNoFurtherThanOneAfterTheOther(t *testing.T) {
	s := newServer(t)
	s.addUser("kim@example.com", false)
	var mu sync.Mutex
	got := map[int]int{}
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() {
			status := s.browser().do("POST", "/session", login("kim@example.com", "a wrong one")).status
			mu.Lock()
			defer mu.Unlock()
			got[status]++
		})
	}
	all.Wait()
	if got[401] > 10 || got[401]+got[429]+got[503] != 30 {
		t.Fatalf("answers %v", got)
	}
}

func TestLogin_Audit(t *testing.T) {
	s := newServer(t)
	s.addUser("kim@example.com", true)
	b := s.browser()
	for range 5 {
		b.do("POST", "/session", login("kim@example.com", "a wrong one"))
	}
	b.want(200, "", "POST", "/session", login("kim@example.com", goodPassword))
	want := []string{"session.login/ok", "session.login/refused", "user.add/ok"} // five failures, one entry
	got := b.auditOf("/audit")
	for range 100 { // failures are written behind their answers
		if len(got) >= len(want) {
			break
		}
		time.Sleep(10 * time.Millisecond)
		got = b.auditOf("/audit")
	}
	if !slices.Equal(got, want) {
		t.Errorf("own audit %v, want %v", got, want)
	}
	if got := b.auditOf("/admin/audit"); !slices.Equal(got, want) {
		t.Errorf("server's audit %v, want %v", got, want)
	}
	if got := b.auditOf("/admin/audit?q=nothing_like_this%25"); len(got) != 0 {
		t.Errorf("found %v", got)
	}
	if raw := b.want(200, "", "GET", "/audit", nil).body; strings.Contains(string(raw), goodPassword) || strings.Contains(string(raw), "a wrong one") {
		t.Error("a password is in the audit")
	}
	entry := b.want(200, "", "GET", "/audit", nil).json(t)["items"].([]any)[0].(m)
	if entry["actor"] != "Kim k" || entry["address"] != "192.0.2.1" || entry["via"] != "session" || entry["at"] != "2026-03-01T09:00:00Z" {
		t.Errorf("entry %v", entry)
	}
	page := b.want(200, "", "GET", "/audit?limit=1", nil).json(t)
	rest := b.want(200, "", "GET", "/audit?limit=10&before="+page["next"].(string), nil).json(t)
	if len(page["items"].([]any)) != 1 || len(rest["items"].([]any)) != 2 || rest["next"] != nil {
		t.Errorf("pages %v and %v", page, rest)
	}
}

func TestSessions(t *testing.T) {
	s := newServer(t)
	s.addUser("kim@example.com", false)
	s.addUser("lee@example.com", false)
	phone, desktop, other := s.signedIn("kim@example.com"), s.signedIn("kim@example.com"), s.signedIn("lee@example.com")
	items := desktop.want(200, "", "GET", "/sessions", nil).json(t)["items"].([]any)
	if len(items) != 2 {
		t.Fatalf("%d sessions", len(items))
	}
	var phoneID string
	for _, i := range items {
		if i.(m)["current"] != true {
			phoneID = i.(m)["id"].(string)
		}
	}
	other.want(404, "not_found", "DELETE", "/sessions/"+phoneID, nil)
	desktop.want(204, "", "DELETE", "/sessions/"+phoneID, nil)
	phone.want(401, "not_signed_in", "GET", "/me", nil)
	desktop.want(200, "", "GET", "/me", nil)
	if ended := s.drainEnded(); !slices.Contains(ended, bus.AccessEnded{SessionID: phoneID}) {
		t.Errorf("ended: %v", ended)
	}
	second := s.signedIn("kim@example.com")
	desktop.want(204, "", "DELETE", "/sessions", nil)
	desktop.want(401, "not_signed_in", "GET", "/me", nil)
	second.want(401, "not_signed_in", "GET", "/me", nil)
	if ended := s.drainEnded(); len(ended) != 2 {
		t.Errorf("ended: %v", ended)
	}
	other.want(200, "", "GET", "/me", nil)
}

func TestSession_EndsWhenIdleAndAfterAYear(t *testing.T) {
	s := newServer(t)
	s.addUser("kim@example.com", false)
	idle, used := s.signedIn("kim@example.com"), s.signedIn("kim@example.com")
	for range 13 {
		s.clock.add(28 * 24 * time.Hour)
		used.want(200, "", "GET", "/me", nil)
		if err := s.acc.WriteUses(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	idle.want(401, "not_signed_in", "GET", "/me", nil)
	s.clock.add(2 * 24 * time.Hour) // 366 days after log-in, two days after the last use
	used.want(401, "not_signed_in", "GET", "/me", nil)
}

func TestTokens(t *testing.T) {
	s := newServer(t)
	s.addUser("kim@example.com", false)
	b := s.signedIn("kim@example.com")
	for field, form := range map[string]m{
		"name":       {"name": "\u202e"},
		"expires_at": {"name": "x", "expires_at": "2026-02-28T00:00:00Z"},
	} {
		if a := b.do("POST", "/tokens", form); a.status != 422 || a.json(t)["field"] != field {
			t.Errorf("%v: %d %s", form, a.status, a.body)
		}
	}
	made := b.want(201, "", "POST", "/tokens", m{"name": "배치 스크립트", "expires_at": "2026-03-02T09:00:00Z"}).json(t)
	secret := made["token"].(string)
	if !strings.HasPrefix(secret, made["prefix"].(string)) || !strings.HasPrefix(secret, "fct_") {
		t.Fatalf("got %v", made)
	}
	script := s.browser()
	script.bearer = secret
	script.want(200, "", "GET", "/me", nil)
	script.want(403, "session_required", "POST", "/tokens", m{"name": "another"})
	script.want(403, "session_required", "POST", "/me/password", m{"current": goodPassword, "new": "quite another one"})
	script.want(403, "not_allowed", "GET", "/admin/users", nil)
	root := s.browser() // an administrator's token makes no administrator, who would outlive it
	admin, kim := s.addUser("root@example.com", true), s.signedIn("kim@example.com").want(200, "", "GET", "/me", nil).json(t)["id"].(string)
	root.bearer = s.signedIn(admin.Email).want(201, "", "POST", "/tokens", m{"name": "x"}).json(t)["token"].(string)
	root.want(403, "session_required", "PATCH", "/admin/users/"+kim, m{"admin": true})
	root.want(200, "", "PATCH", "/admin/users/"+kim, m{"disabled": false})
	script.bearer = secret[:len(secret)-1] + "x"
	script.want(401, "not_signed_in", "GET", "/me", nil)

	if err := s.acc.WriteUses(t.Context()); err != nil {
		t.Fatal(err)
	}
	items := b.want(200, "", "GET", "/tokens", nil).json(t)["items"].([]any)
	if len(items) != 1 || items[0].(m)["last_used_at"] != "2026-03-01T09:00:00Z" || items[0].(m)["token"] != nil {
		t.Fatalf("tokens %v", items)
	}
	script.bearer = secret
	s.clock.add(25 * time.Hour)
	script.want(401, "not_signed_in", "GET", "/me", nil)
	b.want(204, "", "DELETE", "/tokens/"+made["id"].(string), nil)
	b.want(404, "not_found", "DELETE", "/tokens/"+made["id"].(string), nil)
	if !slices.Contains(s.drainEnded(), bus.AccessEnded{TokenID: made["id"].(string)}) {
		t.Error("the token's connections do not end")
	}
}

func TestTokens_Limit(t *testing.T) {
	s := newServer(t)
	s.addUser("kim@example.com", false)
	for range 50 {
		if _, err := s.acc.AddToken(t.Context(), "kim@example.com", "t", nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.acc.AddToken(t.Context(), "kim@example.com", "t", nil); problem.Code(err) != "too_many" {
		t.Fatalf("got %v", err)
	}
	if _, err := s.acc.AddToken(t.Context(), "nobody@example.com", "t", nil); problem.Code(err) != "not_found" {
		t.Fatalf("got %v", err)
	}
}

func TestExpiry_EndsConnections(t *testing.T) {
	s := newServer(t)
	s.addUser("kim@example.com", false)
	expires := s.clock.now().Add(time.Hour)
	if _, err := s.acc.AddToken(t.Context(), "kim@example.com", "t", &expires); err != nil {
		t.Fatal(err)
	}
	s.signedIn("kim@example.com")
	since := s.clock.now()
	s.clock.add(31 * 24 * time.Hour)
	if err := s.acc.EndExpired(t.Context(), since, s.clock.now()); err != nil {
		t.Fatal(err)
	}
	session, token := false, false
	for _, e := range s.drainEnded() {
		session, token = session || e.SessionID != "", token || e.TokenID != ""
	}
	if !session || !token {
		t.Errorf("session ended: %v, token ended: %v", session, token)
	}
}

func TestLoginPlugin(t *testing.T) {
	s := newServer(t)
	u := s.addUser("kim@example.com", true)
	ctx := account.WithOrigin(t.Context(), account.Origin{Address: "192.0.2.1"})
	if _, err := s.acc.LoginPlugin(ctx, "kim@example.com", "a wrong one"); problem.Code(err) != "invalid_credentials" {
		t.Fatalf("got %v", err)
	}
	got, err := s.acc.LoginPlugin(ctx, "kim@example.com", goodPassword)
	if err != nil || got.User.ID != u.ID || got.ExpiresIn != time.Hour {
		t.Fatalf("got %+v, %v", got, err)
	}
	actor, err := s.acc.TokenActor(ctx, got.AccessToken, "192.0.2.1")
	if err != nil || actor.Via != workspace.ViaPlugin || actor.UserID != u.ID {
		t.Fatalf("actor %+v, %v", actor, err)
	}
	// Good for the plugin's calls only, and no session cookie.
	b := s.browser()
	b.bearer = got.AccessToken
	for _, path := range []string{"/me", "/sessions", "/tokens", "/audit", "/admin/users", "/workspaces"} {
		b.want(403, "not_allowed", "GET", path, nil)
	}
	if _, err := s.acc.SessionActor(ctx, got.AccessToken, "", ""); problem.Code(err) != "not_signed_in" {
		t.Errorf("as a cookie: %v", err)
	}
	if items := s.signedIn("kim@example.com").want(200, "", "GET", "/sessions", nil).json(t)["items"].([]any); len(items) != 1 {
		t.Errorf("%d browsers listed", len(items))
	}
	s.clock.add(time.Hour)
	if _, err := s.acc.TokenActor(ctx, got.AccessToken, ""); problem.Code(err) != "not_signed_in" {
		t.Errorf("after an hour: %v", err)
	}
}

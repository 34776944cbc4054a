package account_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/uptrace/bun"
)

func (b *browser) code() string {
	b.s.t.Helper()
	a := b.do("POST", "/setup-codes", nil)
	code := a.code()
	if a.status != 201 || len(code) != 9 || code[4] != '-' {
		b.s.t.Fatalf("%d %s", a.status, a.body)
	}
	return code
}

// redeem signs a plugin in and gives who it is then.
func (b *browser) redeem(code string) (token string, who workspace.Actor) {
	b.s.t.Helper()
	a := b.want(200, "", "POST", "/setup-codes/redeem", m{"code": code})
	var out struct {
		AccessToken string `json:"access_token"`
		User        struct{ Email, Name string }
	}
	if err := json.Unmarshal(a.body, &out); err != nil || out.User.Email != "kim@example.com" || out.User.Name == "" {
		b.s.t.Fatalf("%s %v", a.body, err)
	}
	who, err := b.s.acc.TokenActor(b.s.t.Context(), out.AccessToken, "192.0.2.7")
	if err != nil {
		b.s.t.Fatal(err)
	}
	return out.AccessToken, who
}

func TestCode(t *testing.T) {
	s := newServer(t)
	user := s.addUser("kim@example.com", false)
	page, plugin := s.signedIn("kim@example.com"), s.browser()
	code := page.code()
	token, who := plugin.redeem(" " + strings.ToLower(strings.ReplaceAll(code, "-", " ")))
	if who.UserID != user.ID || who.Via != workspace.ViaPlugin || !who.Once {
		t.Errorf("%+v", who)
	}
	plugin.want(422, "code_invalid", "POST", "/setup-codes/redeem", m{"code": code})
	got := page.auditOf("/audit")
	if !slices.Contains(got, "setup_code.create/ok") || !slices.Contains(got, "setup_code.redeem/ok") {
		t.Errorf("audit: %v", got)
	}
	if sessions := page.want(200, "", "GET", "/sessions", nil); strings.Contains(string(sessions.body), who.SessionID) {
		t.Error("the plugin is shown as a browser")
	}
	spend := func(a workspace.Actor) error {
		return s.db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error { return s.acc.Spend(ctx, tx, a) })
	}
	if err := spend(workspace.Actor{UserID: user.ID, Via: workspace.ViaPlugin, SessionID: who.SessionID}); err != nil {
		t.Error(err)
	}
	if err := spend(who); err != nil {
		t.Error(err)
	}
	if err := spend(who); problem.Code(err) != "not_signed_in" {
		t.Errorf("spent twice: %v", err)
	}
	if _, err := s.acc.TokenActor(t.Context(), token, ""); problem.Code(err) != "not_signed_in" {
		t.Errorf("after the registration: %v", err)
	}
}

func TestCode_EndsWithTimeAndPassword(t *testing.T) {
	s := newServer(t)
	s.addUser("admin@example.com", true)
	user := s.addUser("kim@example.com", false)
	page, plugin := s.signedIn("kim@example.com"), s.browser()
	for _, end := range []func(){
		func() { s.clock.add(10 * time.Minute) },
		func() {
			page.want(204, "", "POST", "/me/password", m{"current": goodPassword, "new": goodPassword + "!"})
		},
		func() { page.want(204, "", "DELETE", "/sessions", nil) },
	} {
		page = s.signedInWithEither("kim@example.com")
		code := page.code()
		end()
		plugin.want(422, "code_invalid", "POST", "/setup-codes/redeem", m{"code": code})
	}
	page = s.signedInWithEither("kim@example.com")
	code := page.code()
	s.signedIn("admin@example.com").want(200, "", "PATCH", "/admin/users/"+user.ID, m{"disabled": true})
	plugin.want(422, "code_invalid", "POST", "/setup-codes/redeem", m{"code": code})
}

// signedInWithEither signs in whether or not the password was changed.
func (s *server) signedInWithEither(email string) *browser {
	s.t.Helper()
	b := s.browser()
	if b.do("POST", "/session", m{"email": email, "password": goodPassword}).status != 200 {
		b.want(200, "", "POST", "/session", m{"email": email, "password": goodPassword + "!"})
	}
	return b
}

func TestCode_MakesRoom(t *testing.T) {
	s := newServer(t)
	s.addUser("kim@example.com", false)
	page := s.signedIn("kim@example.com")
	first := page.code()
	last := ""
	for range 10 {
		s.clock.add(time.Second)
		last = page.code()
	}
	plugin := s.browser()
	plugin.want(422, "code_invalid", "POST", "/setup-codes/redeem", m{"code": first})
	plugin.redeem(last)
}

func TestCode_GuessingIsSlowedDown(t *testing.T) {
	s := newServer(t)
	s.addUser("kim@example.com", false)
	page, stranger := s.signedIn("kim@example.com"), s.browser()
	code := page.code()
	stranger.address = "198.51.100.9"
	for range 10 {
		stranger.want(422, "code_invalid", "POST", "/setup-codes/redeem", m{"code": "0000-0000"})
	}
	if a := stranger.want(429, "slow_down", "POST", "/setup-codes/redeem", m{"code": code}); a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	s.browser().redeem(code) // from elsewhere
}

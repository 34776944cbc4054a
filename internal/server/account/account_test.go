package account_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/account"
	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/mail"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/store"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

func TestMe_Change(t *testing.T) {
	s := newServer(t)
	s.addUser("kim@example.com", false)
	b := s.signedIn("kim@example.com")
	got := b.want(200, "", "PATCH", "/me", m{"name": "이영희", "language": "ko", "time_zone": "Asia/Seoul"}).json(t)
	if got["name"] != "이영희" || got["language"] != "ko" || got["time_zone"] != "Asia/Seoul" || got["workspace"].(m)["name"] != "이영희" {
		t.Fatalf("got %v", got)
	}
	// Letters typed on macOS come in pieces and are put together.
	if got := b.want(200, "", "PATCH", "/me", m{"name": "\u110b\u1175\u110b\u1167\u11bc"}).json(t); got["name"] != "이영" {
		t.Errorf("name %q", got["name"])
	}
	if got := b.want(200, "", "PATCH", "/me", m{}).json(t); got["language"] != "ko" {
		t.Errorf("got %v", got)
	}
	b.want(422, "time_zone_invalid", "PATCH", "/me", m{"time_zone": "Local"})
	b.want(422, "name_invalid", "PATCH", "/me", m{"name": ""})
	b.want(422, "invalid", "PATCH", "/me", m{"email": "other@example.com"})
	s.browser().want(401, "not_signed_in", "PATCH", "/me", m{"name": "x"})
}

func TestPassword_Change(t *testing.T) {
	s := newServer(t, withMail)
	s.addUser("kim@example.com", false)
	b, other := s.signedIn("kim@example.com"), s.signedIn("kim@example.com")
	a := b.want(403, "invalid_credentials", "POST", "/me/password", m{"current": "a wrong one", "new": "a better choice"})
	if a.json(t)["field"] != "current" {
		t.Errorf("field %v", a.json(t)["field"])
	}
	if a := b.want(422, "password_weak", "POST", "/me/password", m{"current": goodPassword, "new": "short"}); a.json(t)["field"] != "new" {
		t.Errorf("field %v", a.json(t)["field"])
	}
	b.want(204, "", "POST", "/me/password", m{"current": goodPassword, "new": "a better choice"})
	b.want(200, "", "GET", "/me", nil)
	other.want(401, "not_signed_in", "GET", "/me", nil)
	s.browser().want(401, "invalid_credentials", "POST", "/session", login("kim@example.com", goodPassword))
	s.browser().want(200, "", "POST", "/session", login("kim@example.com", "a better choice"))
	if got := s.inbox.next("kim@example.com"); got.subject != "Your password was changed" {
		t.Errorf("mail %q", got.subject)
	}
}

func TestPassword_FromTheCommandLine(t *testing.T) {
	s := newServer(t)
	s.addUser("kim@example.com", false)
	b := s.signedIn("kim@example.com")
	if _, err := s.acc.SetPassword(t.Context(), "kim@example.com", "short"); problem.Code(err) != "password_weak" {
		t.Errorf("got %v", err)
	}
	if _, err := s.acc.SetPassword(t.Context(), "lee@example.com", "a better choice"); problem.Code(err) != "not_found" {
		t.Errorf("got %v", err)
	}
	if _, err := s.acc.SetPassword(t.Context(), "Kim@example.com", "a better choice"); err != nil {
		t.Fatal(err)
	}
	b.want(401, "not_signed_in", "GET", "/me", nil)
	b.want(200, "", "POST", "/session", login("kim@example.com", "a better choice"))
}

func TestPassword_Forgotten(t *testing.T) {
	s := newServer(t, withMail)
	s.addUser("kim@example.com", false)
	b, old := s.browser(), s.signedIn("kim@example.com")
	b.want(202, "", "POST", "/password/forgot", m{"email": "kim@example.com"})
	first := s.inbox.next("kim@example.com").token(t)
	b.want(202, "", "POST", "/password/forgot", m{"email": "kim@example.com"})
	second := s.inbox.next("kim@example.com").token(t)

	b.want(422, "password_weak", "POST", "/password/reset", m{"token": first, "password": "short"})
	b.want(410, "token_invalid", "POST", "/verify", m{"token": first}) // not what this link is for
	b.want(204, "", "POST", "/password/reset", m{"token": first, "password": "a better choice"})
	b.want(410, "token_invalid", "POST", "/password/reset", m{"token": first, "password": "a better choice"})
	b.want(410, "token_invalid", "POST", "/password/reset", m{"token": second, "password": "a better choice"})
	old.want(401, "not_signed_in", "GET", "/me", nil)
	b.want(200, "", "POST", "/session", login("kim@example.com", "a better choice"))
	s.inbox.next("kim@example.com") // told that it was changed

	b.want(202, "", "POST", "/password/forgot", m{"email": "kim@example.com"})
	third := s.inbox.next("kim@example.com").token(t)
	s.clock.add(61 * time.Minute)
	b.want(410, "token_expired", "POST", "/password/reset", m{"token": third, "password": "yet another one"})
}

func TestEmail_Change(t *testing.T) {
	s := newServer(t, withMail)
	s.addUser("kim@example.com", false)
	s.addUser("lee@example.com", false)
	b := s.signedIn("kim@example.com")
	b.want(403, "invalid_credentials", "POST", "/me/email", m{"password": "a wrong one", "email": "new@example.com"})
	b.want(422, "email_invalid", "POST", "/me/email", m{"password": goodPassword, "email": "new"})
	b.want(202, "", "POST", "/me/email", m{"password": goodPassword, "email": "new@example.com"})
	confirm := s.inbox.next("new@example.com")
	if notice := s.inbox.next("kim@example.com"); !strings.Contains(notice.text, "new@example.com") {
		t.Errorf("notice %q", notice.text)
	}
	if me := b.want(200, "", "GET", "/me", nil).json(t); me["email"] != "kim@example.com" || me["pending_email"] != "new@example.com" {
		t.Fatalf("me %v", me)
	}
	anywhere := s.browser()
	if a := anywhere.want(200, "", "POST", "/verify", m{"token": confirm.token(t)}); a.json(t)["purpose"] != "email" || len(a.header.Values("Set-Cookie")) != 0 {
		t.Fatalf("got %s %v", a.body, a.header)
	}
	s.inbox.next("kim@example.com") // it is done
	if me := b.want(200, "", "GET", "/me", nil).json(t); me["email"] != "new@example.com" || me["pending_email"] != nil {
		t.Fatalf("me %v", me)
	}
	s.browser().want(401, "invalid_credentials", "POST", "/session", login("kim@example.com", goodPassword))
	s.signedIn("new@example.com")

	// An address of somebody else: same answer, its owner is told.
	b.want(202, "", "POST", "/me/email", m{"password": goodPassword, "email": "lee@example.com"})
	if got := s.inbox.next("lee@example.com"); got.subject != "Your address was entered for another account" {
		t.Errorf("mail %q", got.subject)
	}
	if me := b.want(200, "", "GET", "/me", nil).json(t); me["pending_email"] != "lee@example.com" {
		t.Errorf("me %v", me)
	}
}

func TestEmail_ChangeNeedsMail(t *testing.T) {
	s := newServer(t)
	s.addUser("kim@example.com", false)
	s.signedIn("kim@example.com").want(409, "mail_not_configured", "POST", "/me/email", m{"password": goodPassword, "email": "new@example.com"})
}

func TestDelete(t *testing.T) {
	s := newServer(t)
	s.addUser("admin@example.com", true)
	u := s.addUser("kim@example.com", false)
	b := s.signedIn("kim@example.com")
	if _, err := s.acc.AddToken(t.Context(), "kim@example.com", "t", nil); err != nil {
		t.Fatal(err)
	}
	var hooked []string
	fail := true
	s.acc.OnDelete = append(s.acc.OnDelete, func(ctx context.Context, tx bun.Tx, userID string, workspaceIDs []string) error {
		if fail {
			return errors.New("printers cannot be deleted")
		}
		hooked = append([]string{userID}, workspaceIDs...)
		return nil
	})
	b.want(403, "invalid_credentials", "DELETE", "/me", m{"password": "a wrong one"})
	b.want(500, "internal", "DELETE", "/me", m{"password": goodPassword})
	b.want(200, "", "GET", "/me", nil) // all or nothing
	fail = false
	b.want(204, "", "DELETE", "/me", m{"password": goodPassword})
	if !slices.Equal(hooked, []string{u.ID, u.Workspace.ID}) {
		t.Errorf("hook got %v", hooked)
	}
	if !slices.Contains(s.drainEnded(), bus.AccessEnded{UserID: u.ID}) {
		t.Error("nothing ended")
	}
	b.want(401, "not_signed_in", "GET", "/me", nil)
	for _, table := range []string{"sessions", "tokens", "known_origins", "members", "links"} {
		column := map[string]string{"links": "subject_id"}[table]
		if column == "" {
			column = "user_id"
		}
		var n int
		if err := s.db.Read.NewRaw("SELECT COUNT(*) FROM ? WHERE ? = ?", bun.Ident(table), bun.Ident(column), u.ID).Scan(t.Context(), &n); err != nil || n != 0 {
			t.Errorf("%s: %d rows left, %v", table, n, err)
		}
	}
	// What stays says that an account went, not whose.
	raw := string(s.signedIn("admin@example.com").want(200, "", "GET", "/admin/audit", nil).body)
	if !strings.Contains(raw, "user.delete") || strings.Contains(raw, "Kim k") || strings.Contains(raw, "kim@") {
		t.Errorf("audit %s", raw)
	}
}

func TestAdmin_Users(t *testing.T) {
	s := newServer(t)
	admin := s.addUser("admin@example.com", true)
	kim, lee := s.addUser("kim@example.com", false), s.addUser("lee@example.com", false)
	b, user := s.signedIn("admin@example.com"), s.signedIn("kim@example.com")
	for _, call := range [][2]string{{"GET", "/admin/users"}, {"GET", "/admin/invitations"}, {"GET", "/admin/audit"}, {"DELETE", "/admin/users/" + lee.ID}} {
		user.want(403, "not_allowed", call[0], call[1], nil)
		s.browser().want(401, "not_signed_in", call[0], call[1], nil)
	}
	page := b.want(200, "", "GET", "/admin/users?limit=2", nil).json(t)
	rest := b.want(200, "", "GET", "/admin/users?limit=2&after="+page["next"].(string), nil).json(t)
	if len(page["items"].([]any)) != 2 || len(rest["items"].([]any)) != 1 || rest["next"] != nil {
		t.Fatalf("pages %v, %v", page, rest)
	}
	if found := b.want(200, "", "GET", "/admin/users?q=KIM@", nil).json(t)["items"].([]any); len(found) != 1 || found[0].(m)["id"] != kim.ID || found[0].(m)["last_seen"] == nil {
		t.Fatalf("found %v", found)
	}
	b.want(409, "last_admin", "PATCH", "/admin/users/"+admin.ID, m{"admin": false})
	b.want(409, "own_account", "PATCH", "/admin/users/"+admin.ID, m{"disabled": true})
	b.want(409, "own_account", "DELETE", "/admin/users/"+admin.ID, nil)
	b.want(409, "last_admin", "DELETE", "/me", m{"password": goodPassword})
	b.want(404, "not_found", "PATCH", "/admin/users/nobody", m{"admin": true})

	if got := b.want(200, "", "PATCH", "/admin/users/"+kim.ID, m{"disabled": true}).json(t); got["disabled"] != true {
		t.Fatalf("got %v", got)
	}
	user.want(401, "not_signed_in", "GET", "/me", nil)
	s.browser().want(403, "account_disabled", "POST", "/session", login("kim@example.com", goodPassword))
	s.browser().want(401, "invalid_credentials", "POST", "/session", login("kim@example.com", "a wrong one"))
	b.want(200, "", "PATCH", "/admin/users/"+kim.ID, m{"disabled": false, "admin": true})
	user.want(200, "", "GET", "/admin/users", nil)
	b.want(200, "", "PATCH", "/admin/users/"+admin.ID, m{"admin": false})
	user.want(204, "", "DELETE", "/admin/users/"+lee.ID, nil)
	b.want(403, "not_allowed", "GET", "/admin/users", nil)
}

func TestAdmin_TestMail(t *testing.T) {
	s := newServer(t, withMail)
	s.addUser("admin@example.com", true)
	b := s.signedIn("admin@example.com")
	b.want(200, "", "POST", "/admin/mail/test", m{"to": "ops@example.com"})
	s.inbox.next("ops@example.com")
	b.want(422, "email_invalid", "POST", "/admin/mail/test", m{"to": "Ops <ops@example.com>"})
	s.inbox.listener.Close()
	if a := b.want(502, "mail_failed", "POST", "/admin/mail/test", m{"to": "ops@example.com"}); a.json(t)["errors"].([]any)[0].(m)["field"] != "connect" {
		t.Errorf("got %s", a.body)
	}

	bare := newServer(t)
	bare.addUser("admin@example.com", true)
	bare.signedIn("admin@example.com").want(409, "mail_not_configured", "POST", "/admin/mail/test", m{"to": "ops@example.com"})
}

// The command line opens the same folder while the server runs.
func TestAddUser_SecondProcess(t *testing.T) {
	s := newServer(t)
	if mode, err := s.acc.SignupMode(t.Context()); mode != account.SignupSetup || err != nil {
		t.Fatalf("mode %s, %v", mode, err)
	}
	db, err := store.Open(t.Context(), s.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	b := &bus.Bus{}
	ws := &workspace.Service{DB: db, Bus: b}
	log := &audit.Log{DB: db, Workspaces: ws}
	sender := &mail.Sender{DB: db}
	acc := &account.Service{DB: db, Bus: b, Workspaces: ws, Audit: log, Mail: sender}
	for _, init := range []func() error{sender.Initialize, ws.Initialize, log.Initialize, acc.Initialize} {
		if err := init(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := acc.AddUser(t.Context(), "kim@example.com", "Kim", goodPassword, true); err != nil {
		t.Fatal(err)
	}
	if _, err := acc.AddUser(t.Context(), "KIM@example.com", "Kim", goodPassword, true); problem.Code(err) != "email_taken" {
		t.Fatalf("twice: %v", err)
	}
	token, err := acc.AddToken(t.Context(), "kim@example.com", "make run", nil)
	if err != nil {
		t.Fatal(err)
	}
	script := s.browser()
	script.bearer = token
	script.want(200, "", "GET", "/me", nil)
	s.signedIn("kim@example.com")
	if mode, err := s.acc.SignupMode(t.Context()); mode != account.SignupInvitation || err != nil {
		t.Fatalf("mode %s, %v", mode, err)
	}
}

func TestTidy(t *testing.T) {
	s := newServer(t, withMail)
	s.addUser("kim@example.com", true)
	b := s.signedIn("kim@example.com")
	b.want(201, "", "POST", "/admin/invitations", m{})
	b.want(201, "", "POST", "/signup", signupForm("new@example.com", nil))
	s.inbox.next("new@example.com")
	s.clock.add(90 * 24 * time.Hour)
	if err := s.acc.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"sessions", "links", "signups", "invitations"} {
		var n int
		if err := s.db.Read.NewRaw("SELECT COUNT(*) FROM ?", bun.Ident(table)).Scan(t.Context(), &n); err != nil || n != 0 {
			t.Errorf("%s: %d rows left, %v", table, n, err)
		}
	}
}

package account_test

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func signupForm(email string, more m) m {
	f := m{"email": email, "name": "김 철수", "password": goodPassword}
	for k, v := range more {
		f[k] = v
	}
	return f
}

func TestSignup_FirstAccount(t *testing.T) {
	s := newServer(t)
	code, err := s.acc.SetupCode(t.Context())
	if err != nil || code == "" {
		t.Fatalf("set-up code %q: %v", code, err)
	}
	b := s.browser()
	b.want(422, "setup_code_wrong", "POST", "/signup", signupForm("a@example.com", nil))
	b.want(422, "setup_code_wrong", "POST", "/signup", signupForm("a@example.com", m{"setup_code": "0000-0000-0000"}))
	a := b.want(201, "", "POST", "/signup", signupForm("A@Example.com", m{
		"setup_code": strings.ToLower(strings.ReplaceAll(code, "-", " ")), "language": "ko", "time_zone": "Asia/Seoul",
	})).json(t)
	user := a["user"].(m)
	if a["state"] != "ready" || user["admin"] != true || user["name"] != "김 철수" || user["email"] != "A@example.com" || user["language"] != "ko" {
		t.Fatalf("got %v", a)
	}
	if me := b.want(200, "", "GET", "/me", nil).json(t); me["id"] != user["id"] || me["workspace"].(m)["name"] != "김 철수" {
		t.Fatalf("me is %v", me)
	}
	// Used, and closed to others.
	s.browser().want(403, "signup_closed", "POST", "/signup", signupForm("b@example.com", nil))
	s.browser().want(422, "setup_code_wrong", "POST", "/signup", signupForm("b@example.com", m{"setup_code": code}))
	if code, err = s.acc.SetupCode(t.Context()); err != nil || code != "" {
		t.Fatalf("a set-up code %q is left: %v", code, err)
	}
}

func TestSignup_SetupCodeGuessesAreSlowed(t *testing.T) {
	s := newServer(t)
	if _, err := s.acc.SetupCode(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := s.browser()
	for range 10 {
		b.want(422, "setup_code_wrong", "POST", "/signup", signupForm("a@example.com", m{"setup_code": "0000-0000-0000"}))
	}
	a := b.want(429, "slow_down", "POST", "/signup", signupForm("a@example.com", m{"setup_code": "0000-0000-0000"}))
	if a.header.Get("Retry-After") == "" || a.json(t)["retry_after"] == nil {
		t.Fatal("the wait is not said")
	}
}

func TestSignup_OnlyOneFirstAccount(t *testing.T) {
	s := newServer(t)
	code, err := s.acc.SetupCode(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var made, closed int
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, email := range []string{"a@example.com", "b@example.com", "c@example.com", "d@example.com"} {
		all.Go(func() {
			got := s.browser().do("POST", "/signup", signupForm(email, m{"setup_code": code}))
			mu.Lock()
			defer mu.Unlock()
			if got.status == 201 {
				made++
			} else {
				closed++
			}
		})
	}
	all.Wait()
	if made != 1 || closed != 3 {
		t.Fatalf("%d made, %d refused", made, closed)
	}
}

func TestSignup_ByMail(t *testing.T) {
	s := newServer(t, withMail)
	s.addUser("owner@example.com", true)
	b := s.browser()
	if a := b.want(201, "", "POST", "/signup", signupForm("new@example.com", m{"language": "ko"})).json(t); a["state"] != "verify" || a["user"] != nil {
		t.Fatalf("got %v", a)
	}
	got := s.inbox.next("new@example.com")
	if got.subject != "이메일 주소를 확인해 주세요" || !strings.Contains(got.html, "이메일 확인") || strings.Contains(got.text, "김 철수") {
		t.Fatalf("got %+v", got)
	}
	b.want(403, "email_unverified", "POST", "/session", m{"email": "new@example.com", "password": goodPassword})
	b.want(401, "invalid_credentials", "POST", "/session", m{"email": "new@example.com", "password": "something else"})

	token := got.token(t)
	a := b.want(200, "", "POST", "/verify", m{"token": token}).json(t)
	if a["purpose"] != "signup" || a["user"].(m)["email"] != "new@example.com" || a["user"].(m)["admin"] != false {
		t.Fatalf("got %v", a)
	}
	b.want(200, "", "GET", "/me", nil)
	s.browser().want(410, "token_invalid", "POST", "/verify", m{"token": token})
	s.browser().want(410, "token_invalid", "POST", "/verify", m{"token": "nonsense"})
}

func TestSignup_LinkWorksOnce(t *testing.T) {
	s := newServer(t, withMail)
	s.addUser("owner@example.com", true)
	s.browser().want(201, "", "POST", "/signup", signupForm("new@example.com", nil))
	token := s.inbox.next("new@example.com").token(t)
	results := make(chan int, 8)
	var all sync.WaitGroup
	for range cap(results) {
		all.Go(func() { results <- s.browser().do("POST", "/verify", m{"token": token}).status })
	}
	all.Wait()
	close(results)
	ok := 0
	for status := range results {
		if status == 200 {
			ok++
		} else if status != http.StatusGone {
			t.Errorf("status %d", status)
		}
	}
	if ok != 1 {
		t.Fatalf("the link worked %d times", ok)
	}
}

func TestSignup_LinkExpiresAndIsMailedAgain(t *testing.T) {
	s := newServer(t, withMail)
	s.addUser("owner@example.com", true)
	b := s.browser()
	b.want(201, "", "POST", "/signup", signupForm("new@example.com", nil))
	old := s.inbox.next("new@example.com").token(t)
	s.clock.add(25 * time.Hour)
	b.want(410, "token_expired", "POST", "/verify", m{"token": old})
	b.want(202, "", "POST", "/signup/resend", m{"email": "NEW@example.com"})
	b.want(200, "", "POST", "/verify", m{"token": s.inbox.next("new@example.com").token(t)})
}

// What an attacker learns from sign-up, resend and forgotten password about an address is nothing.
func TestSignup_TellsNotWhetherAnAddressExists(t *testing.T) {
	s := newServer(t, withMail)
	s.addUser("taken@example.com", true)
	for _, call := range []struct {
		path string
		form func(email string) m
	}{
		{"/signup", func(e string) m { return signupForm(e, nil) }},
		{"/signup/resend", func(e string) m { return m{"email": e} }},
		{"/password/forgot", func(e string) m { return m{"email": e} }},
	} {
		taken, free := s.browser().do("POST", call.path, call.form("taken@example.com")), s.browser().do("POST", call.path, call.form("free@example.com"))
		if taken.status != free.status || !bytes.Equal(taken.body, free.body) || len(taken.header) != len(free.header) {
			t.Errorf("%s: %d %s for a taken address, %d %s for a free one", call.path, taken.status, taken.body, free.status, free.body)
		}
	}
	subjects := map[string]string{}
	for range 4 { // taken: told, reset; free: verify, verify again
		got := <-s.inbox.mails
		subjects[got.to] += got.subject + ";"
	}
	if !strings.Contains(subjects["taken@example.com"], "You already have") || !strings.Contains(subjects["free@example.com"], "Confirm") {
		t.Fatalf("mails: %v", subjects)
	}
}

// A stranger signs up with somebody's address first. The owner's own sign-up has his own password.
func TestSignup_StrangersPasswordDoesNotStay(t *testing.T) {
	s := newServer(t, withMail)
	s.addUser("owner@example.com", true)
	s.browser().want(201, "", "POST", "/signup", m{"email": "victim@example.com", "name": "X", "password": "strangers choice 1"})
	strangers := s.inbox.next("victim@example.com").token(t)
	s.browser().want(201, "", "POST", "/signup", signupForm("victim@example.com", nil))
	own := s.inbox.next("victim@example.com").token(t)
	s.browser().want(200, "", "POST", "/verify", m{"token": own})
	s.browser().want(410, "token_invalid", "POST", "/verify", m{"token": strangers})
	s.browser().want(401, "invalid_credentials", "POST", "/session", m{"email": "victim@example.com", "password": "strangers choice 1"})
	s.signedIn("victim@example.com")
}

func TestSignup_OneAddressGetsFewMails(t *testing.T) {
	s := newServer(t, withMail)
	s.addUser("owner@example.com", true)
	b := s.browser()
	for range 12 {
		b.want(202, "", "POST", "/password/forgot", m{"email": "owner@example.com"})
	}
	for range 5 {
		s.inbox.next("owner@example.com")
	}
	// Whatever comes next is not a sixth: tasks are done in order.
	b.want(201, "", "POST", "/signup", signupForm("new@example.com", nil))
	s.inbox.next("new@example.com")
}

func TestSignup_Invitation(t *testing.T) {
	s := newServer(t)
	s.addUser("owner@example.com", true)
	admin := s.signedIn("owner@example.com")
	inv := admin.want(201, "", "POST", "/admin/invitations", m{}).json(t)
	token := inv["token"].(string)
	if inv["url"] != "/login?invitation="+token || inv["mailed"] != false {
		t.Fatalf("got %v", inv)
	}
	b := s.browser()
	if a := b.want(200, "", "GET", "/invitation?token="+token, nil).json(t); a["valid"] != true {
		t.Fatalf("got %v", a)
	}
	b.want(409, "email_taken", "POST", "/signup", signupForm("owner@example.com", m{"invitation": token}))
	a := b.want(201, "", "POST", "/signup", signupForm("new@example.com", m{"invitation": token})).json(t)
	if a["state"] != "ready" || a["user"].(m)["admin"] != false {
		t.Fatalf("got %v", a)
	}
	s.browser().want(422, "invitation_invalid", "POST", "/signup", signupForm("other@example.com", m{"invitation": token}))
	if a := b.want(200, "", "GET", "/invitation?token="+token, nil).json(t); a["valid"] != false {
		t.Fatalf("a used invitation is %v", a)
	}

	// For one address only, and withdrawn, and too old.
	inv = admin.want(201, "", "POST", "/admin/invitations", m{"email": "third@example.com", "language": "ko"}).json(t)
	s.browser().want(422, "invitation_invalid", "POST", "/signup", signupForm("other@example.com", m{"invitation": inv["token"]}))
	admin.want(204, "", "DELETE", "/admin/invitations/"+inv["id"].(string), nil)
	s.browser().want(422, "invitation_invalid", "POST", "/signup", signupForm("third@example.com", m{"invitation": inv["token"]}))
	inv = admin.want(201, "", "POST", "/admin/invitations", m{}).json(t)
	s.clock.add(8 * 24 * time.Hour)
	s.browser().want(422, "invitation_invalid", "POST", "/signup", signupForm("third@example.com", m{"invitation": inv["token"]}))
}

// Holding a link that says nothing of an address proves none: where mail is sent, it is proven as for everybody.
func TestSignup_InvitationWithMail(t *testing.T) {
	s := newServer(t, withMail)
	s.addUser("owner@example.com", true)
	admin := s.signedIn("owner@example.com")
	token := admin.want(201, "", "POST", "/admin/invitations", m{}).json(t)["token"].(string)
	b := s.browser()
	if a := b.want(201, "", "POST", "/signup", signupForm("new@example.com", m{"invitation": token})).json(t); a["state"] != "verify" || a["user"] != nil {
		t.Fatalf("got %v", a)
	}
	b.want(401, "not_signed_in", "GET", "/me", nil)
	if a := b.want(200, "", "GET", "/invitation?token="+token, nil).json(t); a["valid"] != true {
		t.Fatalf("an address that nobody has proven uses the invitation up: %v", a)
	}
	link := s.inbox.next("new@example.com").token(t)
	if a := b.want(200, "", "POST", "/verify", m{"token": link}).json(t); a["purpose"] != "signup" {
		t.Fatalf("got %v", a)
	}
	b.want(200, "", "GET", "/me", nil)
	if a := b.want(200, "", "GET", "/invitation?token="+token, nil).json(t); a["valid"] != false {
		t.Fatalf("a used invitation is %v", a)
	}
	s.browser().want(422, "invitation_invalid", "POST", "/signup", signupForm("other@example.com", m{"invitation": token}))

	// One that was mailed to the very address proves it.
	inv := admin.want(201, "", "POST", "/admin/invitations", m{"email": "third@example.com"}).json(t)
	if inv["mailed"] != true {
		t.Fatalf("got %v", inv)
	}
	b = s.browser()
	if a := b.want(201, "", "POST", "/signup", signupForm("third@example.com", m{"invitation": inv["token"]})).json(t); a["state"] != "ready" {
		t.Fatalf("got %v", a)
	}
	b.want(200, "", "GET", "/me", nil)
}

func TestSignup_InvitationIsUsedOnce(t *testing.T) {
	s := newServer(t)
	s.addUser("owner@example.com", true)
	token := s.signedIn("owner@example.com").want(201, "", "POST", "/admin/invitations", m{}).json(t)["token"]
	statuses := make(chan int, 6)
	var all sync.WaitGroup
	for i := range cap(statuses) {
		all.Go(func() {
			statuses <- s.browser().do("POST", "/signup", signupForm(string(rune('a'+i))+"@example.com", m{"invitation": token})).status
		})
	}
	all.Wait()
	close(statuses)
	ok := 0
	for status := range statuses {
		if status == 201 {
			ok++
		}
	}
	if ok != 1 {
		t.Fatalf("the invitation worked %d times", ok)
	}
}

func TestSignup_BadInput(t *testing.T) {
	s := newServer(t, withMail)
	s.addUser("owner@example.com", true)
	for name, tc := range map[string]struct {
		form  any
		code  string
		field string
	}{
		"no e-mail":            {m{"name": "A", "password": goodPassword}, "invalid", "email"},
		"unknown field":        {signupForm("a@example.com", m{"admin": true}), "invalid", "admin"},
		"wrong type":           {signupForm("a@example.com", m{"name": 7}), "invalid", "name"},
		"not an address":       {signupForm("a", nil), "email_invalid", "email"},
		"line break in e-mail": {signupForm("a@example.com\r\nBcc: b@example.com", nil), "email_invalid", "email"},
		"endless e-mail":       {signupForm(strings.Repeat("a", 400)+"@example.com", nil), "invalid", "email"},
		"empty name":           {signupForm("a@example.com", m{"name": " \u200b "}), "name_invalid", "name"},
		"control in name":      {signupForm("a@example.com", m{"name": "a\u0000b"}), "name_invalid", "name"},
		"direction in name":    {signupForm("a@example.com", m{"name": "a\u202eb"}), "name_invalid", "name"},
		"long name":            {signupForm("a@example.com", m{"name": strings.Repeat("가", 81)}), "name_invalid", "name"},
		"not UTF-8 in name":    {"{\"email\":\"a@example.com\",\"password\":\"" + goodPassword + "\",\"name\":\"\xff\"}", "name_invalid", "name"},
		"short password":       {signupForm("a@example.com", m{"password": "short"}), "password_weak", "password"},
		"long password":        {signupForm("a@example.com", m{"password": strings.Repeat("ab7-", 60)}), "password_weak", "password"},
		"common password":      {signupForm("a@example.com", m{"password": "P@ssw0rd123"}), "password_weak", "password"},
		"own name as password": {signupForm("a@example.com", m{"name": "Choi Minsu", "password": "choiminsu1!"}), "password_weak", "password"},
		"unknown language":     {signupForm("a@example.com", m{"language": "fr"}), "invalid", "language"},
		"unknown time zone":    {signupForm("a@example.com", m{"time_zone": "Asia/Busan"}), "time_zone_invalid", "time_zone"},
		"path as time zone":    {signupForm("a@example.com", m{"time_zone": "../../etc/passwd"}), "time_zone_invalid", "time_zone"},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.browser().do("POST", "/signup", tc.form)
			got := a.json(t)
			if a.status != 422 || got["code"] != tc.code || got["field"] != tc.field {
				t.Errorf("%d %s, want %s about %s", a.status, a.body, tc.code, tc.field)
			}
			if bytes.Contains(a.body, []byte(goodPassword)) {
				t.Error("the answer shows the password")
			}
		})
	}
	if n, err := s.acc.Count(t.Context()); n != 1 || err != nil {
		t.Fatalf("%d accounts, %v", n, err)
	}
}

package account

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/kangbyounggwan/factor/internal/server/problem"
)

func TestParseEmail(t *testing.T) {
	for raw, want := range map[string]Email{
		"kim@example.com":                {"kim@example.com", "kim@example.com"},
		"  Kim.Lee+x@Example.COM ":       {"Kim.Lee+x@example.com", "kim.lee+x@example.com"},
		"kim@한국.kr":                      {"kim@xn--3e0b707e.kr", "kim@xn--3e0b707e.kr"},
		"me@localhost":                   {"me@localhost", "me@localhost"},
		"o'hara@a.b.example":             {"o'hara@a.b.example", "o'hara@a.b.example"},
		"kim@\u1112\u1161\u11ab국.kr":     {"kim@xn--3e0b707e.kr", "kim@xn--3e0b707e.kr"}, // pieces of Hangul
		strings.Repeat("a", 64) + "@b.c": {strings.Repeat("a", 64) + "@b.c", strings.Repeat("a", 64) + "@b.c"},
	} {
		if got, err := ParseEmail("email", raw); err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", raw, got, err, want)
		}
	}
	for _, raw := range []string{
		"", "@", "kim", "kim@", "@example.com", "kim@example", "kim@@example.com", "kim@example.com@", ".kim@example.com", "kim.@example.com",
		"k..m@example.com", "kim lee@example.com", "\"kim\"@example.com", "kim@[192.0.2.1]", "kim@192.0.2.1", "kim@example..com", "kim@-example.com",
		"kim@example.com.", "김@example.com", "kim@exa_mple.com", "kim@example.com\nBcc: x@y.z", "kim\x00@example.com", "kim@exam\u200bple.com\x00",
		"Kim <kim@example.com>", "kim@example.com,lee@example.com", strings.Repeat("a", 65) + "@example.com", "kim@" + strings.Repeat("a", 64) + ".com",
		"kim@" + strings.Repeat("abcdefgh.", 30) + "com", "\xff@example.com", "kim@\xff.com",
	} {
		if got, err := ParseEmail("email", raw); problem.Code(err) != "email_invalid" {
			t.Errorf("%q: %+v, %v", raw, got, err)
		}
	}
}

func FuzzParseEmail(f *testing.F) {
	for _, seed := range []string{"kim@example.com", "KIM@한국.KR", "a@b@c", "\"a b\"@c.d", "a@xn--3e0b707e.kr", "a\r\nb@c.d", strings.Repeat("x", 300), "ａ@ｂ.ｃ"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		e, err := ParseEmail("email", raw)
		if err != nil {
			if problem.Code(err) != "email_invalid" {
				t.Fatalf("%q: %v", raw, err)
			}
			return
		}
		// What is accepted can stand in a header and in an SMTP command, and normalising it again changes nothing.
		if len(e.Address) > emailBytes || strings.Count(e.Address, "@") != 1 || strings.ContainsFunc(e.Address, func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '>' || r == ',' }) {
			t.Fatalf("%q is accepted as %q", raw, e.Address)
		}
		if e.Key != strings.ToLower(e.Address) {
			t.Fatalf("%q: key %q of %q", raw, e.Key, e.Address)
		}
		if again, err := ParseEmail("email", e.Address); err != nil || again != e {
			t.Fatalf("%q: %+v, then %+v, %v", raw, e, again, err)
		}
		if upper, err := ParseEmail("email", strings.ToUpper(e.Address)); err != nil || upper.Key != e.Key {
			t.Fatalf("%q: key %q, in capitals %q, %v", raw, e.Key, upper.Key, err)
		}
	})
}

func TestCheckPassword(t *testing.T) {
	for _, good := range []string{"filament spool 7", "correct-horse-9-battery", "노즐 온도는 이백십오도", "xK3!v9Q@pz", strings.Repeat("ab3 xyz7 ", 20)} {
		if err := checkPassword("password", good, "kim@example.com", "Kim"); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, weak := range []string{
		"", "short", "ninechars", "aaaaaaaaaaaa", "1234567890", "0987654321", "abcdefghij", "abcabcabcabc", "12341234123412", "password123", "Passw0rd2024!",
		"qwertyuiop", "1q2w3e4r5t", "iloveyou1234", "octoprint1", "kim@example.com", "KIM@example.com1", "hyunwoo.kim99", "비밀번호123456", "with\ttab here", "null\x00byte here",
		strings.Repeat("abcdefghijklmnop", 13), "bad \xff bytes here",
	} {
		if err := checkPassword("password", weak, "hyunwoo.kim@example.com", "Kim Hyunwoo"); problem.Code(err) != "password_weak" && !strings.HasPrefix(strings.ToLower(weak), "kim@") {
			t.Errorf("%q: %v", weak, err)
		}
	}
	if err := checkPassword("password", "kim@example.com", "kim@example.com", "Kim"); problem.Code(err) != "password_weak" {
		t.Errorf("the own address: %v", err)
	}
	if err := checkPassword("password", "Kim Hyunwoo 1", "a@b.c", "Kim Hyunwoo"); problem.Code(err) != "password_weak" {
		t.Errorf("the own name: %v", err)
	}
}

func TestHasher(t *testing.T) {
	defer func(m uint32) { hashMemory = m }(hashMemory)
	hashMemory = 19 * 1024
	h, err := newHasher()
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := h.hash(t.Context(), "노즐 온도 215도")
	if err != nil || !strings.HasPrefix(encoded, "$argon2id$v=19$m=19456,t=2,p=1$") || outdated(encoded) {
		t.Fatalf("hash %q, %v", encoded, err)
	}
	for password, want := range map[string]bool{"노즐 온도 215도": true, norm.NFD.String("노즐 온도 215도"): true, "노즐 온도 215": false, "": false} {
		if got, err := h.verify(t.Context(), encoded, password); got != want || err != nil {
			t.Errorf("%q: %v, %v", password, got, err)
		}
	}
	if got, err := h.verify(t.Context(), "", "anything"); got || err != nil {
		t.Errorf("nobody's hash: %v, %v", got, err)
	}
	if _, err := h.verify(t.Context(), "$argon2id$nonsense", "x"); err == nil {
		t.Error("a broken hash is accepted")
	}
	hashMemory = 64
	if !outdated(encoded) {
		t.Error("other parameters are not noticed")
	}
}

func TestHasher_RefusesWhenTheQueueIsFull(t *testing.T) {
	h, err := newHasher()
	if err != nil {
		t.Fatal(err)
	}
	for range cap(h.places) {
		h.places <- struct{}{}
	}
	if _, err := h.hash(t.Context(), "x"); problem.Code(err) != "busy" {
		t.Fatalf("got %v", err)
	}
}

func TestToken(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		token := newToken()
		if !isToken(token) || seen[token] {
			t.Fatalf("token %q", token)
		}
		seen[token] = true
		for i := range token {
			wrong := []byte(token)
			wrong[i] ^= 1
			if isToken(string(wrong)) {
				t.Fatalf("%q passes for %q", wrong, token)
			}
		}
	}
}

func FuzzIsToken(f *testing.F) {
	f.Add(newToken())
	f.Add("fct_")
	f.Add("fct_" + strings.Repeat("0", 36))
	f.Add("fcp_" + newSecret())
	f.Fuzz(func(t *testing.T, s string) {
		if !isToken(s) {
			return
		}
		if len(s) != len(TokenPrefix)+tokenRandom+tokenChecksum || !utf8.ValidString(s) || checksum(s[:len(s)-tokenChecksum]) != s[len(s)-tokenChecksum:] {
			t.Fatalf("%q passes", s)
		}
	})
}

func TestSetupCode(t *testing.T) {
	code := newSetupCode()
	if len(code) != 14 || tidySetupCode(strings.ToLower(strings.ReplaceAll(code, "-", " "))) != tidySetupCode(code) {
		t.Fatalf("code %q", code)
	}
}

func TestThrottle(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	th := throttle{free: 3, first: time.Second, longest: 8 * time.Second, forget: time.Hour, size: 2, now: func() time.Time { return now }}
	for range 3 {
		if wait := th.take("a"); wait != 0 {
			t.Fatalf("free try waits %v", wait)
		}
	}
	for _, want := range []time.Duration{1, 2, 4, 8, 8} {
		if wait := th.take("a"); wait != want*time.Second {
			t.Fatalf("wait %v, want %v", wait, want*time.Second)
		}
		if wait := th.take("a"); wait != want*time.Second {
			t.Fatal("asking again made the wait longer")
		}
		now = now.Add(want * time.Second)
		if wait := th.take("a"); wait != 0 {
			t.Fatalf("%v are left after the wait", wait)
		}
	}
	now = now.Add(2 * time.Hour)
	for range 2 {
		if th.take("a") != 0 {
			t.Fatal("a quiet key is not forgotten")
		}
	}
	th.giveBack("a")
	th.take("a")
	if th.take("a") != 0 {
		t.Fatal("a try given back still counts")
	}
	th.take("b")
	th.take("c") // a makes room
	if len(th.keys) != 2 || th.order.Len() != 2 || th.take("a") != 0 {
		t.Fatalf("%d keys kept", len(th.keys))
	}
	th.clear("nobody")
	th.giveBack("nobody")
}

func TestAddressKey(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:1:2:3::4": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "": "", "pipe": "pipe",
	} {
		if got := addressKey(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

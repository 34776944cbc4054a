package mail

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/store"
)

// postbox is a mail server. Set what it refuses before the first mail.
type postbox struct {
	address  string
	mails    chan string
	user     string // asks for a log-in when set
	password string

	mu      sync.Mutex
	refuse  map[string]error // by step: from, to, data
	refused int
}

func newPostbox(t *testing.T, change func(*postbox, *smtp.Server)) *postbox {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &postbox{address: l.Addr().String(), mails: make(chan string, 10), refuse: map[string]error{}}
	srv := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &visit{p: p}, nil }))
	srv.Domain, srv.AllowInsecureAuth = "localhost", true
	if change != nil {
		change(p, srv)
	}
	go srv.Serve(l) // ends with Close
	t.Cleanup(func() { srv.Close() })
	return p
}

func (p *postbox) setRefusal(step string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse[step] = err
}

func (p *postbox) refusal(step string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse[step] != nil {
		p.refused++
	}
	return p.refuse[step]
}

func (p *postbox) refusals() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refused
}

func (p *postbox) next(t *testing.T) string {
	t.Helper()
	select {
	case m := <-p.mails:
		return m
	case <-time.After(30 * time.Second):
		t.Fatal("no mail came")
		return ""
	}
}

type visit struct {
	p       *postbox
	allowed bool
}

func (v *visit) AuthMechanisms() []string { return []string{sasl.Plain} }

func (v *visit) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != v.p.user || password != v.p.password {
			return smtp.ErrAuthFailed
		}
		v.allowed = true
		return nil
	}), nil
}

func (v *visit) Mail(string, *smtp.MailOptions) error {
	if v.p.user != "" && !v.allowed {
		return smtp.ErrAuthRequired
	}
	return v.p.refusal("from")
}

func (v *visit) Rcpt(string, *smtp.RcptOptions) error { return v.p.refusal("to") }

func (v *visit) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err := errors.Join(err, v.p.refusal("data")); err != nil {
		return err
	}
	v.p.mails <- string(raw)
	return nil
}

func (v *visit) Reset()        {}
func (v *visit) Logout() error { return nil }

func newSender(t *testing.T, url string) *Sender {
	t.Helper()
	db, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s := &Sender{
		DB: db, SMTP: url, From: "FACTOR <factor@example.com>", PublicURL: "https://factor.example/",
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	if err := s.Initialize(); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *Sender) mustEnqueue(t *testing.T, m Mail) {
	t.Helper()
	err := s.DB.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error { return s.Enqueue(ctx, tx, m) })
	if err != nil {
		t.Fatal(err)
	}
}

func (s *Sender) waiting(t *testing.T) (n int) {
	t.Helper()
	if err := s.DB.Read.NewRaw("SELECT COUNT(*) FROM mails").Scan(t.Context(), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func verifyMail(to string) Mail {
	return Mail{Kind: KindVerify, To: to, Language: "ko", Data: map[string]string{"Link": "https://factor.example/verify?token=abc"}, ExpiresAt: time.Now().Add(time.Hour)}
}

func TestTexts_EveryKindInBothLanguages(t *testing.T) {
	s := newSender(t, "smtp://127.0.0.1:1")
	data := map[string]string{"Link": "https://factor.example/x?token=a&b", "InvitedBy": "Kim", "Workspace": "Lab", "NewEmail": "new@example.com"}
	if len(korean) != len(english) {
		t.Errorf("%d kinds in Korean, %d in English", len(korean), len(english))
	}
	for kind := range english {
		for _, language := range []string{"ko", "en", ""} {
			l, err := s.fill(Mail{Kind: kind, Language: language, Data: data})
			if err != nil || l.Subject == "" || l.Title == "" || len(l.Lines) == 0 || l.Footer == "" {
				t.Errorf("%s in %q: %+v, %v", kind, language, l, err)
			}
			if _, err := s.compose("id", Mail{Kind: kind, To: "kim@example.com", Language: language, Data: data}); err != nil {
				t.Errorf("%s in %q: %v", kind, language, err)
			}
		}
	}
	if _, err := s.fill(Mail{Kind: KindInvitation}); err == nil {
		t.Error("a text with missing data is sent")
	}
}

func TestCompose_WhatPeopleChooseStaysText(t *testing.T) {
	s := newSender(t, "smtp://127.0.0.1:1")
	msg, err := s.compose("id", Mail{Kind: KindMember, To: "kim@example.com", Data: map[string]string{
		"InvitedBy": "<script>alert(1)</script>\r\nBcc: all@example.com", "Workspace": "{{.Link}}", "Link": "https://factor.example/account",
	}})
	if err != nil {
		t.Fatal(err)
	}
	var raw bytes.Buffer
	if _, err := msg.WriteTo(&raw); err != nil {
		t.Fatal(err)
	}
	parsed, err := mail.ReadMessage(bytes.NewReader(raw.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if parsed.Header.Get("Bcc") != "" || parsed.Header.Get("Auto-Submitted") != "auto-generated" || !strings.HasSuffix(parsed.Header.Get("Message-Id"), "@example.com>") {
		t.Errorf("headers %v", parsed.Header)
	}
	html := raw.String()[strings.Index(raw.String(), "text/html"):]
	if strings.Contains(html, "<script>") || strings.Contains(raw.String(), "\nBcc:") {
		t.Errorf("injected: %s", raw.String())
	}
	for _, to := range []string{"kim@example.com\r\nBcc: x@y.z", "Kim <kim@example.com>", "kim@example.com, lee@example.com", ""} {
		if _, err := s.compose("id", Mail{Kind: KindTest, To: to}); err == nil {
			t.Errorf("a mail to %q is composed", to)
		}
	}
}

func TestRun_SendsOnceAndForgets(t *testing.T) {
	p := newPostbox(t, nil)
	s := newSender(t, "smtp://"+p.address)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	s.mustEnqueue(t, verifyMail("kim@example.com"))
	s.Wake()
	if got := p.next(t); !strings.Contains(got, "To: <kim@example.com>") {
		t.Errorf("got %s", got)
	}
	s.mustEnqueue(t, verifyMail("lee@example.com"))
	s.Wake()
	p.next(t) // so the first is done with
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := s.waiting(t); n != 0 || len(p.mails) != 0 {
		t.Errorf("%d waiting, %d more came", n, len(p.mails))
	}
}

func TestSendDue_RetriesUntilItIsOver(t *testing.T) {
	p := newPostbox(t, nil)
	s := newSender(t, "smtp://"+p.address)
	now := time.Now()
	s.Now = func() time.Time { return now }
	p.setRefusal("to", &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "try later"})
	s.mustEnqueue(t, verifyMail("kim@example.com"))
	for i, want := range []time.Duration{15 * time.Second, 30 * time.Second, time.Minute} {
		wait, err := s.sendDue(t.Context())
		if err != nil || wait > want || s.waiting(t) != 1 || p.refusals() != i+1 {
			t.Fatalf("wait %v, %v; %d refusals", wait, err, p.refusals())
		}
		now = now.Add(want - time.Second)
		if _, err := s.sendDue(t.Context()); err != nil || p.refusals() != i+1 {
			t.Fatalf("tried before its time, %v", err)
		}
		now = now.Add(time.Second)
	}
	p.setRefusal("to", nil)
	if _, err := s.sendDue(t.Context()); err != nil || s.waiting(t) != 0 {
		t.Fatalf("%d waiting, %v", s.waiting(t), err)
	}
	p.next(t)

	// What is over is not sent any more, and a recipient that does not exist is not tried again.
	s.mustEnqueue(t, verifyMail("late@example.com"))
	now = now.Add(2 * time.Hour)
	if _, err := s.sendDue(t.Context()); err != nil || s.waiting(t) != 0 || len(p.mails) != 0 {
		t.Fatalf("%d waiting, %d sent, %v", s.waiting(t), len(p.mails), err)
	}
	now = time.Now()
	p.setRefusal("to", &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"})
	s.mustEnqueue(t, verifyMail("gone@example.com"))
	if _, err := s.sendDue(t.Context()); err != nil || s.waiting(t) != 0 {
		t.Fatalf("%d waiting, %v", s.waiting(t), err)
	}
}

func TestTest_NamesTheStep(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	go func() {
		for {
			c, err := mute.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
			c.Close()
		}
	}()
	plain := newPostbox(t, nil)
	locked := newPostbox(t, func(p *postbox, _ *smtp.Server) { p.user, p.password = "factor", "right" })
	refusing := func(step string) *postbox {
		p := newPostbox(t, nil)
		p.setRefusal(step, &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "no"})
		return p
	}
	selfSigned := newPostbox(t, func(_ *postbox, srv *smtp.Server) {
		srv.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate(t)}}
	})
	for name, tc := range map[string]struct {
		url  string
		step Step
	}{
		"nobody there":         {"smtp://" + closed.Addr().String(), StepConnect},
		"no such host":         {"smtp://nothing.invalid:25", StepConnect},
		"not a mail server":    {"smtp://" + mute.Addr().String(), StepGreeting},
		"TLS to a plain port":  {"smtps://" + plain.address, StepTLS},
		"unknown certificate":  {"smtp://" + selfSigned.address, StepTLS},
		"wrong password":       {"smtp://factor:wr%2Fong@" + locked.address, StepLogin},
		"log-in not offered":   {"smtp://" + locked.address, StepSender},
		"sender refused":       {"smtp://" + refusing("from").address, StepSender},
		"recipient refused":    {"smtp://" + refusing("to").address, StepRecipient},
		"message refused":      {"smtp://" + refusing("data").address, StepMessage},
		"right":                {"smtp://" + plain.address, ""},
		"right, with password": {"smtp://factor:right@" + locked.address, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t, tc.url)
			err := s.Test(t.Context(), "ops@example.com", "ko")
			se := &SendError{}
			if errors.As(err, &se) != (tc.step != "") || se.Step != tc.step {
				t.Fatalf("step %q, want %q: %v", se.Step, tc.step, err)
			}
			if err != nil && strings.Contains(err.Error(), "wr/ong") {
				t.Error("the error shows the password")
			}
		})
	}
}

func TestCheck(t *testing.T) {
	p := newPostbox(t, func(p *postbox, _ *smtp.Server) { p.user, p.password = "factor", "right" })
	if err := newSender(t, "smtp://factor:right@"+p.address).Check(t.Context()); err != nil {
		t.Error(err)
	}
	if err := newSender(t, "smtp://factor:wrong@"+p.address).Check(t.Context()); err == nil {
		t.Error("a wrong password is right")
	}
	if len(p.mails) != 0 {
		t.Error("a mail was sent")
	}
}

// A password does not travel to another machine in the clear, whatever the server there offers.
func TestServer_PasswordNeedsTLS(t *testing.T) {
	srv, err := parseServer("smtp://factor:secret@mail.example:587")
	if err != nil {
		t.Fatal(err)
	}
	c, err := srv.client()
	if err != nil || c.TLSPolicy() != "TLSMandatory" {
		t.Errorf("policy %s, %v", c.TLSPolicy(), err)
	}
	srv, err = parseServer("smtp://relay.lan:25")
	if err != nil {
		t.Fatal(err)
	}
	if c, err = srv.client(); err != nil || c.TLSPolicy() != "TLSOpportunistic" {
		t.Errorf("policy %s, %v", c.TLSPolicy(), err)
	}
}

func TestInitialize_NamesTheSettingAndHidesThePassword(t *testing.T) {
	for url, from := range map[string]string{
		"http://u:secret@h": "a@b.c", "smtp://": "a@b.c", "smtp://u:secret@h:99999": "a@b.c", "smtp://u:sec%ret@h": "a@b.c", "smtp://u:secret@h": "", "smtps://u:secret@h": "nobody",
	} {
		s := &Sender{SMTP: url, From: from}
		err := s.Initialize()
		if err == nil || !(strings.HasPrefix(err.Error(), "smtp: ") || strings.HasPrefix(err.Error(), "mail-from: ")) {
			t.Errorf("%s: %v", url, err)
		}
		if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "sec%ret")) {
			t.Errorf("%s: the error shows the password", url)
		}
	}
	s := &Sender{SMTP: "smtps://u:p@mail.example", From: "a@b.c"}
	if err := s.Initialize(); err != nil || s.Host() != "mail.example:465" || s.CanLink() {
		t.Errorf("%v, host %s", err, s.Host())
	}
	off := &Sender{}
	if err := off.Initialize(); err != nil || off.Configured() || off.Host() != "" {
		t.Errorf("without mail: %v", err)
	}
}

func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

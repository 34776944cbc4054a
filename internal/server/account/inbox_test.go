package account_test

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// inbox is a mail server that keeps what it gets.
type inbox struct {
	t        *testing.T
	listener net.Listener
	mails    chan received
}

type received struct {
	to, subject, text, html string
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	i := &inbox{t: t, listener: l, mails: make(chan received, 100)}
	srv := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &delivery{inbox: i}, nil }))
	srv.Domain = "localhost"
	go srv.Serve(l) // ends with Close
	t.Cleanup(func() { srv.Close() })
	return i
}

func (i *inbox) url() string { return "smtp://" + i.listener.Addr().String() }

// next waits for a mail to an address and fails when one to somebody else comes first.
func (i *inbox) next(to string) received {
	i.t.Helper()
	select {
	case r := <-i.mails:
		if r.to != to {
			i.t.Fatalf("mail to %s (%s), want one to %s", r.to, r.subject, to)
		}
		return r
	case <-time.After(30 * time.Second):
		i.t.Fatalf("no mail to %s", to)
	}
	return received{}
}

var linkPattern = regexp.MustCompile(`https://factor\.example/\S+`)

// token gives the token of the link in a mail.
func (r received) token(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(linkPattern.FindString(r.text))
	if err != nil || u.Query().Get("token") == "" {
		t.Fatalf("no link with a token in %q", r.text)
	}
	return u.Query().Get("token")
}

type delivery struct {
	inbox *inbox
	to    string
}

func (d *delivery) Mail(string, *smtp.MailOptions) error { return nil }

func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error {
	d.to = to
	return nil
}

func (d *delivery) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	got, err := parseMail(raw)
	if err != nil {
		return &smtp.SMTPError{Code: 554, Message: err.Error()}
	}
	got.to = d.to
	d.inbox.mails <- got
	return nil
}

func (d *delivery) Reset()        {}
func (d *delivery) Logout() error { return nil }

func parseMail(raw []byte) (received, error) {
	msg, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return received{}, err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	if err != nil {
		return received{}, err
	}
	got := received{subject: subject}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		return received{}, fmt.Errorf("content type %q: %v", kind, err)
	}
	parts := multipart.NewReader(msg.Body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if err == io.EOF {
			return got, nil
		}
		if err != nil {
			return received{}, err
		}
		body, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			return received{}, err
		}
		if strings.HasPrefix(p.Header.Get("Content-Type"), "text/html") {
			got.html = string(body)
		} else {
			got.text = string(body)
		}
	}
}

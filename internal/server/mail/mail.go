// Package mail sends what FACTOR has to tell people by e-mail. A mail is written into the database together with
// the change that causes it and goes out from there, tried again while the mail server is away.
package mail

import (
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kangbyounggwan/factor/internal/server/store"
)

// Sender is the way out. Set the fields before Initialize.
type Sender struct {
	DB        *store.DB // may be nil where only Check and Test are used
	SMTP      string    // smtp(s)://user:pass@host:port; "" turns mail off
	From      string    // address or "Name <address>"; needed with SMTP
	PublicURL string    // where links lead; "" means that no link is mailed
	Logger    *slog.Logger
	Metrics   prometheus.Registerer // nil: none
	Now       func() time.Time      // nil: time.Now

	server server
	from   mail.Address
	wake   chan struct{}
	sent   *prometheus.CounterVec
}

// Initialize checks the settings. Its errors name the setting and show no password.
func (s *Sender) Initialize() error {
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.Logger == nil {
		s.Logger = slog.Default()
	}
	s.PublicURL = strings.TrimRight(s.PublicURL, "/")
	s.wake = make(chan struct{}, 1)
	s.sent = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "factor_mails_total", Help: "Mails by what became of them: sent, retry, refused, expired.",
	}, []string{"result"})
	if s.Metrics != nil {
		if err := s.Metrics.Register(s.sent); err != nil {
			return fmt.Errorf("mail: %w", err)
		}
	}
	if s.SMTP == "" {
		return nil
	}
	var err error
	if s.server, err = parseServer(s.SMTP); err != nil {
		return err
	}
	if s.From == "" {
		return errors.New("mail-from: needed together with smtp, such as factor@example.com")
	}
	from, err := mail.ParseAddress(s.From)
	if err != nil {
		return errors.New("mail-from: not an e-mail address")
	}
	s.from = *from
	return nil
}

// Configured tells whether there is a mail server.
func (s *Sender) Configured() bool { return s != nil && s.SMTP != "" }

// CanLink tells whether links can be mailed: there is a mail server and a public URL. The address of a request is
// never used for one, since whoever sends the request may choose it.
func (s *Sender) CanLink() bool { return s.Configured() && s.PublicURL != "" }

// Host gives the mail server's host name and port, without user and password; "" without one.
func (s *Sender) Host() string {
	if !s.Configured() {
		return ""
	}
	return fmt.Sprintf("%s:%d", s.server.host, s.server.port)
}

// Package mail sends what FACTOR has to tell people by e-mail. A mail is written into the database together with
// the change that causes it and goes out from there, tried again while the mail server is away.
package mail

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kangbyounggwan/factor/internal/server/store"
)

// Sender is the way out. Set the fields before Initialize.
type Sender struct {
	DB        *store.DB // may be nil for Check and Test alone
	SMTP      string    // smtp(s)://user:pass@host:port; "" turns mail off
	From      string    // address or "Name <address>"; "" is factor@ the SMTP host
	PublicURL string    // where links lead; "" means that no link is mailed
	Logger    *slog.Logger
	Metrics   prometheus.Registerer // nil: none
	Now       func() time.Time      // nil: time.Now
}

var errSoon = errors.New("not written yet")

// Initialize checks the settings. Its errors name the setting and show no password.
func (s *Sender) Initialize() error { return errSoon }

// Run sends what waits until ctx ends.
func (s *Sender) Run(ctx context.Context) error { return errSoon }

// Configured tells whether there is a mail server.
func (s *Sender) Configured() bool { return s.SMTP != "" }

// CanLink tells whether links can be mailed: there is a mail server and a public URL.
func (s *Sender) CanLink() bool { return s.Configured() && s.PublicURL != "" }

// Host gives the mail server's host name and port, without user and password.
func (s *Sender) Host() string { return "" }

// Test sends a mail to the address at once and waits for the mail server's word. Errors: *SendError with the step.
func (s *Sender) Test(ctx context.Context, to, language string) error { return errSoon }

// Check connects and logs in to the mail server and sends nothing. Errors: *SendError with the step.
func (s *Sender) Check(ctx context.Context) error { return errSoon }

// Register adds the administrator's test call to api.
func (s *Sender) Register(api huma.API) {}

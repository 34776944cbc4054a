// Package account is who a person is to FACTOR: sign-up, the proof of an e-mail address, log-in, sessions, API
// tokens, and the end of all of it. What a person may do with printers is package workspace's.
//
// Nothing here tells whether an e-mail address has an account: answers, and the work done for them, are the same
// either way, and what there is to say goes by mail to the address itself.
package account

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/mail"
	"github.com/kangbyounggwan/factor/internal/server/store"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// Names that the web server and scripts rely on.
const (
	SessionCookie = "factor_session"
	DeviceCookie  = "factor_device" // says that this browser has signed in to an account before
	TokenPrefix   = "fct_"          // API tokens
	PluginPrefix  = "fcp_"          // access tokens of plugins
)

// User is an account as its owner sees it.
type User struct {
	ID           string       `json:"id"`
	Email        string       `json:"email"`
	PendingEmail string       `json:"pending_email,omitempty" doc:"An address that waits for its confirmation"`
	Name         string       `json:"name"`
	Language     string       `json:"language" enum:"ko,en"`
	TimeZone     string       `json:"time_zone" doc:"IANA name" example:"Asia/Seoul"`
	Admin        bool         `json:"admin" doc:"May administer the server"`
	CreatedAt    time.Time    `json:"created_at"`
	Workspace    WorkspaceRef `json:"workspace" doc:"The personal workspace"`
}

// WorkspaceRef names a workspace.
type WorkspaceRef struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Service is the accounts. Set the fields before Initialize and leave them alone afterwards.
type Service struct {
	DB         *store.DB
	Bus        *bus.Bus
	Workspaces *workspace.Service
	Audit      *audit.Log
	Mail       *mail.Sender
	Logger     *slog.Logger
	Metrics    prometheus.Registerer // nil: none
	PublicURL  string                // where links of invitations lead; "" leaves them relative
	Now        func() time.Time      // nil: time.Now

	// OnDelete removes what other parts keep for a user and his workspaces, in the transaction that deletes him.
	OnDelete []func(ctx context.Context, tx bun.Tx, userID string, workspaceIDs []string) error
	// Deleted is called after that transaction is on disk.
	Deleted []func(userID string, workspaceIDs []string)
	// Disabled is called after an account was disabled or enabled, with the workspaces whose devices that concerns.
	Disabled func(ctx context.Context, workspaceIDs []string, disabled bool) error

	hasher *hasher
	logins *prometheus.CounterVec
	slow   throttles
	uses   uses

	// in: what is done after the answer has gone out, so that its time tells nothing
	tasks chan func(context.Context)

	setupMu   sync.Mutex // guards setupCode
	setupCode string
}

// throttles is who tries what too often. The waits are what an attacker costs us at most, not more than a person who
// mistypes would notice.
type throttles struct {
	account  throttle // wrong passwords for an account from where it was never signed in to
	address  throttle // wrong passwords from an address, for any account
	known    throttle // wrong passwords for an account from where it was signed in to before
	reauth   throttle // wrong passwords by somebody signed in
	code     throttle // wrong set-up codes of the server and invitations from an address
	setup    throttle // wrong set-up codes of plugins from an address
	signup   throttle // sign-ups from an address
	mailTo   throttle // mails to one recipient
	mailFrom throttle // mails asked for from an address
}

// Initialize readies the service and makes itself known to the workspaces. It fails when a field is missing.
func (s *Service) Initialize() error {
	if s.DB == nil || s.Bus == nil || s.Workspaces == nil || s.Audit == nil || s.Mail == nil {
		return errors.New("account: DB, Bus, Workspaces, Audit and Mail are needed")
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.Logger == nil {
		s.Logger = slog.Default()
	}
	s.PublicURL = strings.TrimRight(s.PublicURL, "/")
	var err error
	if s.hasher, err = newHasher(); err != nil {
		return err
	}
	s.logins = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "factor_logins_total", Help: "Log-ins by result."}, []string{"result"})
	if s.Metrics != nil {
		if err := s.Metrics.Register(s.logins); err != nil {
			return err
		}
	}
	s.tasks = make(chan func(context.Context), 256)
	s.slow = throttles{
		account:  throttle{free: 10, first: time.Second, longest: time.Minute, forget: time.Hour},
		address:  throttle{free: 30, first: time.Second, longest: 15 * time.Minute, forget: time.Hour},
		known:    throttle{free: 10, first: time.Second, longest: 5 * time.Minute, forget: time.Hour},
		reauth:   throttle{free: 10, first: time.Second, longest: 15 * time.Minute, forget: time.Hour},
		code:     throttle{free: 10, first: time.Second, longest: 15 * time.Minute, forget: time.Hour},
		setup:    throttle{free: 10, first: time.Second, longest: 15 * time.Minute, forget: time.Hour},
		signup:   throttle{free: 40, first: time.Minute, longest: time.Minute, forget: time.Hour},
		mailTo:   throttle{free: 5, first: 10 * time.Minute, longest: 10 * time.Minute, forget: time.Hour},
		mailFrom: throttle{free: 40, first: time.Minute, longest: time.Minute, forget: time.Hour},
	}
	for _, t := range []*throttle{
		&s.slow.account, &s.slow.address, &s.slow.known, &s.slow.reauth, &s.slow.code, &s.slow.setup,
		&s.slow.signup, &s.slow.mailTo, &s.slow.mailFrom,
	} {
		t.size, t.now = 10_000, s.Now
	}
	s.Workspaces.People = s
	s.Workspaces.OnInvite = s.mailMemberInvite
	return nil
}

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
	DeviceCookie  = "factor_device" // says that this browser has signed in to the account before
	TokenPrefix   = "fct_"          // API tokens
	PluginPrefix  = "fcp_"          // access tokens of the 1.x plugin
)

// User is an account as its owner and the administrator see it.
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

// SignupMode says how a new account comes to be at this moment.
type SignupMode string

// The ways to a new account.
const (
	SignupSetup      SignupMode = "setup"      // nobody is here yet: the set-up code makes the administrator
	SignupOpen       SignupMode = "open"       // anybody, by a mailed link
	SignupInvitation SignupMode = "invitation" // only with an invitation link of the administrator
)

// Origin is where a request comes from. The web server finds it out (trusted proxies included) and puts it into the
// context of every request, signed in or not.
type Origin struct {
	Address   string // IP address without port
	UserAgent string
	Secure    bool   // the browser came by HTTPS, so cookies are for HTTPS only
	Language  string // ko or en, from Accept-Language; "" unknown
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
}

var errSoon = errors.New("not written yet")

// Initialize readies the service. It fails when a field is missing.
func (s *Service) Initialize() error { return errSoon }

// Run keeps the service tidy until ctx ends: last uses written, expired things ended, requests for mails done.
func (s *Service) Run(ctx context.Context) error { return errSoon }

// SetupCode gives the code that makes the first account, or "" when there is an account already. It is made anew by
// each process and kept in memory only.
func (s *Service) SetupCode(ctx context.Context) (string, error) { return "", errSoon }

// SetupRequired tells whether nobody has an account yet.
func (s *Service) SetupRequired(ctx context.Context) (bool, error) { return false, errSoon }

// SignupMode tells how one gets an account now.
func (s *Service) SignupMode(ctx context.Context) (SignupMode, error) { return "", errSoon }

// Count gives the number of accounts.
func (s *Service) Count(ctx context.Context) (int, error) { return 0, errSoon }

// SessionActor tells who a session cookie belongs to. Errors: ErrNotSignedIn for one that is unknown or over.
func (s *Service) SessionActor(ctx context.Context, cookie, address, userAgent string) (workspace.Actor, error) {
	return workspace.Actor{}, errSoon
}

// TokenActor tells who a bearer token belongs to: an API token (fct_…) or the 1.x plugin's access token (fcp_…,
// Via plugin). Errors: ErrNotSignedIn for one that is unknown, wrongly copied or over.
func (s *Service) TokenActor(ctx context.Context, bearer, address string) (workspace.Actor, error) {
	return workspace.Actor{}, errSoon
}

// PluginLogin is what the 1.x plugin gets for an e-mail address and a password.
type PluginLogin struct {
	AccessToken string // good for 1 h and the plugin's own calls only
	ExpiresIn   time.Duration
	User        User
}

// LoginPlugin signs the 1.x plugin in. Errors as a log-in by the page.
func (s *Service) LoginPlugin(ctx context.Context, email, password string) (PluginLogin, error) {
	return PluginLogin{}, errSoon
}

// AddUser makes a verified account, for the command line. It works while a server runs on the same folder.
// Errors: problems email_invalid, name_invalid, password_weak, email_taken.
func (s *Service) AddUser(ctx context.Context, email, name, password string, admin bool) (User, error) {
	return User{}, errSoon
}

// AddToken makes an API token for the account with that e-mail address and returns it in full, for the command
// line. A nil expires never ends. Errors: problems not_found, name_invalid, expires_invalid, too_many.
func (s *Service) AddToken(ctx context.Context, email, name string, expires *time.Time) (string, error) {
	return "", errSoon
}

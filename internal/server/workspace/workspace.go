// Package workspace is who belongs to what with which role. A workspace owns printers, files and presets; everyone
// has a personal one. Its one question is Can: may this actor do that to this printer?
package workspace

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/store"
)

// Workspace is one of those that somebody may see, with his role in it.
type Workspace struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Role     Role   `json:"role" enum:"owner,operator,viewer"`
	Personal bool   `json:"personal" doc:"It is the account's own and ends with it"`
}

// Person is an account, as far as a workspace needs to know it.
type Person struct {
	ID, Email, Name, Language string
}

// People finds accounts. The account service is one.
type People interface {
	// EmailKey gives the form of an address in which addresses are compared. Errors: problem email_invalid.
	EmailKey(email string) (string, error)
	// PeopleByID gives the accounts that exist of ids.
	PeopleByID(ctx context.Context, ids []string) (map[string]Person, error)
}

// Change is what was done to a workspace or its members.
type Change struct {
	WorkspaceID, WorkspaceName string
	Action                     string // member.invite, member.uninvite, member.join, member.role, member.remove, workspace.rename
	PersonID, PersonName       string // PersonName is the address where the person is only invited
	Role                       Role
}

// Invite is somebody asked to join a workspace.
type Invite struct {
	Email, EmailKey string
	WorkspaceName   string
	InvitedBy       string // name
	Role            Role
	ExpiresAt       time.Time
}

// Service is the workspaces. Set the fields before Initialize.
type Service struct {
	DB     *store.DB
	Bus    *bus.Bus
	Logger *slog.Logger
	Now    func() time.Time // nil: time.Now

	// People is set by the account service.
	People People
	// OnChange is called within the transaction of each change: audit.Log.WorkspaceChanged.
	OnChange func(ctx context.Context, tx bun.IDB, c Change) error
	// OnInvite is called within the transaction of an invitation, to mail it. The account service sets it.
	OnInvite func(ctx context.Context, tx bun.Tx, in Invite) error

	roles roleCache
}

// Initialize readies the service.
func (s *Service) Initialize() error {
	if s.DB == nil || s.Bus == nil {
		return errors.New("workspace: DB and Bus are needed")
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.Logger == nil {
		s.Logger = slog.Default()
	}
	s.roles.now = s.Now
	return nil
}

func (s *Service) changed(ctx context.Context, tx bun.IDB, c Change) error {
	if s.OnChange == nil {
		return nil
	}
	return s.OnChange(ctx, tx, c)
}

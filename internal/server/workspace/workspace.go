// Package workspace is who belongs to what with which role. A workspace owns printers, files and presets; everyone
// has a personal one. Its one question is Can: may this actor do that to this printer?
package workspace

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/danielgtaylor/huma/v2"
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
	// PersonByKey gives the account of an e-mail key; false when there is none.
	PersonByKey(ctx context.Context, key string) (Person, bool, error)
}

// Change is what was done to a workspace or its members.
type Change struct {
	WorkspaceID, WorkspaceName string
	Action                     string // member.invite, member.join, member.role, member.remove, workspace.rename
	PersonID, PersonName       string
	Role                       Role
}

// Service is the workspaces. Set the fields before Initialize.
type Service struct {
	DB     *store.DB
	Bus    *bus.Bus
	Logger *slog.Logger
	People People
	// OnChange is called within the transaction of each change: audit.Log.WorkspaceChanged.
	OnChange func(ctx context.Context, tx bun.IDB, c Change) error
	Now      func() time.Time // nil: time.Now
}

var errSoon = errors.New("not written yet")

// Initialize readies the service.
func (s *Service) Initialize() error { return errSoon }

// Can answers whether actor may do action to target: nil, the problem not_found when he may not know that it
// exists, or not_allowed when he may see it but not do that. Being administrator of the server gives no right here
// but server.admin.
func (s *Service) Can(ctx context.Context, actor Actor, action Action, target Target) error { return errSoon }

// Role gives the role of a user in a workspace, "" when he has none.
func (s *Service) Role(ctx context.Context, userID, workspaceID string) (Role, error) { return "", errSoon }

// VisibleWorkspaces gives the workspaces that actor may see, his own first.
func (s *Service) VisibleWorkspaces(ctx context.Context, actor Actor) ([]Workspace, error) { return nil, errSoon }

// Personal gives the workspace that a user has of his own.
func (s *Service) Personal(ctx context.Context, userID string) (Workspace, error) { return Workspace{}, errSoon }

// Members gives the ids of all users who may see a workspace: to whom a change of it is news.
func (s *Service) Members(ctx context.Context, workspaceID string) ([]string, error) { return nil, errSoon }

// CreatePersonal makes the workspace of a new account, in the transaction that makes the account.
func (s *Service) CreatePersonal(ctx context.Context, tx bun.Tx, userID, name string) (Workspace, error) {
	return Workspace{}, errSoon
}

// Register adds the calls under /api/v1 to api.
func (s *Service) Register(api huma.API) {}

package workspace

import (
	"context"
	"net/http"

	"github.com/kangbyounggwan/factor/internal/server/problem"
)

// Role is what a member may do in a workspace.
type Role string

// The roles, from most to least.
const (
	RoleOwner    Role = "owner"    // everything, members included
	RoleOperator Role = "operator" // control printers
	RoleViewer   Role = "viewer"   // look
)

// Action is something that needs a right.
type Action string

// The actions. Each belongs to the least role that may do it, see leastRole.
const (
	PrinterView    Action = "printer.view"
	PrinterControl Action = "printer.control"
	PrinterEdit    Action = "printer.edit"
	PrinterCreate  Action = "printer.create"
	PrinterEnrol   Action = "printer.enrol" // give its device a token, as after a reinstall
	PrinterRemove  Action = "printer.remove"
	WorkspaceView  Action = "workspace.view"
	WorkspaceEdit  Action = "workspace.edit"
	FileView       Action = "file.view"
	FileEdit       Action = "file.edit"    // upload, rename, move, and delete one's own
	FileRemove     Action = "file.remove"  // delete others'
	ServerAdmin    Action = "server.admin" // not a role's: the account must be an administrator's
)

// Target is what an action is done to.
type Target struct {
	WorkspaceID string
	PrinterID   string // for audit and messages; the right hangs on the workspace
}

// rank orders the roles; no role is 0.
var rank = map[Role]int{RoleViewer: 1, RoleOperator: 2, RoleOwner: 3}

// leastRole is who may do what. An action that is not here is nobody's.
var leastRole = map[Action]Role{
	PrinterView:    RoleViewer,
	PrinterControl: RoleOperator,
	PrinterEdit:    RoleOwner,
	PrinterCreate:  RoleOwner,
	PrinterEnrol:   RoleOwner,
	PrinterRemove:  RoleOwner,
	WorkspaceView:  RoleViewer,
	WorkspaceEdit:  RoleOwner,
	FileView:       RoleViewer,
	FileEdit:       RoleOperator,
	FileRemove:     RoleOwner,
}

var (
	errNotAdmin   = problem.New(http.StatusForbidden, "not_allowed", "Only an administrator of this server may do that.")
	errPluginOnly = problem.New(http.StatusForbidden, "not_allowed", "This access token is good for the plugin's own calls only.")
)

// Can answers whether actor may do action to target: nil, the problem not_signed_in, not_found when he may not know
// that the target exists, or not_allowed when he may see it but not do that. Being administrator of the server gives
// the right to server.admin and to no printer of other people. The server itself (ViaSystem) may do everything.
func (s *Service) Can(ctx context.Context, actor Actor, action Action, target Target) error {
	if actor.Via == ViaSystem {
		return nil
	}
	if !actor.SignedIn() || actor.Via == ViaDevice {
		return problem.ErrNotSignedIn
	}
	if action == ServerAdmin {
		return canAdmin(actor)
	}
	role, err := s.Role(ctx, actor.UserID, target.WorkspaceID)
	if err != nil {
		return err
	}
	if role == "" {
		return notFound(target)
	}
	if actor.Via == ViaPlugin && !pluginMay(actor, action, target) {
		return errPluginOnly
	}
	least, known := leastRole[action]
	if !known || rank[role] < rank[least] {
		return problem.ErrNotAllowed
	}
	return nil
}

// RequireAdmin gives the actor of ctx when he may administer the server. Errors: not_signed_in, not_allowed.
func RequireAdmin(ctx context.Context) (Actor, error) {
	a, err := RequireUser(ctx)
	if err != nil {
		return a, err
	}
	return a, canAdmin(a)
}

// RequireAccount gives the actor of ctx when there is an account behind it: a person, or a plugin by its access token.
// What the plugin may do there is for Can to say. Errors: not_signed_in.
func RequireAccount(ctx context.Context) (Actor, error) {
	a, ok := ActorFrom(ctx)
	if !ok || a.Via == ViaDevice {
		return a, problem.ErrNotSignedIn
	}
	return a, nil
}

// RequireUser gives the actor of ctx when he is signed in as a person with all his rights: not by a plugin's access
// token. Errors: not_signed_in, not_allowed.
func RequireUser(ctx context.Context) (Actor, error) {
	a, err := RequireAccount(ctx)
	if err != nil {
		return a, err
	}
	if a.Via == ViaPlugin {
		return a, errPluginOnly
	}
	return a, nil
}

func canAdmin(a Actor) error {
	if a.Via == ViaPlugin || !a.Admin {
		return errNotAdmin
	}
	return nil
}

// pluginMay: a plugin lists its account's printers and registers one. It never opens a single one. With a code it may
// also take the place of a printer's device, which is what the code is good for then.
func pluginMay(actor Actor, action Action, target Target) bool {
	switch action {
	case PrinterCreate, WorkspaceView:
		return true
	case PrinterEnrol:
		return actor.Once
	case PrinterView:
		return target.PrinterID == ""
	}
	return false
}

func notFound(target Target) error {
	if target.PrinterID != "" {
		return problem.NotFound("printer")
	}
	return problem.NotFound("workspace")
}

package workspace

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
	PrinterRemove  Action = "printer.remove"
	WorkspaceView  Action = "workspace.view"
	WorkspaceEdit  Action = "workspace.edit"
	ServerAdmin    Action = "server.admin" // not a role's: the account must be an administrator's
)

// Target is what an action is done to.
type Target struct {
	WorkspaceID string
	PrinterID   string // for audit and messages; the right hangs on the workspace
}

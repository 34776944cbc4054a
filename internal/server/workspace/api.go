package workspace

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Register adds the calls under /api/v1 to api.
func (s *Service) Register(api huma.API) {
	huma.Register(api, op("list-workspaces", http.MethodGet, "/api/v1/workspaces", "user",
		"The workspaces that you may see, your own first"), s.apiList)
	huma.Register(api, op("rename-workspace", http.MethodPatch, "/api/v1/workspaces/{id}", "member",
		"Give a workspace another name"), s.apiRename)
	huma.Register(api, op("list-members", http.MethodGet, "/api/v1/workspaces/{id}/members", "member",
		"Who belongs to a workspace, and for owners who was asked to"), s.apiMembers)
	huma.Register(api, accepted(op("invite-member", http.MethodPost, "/api/v1/workspaces/{id}/members", "member",
		"Ask the holder of an e-mail address to join. The answer is the same whether or not there is such an account; "+
			"the one asked answers with POST /me/invitations/{id}/accept")), s.apiInvite)
	huma.Register(api, op("set-member-role", http.MethodPatch, "/api/v1/workspaces/{id}/members/{user_id}", "member",
		"Give a member another role"), s.apiSetRole)
	huma.Register(api, op("remove-member", http.MethodDelete, "/api/v1/workspaces/{id}/members/{user_id}", "member",
		"End a membership; anybody may end his own"), s.apiRemove)
	huma.Register(api, op("withdraw-member-invitation", http.MethodDelete, "/api/v1/workspaces/{id}/invitations/{invitation_id}", "member",
		"Take an invitation to join back"), s.apiWithdraw)
	huma.Register(api, op("list-received-invitations", http.MethodGet, "/api/v1/me/invitations", "user",
		"The workspaces that you are asked to join"), s.apiReceived)
	huma.Register(api, op("accept-invitation", http.MethodPost, "/api/v1/me/invitations/{id}/accept", "user",
		"Join a workspace"), s.apiAccept)
	huma.Register(api, op("decline-invitation", http.MethodDelete, "/api/v1/me/invitations/{id}", "user",
		"Do not join a workspace"), s.apiDecline)
}

func op(id, method, path, access, summary string) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"Workspaces"},
		Security: []map[string][]string{{"session": {}}, {"token": {}}},
		Metadata: map[string]any{"access": access}, MaxBodyBytes: 16 << 10,
	}
}

func accepted(o huma.Operation) huma.Operation {
	o.DefaultStatus = http.StatusAccepted
	return o
}

type workspacePath struct {
	ID string `path:"id" maxLength:"64"`
}

type memberPath struct {
	ID     string `path:"id" maxLength:"64"`
	UserID string `path:"user_id" maxLength:"64"`
}

type workspaceList struct {
	Body struct {
		Items []Workspace `json:"items"`
	}
}

func (s *Service) apiList(ctx context.Context, _ *struct{}) (*workspaceList, error) {
	actor, err := RequireUser(ctx)
	if err != nil {
		return nil, err
	}
	out := &workspaceList{}
	out.Body.Items, err = s.VisibleWorkspaces(ctx, actor)
	return out, err
}

func (s *Service) apiRename(ctx context.Context, in *struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Name string `json:"name" maxLength:"200"`
	}
}) (*struct{ Body Workspace }, error) {
	actor, err := s.require(ctx, WorkspaceEdit, in.ID)
	if err != nil {
		return nil, err
	}
	name, err := TidyName("name", in.Body.Name)
	if err != nil {
		return nil, err
	}
	if err := s.Rename(ctx, in.ID, name); err != nil {
		return nil, err
	}
	out := &struct{ Body Workspace }{Workspace{ID: in.ID, Name: name}}
	mine, err := s.VisibleWorkspaces(ctx, actor)
	for _, w := range mine {
		if w.ID == in.ID {
			out.Body = w
		}
	}
	return out, err
}

type memberList struct {
	Body struct {
		Items   []Member         `json:"items"`
		Invited []OpenInvitation `json:"invited" doc:"Who was asked and has not answered. Empty for others than owners"`
	}
}

func (s *Service) apiMembers(ctx context.Context, in *workspacePath) (*memberList, error) {
	actor, err := s.require(ctx, WorkspaceView, in.ID)
	if err != nil {
		return nil, err
	}
	owner := s.Can(ctx, actor, WorkspaceEdit, Target{WorkspaceID: in.ID}) == nil
	out := &memberList{}
	out.Body.Invited = []OpenInvitation{}
	if out.Body.Items, err = s.ListMembers(ctx, in.ID, owner); err != nil {
		return nil, err
	}
	if owner {
		out.Body.Invited, err = s.ListInvitations(ctx, in.ID)
	}
	return out, err
}

func (s *Service) apiInvite(ctx context.Context, in *struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Email string `json:"email" maxLength:"320"`
		Role  Role   `json:"role" enum:"owner,operator,viewer"`
	}
}) (*struct{}, error) {
	actor, err := s.require(ctx, WorkspaceEdit, in.ID)
	if err != nil {
		return nil, err
	}
	return nil, s.Invite(ctx, actor, in.ID, in.Body.Email, in.Body.Role)
}

func (s *Service) apiSetRole(ctx context.Context, in *struct {
	ID     string `path:"id" maxLength:"64"`
	UserID string `path:"user_id" maxLength:"64"`
	Body   struct {
		Role Role `json:"role" enum:"owner,operator,viewer"`
	}
}) (*struct{}, error) {
	if _, err := s.require(ctx, WorkspaceEdit, in.ID); err != nil {
		return nil, err
	}
	return nil, s.SetRole(ctx, in.ID, in.UserID, in.Body.Role)
}

func (s *Service) apiRemove(ctx context.Context, in *memberPath) (*struct{}, error) {
	actor, err := s.require(ctx, WorkspaceView, in.ID)
	if err != nil {
		return nil, err
	}
	if in.UserID != actor.UserID {
		if _, err := s.require(ctx, WorkspaceEdit, in.ID); err != nil {
			return nil, err
		}
	}
	return nil, s.RemoveMember(ctx, in.ID, in.UserID)
}

func (s *Service) apiWithdraw(ctx context.Context, in *struct {
	ID           string `path:"id" maxLength:"64"`
	InvitationID string `path:"invitation_id" maxLength:"64"`
}) (*struct{}, error) {
	if _, err := s.require(ctx, WorkspaceEdit, in.ID); err != nil {
		return nil, err
	}
	return nil, s.Withdraw(ctx, in.ID, in.InvitationID)
}

type receivedList struct {
	Body struct {
		Items []Received `json:"items"`
	}
}

func (s *Service) apiReceived(ctx context.Context, _ *struct{}) (*receivedList, error) {
	actor, err := RequireUser(ctx)
	if err != nil {
		return nil, err
	}
	out := &receivedList{}
	out.Body.Items, err = s.ReceivedBy(ctx, actor.UserID)
	return out, err
}

func (s *Service) apiAccept(ctx context.Context, in *workspacePath) (*struct{}, error) {
	actor, err := RequireUser(ctx)
	if err != nil {
		return nil, err
	}
	return nil, s.Accept(ctx, actor, in.ID)
}

func (s *Service) apiDecline(ctx context.Context, in *workspacePath) (*struct{}, error) {
	actor, err := RequireUser(ctx)
	if err != nil {
		return nil, err
	}
	return nil, s.Decline(ctx, actor.UserID, in.ID)
}

// require gives the signed-in person when he may do action in the workspace.
func (s *Service) require(ctx context.Context, action Action, workspaceID string) (Actor, error) {
	actor, err := RequireUser(ctx)
	if err != nil {
		return actor, err
	}
	return actor, s.Can(ctx, actor, action, Target{WorkspaceID: workspaceID})
}

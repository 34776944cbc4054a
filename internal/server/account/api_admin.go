package account

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

func (s *Service) registerAdmin(api huma.API) {
	huma.Register(api, op(http.MethodGet, "/admin/users", "list-users", forAdmin, "Accounts, oldest first"), s.apiUsers)
	huma.Register(api, describe(op(http.MethodPatch, "/admin/users/{id}", "set-user", forAdmin, "Make an account an administrator's, disable or enable it"),
		"Its open connections end. Problems: own_account (409), last_admin (409)."), s.apiSetUser)
	huma.Register(api, op(http.MethodDelete, "/admin/users/{id}", "delete-user", forAdmin, "Delete an account with everything it owns"), s.apiDeleteUser)
	huma.Register(api, op(http.MethodGet, "/admin/invitations", "list-invitations", forAdmin, "Open invitations"), s.apiInvitations)
	huma.Register(api, describe(status(op(http.MethodPost, "/admin/invitations", "create-invitation", forAdmin, "Invite somebody"), http.StatusCreated),
		"The link works once, for 7 days. With an address only that one may use it, and it is mailed where the server can."), s.apiInvite)
	huma.Register(api, op(http.MethodDelete, "/admin/invitations/{id}", "withdraw-invitation", forAdmin, "Withdraw an invitation"), s.apiWithdraw)
}

func (s *Service) apiUsers(ctx context.Context, in *struct {
	Text  string `query:"q" maxLength:"100" doc:"Part of a name or an address"`
	After string `query:"after" maxLength:"64" doc:"The next of the page before"`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}) (*struct{ Body UserPage }, error) {
	if _, err := workspace.RequireAdmin(ctx); err != nil {
		return nil, err
	}
	page, err := s.ListUsers(ctx, in.Text, in.After, in.Limit)
	return &struct{ Body UserPage }{page}, err
}

func (s *Service) apiSetUser(ctx context.Context, in *struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Admin    *bool `json:"admin,omitempty"`
		Disabled *bool `json:"disabled,omitempty"`
	}
}) (*struct{ Body AdminUser }, error) {
	actor, err := workspace.RequireAdmin(ctx)
	if err != nil {
		return nil, err
	}
	if in.Body.Admin != nil && actor.Via != workspace.ViaSession {
		return nil, errSessionNeeded // an administrator made by a token would outlive it
	}
	u, err := s.SetUser(ctx, actor, in.ID, in.Body.Admin, in.Body.Disabled)
	return &struct{ Body AdminUser }{u}, err
}

func (s *Service) apiDeleteUser(ctx context.Context, in *idPath) (*struct{}, error) {
	actor, err := workspace.RequireAdmin(ctx)
	if err != nil {
		return nil, err
	}
	return nil, s.DeleteUser(ctx, actor, in.ID)
}

type invitationList struct {
	Body struct {
		Items []Invitation `json:"items"`
	}
}

func (s *Service) apiInvitations(ctx context.Context, _ *struct{}) (*invitationList, error) {
	_, err := workspace.RequireAdmin(ctx)
	if err != nil {
		return nil, err
	}
	out := &invitationList{}
	out.Body.Items, err = s.ListInvitations(ctx)
	return out, err
}

func (s *Service) apiInvite(ctx context.Context, in *struct {
	Body struct {
		Email    string `json:"email,omitempty" maxLength:"320"`
		Language string `json:"language,omitempty" enum:"ko,en" doc:"Of the mail; yours where it is missing"`
	}
}) (*struct{ Body NewInvitation }, error) {
	actor, err := workspace.RequireAdmin(ctx)
	if err != nil {
		return nil, err
	}
	i, err := s.Invite(ctx, actor, in.Body.Email, in.Body.Language)
	return &struct{ Body NewInvitation }{i}, err
}

func (s *Service) apiWithdraw(ctx context.Context, in *idPath) (*struct{}, error) {
	if _, err := workspace.RequireAdmin(ctx); err != nil {
		return nil, err
	}
	return nil, s.Withdraw(ctx, in.ID)
}

package workspace

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/problem"
)

// Somebody becomes a member by being asked and saying yes. The asker sees his question waiting whether or not the
// address has an account, so that asking tells nothing; and nobody finds strangers' printers among his own unasked.
const (
	invitationAge = 14 * 24 * time.Hour
	// peopleLimit bounds members and open invitations of a workspace together.
	peopleLimit = 100
)

// OpenInvitation is an open question to join.
type OpenInvitation struct {
	ID        string    `json:"id"`
	Email     string    `json:"email"`
	Role      Role      `json:"role" enum:"owner,operator,viewer"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Received is an open question to join, as the one who is asked sees it.
type Received struct {
	ID        string    `json:"id"`
	Workspace string    `json:"workspace" doc:"Name of the workspace"`
	InvitedBy string    `json:"invited_by" doc:"Name of who asks"`
	Role      Role      `json:"role" enum:"owner,operator,viewer"`
	ExpiresAt time.Time `json:"expires_at"`
}

type invitationRow struct {
	bun.BaseModel `bun:"table:member_invitations"`

	ID          string `bun:",pk"`
	WorkspaceID string
	Email       string
	EmailKey    string
	Role        Role
	InvitedBy   string
	CreatedAt   int64
	ExpiresAt   int64
}

// Invite asks the holder of an address to join; asking again replaces the question. Errors: problems email_invalid,
// already_member, too_many.
func (s *Service) Invite(ctx context.Context, by Actor, workspaceID, email string, role Role) error {
	key, err := s.People.EmailKey(email)
	if err != nil {
		return err
	}
	members, err := s.ListMembers(ctx, workspaceID, true)
	if err != nil {
		return err
	}
	for _, m := range members {
		if have, err := s.People.EmailKey(m.Email); err == nil && have == key {
			return problem.New(http.StatusConflict, "already_member", m.Name+" is a member already.")
		}
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	now := s.Now()
	row := invitationRow{
		ID: id.String(), WorkspaceID: workspaceID, Email: email, EmailKey: key, Role: role, InvitedBy: by.UserID,
		CreatedAt: now.UnixMilli(), ExpiresAt: now.Add(invitationAge).UnixMilli(),
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		w, err := s.find(ctx, tx, "id = ?", workspaceID)
		if err != nil {
			return err
		}
		_, err = tx.NewRaw("DELETE FROM member_invitations WHERE workspace_id = ? AND (email_key = ? OR expires_at <= ?)",
			workspaceID, key, now.UnixMilli()).Exec(ctx)
		if err != nil {
			return fmt.Errorf("replace an invitation: %w", err)
		}
		var waiting int
		if err := tx.NewRaw("SELECT COUNT(*) FROM member_invitations WHERE workspace_id = ?", workspaceID).Scan(ctx, &waiting); err != nil {
			return fmt.Errorf("count invitations: %w", err)
		}
		if waiting+len(members) >= peopleLimit {
			return problem.New(http.StatusConflict, "too_many", fmt.Sprintf("A workspace has at most %d members and open invitations.", peopleLimit))
		}
		if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
			return fmt.Errorf("write an invitation: %w", err)
		}
		if s.OnInvite != nil {
			in := Invite{Email: email, EmailKey: key, WorkspaceName: w.Name, InvitedBy: by.Name, Role: role, ExpiresAt: fromMillis(row.ExpiresAt)}
			if err := s.OnInvite(ctx, tx, in); err != nil {
				return err
			}
		}
		return s.changed(ctx, tx, Change{WorkspaceID: w.ID, WorkspaceName: w.Name, Action: "member.invite", PersonName: email, Role: role})
	})
}

// ListInvitations gives the open questions of a workspace.
func (s *Service) ListInvitations(ctx context.Context, workspaceID string) ([]OpenInvitation, error) {
	var rows []invitationRow
	err := s.DB.Read.NewSelect().Model(&rows).Where("workspace_id = ? AND expires_at > ?", workspaceID, s.Now().UnixMilli()).Order("id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("list invitations: %w", err)
	}
	list := make([]OpenInvitation, 0, len(rows))
	for _, r := range rows {
		list = append(list, OpenInvitation{ID: r.ID, Email: r.Email, Role: r.Role, CreatedAt: fromMillis(r.CreatedAt), ExpiresAt: fromMillis(r.ExpiresAt)})
	}
	return list, nil
}

// Withdraw takes a question back. Errors: problem not_found.
func (s *Service) Withdraw(ctx context.Context, workspaceID, invitationID string) error {
	return s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		row, err := s.takeInvitation(ctx, tx, "workspace_id = ?", workspaceID, invitationID)
		if err != nil {
			return err
		}
		w, err := s.find(ctx, tx, "id = ?", workspaceID)
		if err != nil {
			return err
		}
		return s.changed(ctx, tx, Change{WorkspaceID: w.ID, WorkspaceName: w.Name, Action: "member.uninvite", PersonName: row.Email})
	})
}

// ReceivedBy gives the open questions to a user.
func (s *Service) ReceivedBy(ctx context.Context, userID string) ([]Received, error) {
	key, err := s.keyOf(ctx, userID)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		invitationRow `bun:",extend"`
		Workspace     string
	}
	err = s.DB.Read.NewRaw(`SELECT i.*, w.name AS workspace FROM member_invitations i JOIN workspaces w ON w.id = i.workspace_id
		WHERE i.email_key = ? AND i.expires_at > ? ORDER BY i.id LIMIT 100`, key, s.Now().UnixMilli()).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("list invitations: %w", err)
	}
	ids := make([]string, 0, len(rows))
	for _, r := range rows {
		ids = append(ids, r.InvitedBy)
	}
	people, err := s.People.PeopleByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	list := make([]Received, 0, len(rows))
	for _, r := range rows {
		list = append(list, Received{ID: r.ID, Workspace: r.Workspace, InvitedBy: people[r.InvitedBy].Name, Role: r.Role, ExpiresAt: fromMillis(r.ExpiresAt)})
	}
	return list, nil
}

// Accept makes the user a member of the workspace that he was asked to join. Errors: problem not_found.
func (s *Service) Accept(ctx context.Context, user Actor, invitationID string) error {
	key, err := s.keyOf(ctx, user.UserID)
	if err != nil {
		return err
	}
	var row invitationRow
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		row, err = s.takeInvitation(ctx, tx, "email_key = ?", key, invitationID)
		if err != nil {
			return err
		}
		w, err := s.find(ctx, tx, "id = ?", row.WorkspaceID)
		if err != nil {
			return err
		}
		member := memberRow{WorkspaceID: w.ID, UserID: user.UserID, Role: row.Role, CreatedAt: s.Now().UnixMilli()}
		if _, err := tx.NewInsert().Model(&member).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
			return fmt.Errorf("join a workspace: %w", err)
		}
		return s.changed(ctx, tx, Change{
			WorkspaceID: w.ID, WorkspaceName: w.Name, Action: "member.join", PersonID: user.UserID, PersonName: user.Name, Role: row.Role,
		})
	})
	if err != nil {
		return err
	}
	s.roles.forget()
	s.Bus.PrinterChanged.Publish(bus.PrinterChanged{WorkspaceID: row.WorkspaceID})
	return nil
}

// Decline answers no. Errors: problem not_found.
func (s *Service) Decline(ctx context.Context, userID, invitationID string) error {
	key, err := s.keyOf(ctx, userID)
	if err != nil {
		return err
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := s.takeInvitation(ctx, tx, "email_key = ?", key, invitationID)
		return err
	})
}

// takeInvitation deletes an open invitation and returns what it said.
func (s *Service) takeInvitation(ctx context.Context, tx bun.Tx, where string, arg any, id string) (invitationRow, error) {
	var row invitationRow
	err := tx.NewSelect().Model(&row).Where("id = ? AND expires_at > ?", id, s.Now().UnixMilli()).Where(where, arg).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return row, problem.NotFound("invitation")
	}
	if err != nil {
		return row, fmt.Errorf("read an invitation: %w", err)
	}
	if _, err := tx.NewRaw("DELETE FROM member_invitations WHERE id = ?", id).Exec(ctx); err != nil {
		return row, fmt.Errorf("take an invitation: %w", err)
	}
	return row, nil
}

func (s *Service) keyOf(ctx context.Context, userID string) (string, error) {
	people, err := s.People.PeopleByID(ctx, []string{userID})
	if err != nil {
		return "", err
	}
	p, ok := people[userID]
	if !ok {
		return "", problem.NotFound("account")
	}
	return s.People.EmailKey(p.Email)
}

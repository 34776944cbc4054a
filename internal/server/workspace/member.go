package workspace

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/problem"
)

// Member is somebody who belongs to a workspace.
type Member struct {
	UserID string    `json:"user_id"`
	Name   string    `json:"name"`
	Email  string    `json:"email,omitempty" doc:"Shown to owners only"`
	Role   Role      `json:"role" enum:"owner,operator,viewer"`
	Since  time.Time `json:"since"`
}

var errLastOwner = problem.New(http.StatusConflict, "last_owner", "A workspace needs its owner: this one can neither leave nor get a lower role.")

// ListMembers gives the members of a workspace, oldest first; their addresses only when withEmail is set.
func (s *Service) ListMembers(ctx context.Context, workspaceID string, withEmail bool) ([]Member, error) {
	var rows []memberRow
	err := s.DB.Read.NewSelect().Model(&rows).Where("workspace_id = ?", workspaceID).Order("created_at", "user_id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("list members: %w", err)
	}
	ids := make([]string, 0, len(rows))
	for _, r := range rows {
		ids = append(ids, r.UserID)
	}
	people, err := s.People.PeopleByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	list := make([]Member, 0, len(rows))
	for _, r := range rows {
		p := people[r.UserID]
		m := Member{UserID: r.UserID, Name: p.Name, Role: r.Role, Since: fromMillis(r.CreatedAt)}
		if withEmail {
			m.Email = p.Email
		}
		list = append(list, m)
	}
	return list, nil
}

// SetRole gives a member another role. Errors: problems not_found, last_owner.
func (s *Service) SetRole(ctx context.Context, workspaceID, userID string, role Role) error {
	var before Role
	err := s.changeMember(ctx, workspaceID, userID, "member.role", role, func(tx bun.Tx, m memberRow) error {
		before = m.Role
		_, err := tx.NewRaw("UPDATE members SET role = ? WHERE workspace_id = ? AND user_id = ?", role, workspaceID, userID).Exec(ctx)
		return err
	})
	if err != nil {
		return err
	}
	s.roles.forget()
	if rank[role] < rank[before] {
		s.endAccess(userID, workspaceID)
	}
	s.Bus.PrinterChanged.Publish(bus.PrinterChanged{WorkspaceID: workspaceID})
	return nil
}

// RemoveMember ends a membership; members may end their own. Errors: problems not_found, last_owner.
func (s *Service) RemoveMember(ctx context.Context, workspaceID, userID string) error {
	err := s.changeMember(ctx, workspaceID, userID, "member.remove", "", func(tx bun.Tx, m memberRow) error {
		_, err := tx.NewRaw("DELETE FROM members WHERE workspace_id = ? AND user_id = ?", workspaceID, userID).Exec(ctx)
		return err
	})
	if err != nil {
		return err
	}
	s.roles.forget()
	s.endAccess(userID, workspaceID)
	return nil
}

// changeMember runs change for a member, unless that would leave the workspace without an owner.
func (s *Service) changeMember(ctx context.Context, workspaceID, userID, action string, to Role, change func(bun.Tx, memberRow) error) error {
	people, err := s.People.PeopleByID(ctx, []string{userID})
	if err != nil {
		return err
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		w, err := s.find(ctx, tx, "id = ?", workspaceID)
		if err != nil {
			return err
		}
		var m memberRow
		err = tx.NewSelect().Model(&m).Where("workspace_id = ? AND user_id = ?", workspaceID, userID).Scan(ctx)
		if errors.Is(err, sql.ErrNoRows) {
			return problem.NotFound("member")
		}
		if err != nil {
			return fmt.Errorf("read a member: %w", err)
		}
		if to != RoleOwner && m.Role == RoleOwner {
			var owners int
			err := tx.NewRaw("SELECT COUNT(*) FROM members WHERE workspace_id = ? AND role = ?", workspaceID, RoleOwner).Scan(ctx, &owners)
			if err != nil {
				return fmt.Errorf("count owners: %w", err)
			}
			if owners < 2 || w.PersonalOf == userID {
				return errLastOwner
			}
		}
		if err := change(tx, m); err != nil {
			return fmt.Errorf("change a member: %w", err)
		}
		return s.changed(ctx, tx, Change{
			WorkspaceID: w.ID, WorkspaceName: w.Name, Action: action, PersonID: userID, PersonName: people[userID].Name, Role: to,
		})
	})
}

// Rename gives a workspace another name, which must be a tidy one already. Errors: problem not_found.
func (s *Service) Rename(ctx context.Context, workspaceID, name string) error {
	err := s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := s.find(ctx, tx, "id = ?", workspaceID); err != nil {
			return err
		}
		if _, err := tx.NewRaw("UPDATE workspaces SET name = ? WHERE id = ?", name, workspaceID).Exec(ctx); err != nil {
			return fmt.Errorf("rename a workspace: %w", err)
		}
		return s.changed(ctx, tx, Change{WorkspaceID: workspaceID, WorkspaceName: name, Action: "workspace.rename"})
	})
	if err != nil {
		return err
	}
	s.Bus.PrinterChanged.Publish(bus.PrinterChanged{WorkspaceID: workspaceID})
	return nil
}

func (s *Service) endAccess(userID, workspaceID string) {
	s.Bus.AccessEnded.Publish(bus.AccessEnded{UserID: userID, WorkspaceID: workspaceID})
}

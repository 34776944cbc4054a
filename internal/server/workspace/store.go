package workspace

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/problem"
)

type workspaceRow struct {
	bun.BaseModel `bun:"table:workspaces"`

	ID         string `bun:",pk"`
	Name       string
	PersonalOf string `bun:",nullzero"`
	CreatedAt  int64
}

type memberRow struct {
	bun.BaseModel `bun:"table:members"`

	WorkspaceID string `bun:",pk"`
	UserID      string `bun:",pk"`
	Role        Role
	CreatedAt   int64
}

// VisibleWorkspaces gives the workspaces that actor may see, his own first, then by name.
func (s *Service) VisibleWorkspaces(ctx context.Context, actor Actor) ([]Workspace, error) {
	list := []Workspace{}
	if !actor.SignedIn() || actor.Via == ViaDevice {
		return list, nil
	}
	err := s.DB.Read.NewRaw(`SELECT w.id, w.name, m.role, COALESCE(w.personal_of, '') = m.user_id AS personal
		FROM members m JOIN workspaces w ON w.id = m.workspace_id
		WHERE m.user_id = ? ORDER BY personal DESC, w.name, w.id`, actor.UserID).Scan(ctx, &list)
	if err != nil {
		return nil, fmt.Errorf("list workspaces: %w", err)
	}
	return list, nil
}

// Personal gives the workspace that a user has of his own. Errors: problem not_found.
func (s *Service) Personal(ctx context.Context, userID string) (Workspace, error) {
	row, err := s.find(ctx, s.DB.Read, "personal_of = ?", userID)
	if err != nil {
		return Workspace{}, err
	}
	return Workspace{ID: row.ID, Name: row.Name, Role: RoleOwner, Personal: true}, nil
}

// PersonalID gives the id of the workspace that a user has of his own, "" where he has none (any more).
func (s *Service) PersonalID(ctx context.Context, db bun.IDB, userID string) (string, error) {
	row, err := s.find(ctx, db, "personal_of = ?", userID)
	if problem.Code(err) == "not_found" {
		return "", nil
	}
	return row.ID, err
}

// PersonalsOf gives the personal workspaces of users, by user id.
func (s *Service) PersonalsOf(ctx context.Context, userIDs []string) (map[string]Workspace, error) {
	found := map[string]Workspace{}
	if len(userIDs) == 0 {
		return found, nil
	}
	var rows []workspaceRow
	if err := s.DB.Read.NewSelect().Model(&rows).Where("personal_of IN (?)", bun.List(userIDs)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read personal workspaces: %w", err)
	}
	for _, r := range rows {
		found[r.PersonalOf] = Workspace{ID: r.ID, Name: r.Name, Role: RoleOwner, Personal: true}
	}
	return found, nil
}

// Name gives the name of a workspace. Errors: problem not_found.
func (s *Service) Name(ctx context.Context, workspaceID string) (string, error) {
	row, err := s.find(ctx, s.DB.Read, "id = ?", workspaceID)
	return row.Name, err
}

// Members gives the ids of all users who may see a workspace: to whom a change of it is news.
func (s *Service) Members(ctx context.Context, workspaceID string) ([]string, error) {
	var ids []string
	err := s.DB.Read.NewRaw("SELECT user_id FROM members WHERE workspace_id = ?", workspaceID).Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("list members: %w", err)
	}
	return ids, nil
}

// CreatePersonal makes the workspace of a new account, in the transaction that makes the account.
func (s *Service) CreatePersonal(ctx context.Context, tx bun.Tx, userID, name string) (Workspace, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Workspace{}, err
	}
	now := s.Now().UnixMilli()
	row := workspaceRow{ID: id.String(), Name: name, PersonalOf: userID, CreatedAt: now}
	if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
		return Workspace{}, fmt.Errorf("make the personal workspace: %w", err)
	}
	member := memberRow{WorkspaceID: row.ID, UserID: userID, Role: RoleOwner, CreatedAt: now}
	if _, err := tx.NewInsert().Model(&member).Exec(ctx); err != nil {
		return Workspace{}, fmt.Errorf("make the personal workspace: %w", err)
	}
	return Workspace{ID: row.ID, Name: name, Role: RoleOwner, Personal: true}, nil
}

// RenamePersonal has the workspace of a user follow his name, unless he gave it one of its own.
func (s *Service) RenamePersonal(ctx context.Context, tx bun.Tx, userID, before, after string) error {
	_, err := tx.NewRaw("UPDATE workspaces SET name = ? WHERE personal_of = ? AND name = ?", after, userID, before).Exec(ctx)
	if err != nil {
		return fmt.Errorf("rename the personal workspace: %w", err)
	}
	return nil
}

// Removal is what a deleted account takes along.
type Removal struct {
	WorkspaceIDs []string            // gone
	Members      map[string][]string // who else could see them, by workspace
}

// DeleteUser removes a user's personal workspace and his memberships, in the transaction that deletes the account.
// Call Removed once that is on disk.
func (s *Service) DeleteUser(ctx context.Context, tx bun.Tx, userID string) (Removal, error) {
	gone := Removal{Members: map[string][]string{}}
	if err := tx.NewRaw("SELECT id FROM workspaces WHERE personal_of = ?", userID).Scan(ctx, &gone.WorkspaceIDs); err != nil {
		return gone, fmt.Errorf("find the account's workspaces: %w", err)
	}
	for _, id := range gone.WorkspaceIDs {
		var others []string
		err := tx.NewRaw("SELECT user_id FROM members WHERE workspace_id = ? AND user_id <> ?", id, userID).Scan(ctx, &others)
		if err != nil {
			return gone, fmt.Errorf("find the members: %w", err)
		}
		gone.Members[id] = others
		if _, err := tx.NewRaw("DELETE FROM workspaces WHERE id = ?", id).Exec(ctx); err != nil {
			return gone, fmt.Errorf("delete a workspace: %w", err)
		}
	}
	if _, err := tx.NewRaw("DELETE FROM members WHERE user_id = ?", userID).Exec(ctx); err != nil {
		return gone, fmt.Errorf("delete memberships: %w", err)
	}
	return gone, nil
}

// Removed tells the others that what DeleteUser took is gone.
func (s *Service) Removed(gone Removal) {
	s.roles.forget()
	for workspaceID, users := range gone.Members {
		for _, userID := range users {
			s.endAccess(userID, workspaceID)
		}
	}
}

func (s *Service) find(ctx context.Context, db bun.IDB, where string, arg any) (workspaceRow, error) {
	var row workspaceRow
	err := db.NewSelect().Model(&row).Where(where, arg).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return row, problem.NotFound("workspace")
	}
	if err != nil {
		return row, fmt.Errorf("read a workspace: %w", err)
	}
	return row, nil
}

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

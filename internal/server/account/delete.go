package account

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// DeleteMe deletes the account of somebody who knows its password, with everything it owns. When the only account
// goes, the server is as new: a set-up code makes the next first one. Errors: problems invalid_credentials (403),
// last_admin, slow_down, busy.
func (s *Service) DeleteMe(ctx context.Context, user workspace.Actor, password string) error {
	if _, err := s.reauthenticate(ctx, user.UserID, password); err != nil {
		return err
	}
	return s.deleteUser(ctx, user.UserID)
}

// deleteUser deletes an account, its workspaces and what other parts keep for them, in one transaction.
func (s *Service) deleteUser(ctx context.Context, userID string) error {
	var gone workspace.Removal
	err := s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		u, err := findUser(ctx, tx, "id = ?", userID)
		if err != nil {
			return err
		}
		if err := keepAdmin(ctx, tx, u); err != nil {
			return err
		}
		if gone, err = s.Workspaces.DeleteUser(ctx, tx, u.ID); err != nil {
			return err
		}
		for _, hook := range s.OnDelete {
			if err := hook(ctx, tx, u.ID, gone.WorkspaceIDs); err != nil {
				return err
			}
		}
		if err := s.Audit.DeleteWorkspaces(ctx, tx, gone.WorkspaceIDs); err != nil {
			return err
		}
		if err := s.Mail.Forget(ctx, tx, u.Email); err != nil {
			return err
		}
		err = exec(ctx, tx, "delete an account",
			q("DELETE FROM links WHERE subject_id = ? OR email_key = ?", u.ID, u.EmailKey),
			q("DELETE FROM signups WHERE email_key = ?", u.EmailKey),
			q("DELETE FROM users WHERE id = ?", u.ID)) // sessions, tokens and known origins go with it
		if err != nil {
			return err
		}
		// Neither name nor address stays: only that an account went, and who did it when it was the administrator.
		e := audit.Entry{Action: "user.delete", Target: audit.Target{Kind: "user", ID: u.ID}}
		if a, _ := workspace.ActorFrom(ctx); a.UserID == u.ID {
			e.ActorID, e.Actor = u.ID, "-"
		}
		return s.Audit.Record(ctx, tx, e)
	})
	if err != nil {
		return err
	}
	s.Workspaces.Removed(gone)
	for _, tell := range s.Deleted {
		tell(userID, gone.WorkspaceIDs)
	}
	s.Bus.AccessEnded.Publish(bus.AccessEnded{UserID: userID})
	return nil
}

// keepAdmin refuses to take the last administrator away from the others.
func keepAdmin(ctx context.Context, tx bun.Tx, u userRow) error {
	last, err := isLastAdmin(ctx, tx, u)
	if err != nil || !last {
		return err
	}
	n, err := countUsers(ctx, tx)
	if err == nil && n > 1 {
		return errLastAdmin
	}
	return err
}

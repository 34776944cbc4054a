package file

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// authorize gives a file if the context's actor may do action to it. Errors: problems not_found, not_allowed.
func (s *Service) authorize(ctx context.Context, id string, action workspace.Action) (*fileRow, error) {
	actor, err := workspace.RequireUser(ctx)
	if err != nil {
		return nil, err
	}
	row, err := s.find(ctx, s.DB.Read, id)
	if err != nil {
		return nil, err
	}
	if err := s.Access.Can(ctx, actor, action, workspace.Target{WorkspaceID: row.WorkspaceID}); err != nil {
		if problem.Code(err) == ErrNotFound.Code {
			err = ErrNotFound
		}
		return nil, err
	}
	return row, nil
}

// Get gives a file that the context's actor may see. Errors: problems not_found, not_allowed.
func (s *Service) Get(ctx context.Context, id string) (File, error) {
	row, err := s.authorize(ctx, id, workspace.FileView)
	if err != nil {
		return File{}, err
	}
	return row.file()
}

// Edit is a change of a file; nil leaves a part as it is.
type Edit struct {
	Name   *string
	Folder *string
	Tags   *[]string
}

// Edit renames a file, moves it, or tags it. Errors: problems of the fields, name_taken, not_found, not_allowed.
func (s *Service) Edit(ctx context.Context, id string, e Edit) (File, error) {
	row, err := s.authorize(ctx, id, workspace.FileEdit)
	if err != nil {
		return File{}, err
	}
	change := *row
	if e.Name != nil {
		if change.Name, err = tidyName("name", *e.Name); err != nil {
			return File{}, err
		}
		if kindOf(change.Name) != row.Kind {
			return File{}, problem.Field("name_extension", "name", "The name's ending says how the file is written: .bgcode for binary G-code, .gcode, .gco or .g for other.")
		}
		change.NameKey = nameKey(change.Name)
	}
	if e.Folder != nil {
		if change.Folder, err = tidyFolder("folder", *e.Folder); err != nil {
			return File{}, err
		}
	}
	if e.Tags != nil {
		tags, err := tidyTags("tags", *e.Tags)
		if err != nil {
			return File{}, err
		}
		change.Tags = tagsJSON(tags)
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error { return s.edit(ctx, tx, row, &change) })
	if err != nil {
		return File{}, err
	}
	s.changed(row.WorkspaceID)
	now, err := s.find(ctx, s.DB.Read, id)
	if err != nil {
		return File{}, err
	}
	return now.file()
}

func (s *Service) edit(ctx context.Context, tx bun.Tx, was, change *fileRow) error {
	taken, err := tx.NewSelect().Model((*fileRow)(nil)).Where("workspace_id = ? AND folder = ? AND name = ? AND id <> ?",
		change.WorkspaceID, change.Folder, change.Name, change.ID).Exists(ctx)
	if err != nil {
		return err
	}
	if taken {
		return errNameTaken
	}
	if err := keepFolder(ctx, tx, change.WorkspaceID, change.Folder, s.now().UnixMilli()); err != nil {
		return err
	}
	res, err := tx.NewUpdate().Model(change).Column("name", "name_key", "folder", "tags").WherePK().Exec(ctx)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(ErrNotFound, err)
	}
	detail := map[string]string{}
	if was.Name != change.Name {
		detail["name"] = was.Name
	}
	if was.Folder != change.Folder {
		detail["folder"] = was.Folder
	}
	return s.record(ctx, tx, audit.Entry{WorkspaceID: was.WorkspaceID, Action: "file.edit", Target: fileTarget(change), Detail: detail})
}

// Delete takes a file away for good: whoever brought it may, and the workspace's owners. Errors: problems not_found,
// not_allowed.
func (s *Service) Delete(ctx context.Context, id string) error {
	row, err := s.authorize(ctx, id, workspace.FileEdit)
	if err != nil {
		return err
	}
	if actor, _ := workspace.ActorFrom(ctx); row.UserID != actor.UserID {
		if _, err := s.authorize(ctx, id, workspace.FileRemove); err != nil {
			return err
		}
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		res, err := tx.NewDelete().Model((*fileRow)(nil)).Where("id = ?", id).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(ErrNotFound, err)
		}
		return s.record(ctx, tx, audit.Entry{WorkspaceID: row.WorkspaceID, Action: "file.delete", Target: fileTarget(row), Detail: map[string]string{"folder": row.Folder}})
	})
	if err != nil {
		return err
	}
	s.removeContents(id)
	s.changed(row.WorkspaceID)
	return nil
}

// removeContents removes what the disk has of a file whose row is gone.
func (s *Service) removeContents(id string) {
	paths, err := filepath.Glob(strings.ReplaceAll(s.contentPath(id), "[", `\[`) + ".*")
	if err != nil {
		s.log.Warn("a file could not be removed", "error", err)
	}
	s.removeFiles(append(paths, s.contentPath(id))...)
}

func (s *Service) changed(workspaceID string) {
	s.Bus.FilesChanged.Publish(bus.FilesChanged{WorkspaceID: workspaceID})
}

// DeleteWorkspaces removes the libraries of workspaces that end with their account, within the transaction that
// deletes it. It is one of account.Service.OnDelete; WorkspacesDeleted must follow.
func (s *Service) DeleteWorkspaces(ctx context.Context, tx bun.Tx, _ string, workspaceIDs []string) error {
	if len(workspaceIDs) == 0 {
		return nil
	}
	for _, table := range []string{"files", "uploads", "file_folders", "file_transfers"} {
		if _, err := tx.NewRaw("DELETE FROM "+table+" WHERE workspace_id IN (?)", bun.List(workspaceIDs)).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// WorkspacesDeleted removes the contents that DeleteWorkspaces left without a row: one of account.Service.Deleted.
func (s *Service) WorkspacesDeleted(string, []string) {
	if err := s.sweepStrays(context.Background()); err != nil {
		s.log.Error("files without an owner could not be removed", "error", err)
	}
}

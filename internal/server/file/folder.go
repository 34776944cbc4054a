package file

import (
	"context"
	"net/http"
	"strings"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

type folderRow struct {
	bun.BaseModel `bun:"table:file_folders,alias:d"`
	WorkspaceID   string `bun:",pk"`
	Path          string `bun:",pk"`
	CreatedAt     int64
}

// keepFolder makes a folder and those around it, where they are missing. Errors: problem too_many.
func keepFolder(ctx context.Context, tx bun.Tx, workspaceID, path string, at int64) error {
	if path == "" {
		return nil
	}
	made := int64(0)
	for i := 0; i <= len(path); i++ {
		if i < len(path) && path[i] != '/' {
			continue
		}
		res, err := tx.NewInsert().Model(&folderRow{WorkspaceID: workspaceID, Path: path[:i], CreatedAt: at}).
			On("CONFLICT (workspace_id, path) DO NOTHING").Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err == nil {
			made += n
		}
	}
	if made == 0 {
		return nil
	}
	n, err := tx.NewSelect().Model((*folderRow)(nil)).Where("workspace_id = ?", workspaceID).Count(ctx)
	if err != nil {
		return err
	}
	if n > maxFolders {
		return errFolderMany
	}
	return nil
}

// Folders gives every folder of a workspace, by path.
func (s *Service) Folders(ctx context.Context, workspaceID string) ([]Folder, error) {
	list := []Folder{}
	err := s.DB.Read.NewRaw(`SELECT d.path, count(f.id) AS files, coalesce(sum(f.size), 0) AS bytes FROM file_folders AS d
		LEFT JOIN files AS f ON f.workspace_id = d.workspace_id AND (f.folder = d.path OR substr(f.folder, 1, length(d.path) + 1) = d.path || '/')
		WHERE d.workspace_id = ? GROUP BY d.path ORDER BY d.path`, workspaceID).Scan(ctx, &list)
	return list, err
}

func hasFolder(ctx context.Context, db bun.IDB, workspaceID, path string) (bool, error) {
	return db.NewSelect().Model((*folderRow)(nil)).Where("workspace_id = ? AND path = ?", workspaceID, path).Exists(ctx)
}

// CreateFolder makes a folder. One that is there already is no error.
func (s *Service) CreateFolder(ctx context.Context, workspaceID, path string) (Folder, error) {
	path, err := tidyFolder("path", path)
	if err == nil && path == "" {
		err = problem.Field("name_empty", "path", "The name is empty.")
	}
	if err != nil {
		return Folder{}, err
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		return keepFolder(ctx, tx, workspaceID, path, s.now().UnixMilli())
	})
	if err != nil {
		return Folder{}, err
	}
	s.changed(workspaceID)
	return Folder{Path: path}, nil
}

var errInside = &problem.Problem{Type: "about:blank", Title: http.StatusText(http.StatusConflict), Status: http.StatusConflict, Code: "inside_itself", Field: "new_path", Detail: "A folder cannot be moved into itself."}

// MoveFolder gives a folder, and all in it, another path. Errors: problems of the fields, no_folder, name_taken,
// inside_itself, too_deep.
func (s *Service) MoveFolder(ctx context.Context, workspaceID, from, to string) (Folder, error) {
	from, err := tidyFolder("path", from)
	if err != nil {
		return Folder{}, err
	}
	if to, err = tidyFolder("new_path", to); err != nil {
		return Folder{}, err
	}
	switch {
	case from == "":
		return Folder{}, errNoFolder
	case to == "":
		return Folder{}, problem.Field("name_empty", "new_path", "The name is empty.")
	case strings.HasPrefix(to, from+"/"):
		return Folder{}, errInside
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error { return s.moveFolder(ctx, tx, workspaceID, from, to) })
	if err != nil {
		return Folder{}, err
	}
	s.changed(workspaceID)
	return Folder{Path: to}, nil
}

func (s *Service) moveFolder(ctx context.Context, tx bun.Tx, workspaceID, from, to string) error {
	there, err := hasFolder(ctx, tx, workspaceID, from)
	switch {
	case err != nil:
		return err
	case !there:
		return errNoFolder
	case from == to:
		return nil
	}
	if taken, err := hasFolder(ctx, tx, workspaceID, to); err != nil || taken {
		if taken {
			err = &problem.Problem{Type: "about:blank", Title: http.StatusText(http.StatusConflict), Status: http.StatusConflict, Code: "name_taken", Field: "new_path", Detail: "There is a folder of that name already."}
		}
		return err
	}
	var below []string
	inside := escapeLike(from) + "/%"
	err = tx.NewSelect().Model((*folderRow)(nil)).Column("path").Where("workspace_id = ?", workspaceID).
		Where(`path LIKE ? ESCAPE '\'`, inside).Scan(ctx, &below)
	if err != nil {
		return err
	}
	for _, path := range below {
		if !strings.HasPrefix(path, from+"/") {
			continue // LIKE takes small and capital letters for the same
		}
		if _, err := tidyFolder("new_path", to+path[len(from):]); err != nil {
			return err // too deep or too long there
		}
	}
	now := s.now().UnixMilli()
	if err := keepFolder(ctx, tx, workspaceID, to, now); err != nil {
		return err
	}
	for _, q := range []string{
		"UPDATE file_folders SET path = ? || substr(path, ?) WHERE workspace_id = ? AND substr(path, 1, ?) = ?",
		"UPDATE files SET folder = ? || substr(folder, ?) WHERE workspace_id = ? AND substr(folder, 1, ?) = ?",
		"UPDATE uploads SET folder = ? || substr(folder, ?) WHERE workspace_id = ? AND substr(folder, 1, ?) = ?",
	} {
		n := len([]rune(from))
		if _, err := tx.NewRaw(q, to, n+1, workspaceID, n+1, from+"/").Exec(ctx); err != nil {
			return err
		}
	}
	for _, table := range []string{"files", "uploads"} {
		if _, err := tx.NewRaw("UPDATE "+table+" SET folder = ? WHERE workspace_id = ? AND folder = ?", to, workspaceID, from).Exec(ctx); err != nil {
			return err
		}
	}
	if _, err := tx.NewDelete().Model((*folderRow)(nil)).Where("workspace_id = ? AND path = ?", workspaceID, from).Exec(ctx); err != nil {
		return err
	}
	return s.record(ctx, tx, audit.Entry{WorkspaceID: workspaceID, Action: "folder.move", Target: audit.Target{Kind: "folder", Name: from}, Detail: map[string]string{"to": to}})
}

// DeleteFolder takes an empty folder away. Errors: problems no_folder, not_empty.
func (s *Service) DeleteFolder(ctx context.Context, workspaceID, path string) error {
	path, err := tidyFolder("path", path)
	if err != nil {
		return err
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		var inside int
		err := tx.NewRaw(`SELECT (SELECT count(*) FROM files WHERE workspace_id = ? AND folder = ?) +
			(SELECT count(*) FROM file_folders WHERE workspace_id = ? AND substr(path, 1, ?) = ?)`,
			workspaceID, path, workspaceID, len([]rune(path))+1, path+"/").Scan(ctx, &inside)
		if err != nil {
			return err
		}
		if inside > 0 {
			return errNotEmpty
		}
		res, err := tx.NewDelete().Model((*folderRow)(nil)).Where("workspace_id = ? AND path = ?", workspaceID, path).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errNoFolder
		}
		return nil
	})
	if err == nil {
		s.changed(workspaceID)
	}
	return err
}

// requireIn gives the actor when he may do action in a workspace; "" is his own. Errors: problems not_found, not_allowed.
func (s *Service) requireIn(ctx context.Context, action workspace.Action, workspaceID string) (string, error) {
	actor, err := workspace.RequireUser(ctx)
	if err != nil {
		return "", err
	}
	if workspaceID == "" {
		own, err := s.Access.Personal(ctx, actor.UserID)
		if err != nil {
			return "", err
		}
		workspaceID = own.ID
	}
	return workspaceID, s.Access.Can(ctx, actor, action, workspace.Target{WorkspaceID: workspaceID})
}

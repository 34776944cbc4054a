package file

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"

	"github.com/google/uuid"
	"github.com/tus/tusd/v2/pkg/handler"
	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

type uploadRow struct {
	bun.BaseModel `bun:"table:uploads,alias:u"`
	ID            string `bun:",pk"`
	WorkspaceID   string
	UserID        string
	UserName      string
	Folder        string
	Name          string
	Tags          string
	SHA256        string `bun:"sha256"`
	Source        Source
	Size          int64
	Synced        int64
	Hash          []byte
	CreatedAt     int64
	UsedAt        int64
}

// digest gives the SHA-256 of what is known to be on the disk, to go on with.
func (r *uploadRow) digest() (hash.Hash, error) {
	h := sha256.New()
	if err := h.(encoding.BinaryUnmarshaler).UnmarshalBinary(r.Hash); err != nil {
		return nil, fmt.Errorf("read the state of a checksum: %w", err)
	}
	return h, nil
}

func digestState(h hash.Hash) ([]byte, error) { return h.(encoding.BinaryMarshaler).MarshalBinary() }

// begin lets an upload in. The row's names must be tidy. Errors: problems of room.
func (s *Service) begin(ctx context.Context, row *uploadRow) error {
	row.ID = uuid.Must(uuid.NewV7()).String()
	return s.beginAs(ctx, row)
}

// beginAs is begin under an id that is made already.
func (s *Service) beginAs(ctx context.Context, row *uploadRow) error {
	state, err := digestState(sha256.New())
	if err != nil {
		return err
	}
	now := s.now().UnixMilli()
	row.Hash, row.CreatedAt, row.UsedAt = state, now, now
	// The row comes first: a file that no row names is nobody's.
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := s.room(ctx, tx, row); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(row).Exec(ctx)
		return err
	})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(s.partPath(row.ID), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return errors.Join(fmt.Errorf("make a file for an upload: %w", err), s.drop(ctx, row.ID))
	}
	f.Close()
	return syncDir(s.Dir)
}

// upload is one upload in the hands of one call: tusd's Upload. The lock on its id is held.
type upload struct {
	service *Service
	row     *uploadRow // nil: it is complete
	file    *fileRow   // what became of a complete one
}

// NewUpload is tusd's: it takes what a POST says of a file.
func (s *Service) NewUpload(ctx context.Context, info handler.FileInfo) (handler.Upload, error) {
	actor, err := workspace.RequireUser(ctx)
	if err != nil {
		return nil, tusError(err)
	}
	row, err := s.describe(ctx, actor, info)
	if err != nil {
		return nil, tusError(err)
	}
	if err := s.begin(context.WithoutCancel(ctx), row); err != nil {
		return nil, tusError(err)
	}
	return &upload{service: s, row: row}, nil
}

// describe reads the metadata of an upload and asks whether it may be. Errors: problems.
func (s *Service) describe(ctx context.Context, actor workspace.Actor, info handler.FileInfo) (*uploadRow, error) {
	row := &uploadRow{UserID: actor.UserID, UserName: actor.Name, Source: SourceUpload, Size: info.Size, WorkspaceID: info.MetaData["workspace"]}
	if row.WorkspaceID == "" {
		own, err := s.Access.Personal(ctx, actor.UserID)
		if err != nil {
			return nil, err
		}
		row.WorkspaceID = own.ID
	}
	if err := s.Access.Can(ctx, actor, workspace.FileEdit, workspace.Target{WorkspaceID: row.WorkspaceID}); err != nil {
		return nil, err
	}
	var err error
	if row.Name, err = tidyName("filename", info.MetaData["filename"]); err != nil {
		return nil, err
	}
	if row.Folder, err = tidyFolder("folder", info.MetaData["folder"]); err != nil {
		return nil, err
	}
	var tags []string
	if text := info.MetaData["tags"]; text != "" {
		if len(text) > 4096 {
			return nil, problem.Field("tag_invalid", "tags", "The tags are too long.")
		}
		tags = strings.Split(text, ",")
	}
	if tags, err = tidyTags("tags", tags); err != nil {
		return nil, err
	}
	row.Tags = tagsJSON(tags)
	if row.SHA256 = strings.ToLower(info.MetaData["sha256"]); row.SHA256 != "" && !validSHA256(row.SHA256) {
		return nil, problem.Field("sha256_invalid", "sha256", "The SHA-256 is 64 hexadecimal digits.")
	}
	switch {
	case row.Size == 0:
		return nil, problem.Field("empty", "Upload-Length", "The file is empty.")
	case row.Size > MaxSize:
		return nil, errTooLarge
	}
	return row, nil
}

func validSHA256(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// GetUpload is tusd's: it gives an upload to whoever began it, if he still may. One that has become a file is complete.
func (s *Service) GetUpload(ctx context.Context, id string) (handler.Upload, error) {
	actor, err := workspace.RequireUser(ctx)
	if err != nil {
		return nil, tusError(err)
	}
	u := &upload{service: s, row: &uploadRow{ID: id}}
	err = s.DB.Read.NewSelect().Model(u.row).WherePK().Scan(ctx)
	owner, workspaceID := u.row.UserID, u.row.WorkspaceID
	if errors.Is(err, sql.ErrNoRows) {
		u.row = nil
		if u.file, err = s.find(ctx, s.DB.Read, id); errors.Is(err, ErrNotFound) || (err == nil && u.file.Source != SourceUpload) {
			return nil, tusError(errNoUpload)
		}
		if err == nil {
			owner, workspaceID = u.file.UserID, u.file.WorkspaceID
		}
	}
	if err != nil {
		return nil, tusError(err)
	}
	if owner != actor.UserID || (u.row != nil && u.row.Source != SourceUpload) {
		return nil, tusError(errNoUpload)
	}
	if err := s.Access.Can(ctx, actor, workspace.FileEdit, workspace.Target{WorkspaceID: workspaceID}); err != nil {
		return nil, tusError(err)
	}
	if u.row != nil && u.row.Synced == u.row.Size {
		// Its last byte came, but the server ended before it was a file.
		if err := u.FinishUpload(ctx); err != nil {
			return nil, err
		}
	}
	return u, nil
}

// GetInfo is tusd's.
func (u *upload) GetInfo(context.Context) (handler.FileInfo, error) {
	if u.row == nil {
		return handler.FileInfo{ID: u.file.ID, Size: u.file.Size, Offset: u.file.Size}, nil
	}
	return handler.FileInfo{ID: u.row.ID, Size: u.row.Size, Offset: u.row.Synced, MetaData: handler.MetaData{"filename": u.row.Name}}, nil
}

// GetReader is tusd's. Uploads are not read before they are files.
func (u *upload) GetReader(context.Context) (io.ReadCloser, error) {
	return nil, handler.ErrNotImplemented
}

// AsTerminatableUpload is tusd's.
func (s *Service) AsTerminatableUpload(u handler.Upload) handler.TerminatableUpload {
	return u.(*upload)
}

// Terminate is tusd's: whoever began an upload ends it. What has become a file is deleted as a file.
func (u *upload) Terminate(ctx context.Context) error {
	if u.row == nil {
		return tusError(errNoUpload)
	}
	return tusError(u.service.drop(context.WithoutCancel(ctx), u.row.ID))
}

// drop forgets an upload and removes what came of it.
func (s *Service) drop(ctx context.Context, id string) error {
	err := s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewDelete().Model((*uploadRow)(nil)).Where("id = ?", id).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("end an upload: %w", err)
	}
	s.removeFiles(s.partPath(id))
	return nil
}

// removeFiles removes contents that no row names any more. What is left is swept at the next start.
func (s *Service) removeFiles(paths ...string) {
	for _, path := range paths {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			s.log.Warn("a file could not be removed", "error", err)
		}
	}
}

package file

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/tus/tusd/v2/pkg/handler"
	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// FinishUpload is tusd's: the last byte has come, and the upload becomes a file. Errors: problems checksum, not_gcode,
// cut_off, and the upload has ended.
func (u *upload) FinishUpload(ctx context.Context) error {
	if u.row == nil {
		return nil
	}
	row, err := u.service.finish(context.WithoutCancel(ctx), u.row)
	if err != nil {
		return tusError(err)
	}
	u.row, u.file = nil, row
	return nil
}

// finish makes a file of a whole upload. Killed anywhere in it, it can be called again.
func (s *Service) finish(ctx context.Context, row *uploadRow) (*fileRow, error) {
	s.finishing.Lock()
	defer s.finishing.Unlock()
	h, err := row.digest()
	if err != nil {
		return nil, err
	}
	sum := hex.EncodeToString(h.Sum(nil))
	path := s.partPath(row.ID)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) { // it had its last name already
		path = s.contentPath(row.ID)
	}
	if err := s.checkWhole(path, row, sum); err != nil {
		if problem.Code(err) == "" {
			return nil, err
		}
		s.refused(ctx, row, err)
		return nil, errors.Join(err, s.drop(ctx, row.ID))
	}
	if path != s.contentPath(row.ID) {
		if err := os.Rename(path, s.contentPath(row.ID)); err != nil {
			return nil, fmt.Errorf("give an upload its name: %w", err)
		}
	}
	if err := syncDir(s.Dir); err != nil {
		return nil, fmt.Errorf("give an upload its name: %w", err)
	}
	file := &fileRow{ID: row.ID, WorkspaceID: row.WorkspaceID, Folder: row.Folder, Name: row.Name, Size: row.Size, SHA256: sum,
		Kind: kindOf(row.Name), Tags: row.Tags, Source: row.Source, UserID: row.UserID, UserName: row.UserName,
		CreatedAt: s.now().UnixMilli(), Analysis: AnalysisWaiting}
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := insert(ctx, tx, file); err != nil {
			return err
		}
		if _, err := tx.NewDelete().Model((*uploadRow)(nil)).Where("id = ?", row.ID).Exec(ctx); err != nil {
			return err
		}
		return s.record(ctx, tx, uploadEntry(row, audit.Entry{Action: "file.upload", Target: fileTarget(file),
			Detail: map[string]any{"size": file.Size, "sha256": file.SHA256}}))
	})
	if err != nil {
		return nil, fmt.Errorf("keep an upload: %w", err)
	}
	s.changed(file.WorkspaceID)
	select {
	case s.found <- struct{}{}:
	default: // it is known that some wait
	}
	return file, nil
}

// checkWhole looks at an upload whose last byte has come. Errors: problems.
func (s *Service) checkWhole(path string, row *uploadRow, sum string) error {
	if row.SHA256 != "" && row.SHA256 != sum {
		return errChecksum
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("look at an upload: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("look at an upload: %w", err)
	}
	if info.Size() < row.Size {
		return errChecksum // the disk lost what it said to have
	}
	return checkContent(f, row.Size, row.Name)
}

// refused keeps for the workspace's owners that an upload was refused.
func (s *Service) refused(ctx context.Context, row *uploadRow, why error) {
	err := s.record(ctx, nil, uploadEntry(row, audit.Entry{Action: "file.upload", Target: audit.Target{Kind: "file", ID: row.ID, Name: row.Name},
		Result: audit.Failed, Detail: map[string]string{"code": problem.Code(why)}}))
	if err != nil {
		s.log.Error("a refused upload was not recorded", "error", err)
	}
}

// uploadEntry adds who began an upload: whoever asks may be nobody after a restart.
func uploadEntry(row *uploadRow, e audit.Entry) audit.Entry {
	e.WorkspaceID, e.ActorID, e.Actor = row.WorkspaceID, row.UserID, row.UserName
	return e
}

func fileTarget(f *fileRow) audit.Target {
	return audit.Target{Kind: "file", ID: f.ID, Name: f.Name}
}

// finishComplete makes files of those uploads whose last byte had come when the server ended.
func (s *Service) finishComplete(ctx context.Context) {
	var rows []*uploadRow
	if err := s.DB.Read.NewSelect().Model(&rows).Where("synced = size").Scan(ctx); err != nil {
		s.log.Error("complete uploads could not be read", "error", err)
		return
	}
	for _, row := range rows {
		err := s.withLock(ctx, row.ID, func() error {
			again := &uploadRow{ID: row.ID}
			if err := s.DB.Read.NewSelect().Model(again).WherePK().Scan(ctx); err != nil {
				return nil // somebody else finished or ended it meanwhile
			}
			_, err := s.finish(workspace.WithActor(ctx, workspace.Actor{UserID: row.UserID, Name: row.UserName, Via: workspace.ViaSystem}), again)
			return err
		})
		if err != nil && problem.Code(err) == "" {
			s.log.Error("a complete upload could not be kept", "error", err)
		}
	}
}

// lockPatience is how long something waits for an upload that another call works on.
const lockPatience = 10 * time.Second

var errLocked = problem.New(http.StatusLocked, "busy", "Another request works on this upload. Try again.")

// withLock does something to an upload while no call does. It does not wait for ever: a call may go on for as long as its
// bytes come. Errors: problem busy.
func (s *Service) withLock(ctx context.Context, id string, do func() error) error {
	lock, err := s.locks.NewLock(id)
	if err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, s.lockPatience)
	defer cancel()
	err = lock.Lock(waiting, func() {})
	if errors.Is(err, handler.ErrLockTimeout) {
		return errLocked
	}
	if err != nil {
		return err
	}
	defer lock.Unlock()
	return do()
}

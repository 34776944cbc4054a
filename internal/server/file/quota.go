package file

import (
	"context"
	"fmt"
	"math"
	"os"

	"github.com/uptrace/bun"
)

// taken is what a workspace's library takes: its files, and its uploads as if they were whole.
type taken struct {
	Files int
	Bytes int64
}

func takenBy(ctx context.Context, db bun.IDB, workspaceID string) (t taken, err error) {
	err = db.NewRaw(`SELECT count(*), coalesce(sum(size), 0) FROM (
		SELECT size FROM files WHERE workspace_id = ? UNION ALL SELECT size FROM uploads WHERE workspace_id = ?) AS t`,
		workspaceID, workspaceID).Scan(ctx, &t.Files, &t.Bytes)
	if err != nil {
		return t, fmt.Errorf("count a library: %w", err)
	}
	return t, nil
}

// texts gives the bytes of what a workspace's binary files were turned into, which lies beside them.
func (s *Service) texts(ctx context.Context, db bun.IDB, workspaceID string) (n int64, err error) {
	var ids []string
	err = db.NewSelect().Model((*fileRow)(nil)).Column("id").Where("workspace_id = ? AND kind = ?", workspaceID, KindBinary).Scan(ctx, &ids)
	if err != nil {
		return 0, fmt.Errorf("count a library: %w", err)
	}
	for _, id := range ids {
		if info, err := os.Stat(s.plainPath(id)); err == nil { // most were never turned
			n += info.Size()
		}
	}
	return n, nil
}

// left gives the bytes that a workspace's library may still take by the quota; math.MaxInt64 without one.
func (s *Service) left(ctx context.Context, db bun.IDB, workspaceID string, t taken) (int64, error) {
	if s.Quota <= 0 {
		return math.MaxInt64, nil
	}
	texts, err := s.texts(ctx, db, workspaceID)
	return s.leftOf(t, texts), err
}

func (s *Service) leftOf(t taken, texts int64) int64 {
	if s.Quota <= 0 {
		return math.MaxInt64
	}
	return s.Quota - t.Bytes - texts
}

// awaited gives the bytes that all uploads under way have not brought yet.
func awaited(ctx context.Context, db bun.IDB) (n int64, err error) {
	err = db.NewRaw("SELECT coalesce(sum(size - synced), 0) FROM uploads").Scan(ctx, &n)
	return n, err
}

// room refuses an upload that the library or the disk has no room for. It is asked within the transaction that lets
// the upload in, so that two cannot have the same room. Errors: problems quota_exceeded, too_many, disk_full.
func (s *Service) room(ctx context.Context, tx bun.IDB, row *uploadRow) error {
	t, err := takenBy(ctx, tx, row.WorkspaceID)
	switch {
	case err != nil:
		return err
	case t.Files >= maxFiles:
		return errTooMany
	}
	switch left, err := s.left(ctx, tx, row.WorkspaceID, t); {
	case err != nil:
		return err
	case row.Size > left:
		return errQuota
	}
	var own int
	if err := tx.NewRaw("SELECT count(*) FROM uploads WHERE user_id = ?", row.UserID).Scan(ctx, &own); err != nil {
		return err
	}
	if own >= maxUploads {
		return errUploads
	}
	coming, err := awaited(ctx, tx)
	if err != nil {
		return err
	}
	free, err := s.free(s.Dir)
	if err != nil {
		return fmt.Errorf("ask how much room the disk has: %w", err)
	}
	if free-coming-row.Size < s.MinFree {
		return errDiskFull
	}
	return nil
}

// floor refuses to write on once the disk is as full as it may get: others fill it, too.
func (s *Service) floor() error {
	free, err := s.free(s.Dir)
	if err != nil {
		return fmt.Errorf("ask how much room the disk has: %w", err)
	}
	if free < s.MinFree {
		return errDiskFull
	}
	return nil
}

// Usage tells how much room a workspace's library takes and has.
func (s *Service) Usage(ctx context.Context, workspaceID string) (Usage, error) {
	t, err := takenBy(ctx, s.DB.Read, workspaceID)
	if err != nil {
		return Usage{}, err
	}
	coming, err := awaited(ctx, s.DB.Read)
	if err != nil {
		return Usage{}, err
	}
	free, err := s.free(s.Dir)
	if err != nil {
		return Usage{}, err
	}
	texts, err := s.texts(ctx, s.DB.Read, workspaceID)
	if err != nil {
		return Usage{}, err
	}
	left := min(s.leftOf(t, texts), free-coming-s.MinFree)
	return Usage{Files: t.Files, Bytes: t.Bytes + texts, Quota: s.Quota, Free: max(0, left), MaxSize: MaxSize}, nil
}

package file

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// endAbandoned ends the uploads that lay still for UploadAge.
func (s *Service) endAbandoned(ctx context.Context) error {
	before := s.now().Add(-UploadAge).UnixMilli()
	var rows []*uploadRow
	if err := s.DB.Read.NewSelect().Model(&rows).Column("id").Where("used_at < ?", before).Scan(ctx); err != nil {
		return err
	}
	for _, row := range rows {
		err := s.withLock(ctx, row.ID, func() error {
			again := &uploadRow{ID: row.ID}
			if err := s.DB.Read.NewSelect().Model(again).WherePK().Scan(ctx); err != nil || again.UsedAt >= before {
				return nil // it went on, or is gone
			}
			return s.drop(ctx, row.ID)
		})
		if errors.Is(err, errLocked) {
			continue // a call works on it: it is not abandoned
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// dropEnded removes what came of files of devices whose transfers have ended, which nobody goes on with.
func (s *Service) dropEnded(ctx context.Context) error {
	var ids []string
	err := s.DB.Read.NewRaw(`SELECT id FROM uploads AS u WHERE source = ? AND NOT EXISTS (
		SELECT 1 FROM file_transfers AS t WHERE t.id = u.id AND t.ended_at IS NULL)`, SourcePrinter).Scan(ctx, &ids)
	if err != nil {
		return fmt.Errorf("read which uploads nobody goes on with: %w", err)
	}
	for _, id := range ids {
		err := s.withLock(ctx, id, func() error { return s.drop(ctx, id) })
		if err != nil && !errors.Is(err, errLocked) {
			return err
		}
	}
	return nil
}

// sweepStrays removes contents that no row names: of files that were deleted, or uploads that were begun, just as the
// server was killed. Only names of our own making are touched.
func (s *Service) sweepStrays(ctx context.Context) error {
	entries, err := os.ReadDir(s.Dir) // before the rows are read: a row is there before its file
	if err != nil {
		return err
	}
	var ids []string
	err = s.DB.Read.NewRaw("SELECT id FROM files UNION ALL SELECT id FROM uploads").Scan(ctx, &ids)
	if err != nil {
		return fmt.Errorf("read which files there are: %w", err)
	}
	known := make(map[string]bool, len(ids))
	for _, id := range ids {
		known[id] = true
	}
	for _, e := range entries {
		id, _, _ := strings.Cut(e.Name(), ".")
		if !e.Type().IsRegular() || known[id] || !ourID(id) {
			continue
		}
		s.removeFiles(filepath.Join(s.Dir, e.Name()))
	}
	return nil
}

// ourID tells whether a name has the form of an id: a UUID of version 7.
func ourID(id string) bool {
	return len(id) == 36 && id[14] == '7' && wire.ValidUUID(id[:14]+"4"+id[15:])
}

package printer

import (
	"context"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/store"
	"github.com/uptrace/bun"
)

// sliceRows is how many rows are deleted at once, sliceRest how long others may write in between. A slice
// may hold the writer for at most 50 ms.
const (
	sliceRows = 500
	sliceRest = 20 * time.Millisecond
	keptToken = 30 * 24 * time.Hour // how long a removed printer's device is told why it may not connect
)

// clear deletes the past of removed printers.
func (s *Service) clear(ctx context.Context) error {
	var removed []removedRow
	if err := s.DB.Read.NewSelect().Model(&removed).Scan(ctx); err != nil {
		return err
	}
	for _, r := range removed {
		if err := s.clearPrinter(ctx, r.PrinterID); err != nil {
			return err
		}
		if s.now().Sub(fromMillis(r.RemovedAt)) < keptToken {
			continue
		}
		err := s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
			if _, err := tx.NewDelete().Model((*deviceRow)(nil)).Where("printer_id = ?", r.PrinterID).Exec(ctx); err != nil {
				return err
			}
			_, err := tx.NewDelete().Model(&r).WherePK().Exec(ctx)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) clearPrinter(ctx context.Context, printerID string) error {
	steps := []func() (int, error){
		func() (int, error) { return s.Jobs.Forget(ctx, printerID, sliceRows) },
		func() (int, error) {
			return deleteSome(ctx, s.DB.File, "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE printer_id = ? LIMIT ?)", printerID, sliceRows)
		},
		func() (int, error) {
			return deleteSome(ctx, s.DB.File, "DELETE FROM device_epochs WHERE device_id IN (SELECT id FROM devices WHERE printer_id = ? LIMIT ?)", printerID, sliceRows)
		},
		func() (int, error) {
			return deleteSome(ctx, s.DB.History, "DELETE FROM blocks WHERE (printer_id, step, start) IN (SELECT printer_id, step, start FROM blocks WHERE printer_id = ? LIMIT ?)", printerID, sliceRows)
		},
		func() (int, error) {
			return deleteSome(ctx, s.DB.History, "DELETE FROM open_blocks WHERE printer_id = ?", printerID)
		},
		func() (int, error) {
			return deleteSome(ctx, s.DB.History, "DELETE FROM twins WHERE printer_id = ?", printerID)
		},
		func() (int, error) {
			return deleteSome(ctx, s.DB.History, "DELETE FROM device_files WHERE printer_id = ?", printerID)
		},
	}
	for _, step := range steps {
		if err := inSlices(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

// rest waits, so that others may write meanwhile.
func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// deleteSome runs a DELETE that is bounded by itself and tells how many rows it took.
func deleteSome(ctx context.Context, file *store.File, query string, args ...any) (n int, err error) {
	err = file.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		res, err := tx.NewRaw(query, args...).Exec(ctx)
		if err != nil {
			return err
		}
		rows, err := res.RowsAffected()
		n = int(rows)
		return err
	})
	return n, err
}

// expire deletes what is older than it is to be kept, in slices.
func (s *Service) expire(ctx context.Context) error {
	now := s.now()
	for _, t := range tiers {
		before := now.Unix() - t.keep - t.span()
		err := inSlices(ctx, func() (int, error) {
			return deleteSome(ctx, s.DB.History, `DELETE FROM blocks WHERE (printer_id, step, start) IN
				(SELECT printer_id, step, start FROM blocks WHERE step = ? AND start < ? LIMIT ?)`, t.step, before, sliceRows)
		})
		if err != nil {
			return err
		}
	}
	err := inSlices(ctx, func() (int, error) {
		return deleteSome(ctx, s.DB.File, "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE received_at < ? LIMIT ?)",
			now.Add(-s.EventAge).UnixMilli(), sliceRows)
	})
	if err != nil {
		return err
	}
	return inSlices(ctx, func() (int, error) { return s.Jobs.Expire(ctx, now.Add(-s.EventAge), sliceRows) })
}

// inSlices repeats a bounded DELETE until it finds less than a slice.
func inSlices(ctx context.Context, slice func() (int, error)) error {
	for {
		n, err := slice()
		if err != nil || n < sliceRows {
			return err
		}
		if err := rest(ctx, sliceRest); err != nil {
			return err
		}
	}
}

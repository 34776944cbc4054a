package printer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/kangbyounggwan/factor/internal/server/store"
	"github.com/uptrace/bun"
)

// checkpointSoon has the state of a printer written within a moment.
func (s *Service) checkpointSoon(t *twin) {
	s.urgentMu.Lock()
	s.urgent = append(s.urgent, t)
	s.urgentMu.Unlock()
	select {
	case s.soon <- struct{}{}:
	default: // is asked for already
	}
}

// batchRows is how many rows are written in one transaction, so that nobody holds the writer for more than 50 ms.
const batchRows = 500

// checkpointUrgent writes the state of those printers that asked for it.
func (s *Service) checkpointUrgent(ctx context.Context) error {
	s.urgentMu.Lock()
	list := s.urgent
	s.urgent = nil
	s.urgentMu.Unlock()
	return s.write(ctx, list, func(t *twin, b *batch) error { return b.takeState(t) })
}

// checkpoint writes the state of all printers that changed, and the blocks that got samples.
func (s *Service) checkpoint(ctx context.Context) error {
	return s.write(ctx, s.twins(), func(t *twin, b *batch) error {
		b.takeBlock(t)
		return b.takeState(t)
	})
}

// sample gives each printer its sample, and writes as checkpoint does.
func (s *Service) sample(ctx context.Context) error {
	now := s.now()
	return s.write(ctx, s.twins(), func(t *twin, b *batch) error {
		if full := t.sample(now); full != nil {
			b.full = append(b.full, of{t, full})
		}
		b.takeBlock(t)
		return b.takeState(t)
	})
}

// write has take fill batches from printers, with each one's mu held, and writes them.
func (s *Service) write(ctx context.Context, list []*twin, take func(*twin, *batch) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	ctx = context.WithoutCancel(ctx) // what was taken along counts as written: an ordered stop must not drop it
	b := batch{at: s.now().UnixMilli()}
	for _, t := range list {
		t.mu.Lock()
		err := take(t, &b)
		t.mu.Unlock()
		if err != nil {
			s.log.Error("checkpoint not made", "printer", t.printer.ID, "err", err)
		}
		if b.size() >= batchRows {
			if err := b.write(ctx, s.DB.History); err != nil {
				return err
			}
		}
	}
	return b.write(ctx, s.DB.History)
}

// of is a block of a printer.
type of struct {
	t *twin
	b *block
}

// batch is what is written in one transaction.
type batch struct {
	at    int64 // Unix milliseconds
	twins []twinRow
	open  []openRow // blocks that are being filled
	full  []of      // blocks whose time is over: to be rolled up
}

func (b *batch) size() int { return len(b.twins) + len(b.open) + 6*len(b.full) }

// takeBlock takes along what a printer's open block has that the database has not. t.mu is held.
func (b *batch) takeBlock(t *twin) {
	h := &t.history
	if !h.dirty {
		return
	}
	h.dirty = false
	b.open = append(b.open, openRow{PrinterID: t.printer.ID, Step: h.step, Start: h.start, Data: h.encode(nil)})
}

// takeState takes along a printer's state, if it changed. t.mu is held.
func (b *batch) takeState(t *twin) error {
	if !t.dirty || t.gone {
		return nil
	}
	t.dirty = false
	data, err := t.checkpoint()
	if err == nil {
		b.twins = append(b.twins, twinRow{PrinterID: t.printer.ID, At: b.at, Data: data})
	}
	return err
}

// write writes the batch and empties it.
func (b *batch) write(ctx context.Context, file *store.File) error {
	if b.size() == 0 {
		return nil
	}
	err := file.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		for _, f := range b.full {
			if err := finish(ctx, tx, f.t.printer.ID, f.b); err != nil {
				return err
			}
		}
		if len(b.open) > 0 {
			_, err := tx.NewInsert().Model(&b.open).On("CONFLICT (printer_id) DO UPDATE").
				Set("step = EXCLUDED.step").Set("start = EXCLUDED.start").Set("data = EXCLUDED.data").Exec(ctx)
			if err != nil {
				return err
			}
		}
		if len(b.twins) == 0 {
			return nil
		}
		_, err := tx.NewInsert().Model(&b.twins).On("CONFLICT (printer_id) DO UPDATE").
			Set("at = EXCLUDED.at").Set("data = EXCLUDED.data").Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("write history: %w", err)
	}
	*b = batch{at: b.at, twins: b.twins[:0], open: b.open[:0]}
	return nil
}

// finish writes a full block of the finest tier, and what it adds to the coarser ones. Doing it again changes nothing.
func finish(ctx context.Context, tx bun.Tx, printerID string, b *block) error {
	blocks := []*block{b}
	for _, to := range tiers[1:] {
		blocks = append(blocks, rollUp(b, to))
	}
	rows := make([]blockRow, len(blocks))
	for i, b := range blocks {
		if err := mergeStored(ctx, tx, printerID, b); err != nil {
			return err
		}
		rows[i] = blockRow{PrinterID: printerID, Step: b.step, Start: b.start, Data: b.encode(nil)}
	}
	_, err := tx.NewInsert().Model(&rows).On("CONFLICT (printer_id, step, start) DO UPDATE").Set("data = EXCLUDED.data").Exec(ctx)
	if err != nil {
		return err
	}
	_, err = tx.NewDelete().Model((*openRow)(nil)).Where("printer_id = ?", printerID).Where("start = ?", b.start).Exec(ctx)
	return err
}

// mergeStored adds what the database has of a block: of a coarser tier from blocks before this one, of the finest from
// before a clock was set back.
func mergeStored(ctx context.Context, tx bun.Tx, printerID string, b *block) error {
	row := blockRow{PrinterID: printerID, Step: b.step, Start: b.start}
	err := tx.NewSelect().Model(&row).WherePK().Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if stored, err := decodeBlock(row.Data, row.Step, row.Start); err == nil {
		b.merge(stored)
	}
	return nil // what cannot be read is no loss to write over
}

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
	open  []blockRow // blocks that are being filled
	fresh []of       // the same, where the database may have samples that memory has not
	full  []of       // blocks whose time is over: to be rolled up
}

func (b *batch) size() int { return len(b.twins) + len(b.open) + 2*len(b.fresh) + 6*len(b.full) }

// takeBlock takes along what a printer's open block has that the database has not. t.mu is held.
func (b *batch) takeBlock(t *twin) {
	h := &t.history
	if !h.dirty {
		return
	}
	h.dirty = false
	if h.loaded {
		b.open = append(b.open, rowOfBlock(t.printer.ID, h))
	} else {
		b.fresh = append(b.fresh, of{t, h.clone()})
	}
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
		rows := b.open
		for _, f := range b.fresh {
			if err := mergeStored(ctx, tx, f.t.printer.ID, f.b); err != nil {
				return err
			}
			rows = append(rows, rowOfBlock(f.t.printer.ID, f.b))
		}
		for _, f := range b.full {
			more, err := finish(ctx, tx, f.t.printer.ID, f.b)
			if err != nil {
				return err
			}
			rows = append(rows, more...)
		}
		if err := putBlocks(ctx, tx, rows); err != nil {
			return err
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
	for _, f := range b.fresh {
		f.t.mu.Lock()
		if h := &f.t.history; h.start == f.b.start && h.step == f.b.step {
			dirty := h.dirty
			h.merge(f.b)
			h.loaded, h.dirty = true, dirty
		}
		f.t.mu.Unlock()
	}
	*b = batch{at: b.at, twins: b.twins[:0], open: b.open[:0]}
	return nil
}

// finish gives the rows that a full block of the finest tier makes: itself, and what it adds to the coarser tiers.
// Doing it again changes nothing.
func finish(ctx context.Context, tx bun.Tx, printerID string, b *block) ([]blockRow, error) {
	if !b.loaded {
		if err := mergeStored(ctx, tx, printerID, b); err != nil {
			return nil, err
		}
	}
	rows := []blockRow{rowOfBlock(printerID, b)}
	for _, to := range tiers[1:] {
		coarse := rollUp(b, to)
		if err := mergeStored(ctx, tx, printerID, coarse); err != nil {
			return nil, err
		}
		// At once: two blocks of one batch may add to the same coarser one.
		if err := putBlocks(ctx, tx, []blockRow{rowOfBlock(printerID, coarse)}); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func rowOfBlock(printerID string, b *block) blockRow {
	return blockRow{PrinterID: printerID, Step: b.step, Start: b.start, Data: b.encode(nil)}
}

func putBlocks(ctx context.Context, tx bun.Tx, rows []blockRow) error {
	if len(rows) == 0 {
		return nil
	}
	_, err := tx.NewInsert().Model(&rows).On("CONFLICT (printer_id, step, start) DO UPDATE").Set("data = EXCLUDED.data").Exec(ctx)
	return err
}

// mergeStored adds what the database has of a block: from before a restart, or before a clock was set back.
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

func (b *block) clone() *block {
	c := *b
	c.columns = make([]column, len(b.columns))
	for i, col := range b.columns {
		c.columns[i] = column{name: col.name, kind: col.kind, values: append([]int16(nil), col.values...)}
	}
	return &c
}

// catchUp rolls up the blocks that were open when the server last ended and whose time is over.
func (s *Service) catchUp(ctx context.Context) error {
	var at sql.NullInt64
	if err := s.DB.History.Read.NewSelect().Model((*twinRow)(nil)).ColumnExpr("MAX(at)").Scan(ctx, &at); err != nil || !at.Valid {
		return err
	}
	finest := tiers[0]
	from, to := at.Int64/1000-2*finest.span(), finest.startOf(s.now().Unix())
	var rows []blockRow
	err := s.DB.History.Read.NewSelect().Model(&rows).Where("step = ?", finest.step).
		Where("start >= ?", from).Where("start < ?", to).Scan(ctx)
	if err != nil {
		return err
	}
	for _, r := range rows {
		b, err := decodeBlock(r.Data, r.Step, r.Start)
		if err != nil {
			continue
		}
		b.loaded = true
		err = s.DB.History.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := finish(ctx, tx, r.PrinterID, b)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

package job

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/bus"
)

type row struct {
	bun.BaseModel `bun:"table:jobs,alias:j"`
	PrinterID     string `bun:",pk"`
	ID            string `bun:",pk"`
	FileName      string
	Origin        string
	Path          string
	Size          *int64
	StartedAt     int64
	EndedAt       *int64
	Result        string
	PrintTime     *float64
	Completion    *float64
	ByEvent       bool
}

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func (r *row) job() Job {
	j := Job{ID: r.ID, FileName: r.FileName, Origin: r.Origin, Path: r.Path, Size: r.Size, StartedAt: fromMillis(r.StartedAt),
		Result: Result(r.Result), PrintTime: r.PrintTime, Completion: r.Completion}
	if r.EndedAt != nil {
		at := fromMillis(*r.EndedAt)
		j.EndedAt = &at
	}
	return j
}

func (r *row) changed() bus.JobChanged {
	c := bus.JobChanged{PrinterID: r.PrinterID, ID: r.ID, FileName: r.FileName, StartedAt: fromMillis(r.StartedAt), Result: r.Result, PrintTime: r.PrintTime}
	if r.EndedAt != nil {
		c.EndedAt = fromMillis(*r.EndedAt)
	}
	return c
}

// change is what an observation makes of a row.
type change struct {
	kind changeKind
	row  row // for changeEnd: only the key, and how it ended
}

type changeKind int

const (
	changeBegin changeKind = iota
	changeEnd
)

// apply writes changes in one transaction and tells the bus of them. Where that fails each is tried by itself, so that
// one bad row costs no other; one that cannot be written is lost, and the log says so.
func (s *Service) apply(ctx context.Context, changes []change) {
	if len(changes) == 0 {
		return
	}
	var told []*bus.JobChanged
	err := s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		told = told[:0]
		for i := range changes {
			t, err := changes[i].write(ctx, tx)
			if err != nil {
				return err
			}
			if t != nil {
				told = append(told, t)
			}
		}
		return nil
	})
	switch {
	case err == nil:
		for _, t := range told {
			s.Bus.JobChanged.Publish(*t)
		}
	case len(changes) == 1:
		s.log.Error("print not noted", "printer", changes[0].row.PrinterID, "job", changes[0].row.ID, "err", err)
	default:
		for i := range changes {
			s.apply(ctx, changes[i:i+1])
		}
	}
}

// write gives what to tell, or nil when an event has told it already.
func (c *change) write(ctx context.Context, tx bun.Tx) (*bus.JobChanged, error) {
	if c.kind == changeBegin {
		res, err := tx.NewInsert().Model(&c.row).On("CONFLICT (printer_id, id) DO NOTHING").Exec(ctx)
		if err != nil {
			return nil, err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return nil, err
		}
		told := c.row.changed()
		return &told, nil
	}
	have, err := load(ctx, tx, c.row.PrinterID, c.row.ID)
	if err != nil || have == nil || have.EndedAt != nil {
		return nil, err
	}
	have.EndedAt, have.Result, have.Completion = c.row.EndedAt, c.row.Result, c.row.Completion
	if *have.EndedAt < have.StartedAt {
		have.EndedAt = &have.StartedAt
	}
	if have.PrintTime = c.row.PrintTime; have.PrintTime == nil {
		took := float64(*have.EndedAt-have.StartedAt) / 1000
		have.PrintTime = &took
	}
	if _, err := tx.NewUpdate().Model(have).WherePK().Exec(ctx); err != nil {
		return nil, err
	}
	told := have.changed()
	return &told, nil
}

// load gives a row, or nil where there is none.
func load(ctx context.Context, db bun.IDB, printerID, id string) (*row, error) {
	r := &row{PrinterID: printerID, ID: id}
	err := db.NewSelect().Model(r).WherePK().Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return r, err
}

// Last gives the print of each printer that ended last, and the one under way where there is one.
func (s *Service) Last(ctx context.Context) ([]bus.JobChanged, error) {
	var rows []row
	err := s.DB.Read.NewSelect().Model(&rows).Where("ended_at IS NULL").WhereOr(
		"(printer_id, started_at) IN (SELECT printer_id, MAX(started_at) FROM jobs WHERE ended_at IS NOT NULL GROUP BY printer_id)").
		OrderExpr("started_at").Scan(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]bus.JobChanged, len(rows))
	for i := range rows {
		list[i] = rows[i].changed()
	}
	return list, nil
}

// Jobs lists a printer's prints, the newest first, those that began before a time; zero: all. more: there are older ones.
func (s *Service) Jobs(ctx context.Context, printerID string, before time.Time, limit int) (list []Job, more bool, err error) {
	var rows []row
	q := s.DB.Read.NewSelect().Model(&rows).Where("printer_id = ?", printerID)
	if !before.IsZero() {
		q = q.Where("started_at < ?", before.UnixMilli())
	}
	if err := q.OrderExpr("started_at DESC, id DESC").Limit(int64(limit) + 1).Scan(ctx); err != nil {
		return nil, false, err
	}
	if more = len(rows) > limit; more {
		rows = rows[:limit]
	}
	list = make([]Job, len(rows))
	for i := range rows {
		list[i] = rows[i].job()
	}
	return list, more, nil
}

// Expire deletes at most limit rows of prints that ended before a time and tells how many.
func (s *Service) Expire(ctx context.Context, before time.Time, limit int) (int, error) {
	return s.remove(ctx, "DELETE FROM jobs WHERE (printer_id, id) IN (SELECT printer_id, id FROM jobs WHERE ended_at < ? LIMIT ?)",
		before.UnixMilli(), limit)
}

// Forget deletes at most limit rows of a removed printer and tells how many.
func (s *Service) Forget(ctx context.Context, printerID string, limit int) (n int, err error) {
	s.mu.Lock()
	delete(s.prints, printerID)
	delete(s.begun, printerID)
	s.mu.Unlock()
	return s.remove(ctx, "DELETE FROM jobs WHERE printer_id = ? AND id IN (SELECT id FROM jobs WHERE printer_id = ? LIMIT ?)",
		printerID, printerID, limit)
}

func (s *Service) remove(ctx context.Context, query string, args ...any) (n int, err error) {
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
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

package printer

import (
	"context"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/kangbyounggwan/factor/internal/wire"
	"github.com/uptrace/bun"
)

type blockRow struct {
	bun.BaseModel `bun:"table:blocks,alias:b"`
	PrinterID     string `bun:",pk"`
	Step          int64  `bun:",pk"`
	Start         int64  `bun:",pk"`
	Data          []byte
}

type openRow struct {
	bun.BaseModel `bun:"table:open_blocks,alias:o"`
	PrinterID     string `bun:",pk"`
	Step          int64
	Start         int64
	Data          []byte
}

type twinRow struct {
	bun.BaseModel `bun:"table:twins,alias:t"`
	PrinterID     string `bun:",pk"`
	At            int64
	Data          []byte
}

// checkpoint is what a restarted server knows of a printer.
type checkpoint struct {
	Snapshot    *wire.Snapshot `json:"snapshot"`
	ReportedAt  int64          `json:"reported_at,omitzero"` // times in Unix milliseconds, server clock
	Status      wire.Status    `json:"status"`
	StatusSince int64          `json:"status_since,omitzero"`
	Interval    float64        `json:"interval,omitzero"`
	FinishAt    int64          `json:"finish_at,omitzero"`
	Presence    *wire.Presence `json:"presence,omitzero"`
	Online      bool           `json:"online,omitzero"`
	ConnectedAt int64          `json:"connected_at,omitzero"`
	LastSeen    int64          `json:"last_seen,omitzero"`
	LostAt      int64          `json:"lost_at,omitzero"`
	Told        bool           `json:"told,omitzero"`
	LostJob     bool           `json:"lost_job,omitzero"`
	ContestedAt int64          `json:"contested_at,omitzero"`
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func (t *twin) checkpoint() ([]byte, error) {
	if len(t.snap.Axes) == 0 {
		t.snap.Axes = nil // an empty one is no JSON
	}
	return json.Marshal(&checkpoint{
		Snapshot: t.snap, ReportedAt: millis(t.reportedAt), Status: t.status, StatusSince: millis(t.statusSince),
		Interval: t.interval, FinishAt: millis(t.finishAt), Presence: t.presence, Online: t.online || t.stopped,
		ConnectedAt: millis(t.connectedAt), LastSeen: millis(t.lastSeen), LostAt: millis(t.lostAt), Told: t.told,
		LostJob: t.lostJob, ContestedAt: millis(t.contestedAt),
	})
}

// restore puts what a checkpoint knows into a fresh twin. Whoever was connected has time to come back before his
// absence is an event.
func (t *twin) restore(data []byte, begun time.Time) error {
	var c checkpoint
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	if c.Snapshot != nil {
		t.snap = c.Snapshot
	}
	if c.Status.Valid() {
		t.status = c.Status
	}
	t.reportedAt, t.statusSince, t.finishAt = fromMillis(c.ReportedAt), fromMillis(c.StatusSince), fromMillis(c.FinishAt)
	if c.Interval > 0 {
		t.interval = c.Interval
	}
	t.presence = c.Presence
	t.connectedAt, t.lastSeen, t.lostAt = fromMillis(c.ConnectedAt), fromMillis(c.LastSeen), fromMillis(c.LostAt)
	t.told, t.lostJob, t.contestedAt = c.Told, c.LostJob, fromMillis(c.ContestedAt)
	if c.Online {
		t.stopped, t.lostAt, t.lostDue = true, t.lastSeen, begun.Add(restartGrace)
	} else if !t.told && !t.connectedAt.IsZero() {
		t.lostDue = begun // it was away already, and that was not noted yet
	}
	t.stale = !t.reportedAt.IsZero()
	return nil
}

// restore reads every checkpoint, and tells the jobs how far the prints under way had come.
func (s *Service) restore(ctx context.Context) error {
	var rows []twinRow
	if err := s.DB.History.Read.NewSelect().Model(&rows).Scan(ctx); err != nil {
		return err
	}
	for i := range rows {
		t := s.byID[rows[i].PrinterID]
		if t == nil {
			continue // removed
		}
		if err := t.restore(rows[i].Data, s.begun); err != nil {
			s.log.Warn("checkpoint not readable", "printer", rows[i].PrinterID, "err", err)
			continue
		}
		if t.running != nil && t.status.Active() {
			s.Jobs.Observe(t.printer.ID, t.snap, t.status, t.reportedAt)
		}
	}
	return s.restoreOpen(ctx)
}

// restoreOpen reads the blocks that were being filled. One whose time is over is finished with the next sample.
func (s *Service) restoreOpen(ctx context.Context) error {
	var rows []openRow
	if err := s.DB.History.Read.NewSelect().Model(&rows).Scan(ctx); err != nil {
		return err
	}
	for _, r := range rows {
		t := s.byID[r.PrinterID]
		if t == nil {
			continue // removed
		}
		b, err := decodeBlock(r.Data, r.Step, r.Start)
		if err != nil || r.Step != tiers[0].step || b.places != tiers[0].places {
			s.log.Warn("open history block not readable", "printer", r.PrinterID)
			continue
		}
		t.history = *b
	}
	return nil
}

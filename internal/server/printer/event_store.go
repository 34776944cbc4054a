package printer

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/wire"
	"github.com/uptrace/bun"
)

type eventRow struct {
	bun.BaseModel `bun:"table:events,alias:e"`
	ID            string `bun:",pk"`
	PrinterID     string
	DeviceID      string
	Epoch         *string
	Seq           *int64
	At            int64
	DeviceAt      *int64
	ReceivedAt    int64
	Type          string
	Job           string
	Data          *string
}

type epochRow struct {
	bun.BaseModel `bun:"table:device_epochs,alias:de"`
	DeviceID      string `bun:",pk"`
	Epoch         string `bun:",pk"`
	Seq           int64
	Missing       string
	SeenAt        int64
}

func (r *eventRow) event() Event {
	e := Event{ID: r.ID, At: fromMillis(r.At), ReceivedAt: fromMillis(r.ReceivedAt), Type: r.Type, Job: r.Job}
	if r.Epoch != nil && r.Seq != nil {
		e.Epoch, e.Seq = *r.Epoch, *r.Seq
	}
	if r.DeviceAt != nil && time.Duration(math.Abs(float64(*r.DeviceAt-r.At)))*time.Millisecond > clockSlack {
		at := fromMillis(*r.DeviceAt)
		e.DeviceAt = &at
	}
	if r.Data != nil {
		e.Data = json.RawMessage(*r.Data)
	}
	return e
}

// Event stores a device's event, together with the word that it is stored; when Event returns nil, both are on disk.
// One that was stored before is taken as stored, one over the device's quota is counted and dropped. Errors: ErrInvalid when nothing can be made of it; anything else
// means that it is not stored and must come again.
func (s *Service) Event(ctx context.Context, id Identity, payload []byte, at time.Time) error {
	e, err := decodeEvent(payload)
	if err != nil {
		s.count.events.invalid.Inc()
		s.log.Log(ctx, s.logLimit.Level(slog.LevelWarn, s.now()), "event dropped", "printer", id.PrinterID, "err", err)
		return ErrInvalid
	}
	t := s.twinByID(id.PrinterID)
	if t == nil {
		return nil // removed: nobody will ever ask for it
	}
	t.mu.Lock()
	gone := t.gone || t.device.ID != id.ID
	t.lastSeen = at
	happened := when(e.At, at, t.clockOffset())
	within := gone || t.quota.take(len(payload), at)
	t.mu.Unlock()
	if gone {
		return nil
	}
	row := eventRow{PrinterID: id.PrinterID, DeviceID: id.ID, Epoch: &e.Epoch, Seq: &e.Seq, At: happened.UnixMilli(),
		ReceivedAt: at.UnixMilli(), Type: e.Type, Job: e.Job}
	if e.At > 0 {
		ms := int64(e.At * 1000)
		row.DeviceAt = &ms
	}
	if e.Data != nil {
		data := string(e.Data)
		row.Data = &data
	}
	var fresh bool
	var done func()
	var said *eventRow
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		fresh, done, said = false, nil, nil
		if fresh, err = s.acknowledge(ctx, tx, &row, at); err != nil || !fresh {
			return err
		}
		if !within {
			said, err = s.noteDropped(ctx, tx, t, &row)
			return err
		}
		row.ID = newID() // here, where writes are one after the other: ids are in the order of storing
		res, err := tx.NewInsert().Model(&row).On("CONFLICT (device_id, epoch, seq) DO NOTHING").Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			fresh = false
			return err
		}
		if e.Type != EventMalformed {
			done, err = s.Jobs.Event(ctx, tx, id.PrinterID, &e, happened)
		}
		return err
	})
	if within && (err != nil || !fresh) {
		t.mu.Lock()
		t.quota.giveBack(len(payload))
		t.mu.Unlock()
	}
	switch {
	case err != nil:
		s.count.events.failed.Inc()
		return err
	case !fresh:
		s.count.events.again.Inc()
		return nil
	case !within:
		s.count.events.dropped.Inc()
		if said != nil {
			s.log.Log(ctx, s.logLimit.Level(slog.LevelWarn, s.now()), "a device sends more events than are stored of one; what is over is dropped", "printer", id.PrinterID)
			s.publishEvent(id.UUID, said)
		}
		return nil
	}
	s.count.events.stored.Inc()
	s.publishEvent(id.UUID, &row)
	if done != nil {
		done()
	}
	return nil
}

// clockOffset is what must be added to the device's clock to get the server's, as its last snapshot tells.
func (t *twin) clockOffset() time.Duration {
	if t.snap.TS <= 0 || t.reportedAt.IsZero() {
		return 0
	}
	return time.Duration((float64(t.reportedAt.UnixMilli())/1000 - t.snap.TS) * float64(time.Second))
}

// acknowledge notes the number of an event as received. It tells whether it had not been.
func (s *Service) acknowledge(ctx context.Context, tx bun.Tx, row *eventRow, at time.Time) (bool, error) {
	known := epochRow{DeviceID: row.DeviceID, Epoch: *row.Epoch}
	err := tx.NewSelect().Model(&known).WherePK().Scan(ctx)
	first := errors.Is(err, sql.ErrNoRows)
	if err != nil && !first {
		return false, err
	}
	fresh, high, missing := received(*row.Seq, known.Seq, parseSpans(known.Missing))
	if !fresh {
		return false, nil
	}
	if *row.Seq > known.Seq+1 && row.Type != wire.EventGap {
		s.count.events.gaps.Inc()
		s.log.Log(ctx, s.logLimit.Level(slog.LevelInfo, s.now()), "events are missing", "printer", row.PrinterID, "epoch", *row.Epoch, "from", known.Seq+1, "to", *row.Seq-1)
	}
	known = epochRow{DeviceID: row.DeviceID, Epoch: *row.Epoch, Seq: high, Missing: formatSpans(missing), SeenAt: at.UnixMilli()}
	if first {
		if err := s.forgetEpochs(ctx, tx, row.DeviceID); err != nil {
			return false, err
		}
		_, err = tx.NewInsert().Model(&known).Exec(ctx)
	} else {
		_, err = tx.NewUpdate().Model(&known).WherePK().Exec(ctx)
	}
	return true, err
}

// maxEpochs bounds what is remembered of the queues that one device has had.
const maxEpochs = 50

func (s *Service) forgetEpochs(ctx context.Context, tx bun.Tx, deviceID string) error {
	_, err := tx.NewRaw(`DELETE FROM device_epochs WHERE device_id = ? AND epoch IN
		(SELECT epoch FROM device_epochs WHERE device_id = ? ORDER BY seen_at DESC LIMIT 1000 OFFSET ?)`,
		deviceID, deviceID, maxEpochs-1).Exec(ctx)
	return err
}

// note is an event that the server itself has seen.
type note struct {
	t    *twin
	kind string
	at   time.Time
}

// note stores what the server has seen of printers. Unlike a device's, such an event may be lost with the server.
func (s *Service) note(ctx context.Context, notes []note) {
	if len(notes) == 0 {
		return
	}
	now := s.now()
	rows := make([]eventRow, len(notes))
	uuids := make([]string, len(notes))
	for i, n := range notes {
		n.t.mu.Lock()
		rows[i] = eventRow{PrinterID: n.t.printer.ID, DeviceID: n.t.device.ID, At: n.at.UnixMilli(), ReceivedAt: now.UnixMilli(), Type: n.kind}
		uuids[i] = n.t.device.UUID
		n.t.mu.Unlock()
	}
	err := s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		for i := range rows {
			rows[i].ID = newID()
		}
		_, err := tx.NewInsert().Model(&rows).Exec(ctx)
		return err
	})
	if err != nil {
		s.log.Error("connection events not stored", "err", err)
		return
	}
	for i := range rows {
		s.publishEvent(uuids[i], &rows[i])
	}
}

func (s *Service) publishEvent(uuid string, row *eventRow) {
	b, err := json.Marshal(row.event())
	if err != nil {
		s.log.Error("event not published", "err", err)
		return
	}
	s.Bus.EventStored.Publish(bus.EventStored{PrinterID: row.PrinterID, UUID: uuid, JSON: b})
}

// EventPage is which events somebody wants: those after an id, oldest first, or else the newest, before an id.
type EventPage struct {
	After, Before string
	Limit         int
}

// Events lists a printer's events. more tells that the page is not all of them.
func (s *Service) Events(ctx context.Context, printerID string, page EventPage) (list []Event, more bool, err error) {
	var rows []eventRow
	q := s.DB.Read.NewSelect().Model(&rows).Where("printer_id = ?", printerID).Limit(int64(page.Limit) + 1)
	if page.After != "" {
		q = q.Where("id > ?", page.After).OrderExpr("id ASC")
	} else {
		q = q.OrderExpr("id DESC")
	}
	if page.Before != "" {
		q = q.Where("id < ?", page.Before)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, false, err
	}
	if more = len(rows) > page.Limit; more {
		rows = rows[:page.Limit]
	}
	list = make([]Event, len(rows))
	for i := range rows {
		list[i] = rows[i].event()
	}
	return list, more, nil
}

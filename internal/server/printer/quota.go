package printer

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/uptrace/bun"
)

// What a printer's device may have stored, so that a hostile one does not fill the disk. A real one sends a few dozen
// events a print. An agent's queue holds 20 MB, which it may bring all at once after its days offline.
const (
	quotaEvents = 2_000   // an hour, for good
	quotaBytes  = 2 << 20 // likewise, of messages
	burstEvents = 50_000
	burstBytes  = 25 << 20
	// What must have come together again before any is stored, once it is all gone: else a device that sends without
	// end would have a word of what was dropped stored for every event of its.
	reopenEvents = quotaEvents / 10
	reopenBytes  = quotaBytes / 10
)

// quota is what a device may still have stored. The zero quota is a full one.
type quota struct {
	events, bytes float64   // taken, of the bursts
	at            time.Time // of the last look
	shut          bool      // until enough has come together again
	note          string    // id of the event that says what was dropped since it was shut; empty: none is stored yet
}

// take takes an event's share. It tells whether there was one.
func (q *quota) take(size int, now time.Time) bool {
	if s := now.Sub(q.at).Hours(); s > 0 {
		q.events, q.bytes = max(0, q.events-s*quotaEvents), max(0, q.bytes-s*quotaBytes)
	}
	q.at = now
	if q.shut && q.events <= burstEvents-reopenEvents && q.bytes <= burstBytes-reopenBytes {
		q.shut, q.note = false, ""
	}
	if q.shut || q.events+1 > burstEvents || q.bytes+float64(size) > burstBytes {
		q.shut = true
		return false
	}
	q.events++
	q.bytes += float64(size)
	return true
}

// giveBack is for an event that was not stored after all.
func (q *quota) giveBack(size int) {
	q.events, q.bytes = max(0, q.events-1), max(0, q.bytes-float64(size))
}

// dropped is the data of EventDropped.
type dropped struct {
	Count int64 `json:"count"`
}

// noteDropped counts an event that is over the quota, in the one stored event that says so. It gives that event when
// it is new. It runs within the transaction that takes the number of the dropped event as received.
func (s *Service) noteDropped(ctx context.Context, tx bun.Tx, t *twin, of *eventRow) (*eventRow, error) {
	t.mu.Lock()
	id := t.quota.note
	t.mu.Unlock()
	if id != "" {
		var have eventRow
		err := tx.NewSelect().Model(&have).Where("id = ?", id).Scan(ctx)
		if err == nil {
			var said dropped
			if have.Data != nil {
				_ = json.Unmarshal([]byte(*have.Data), &said) // our own
			}
			_, err = tx.NewUpdate().Table("events").Set("data = ?", droppedData(said.Count+1)).Where("id = ?", id).Exec(ctx)
			return nil, err
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
	}
	data := droppedData(1)
	row := &eventRow{ID: newID(), PrinterID: of.PrinterID, DeviceID: of.DeviceID, At: of.ReceivedAt, ReceivedAt: of.ReceivedAt, Type: EventDropped, Data: &data}
	if _, err := tx.NewInsert().Model(row).Exec(ctx); err != nil {
		return nil, err
	}
	t.mu.Lock()
	t.quota.note = row.ID
	t.mu.Unlock()
	return row, nil
}

func droppedData(count int64) string {
	b, _ := json.Marshal(dropped{count}) // cannot fail
	return string(b)
}

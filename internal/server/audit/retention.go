package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"
)

// Deletion goes in slices so that no write waits long for it: 2,000 rows take a few milliseconds.
const (
	retentionEvery = time.Hour
	retentionSlice = 2000
	retentionPause = 200 * time.Millisecond
)

// Run deletes what is older than the retention, and writes the failures, until ctx ends. It returns nil then.
func (l *Log) Run(ctx context.Context) error {
	minute := time.NewTicker(time.Minute)
	defer minute.Stop()
	next := time.Time{}
	for {
		if now := l.Now(); !now.Before(next) {
			next = now.Add(retentionEvery)
			if err := l.deleteOld(ctx); err != nil && ctx.Err() == nil {
				l.Logger.Error("old audit entries not deleted", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			l.flushFailures(context.WithoutCancel(ctx), true)
			return nil
		case <-l.failures.wake:
			l.writeFailures(ctx)
		case <-minute.C:
			l.flushFailures(ctx, false)
		}
	}
}

func (l *Log) deleteOld(ctx context.Context) error {
	before := l.Now().Add(-l.Retention).UnixMilli()
	for {
		var deleted int64
		err := l.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
			res, err := tx.NewRaw("DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ? ORDER BY at LIMIT ?)",
				before, retentionSlice).Exec(ctx)
			if err != nil {
				return fmt.Errorf("delete old audit entries: %w", err)
			}
			deleted, err = res.RowsAffected()
			return err
		})
		if err != nil || deleted < retentionSlice {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(retentionPause):
		}
	}
}

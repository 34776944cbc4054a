package printer

import (
	"context"
	"sync"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/bus"
)

// How often the background looks.
const (
	sweepEvery = time.Second
	tidyEvery  = 5 * time.Minute
	soonRest   = 200 * time.Millisecond // between two checkpoints on a change of state
)

// Run samples, writes and tidies until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	var work sync.WaitGroup
	for _, run := range []func(context.Context){s.runSweep, s.runHistory, s.runTidy, s.runTrees} {
		work.Go(func() { run(ctx) })
	}
	work.Wait()
	return nil
}

// runSweep notices what happens by nothing happening: reports that grow old, devices that stay away.
func (s *Service) runSweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.sweep(ctx)
		}
	}
}

func (s *Service) sweep(ctx context.Context) {
	now := s.now()
	var notes []note
	for _, t := range s.twins() {
		t.mu.Lock()
		changed := false
		if stale := t.isStale(now); stale != t.stale {
			t.stale, changed = stale, true
		}
		if !t.backAt.IsZero() {
			notes = append(notes, note{t, EventOnline, t.backAt})
			t.backAt, t.told = time.Time{}, false
			t.dirty = true
		}
		if !t.online && !t.lostDue.IsZero() && !now.Before(t.lostDue) {
			t.lostDue, t.told, t.dirty = time.Time{}, true, true
			notes = append(notes, note{t, EventOffline, t.lostAt})
			if t.stopped {
				t.stopped, t.lostJob, changed = false, t.status.Active(), true
			}
		}
		tell := func() {}
		if changed {
			tell = s.changed(t, now)
		}
		t.mu.Unlock()
		tell()
	}
	s.note(ctx, notes)
}

// runHistory takes a sample of each printer every 10 s, by the clock, and writes what changed.
func (s *Service) runHistory(ctx context.Context) {
	next := time.NewTimer(untilSample(s.now()))
	defer next.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-next.C:
			begun := time.Now()
			next.Reset(untilSample(s.now()))
			err = s.sample(ctx)
			s.count.checkpoint.Observe(time.Since(begun).Seconds())
		case <-s.soon:
			if err = s.checkpointUrgent(ctx); err == nil {
				err = rest(ctx, soonRest)
			}
		}
		if err != nil && ctx.Err() == nil {
			s.log.Error("history not written", "err", err)
		}
	}
}

func untilSample(now time.Time) time.Duration {
	return now.Truncate(sampleEvery).Add(sampleEvery).Sub(now)
}

// runTidy does what can wait.
func (s *Service) runTidy(ctx context.Context) {
	for {
		if err := s.expire(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("old history not deleted", "err", err)
		}
		if err := s.clear(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("removed printers not cleared", "err", err)
		}
		if rest(ctx, tidyEvery) != nil {
			return
		}
	}
}

// jobChanged learns from the bus that a print began or ended.
func (s *Service) jobChanged(j bus.JobChanged) {
	t := s.twinByID(j.PrinterID)
	if t == nil {
		return
	}
	t.mu.Lock()
	t.noteJob(j)
	tell := s.changed(t, s.now())
	t.mu.Unlock()
	tell()
}

func (t *twin) noteJob(j bus.JobChanged) {
	if j.EndedAt.IsZero() {
		if t.running == nil || !j.StartedAt.Before(t.running.StartedAt) { // not one of whose start a late event tells
			t.running = &j
		}
		return
	}
	if t.running != nil && t.running.ID == j.ID {
		t.running = nil
	}
	if t.last == nil || t.last.ID == j.ID || !j.StartedAt.Before(t.last.StartedAt) {
		t.last = &j
	}
}

package publish

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// slow is which part of the frames may be left out before the uplink is called too slow.
const slow = 0.5

// sender writes what waits in the outbox to one link.
type sender struct {
	*publication
	link  *link
	clock serverTime

	budget budget // of JPEGs, which are left out one by one
	ladder ladder
	carry  carry
	told   *wire.MediaInfo // as the server was told
	sent   int             // frames, since the last report
	bytes  int
}

// run writes until the link or ctx ends.
func (s *sender) run(whole context.Context) error {
	ctx, end := context.WithCancelCause(whole)
	defer end(nil)
	s.link.wants = s.want
	var reading sync.WaitGroup
	reading.Go(func() { end(s.link.read(ctx)) })
	defer reading.Wait()
	defer s.link.close()
	s.out.restart()
	s.carry.begin(time.Now(), s.carried())
	if err := s.link.writeJSON(ctx, wire.MediaState, s.current()); err != nil {
		return errors.Join(err, context.Cause(ctx))
	}
	report := time.NewTicker(reportEvery)
	defer report.Stop()
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.out.ready:
			err = s.drain(ctx)
		case <-report.C:
			err = s.account(ctx)
		case <-ping.C:
			err = s.link.ping(ctx)
		}
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			return err
		}
	}
}

// drain writes what waits.
func (s *sender) drain(ctx context.Context) error {
	for ctx.Err() == nil {
		options := s.wanted()
		s.budget.limit(options.MaxKbps)
		report, f := s.out.take()
		switch {
		case report != nil:
			if err := s.link.writeJSON(ctx, wire.MediaState, report); err != nil {
				return err
			}
			continue
		case f == nil:
			return nil
		case f.kind == wire.MediaJPEG:
			if wait := s.budget.wait(time.Now()); wait > 0 {
				if err := sleep(ctx, wait); err != nil {
					return err
				}
				if _, newer := s.out.take(); newer != nil {
					f = newer
				}
			}
			if f.kind == wire.MediaJPEG {
				f.data = s.ladder.fit(f.data)
			}
		}
		if err := s.send(ctx, f, options); err != nil {
			return err
		}
	}
	return nil
}

func (s *sender) send(ctx context.Context, f *frame, options wire.MediaOptions) error {
	if f.info != nil && f.info != s.told {
		s.told = f.info
		if err := s.link.writeJSON(ctx, wire.MediaConfig, f.info); err != nil {
			return err
		}
	}
	flags := byte(0)
	if f.key {
		flags = wire.MediaKeyFrame
	}
	m := wire.AppendMedia(make([]byte, 0, wire.MediaHeader+len(f.data)), f.kind, flags, s.clock.micros(f.at))
	began := time.Now()
	if err := s.link.write(ctx, append(m, f.data...)); err != nil {
		return err
	}
	now := time.Now()
	s.sent++
	s.bytes += len(f.data)
	if s.carry.took(now, now.Sub(began), len(f.data)) {
		s.carries(s.carry.kbps)
	}
	if f.kind == wire.MediaJPEG {
		s.budget.spend(now, len(f.data))
		wanted := fastest
		if options.MaxFPS > 0 {
			wanted = options.MaxFPS
		}
		s.ladder.took(now, now.Sub(began), s.budget.bytesPerSecond, wanted)
	}
	return nil
}

// account reports how much is sent and left out.
func (s *sender) account(ctx context.Context) error {
	drops := s.out.dropped() + s.budgetDrops()
	r := s.current()
	r.Kbps, r.Drops = int(float64(s.bytes)*8/1000/reportEvery.Seconds()), drops
	if r.State == "running" && r.Code == "" && float64(drops) > slow*float64(drops+s.sent) && (s.told == nil || s.told.Codec != "jpeg" || s.ladder.last()) {
		r.Code = string(wire.CameraUplinkSlow)
	}
	s.sent, s.bytes = 0, 0
	return s.link.writeJSON(ctx, wire.MediaState, r)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

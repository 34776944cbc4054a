package file

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tus/tusd/v2/pkg/handler"
	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/store"
	"github.com/kangbyounggwan/factor/internal/server/work"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// Access says who may do what. The workspace service is one.
type Access interface {
	// Can gives nil, or the problem to answer with.
	Can(ctx context.Context, a workspace.Actor, action workspace.Action, t workspace.Target) error
	// Personal gives the workspace that a user has of his own.
	Personal(ctx context.Context, userID string) (workspace.Workspace, error)
}

// Recorder keeps who did what. The audit log is one.
type Recorder interface {
	Record(ctx context.Context, tx bun.IDB, e audit.Entry) error
}

// Service is the library. Fill in the exported fields, then Initialize; Run works until its context ends.
type Service struct {
	DB       *store.DB
	Bus      *bus.Bus
	Access   Access
	Printers Printers // nil: there is nowhere to print
	Commands Commands
	Devices  Devices
	Audit    Recorder // nil: nothing is recorded
	Log      *slog.Logger
	Dir      string // of the contents; made when it is missing

	Quota   int64                           // bytes of a workspace; 0: no bound
	MinFree int64                           // bytes of the disk that uploads leave free
	Free    func(dir string) (int64, error) // nil: asks the system
	Now     func() time.Time                // nil: time.Now

	log      *slog.Logger
	now      func() time.Time
	free     func(dir string) (int64, error)
	found    chan struct{} // capacity 1: a file waits for its analysis
	analysed waiters       // by file
	tus      *handler.UnroutedHandler
	locks    *locks // one call at a time on each upload

	lockPatience time.Duration

	moved     live    // transfers under way
	over      waiters // for the end of a transfer
	clicks    clicks
	advancing sync.Mutex // one report on a transfer at a time
	works     *works     // tool paths and texts
	sumsMu    sync.Mutex // guards plainSums
	plainSums map[string]plainSum

	times   publishedTimes
	work    *work.Group           // transfers in pieces
	pieceMu sync.Mutex            // guards pieces
	pieces  map[string]*piecewise // by UUID

	finishing sync.Mutex // one upload becomes a file at a time
}

// Initialize readies the library.
func (s *Service) Initialize(ctx context.Context) error {
	if s.DB == nil || s.Bus == nil || s.Access == nil || s.Dir == "" {
		return errors.New("files: DB, Bus, Access and Dir are needed")
	}
	s.log, s.now, s.free = s.Log, s.Now, s.Free
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.free == nil {
		s.free = freeSpace
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return fmt.Errorf("make the folder of the files: %w", err)
	}
	if err := syncDir(filepath.Dir(s.Dir)); err != nil {
		return fmt.Errorf("make the folder of the files: %w", err)
	}
	s.lockPatience = lockPatience
	s.found, s.works = make(chan struct{}, 1), newWorks()
	s.times, s.pieces = usualTimes, map[string]*piecewise{}
	s.work = work.New()
	if err := s.settlePublished(ctx); err != nil {
		return err
	}
	if err := s.recall(ctx); err != nil {
		return err
	}
	return s.readyTus()
}

// Close ends the transfers in pieces that are under way.
func (s *Service) Close(ctx context.Context) error { return s.work.Close(ctx) }

// sweepEvery is how often uploads that lie still are looked for.
const sweepEvery = 15 * time.Minute

// Run finishes what an earlier run left, analyses files, and ends uploads that lie still.
func (s *Service) Run(ctx context.Context) error {
	var parts sync.WaitGroup
	defer parts.Wait()
	parts.Go(func() { s.analyse(ctx) })
	s.finishComplete(ctx)
	if err := s.sweepStrays(ctx); err != nil && ctx.Err() == nil {
		s.log.Error("files without an owner could not be removed", "error", err)
	}
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := s.dropEnded(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("what came of ended transfers could not be removed", "error", err)
		}
		if err := s.endStill(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("transfers that lie still could not be ended", "error", err)
		}
		if err := s.endAbandoned(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("abandoned uploads could not be ended", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		// What was being made of a file just as that was deleted has no row any more.
		if err := s.sweepStrays(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("files without an owner could not be removed", "error", err)
		}
	}
}

// contentPath is where a file's content is; partPath that of an upload.
func (s *Service) contentPath(id string) string { return filepath.Join(s.Dir, id) }
func (s *Service) partPath(id string) string    { return filepath.Join(s.Dir, id+".part") }

// thumbPath is where the n-th picture of a file is.
func (s *Service) thumbPath(id string, n int) string {
	return filepath.Join(s.Dir, fmt.Sprintf("%s.thumb%d", id, n))
}

func (s *Service) record(ctx context.Context, tx bun.IDB, e audit.Entry) error {
	if s.Audit == nil {
		return nil
	}
	return s.Audit.Record(ctx, tx, e)
}

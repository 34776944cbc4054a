// Package job keeps a row for every print: when it began and ended, how, and of which file. The device's events tell
// it; where they are missing, for the published plugin or a device that was away, the snapshots do.
package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/store"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// Job is one print.
type Job struct {
	ID         string     `json:"id" doc:"Unique within its printer: the agent's, else the server's"`
	FileName   string     `json:"file_name"`
	Origin     string     `json:"origin" doc:"local or sdcard"`
	Path       string     `json:"path"`
	Size       *int64     `json:"size" doc:"bytes"`
	StartedAt  time.Time  `json:"started_at"`
	EndedAt    *time.Time `json:"ended_at,omitempty" doc:"None: it is under way"`
	Result     Result     `json:"result,omitempty" enum:"done,failed,cancelled"`
	PrintTime  *float64   `json:"print_time,omitempty" doc:"s"`
	Completion *float64   `json:"completion,omitempty" doc:"% that it came to"`
}

// Result is how a print ended.
type Result string

// The results.
const (
	Done      Result = "done"
	Failed    Result = "failed"
	Cancelled Result = "cancelled"
)

// Printers finds a printer for somebody. The printer service is one.
type Printers interface {
	// Authorize gives the id of a printer if the context's actor may do action to it, else the problem to answer with.
	Authorize(ctx context.Context, uuid string, action workspace.Action) (printerID, workspaceID string, err error)
}

// Service is the prints. Fill in the exported fields, then Initialize; Run works until its context ends, Close does
// what is left. mu guards the rest; it is never held while the database is waited for.
type Service struct {
	DB       *store.DB
	Bus      *bus.Bus
	Printers Printers         // needed by the API only
	Log      *slog.Logger     // nil: silent
	Now      func() time.Time // nil: time.Now

	log  *slog.Logger
	now  func() time.Time
	wake chan struct{} // capacity 1: queue is not empty

	working sync.Mutex // one at a time takes from the queue: prints are taken note of in order

	mu     sync.Mutex
	queue  []observation
	prints map[string]*progress // by printer
	begun  map[string]*quota    // by printer
}

// Initialize reads which prints are under way. It must have returned before anything is observed.
func (s *Service) Initialize(ctx context.Context) error {
	if s.DB == nil || s.Bus == nil {
		return errors.New("jobs: DB and Bus are needed")
	}
	s.log, s.now = s.Log, s.Now
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	s.wake = make(chan struct{}, 1)
	s.prints, s.begun = map[string]*progress{}, map[string]*quota{}
	var open []row
	if err := s.DB.Read.NewSelect().Model(&open).Where("ended_at IS NULL").OrderExpr("started_at").Scan(ctx); err != nil {
		return fmt.Errorf("load jobs: %w", err)
	}
	var left []change
	for i := range open {
		r := &open[i]
		if p := s.prints[r.PrinterID]; p != nil { // a printer has one at a time: the end of the older one was lost
			left = append(left, p.close(r.PrinterID, Failed, fromMillis(r.StartedAt)))
		}
		s.prints[r.PrinterID] = &progress{open: r.ID, start: r.StartedAt, agents: !ours(r.ID), name: r.FileName, path: r.Path}
	}
	s.apply(ctx, left)
	return nil
}

// ours tells the ids that the server made (UUID version 7) from the agents' (version 4).
func ours(id string) bool { return len(id) == 36 && id[14] == '7' }

// settleEvery is how often prints are looked at whose device has not said how they ended.
const settleEvery = 5 * time.Second

// Run takes note of what is observed until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-tick.C:
		}
		s.work(context.WithoutCancel(ctx)) // what is begun is written down, also while the server stops
	}
}

// Close takes note of what was observed last. Run must have returned.
func (s *Service) Close(ctx context.Context) error {
	s.work(ctx)
	return nil
}

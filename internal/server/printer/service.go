package printer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/loglimit"
	"github.com/kangbyounggwan/factor/internal/server/store"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/uptrace/bun"
)

// Access says who may do what. The workspace service is one.
type Access interface {
	// Can gives nil, or the problem to answer with.
	Can(ctx context.Context, a workspace.Actor, action workspace.Action, t workspace.Target) error
	// VisibleWorkspaces gives the workspaces that an actor may see, his own first.
	VisibleWorkspaces(ctx context.Context, a workspace.Actor) ([]workspace.Workspace, error)
	// Personal gives the workspace that a user has of his own.
	Personal(ctx context.Context, userID string) (workspace.Workspace, error)
}

// Devices reaches the devices that are connected. The gateway is one.
type Devices interface {
	// Publish sends a message to a device. It never waits; any error means that the device did not get it.
	Publish(uuid string, kind wire.Kind, payload []byte, qos byte) error
	// Promote lets a connection in quarantine in, if its UUID is registered by now.
	Promote(uuid string)
	// End closes a device's connection: it has no right to it any more.
	End(uuid string)
}

// Jobs keeps a row a print. The job service is one.
type Jobs interface {
	// Event takes note of a device's event within the transaction that stores it. done, unless nil, is called once
	// that is on disk.
	Event(ctx context.Context, tx bun.Tx, printerID string, e *wire.Event, at time.Time) (done func(), err error)
	// Observe takes note of what a snapshot says of a print. It keeps nothing of s and never waits for the database.
	Observe(printerID string, s *wire.Snapshot, status wire.Status, at time.Time)
	// Last gives the print of each printer that ended last, and the one under way where there is one.
	Last(ctx context.Context) ([]bus.JobChanged, error)
	// Forget deletes at most limit rows of a removed printer and tells how many.
	Forget(ctx context.Context, printerID string, limit int) (int, error)
	// Expire deletes at most limit rows of prints that ended before a time and tells how many.
	Expire(ctx context.Context, before time.Time, limit int) (int, error)
}

// Recorder keeps who did what. The audit log is one.
type Recorder interface {
	Record(ctx context.Context, tx bun.IDB, e audit.Entry) error
}

// Service is the printers of this server. Fill in the exported fields, then Initialize; Run works until its context
// ends, and Close writes down what is known. mu guards the tables of printers; each twin guards itself.
type Service struct {
	DB      *store.DB
	Bus     *bus.Bus
	Access  Access
	Jobs    Jobs
	Devices Devices  // set before the first device connects; nil: none ever does
	Audit   Recorder // nil: nothing is recorded
	// Spend ends a log-in that is good for one registration, within its transaction; nil: there are none.
	Spend func(ctx context.Context, tx bun.Tx, a workspace.Actor) error
	// Transfer gives the file that is on its way to a printer; nil: none is. It never waits. Itself nil: there are none.
	Transfer func(printerID string) *ViewTransfer
	Log      *slog.Logger          // nil: silent
	Metrics  prometheus.Registerer // nil: counted, shown nowhere

	UUIDLogin   bool             // the server lets printers connect by UUID alone, where their owner allows it
	MaxPrinters int              // of a workspace; 0: DefaultMax
	EventAge    time.Duration    // events and prints older than this are deleted; 0: a year
	Now         func() time.Time // nil: time.Now

	log   *slog.Logger
	now   func() time.Time
	count *counters
	begun time.Time
	end   func()        // ends the subscription to the bus
	soon  chan struct{} // capacity 1: urgent is not empty
	trees chan foundTree

	urgentMu sync.Mutex
	urgent   []*twin // those whose state is to be written now

	registering sync.Mutex // one registration or removal at a time, so that memory and database change alike

	mu     sync.RWMutex
	byUUID map[string]*twin // by the UUID of the device in use
	byID   map[string]*twin
	all    []*twin           // the same, for walking over; replaced as a whole, never changed in place
	names  map[string]string // of workspaces, as last seen

	writing  sync.Mutex       // one batch of history at a time
	logLimit loglimit.Limiter // with lines about what devices send
}

// Initialize loads what is known of every printer. It must have returned before devices connect.
func (s *Service) Initialize(ctx context.Context) error {
	if s.DB == nil || s.Bus == nil || s.Access == nil || s.Jobs == nil {
		return errors.New("printers: DB, Bus, Access and Jobs are needed")
	}
	s.log, s.now = s.Log, s.Now
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.MaxPrinters == 0 {
		s.MaxPrinters = DefaultMax
	}
	if s.EventAge == 0 {
		s.EventAge = 365 * 24 * time.Hour
	}
	s.begun = s.now()
	s.soon, s.trees = make(chan struct{}, 1), make(chan foundTree, 64)
	s.byUUID, s.byID, s.names = map[string]*twin{}, map[string]*twin{}, map[string]string{}
	if err := s.load(ctx); err != nil {
		return fmt.Errorf("load printers: %w", err)
	}
	s.count = newCounters(s.Metrics, s)
	s.end = s.Bus.JobChanged.Subscribe(s.jobChanged)
	return nil
}

// Close writes down what is known of every printer. Run must have returned, and no device may be connected any more.
func (s *Service) Close(ctx context.Context) error {
	if s.end != nil {
		s.end()
	}
	return s.checkpoint(ctx)
}

// twin finds a printer by the UUID of its device in use.
func (s *Service) twin(uuid string) *twin {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.byUUID[uuid]
}

func (s *Service) twinByID(printerID string) *twin {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.byID[printerID]
}

// twins gives every printer. The slice must not be changed.
func (s *Service) twins() []*twin {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.all
}

func (s *Service) add(t *twin) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byUUID[t.device.UUID], s.byID[t.printer.ID] = t, t
	s.all = append(s.all[:len(s.all):len(s.all)], t)
}

func (s *Service) drop(t *twin) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byUUID[t.device.UUID] == t { // else its device speaks for another printer now
		delete(s.byUUID, t.device.UUID)
	}
	delete(s.byID, t.printer.ID)
	left := make([]*twin, 0, len(s.all))
	for _, o := range s.all {
		if o != t {
			left = append(left, o)
		}
	}
	s.all = left
}

// Counts tells how many printers there are, and how many of them are connected now.
func (s *Service) Counts() (printers, online int) {
	all := s.twins()
	for _, t := range all {
		t.mu.Lock()
		if t.online {
			online++
		}
		t.mu.Unlock()
	}
	return len(all), online
}

// Package command is remote control: who may tell a printer what, when, with which values, and what became of it.
//
// A command is never queued for a device that is away, never sent twice, and ends for good before it expires. Our agent
// answers each; the published plugin answers none, so its effect is looked for in what it reports.
package command

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/store"
	"github.com/kangbyounggwan/factor/internal/server/work"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// Access says who may do what. The workspace service is one.
type Access interface {
	// Can gives nil, or the problem to answer with.
	Can(ctx context.Context, a workspace.Actor, action workspace.Action, t workspace.Target) error
}

// Devices reaches the devices that are connected. The gateway is one.
type Devices interface {
	// Publish sends a message to a device. It never waits; any error means that the device did not get it.
	Publish(uuid string, kind wire.Kind, payload []byte, qos byte) error
}

// Printers knows what each printer is doing.
type Printers interface {
	// Situation gives the printer of a device; false: there is no such printer.
	Situation(uuid string) (Situation, bool)
}

// Situation is what a command depends on.
type Situation struct {
	PrinterID   string
	WorkspaceID string
	Name        string
	Online      bool // the device is connected
	Plugin      Plugin
	Caps        []string // of our agent
	Rights      []string // that OctoPrint's owner has given our agent beyond the usual
	System      []wire.SystemAction
	Status      wire.Status
	Starting    bool // OctoPrint is about to begin a print, and loses a pause
	Profile     wire.Profile
	Targets     map[string]float64 // °C, by heater; a heater without a target is not in it
	Heaters     []string           // that the device reports: tool0…, bed, chamber
	FeedRate    *float64           // %
	FlowRate    *float64           // %
	ReportedAt  time.Time          // when all this was received
}

// Plugin is what runs beside a printer.
type Plugin string

// The kinds of plugin.
const (
	PluginAgent     Plugin = "agent"     // ours: it answers each command
	PluginOld       Plugin = "old_agent" // ours, from before there were commands
	PluginPublished Plugin = "published" // octoprint_factor as it is on PyPI: it answers none
	PluginUnknown   Plugin = "unknown"   // connected a moment ago, has not said yet
)

// Times of a command.
const (
	lifetime   = 10 * time.Second // from the click until a device may not begin it any more
	answerTime = 16 * time.Second // from the click until the click is answered without an answer of the device
	effectTime = 10 * time.Second // in which the effect on the published plugin's snapshots shows
	rememberAt = 24 * time.Hour   // how long an Idempotency-Key is good
)

// State is how far a command has come.
type State string

// The states. Answered and those after it are last ones.
const (
	StateWaiting     State = "waiting"     // sent to a device that answers
	StateSent        State = "sent"        // sent to one that never answers
	StateAnswered    State = "answered"    // OK and Code say what the device says
	StateEffectSeen  State = "effect_seen" // the printer does by now what it was told
	StateUnconfirmed State = "unconfirmed" // nothing of it was seen in time; it may have been done all the same
	StateUnknown     State = "unknown"     // no answer came in time
)

// Outcome is what is known of a command.
type Outcome struct {
	ID      string           `json:"id"`
	Type    wire.CommandType `json:"type"`
	State   State            `json:"state" enum:"waiting,sent,answered,effect_seen,unconfirmed,unknown" doc:"sent: to a device that never answers; effect_seen or unconfirmed follows"`
	OK      bool             `json:"ok" doc:"It was done, or its effect was seen"`
	Code    wire.ResultCode  `json:"code,omitempty" doc:"What the device answered: done, not_now, starting, out_of_range, expired, no_clock, outcome_unknown, failed"`
	Message string           `json:"message,omitempty" doc:"The device's own words"`
	At      time.Time        `json:"at" doc:"When it was given"`
}

// Ended tells whether nothing more is to come.
func (o Outcome) Ended() bool { return o.State != StateWaiting && o.State != StateSent }

// Service is remote control. Fill in the exported fields, then Initialize; Run works until its context ends, Close waits
// for what is under way. mu guards the maps.
type Service struct {
	DB       *store.DB
	Bus      *bus.Bus
	Access   Access
	Printers Printers
	Devices  Devices // set before the first command; nil: no device is ever there
	Audit    *audit.Log
	Log      *slog.Logger          // nil: silent
	Metrics  prometheus.Registerer // nil: counted, shown nowhere
	Now      func() time.Time      // nil: time.Now

	log    *slog.Logger
	now    func() time.Time
	count  *counters
	rates  rates
	limits limitCache

	work *work.Group

	mu      sync.Mutex
	waiting map[string]*order          // by command id: an answer is hoped for
	keys    map[keyOf]*order           // by Idempotency-Key: under way now
	watched map[string][]chan struct{} // by UUID: an effect is looked for
	end     func()                     // of the subscription to the bus
}

// order is a command under way. done is closed once outcome and err are what the click is answered with.
type order struct {
	command   wire.Command // as it was given, without id and end
	asked     json.RawMessage
	id        string
	uuid      string
	situation Situation
	actor     workspace.Actor
	key       keyOf
	hash      string
	at        time.Time
	answers   chan wire.CommandResult // capacity 1

	done    chan struct{}
	outcome Outcome
	err     error
}

type keyOf struct{ user, printer, key string }

// Initialize readies the service: what was under way when the server ended before is told as not known.
func (s *Service) Initialize(ctx context.Context) error {
	if s.DB == nil || s.Bus == nil || s.Access == nil || s.Printers == nil || s.Audit == nil {
		return errors.New("commands: DB, Bus, Access, Printers and Audit are needed")
	}
	s.log, s.now = s.Log, s.Now
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	s.count = newCounters(s.Metrics)
	s.rates.now = s.now
	s.waiting, s.keys, s.watched = map[string]*order{}, map[keyOf]*order{}, map[string][]chan struct{}{}
	s.work = work.New()
	if err := s.settle(ctx); err != nil {
		return err
	}
	s.end = s.Bus.TwinChanged.Subscribe(s.twinChanged)
	return nil
}

// Run forgets old commands until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if err := s.forgetOld(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("old commands were not forgotten", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Close ends what is under way: its outcome is told as not known at the next start, unless its device answers then.
func (s *Service) Close(ctx context.Context) error {
	if s.end != nil {
		s.end()
	}
	return s.work.Close(ctx)
}

// tell has those who look hear of a command.
func (s *Service) tell(o *order, out Outcome) {
	b, err := json.Marshal(struct {
		Outcome
		Actor string `json:"actor"`
	}{out, o.actor.Name})
	if err != nil {
		return
	}
	s.Bus.CommandChanged.Publish(bus.CommandChanged{PrinterID: o.situation.PrinterID, UUID: o.uuid, JSON: b})
}

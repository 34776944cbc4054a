package broker

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/url"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/kangbyounggwan/factor/internal/wire"
)

const (
	firstRetry   = time.Second
	longestRetry = 60 * time.Second
	refusedRetry = 30 * time.Second // a wrong password does not become right by asking often
	steady       = 30 * time.Second // a session that lasted this long starts the back-off anew
	answer       = 10 * time.Second // that a broker is given for one message
	goodbye      = 2 * time.Second
	together     = 100 * time.Millisecond // changes of state come in twos and threes
	keepAlive    = 30 * time.Second

	maxEvents = 100     // that wait for a broker that is away; the oldest go first
	maxData   = 8 << 10 // bytes of an event's data
)

// State is how it stands with the broker.
type State struct {
	Enabled   bool      `json:"enabled"`
	Connected bool      `json:"connected"`
	Since     time.Time `json:"since,omitzero"`     // of the session, or of its loss
	Code      string    `json:"code,omitzero"`      // why there is none, as in Step
	Error     string    `json:"error,omitzero"`     // the same for diagnosis
	Discarded int64     `json:"discarded,omitzero"` // events that waited too long
}

// Publisher publishes to the broker what its settings say, on a session of its own: what the broker does or does not do
// holds up nobody. Of readings only the newest waits for it, and of events a hundred.
type Publisher struct {
	UUID     string
	Settings func() (Settings, error)
	Log      *slog.Logger

	init    sync.Once
	urgent  chan struct{} // the reading is one to send soon
	queued  chan struct{} // there are events
	changed chan struct{} // of the settings
	retry   chan struct{}

	mu       sync.Mutex // holds what follows
	state    State
	snapshot wire.Snapshot
	known    bool         // there is a snapshot
	events   []wire.Event // the oldest first
}

func (p *Publisher) setup() {
	p.init.Do(func() {
		p.urgent, p.queued = make(chan struct{}, 1), make(chan struct{}, 1)
		p.changed, p.retry = make(chan struct{}, 1), make(chan struct{}, 1)
	})
}

func (p *Publisher) nudge(c func() chan struct{}) {
	p.setup()
	select {
	case c() <- struct{}{}:
	default:
	}
}

// Set takes a new reading; what it holds must not change any more. It never blocks, nor do the others.
func (p *Publisher) Set(s wire.Snapshot, urgent bool) {
	p.mu.Lock()
	first := !p.known
	p.snapshot, p.known = s, true
	p.mu.Unlock()
	if urgent || first {
		p.nudge(func() chan struct{} { return p.urgent })
	}
}

// Event takes an event.
func (p *Publisher) Event(e wire.Event) {
	if len(e.Data) > maxData {
		e.Data = json.RawMessage(`{"trimmed":true}`)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.state.Enabled {
		return
	}
	if len(p.events) == maxEvents {
		p.events = append(p.events[:0], p.events[1:]...)
		p.state.Discarded++
	}
	p.events = append(p.events, e)
	p.nudge(func() chan struct{} { return p.queued })
}

// Changed has the settings read again.
func (p *Publisher) Changed() { p.nudge(func() chan struct{} { return p.changed }) }

// Retry connects at once if there is no session.
func (p *Publisher) Retry() {
	if !p.State().Connected {
		p.nudge(func() chan struct{} { return p.retry })
	}
}

// State tells how it stands.
func (p *Publisher) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

// Run publishes until ctx ends, by the settings as they are at each time.
func (p *Publisher) Run(ctx context.Context) {
	p.setup()
	failures := 0
	for ctx.Err() == nil {
		s, err := p.Settings()
		if err == nil && s.Enabled {
			if field, message := s.Check(); field != "" { // written by somebody else
				err = &Step{Code: "bad_" + field, Message: message}
			}
		}
		if err != nil || !s.Enabled {
			p.rest(err)
			failures = 0
			select {
			case <-ctx.Done():
			case <-p.changed:
			}
			continue
		}
		began := time.Now()
		fault := p.session(ctx, &s)
		if time.Since(began) >= steady {
			failures = 0
		}
		if ctx.Err() != nil || fault == nil { // nil: there are other settings
			failures = 0
			continue
		}
		p.down(fault)
		failures++
		wait := min(firstRetry<<min(failures-1, 6), longestRetry)
		if fault.RC != 0 {
			wait = max(wait, refusedRetry)
		}
		wait = wait/2 + mathrand.N(wait/2+1)
		select {
		case <-ctx.Done():
		case <-p.changed:
			failures = 0
		case <-p.retry:
		case <-time.After(wait):
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = State{Enabled: p.state.Enabled}
}

// rest is when nothing is to be published.
func (p *Publisher) rest(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state, p.events = State{}, nil
	if err != nil {
		p.state.Code, p.state.Error = "internal", reason(err)
		var step *Step
		if errors.As(err, &step) {
			p.state.Code = step.Code
		}
		p.Log.Warn("the settings of the own broker cannot be used", "trouble", "mqtt."+p.state.Code, "error", err)
	}
}

// down notes why there is no session. It is said once, not at every attempt.
func (p *Publisher) down(fault *Step) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state.Code != fault.Code {
		p.Log.Warn("nothing reaches the own broker", "trouble", "mqtt."+fault.Code, "error", fault.Message)
	}
	if p.state.Connected || p.state.Since.IsZero() {
		p.state.Since = time.Now()
	}
	p.state.Enabled, p.state.Connected = true, false
	p.state.Code, p.state.Error = fault.Code, fault.Message
}

func (p *Publisher) up() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.Enabled, p.state.Connected, p.state.Since = true, true, time.Now()
	p.state.Code, p.state.Error = "", ""
}

// session connects and publishes until something goes wrong; nil when it ended because of ctx or of other settings.
func (p *Publisher) session(ctx context.Context, s *Settings) *Step {
	p.mu.Lock()
	p.state.Enabled = true // events are kept from now on
	p.mu.Unlock()
	var conn net.Conn
	var undialled *Step
	lost := make(chan error, 1)
	o := s.options("broker", nil).SetClientID("factor-" + rand.Text()[:12]).SetKeepAlive(keepAlive)
	o.SetConnectTimeout(stepTimeout).SetWriteTimeout(answer).SetPingTimeout(answer)
	o.SetBinaryWill(p.topic(s, "presence"), []byte(`{"online":false}`), s.QoS, s.Retain)
	o.SetConnectionLostHandler(func(_ mqtt.Client, err error) {
		select {
		case lost <- err:
		default:
		}
	})
	o.SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) {
		one, cancel := context.WithTimeout(ctx, stepTimeout)
		defer cancel()
		if conn, undialled = s.dial(one); undialled != nil {
			return nil, undialled
		}
		return conn, nil
	})
	client := mqtt.NewClient(o)
	if fault := login(ctx, client); fault != nil {
		switch {
		case ctx.Err() != nil:
			return nil
		case undialled != nil:
			return undialled
		}
		return fault
	}
	// A broker that takes nothing any more must not keep us when we are to end.
	defer context.AfterFunc(ctx, func() { time.AfterFunc(goodbye, func() { conn.Close() }) })()
	defer client.Disconnect(uint(goodbye.Milliseconds() / 4))
	p.up()
	p.Log.Info("connected to the own broker")
	out := &outlet{p, s, client, ctx, lost}
	fault, other := out.serve()
	if ctx.Err() != nil || other {
		client.Publish(p.topic(s, "presence"), s.QoS, s.Retain, `{"online":false}`).WaitTimeout(goodbye)
		return nil
	}
	return fault
}

// topic is where messages of a kind go.
func (p *Publisher) topic(s *Settings, kind string) string {
	return s.Prefix + "/" + kind + "/" + p.UUID
}

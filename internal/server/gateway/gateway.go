// Package gateway is the MQTT 3.1.1 door that devices come in by. It is no broker: a device talks to the server and
// never to another device, so there is no topic tree, no wildcard and no foreign subscriber. What a device publishes
// goes straight into Sink, what the server has to say goes out through Publish.
//
// Everything that arrives is hostile until it is checked: lengths before anything is allocated for them, rights before
// a message is looked at, rates before one costs more than its reading.
package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
	"github.com/prometheus/client_golang/prometheus"
)

// Device is who a connection is after its log-in.
type Device struct {
	ID            string // of the device row; a new token or a new computer makes a new one
	UUID          string
	PrinterID     string
	WorkspaceID   string
	Authenticated bool // false: it came in by its UUID alone, which is no secret
}

// Errors a Registry answers with. Anything else means that it could not tell, and the device is asked to come again.
var (
	ErrBadLogin      = errors.New("unknown device or wrong token")                     // CONNACK 4
	ErrNotAuthorized = errors.New("the device may not connect")                        // CONNACK 5: removed, disabled, or not by UUID alone
	ErrNotRegistered = errors.New("no printer is registered under this device's UUID") // LoginByUUID: quarantine
)

// Errors of Publish.
var (
	ErrOffline       = errors.New("the device is not connected")
	ErrNotSubscribed = errors.New("the device does not listen to this")
	ErrQueueFull     = errors.New("the device does not take what was sent to it before")
	ErrTooLarge      = errors.New("the message is larger than a device's queue")
)

// ErrInvalid is what a Sink answers to a message that nothing will ever make acceptable: it is acknowledged, so that
// the device does not send it again for ever, and counted.
var ErrInvalid = errors.New("invalid message")

// ErrLater is what a Sink answers to a message that it has no room to store. The device stays connected, so that what
// it reports is seen, and gets no acknowledgement; from then on its events are left unanswered, since a later one must
// not be stored before an earlier one. After Limits.Unstored the connection ends, and with the next one it sends them again.
var ErrLater = errors.New("no room for it now")

// Registry knows the devices. It is asked from many goroutines at once.
type Registry interface {
	// Login tells who logs in with this UUID and token: ErrBadLogin, ErrNotAuthorized, or any other error when it
	// cannot be told now.
	Login(ctx context.Context, uuid, token string, from netip.Addr) (Device, error)
	// LoginByUUID tells who a connection without credentials is, once it has subscribed to this UUID's topics.
	// ErrNotRegistered puts it into quarantine, ErrNotAuthorized refuses it (the owner did not allow it).
	LoginByUUID(ctx context.Context, uuid string, from netip.Addr) (Device, error)
}

// Sink takes what devices say. For one connection it is called in order and never twice at once: Connected first,
// Disconnected last. A payload is valid during the call only. Messages that a device wants acknowledged are
// acknowledged when the call returns nil or ErrInvalid; after any other error there is no acknowledgement, and the
// connection is closed, so that the device sends the message again: at once, or, after ErrLater, in a while.
type Sink interface {
	Connected(d Device, c Conn)
	// Subscribed is called after each SUBSCRIBE that was granted for a kind.
	Subscribed(d Device, kind wire.Kind)
	Status(d Device, payload []byte, at time.Time)
	Event(ctx context.Context, d Device, payload []byte, at time.Time) error
	// Presence is what the device says of itself; will is set when it is the Last Will that speaks, after which
	// Disconnected follows at once.
	Presence(ctx context.Context, d Device, payload []byte, at time.Time, will bool) error
	Files(ctx context.Context, d Device, payload []byte, at time.Time) error
	RegistrationAck(ctx context.Context, d Device, payload []byte, at time.Time) error
	ControlResult(ctx context.Context, d Device, payload []byte, at time.Time) error
	GcodeOut(ctx context.Context, d Device, payload []byte, at time.Time) error
	CameraState(ctx context.Context, d Device, payload []byte, at time.Time) error
	Transfer(ctx context.Context, d Device, payload []byte, at time.Time) error
	Terminal(ctx context.Context, d Device, payload []byte, at time.Time) error
	Disconnected(d Device, c Conn, why Reason)
	// Contested says that a connection without credentials asked for a UUID while another connection of that UUID
	// lives. It got no rights.
	Contested(uuid string, from netip.Addr)
}

// Conn is one device's connection, for as long as it lives.
type Conn interface {
	ID() uint64 // unique in the life of the process
	Device() Device
	Address() netip.AddrPort
	Since() time.Time
	LastPacket() time.Time
	// Reported tells whether it has sent a status, also one that was dropped because it was in quarantine.
	Reported() bool
	Transport() Transport
	ClientID() string
	// Publish sends to this connection only: ErrOffline, ErrNotSubscribed, ErrQueueFull, ErrTooLarge. It never waits.
	Publish(kind wire.Kind, payload []byte, qos byte) error
	Close(why Reason)
}

// Transport is what a connection came in over.
type Transport string

// The transports.
const (
	TransportTCP       Transport = "tcp"
	TransportTLS       Transport = "tls"
	TransportWebSocket Transport = "websocket"
)

// Reason is why a connection ended.
type Reason string

// The reasons. They are metric labels: a closed list.
const (
	ReasonClient     Reason = "client"      // it said DISCONNECT
	ReasonLost       Reason = "lost"        // the network connection broke without a word
	ReasonTimeout    Reason = "timeout"     // silent for longer than 1.5 times its keep-alive
	ReasonTakeover   Reason = "takeover"    // the same device connected again
	ReasonProtocol   Reason = "protocol"    // it broke MQTT's rules
	ReasonNotAllowed Reason = "not_allowed" // it published where it has no right to
	ReasonContested  Reason = "contested"   // UUID login while another connection of that UUID lives
	ReasonTooLarge   Reason = "too_large"   // a packet beyond every limit
	ReasonSlow       Reason = "slow"        // it does not read what is sent to it
	ReasonRefused    Reason = "refused"     // its CONNECT was refused
	ReasonUnfinished Reason = "unfinished"  // no CONNECT in time
	ReasonSink       Reason = "not_stored"  // the server could not take a message, the device shall send it again
	ReasonRevoked    Reason = "revoked"     // its rights ended
	ReasonStopping   Reason = "stopping"    // the server stops
)

// Gateway is the door. Fill in the exported inputs, then give it listeners with Serve; it needs nothing else to start.
// mu guards the tables of connections; each connection guards itself.
type Gateway struct {
	Registry  Registry
	Sink      Sink
	Log       *slog.Logger          // nil: silent
	Metrics   prometheus.Registerer // nil: counted, shown nowhere
	Limits    Limits                // zero fields take DefaultLimits
	UUIDLogin bool                  // lets devices in that have no credentials, as far as Registry allows each
	Now       func() time.Time      // the time that devices are told; nil: time.Now

	setup    sync.Once
	log      *slog.Logger
	limits   Limits
	count    *counters
	ctx      context.Context // of calls into Registry and Sink; ends when Close has waited long enough
	cancel   context.CancelFunc
	stopping atomic.Bool
	nextID   atomic.Uint64
	panics   atomic.Uint64 // that ended a connection
	refusals refusals
	running  sync.WaitGroup // every goroutine that serves a connection

	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	conns     map[*conn]struct{}
	devices   map[string]*conn // by UUID: the connection that has it, quarantined ones too
	ended     endings
	sessions  sessions
	crowd     crowd
}

// initialize fills in what the exported inputs leave open. Every entry point calls it.
func (g *Gateway) initialize() {
	g.setup.Do(func() {
		g.log = g.Log
		if g.log == nil {
			g.log = slog.New(slog.DiscardHandler)
		}
		g.limits = g.Limits.orDefault()
		g.count = newCounters(g.Metrics)
		g.ctx, g.cancel = context.WithCancel(context.Background())
		g.listeners = map[net.Listener]struct{}{}
		g.conns = map[*conn]struct{}{}
		g.devices = map[string]*conn{}
		g.ended.at = map[string]ending{}
		g.sessions = sessions{limit: g.limits.Sessions, age: g.limits.SessionAge}
		g.crowd = crowd{limits: &g.limits, from: map[netip.Addr]*head{}}
	})
}

func (g *Gateway) now() time.Time {
	if g.Now == nil {
		return time.Now()
	}
	return g.Now()
}

// Publish sends a message to a device: ErrOffline, ErrNotSubscribed, ErrQueueFull, ErrTooLarge. It never waits, and
// never keeps a message for a device that is away. A device in quarantine can be sent wire.KindRegistration only.
func (g *Gateway) Publish(uuid string, kind wire.Kind, payload []byte, qos byte) error {
	if c := g.find(uuid); c != nil {
		return c.Publish(kind, payload, qos)
	}
	return ErrOffline
}

// Connected tells whether a connection of this UUID lives, quarantined ones included.
func (g *Gateway) Connected(uuid string) bool { return g.find(uuid) != nil }

// Local gives the address of this server that a device is connected to; false where that is not known.
func (g *Gateway) Local(uuid string) (netip.Addr, bool) {
	c := g.find(uuid)
	if c == nil {
		return netip.Addr{}, false
	}
	at, ok := c.net.LocalAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}, false
	}
	return at.AddrPort().Addr().Unmap(), true
}

// Connections counts the connections that have logged in.
func (g *Gateway) Connections() int {
	g.initialize()
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.crowd.total.alive
}

func (g *Gateway) find(uuid string) *conn {
	g.initialize()
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.devices[uuid]
}

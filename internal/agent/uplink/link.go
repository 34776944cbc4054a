// Package uplink is the agent's MQTT session with the server: it connects again for as long as it runs, by TLS or, where
// that port cannot be reached, by WebSocket, and carries snapshots, events, presence and the server's clock.
package uplink

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"strconv"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// Queue holds events until the server has stored them. See package queue.
type Queue interface {
	Pending(max int) ([]wire.Event, error)
	Ack(wire.Event) error
	More() <-chan struct{}
}

// Results are the answers to commands that the server has not got yet. The command journal is one.
type Results interface {
	Waiting() []wire.CommandResult
	Acked(id string) error
	More() <-chan struct{}
}

const (
	firstRetry     = time.Second
	longestRetry   = 60 * time.Second
	refusedRetry   = 30 * time.Second // a wrong token does not become right by asking often
	steady         = 30 * time.Second // a connection that lasted this long starts the back-off anew
	connectTimeout = 15 * time.Second
	writeTimeout   = 10 * time.Second
	pingTimeout    = 10 * time.Second
	ackTimeout     = 60 * time.Second // a server whose disk is slow is given this long to store an event
	goodbye        = 2 * time.Second
)

// Link is a session. The exported fields are its inputs and stay as they are once Run has begun.
type Link struct {
	Host         string
	Port         int
	Plain        bool           // without TLS, for a server on this machine
	WebsocketURL string         // such as wss://host/mqtt, "" for none
	Roots        *x509.CertPool // nil means the system's
	UUID, Token  string
	Queue        Queue
	Presence     func() wire.Presence
	Watched      func(bool) // called for each change, and with false when the connection ends; must not block
	Connected    func()     // called after each connect; must not block
	Lost         func()     // called when a connection has ended; must not block
	// Camera is called with what the server wants of a camera; it must not block.
	Camera    func(wire.CameraCommand)
	Transfers Transfers // nil: there are none
	FilesSent func(sum string)
	Command   func(payload []byte) // called with each command; must not block; nil: none are taken
	Results   Results              // nil: there are none
	Terminal  func(bool)           // as Watched, for the terminal; nil: it is not shown
	// Registered is called with what the server says of our registration; true acknowledges it, so that it is not said
	// again. It must not block. Nil acknowledges all.
	Registered func(wire.Registration) (known bool)
	Log        *slog.Logger

	init     sync.Once
	status   chan []byte // the newest snapshot
	presence chan struct{}
	filesDue chan struct{}
	ackDue   chan struct{}
	retry    chan struct{}
	lines    chan []byte // of the terminal
	clock    clock

	mu    sync.Mutex // holds what follows
	state State
	files files
}

type files struct {
	payload []byte
	sum     string
}

// State is what status shows of a session.
type State struct {
	Connected bool      `json:"connected"`
	Since     time.Time `json:"since,omitzero"`     // of the connection, or of its loss
	Transport string    `json:"transport,omitzero"` // mqtts, mqtt, wss or ws
	Error     string    `json:"error,omitzero"`     // why it is not connected
	Refused   bool      `json:"refused,omitzero"`   // the server does not accept this UUID and token
	Attempts  int       `json:"attempts,omitzero"`  // since the last connection
	Fault     error     `json:"-"`                  // behind Error, for who tells the kinds apart
}

func (l *Link) setup() {
	l.init.Do(func() {
		l.status = make(chan []byte, 1)
		l.presence = make(chan struct{}, 1)
		l.filesDue = make(chan struct{}, 1)
		l.ackDue = make(chan struct{}, 1)
		l.retry = make(chan struct{}, 1)
		l.lines = make(chan []byte, linesWaiting)
	})
}

// State tells how the session is.
func (l *Link) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// Status sends a snapshot when there is a connection; a newer one takes the place of one that is still waiting.
func (l *Link) Status(payload []byte) {
	l.setup()
	if !l.State().Connected {
		return
	}
	select {
	case <-l.status:
	default:
	}
	select {
	case l.status <- payload:
	default:
	}
}

// Lines sends lines of the terminal. False: they went nowhere, because there is no connection or it does not keep up.
func (l *Link) Lines(payload []byte) bool {
	l.setup()
	if !l.State().Connected {
		return false
	}
	select {
	case l.lines <- payload:
		return true
	default:
		return false
	}
}

// linesWaiting is how many messages of the terminal wait for a slow connection.
const linesWaiting = 4

// Retry connects at once if there is no connection.
func (l *Link) Retry() {
	l.setup()
	if !l.State().Connected {
		nudge(l.retry)
	}
}

// PresenceChanged sends presence again.
func (l *Link) PresenceChanged() {
	l.setup()
	nudge(l.presence)
}

// Files sends the file tree as soon as there is a connection, then calls FilesSent with sum.
func (l *Link) Files(payload []byte, sum string) {
	l.setup()
	l.mu.Lock()
	l.files = files{payload, sum}
	l.mu.Unlock()
	nudge(l.filesDue)
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Now is the server's clock; false when it is not known.
func (l *Link) Now() (time.Time, bool) { return l.clock.now() }

// way is one of the ways to the server.
type way struct {
	name, url, host string
}

func (l *Link) ways() []way {
	name := "mqtts"
	scheme := "ssl"
	if l.Plain {
		name, scheme = "mqtt", "tcp"
	}
	ways := []way{{name, scheme + "://" + net.JoinHostPort(l.Host, strconv.Itoa(l.Port)), l.Host}}
	if u, err := url.Parse(l.WebsocketURL); err == nil && u.Host != "" {
		ways = append(ways, way{u.Scheme, l.WebsocketURL, u.Hostname()})
	}
	return ways
}

// Run connects again and again until ctx ends; then it says goodbye.
func (l *Link) Run(ctx context.Context) {
	l.setup()
	ways := l.ways()
	failures, turn := 0, 0
	for ctx.Err() == nil {
		began := time.Now()
		err := l.session(ctx, ways[turn%len(ways)])
		if ctx.Err() != nil {
			break
		}
		turn++ // the other way, where there is one
		if l.State().Connected {
			turn = 0
			if time.Since(began) >= steady {
				failures = 0
			}
		}
		failures++
		wait := min(firstRetry<<min(failures-1, 6), longestRetry)
		var refused refusal
		if errors.As(err, &refused) {
			wait = max(wait, refusedRetry)
		}
		wait = wait/2 + rand.N(wait/2+1)
		if refused != "" {
			wait += refusedRetry / 2
		}
		l.down(err, refused != "")
		l.Log.Info("no connection to the server", "error", err, "retry", wait.Round(time.Millisecond))
		select {
		case <-ctx.Done():
		case <-l.retry:
		case <-time.After(wait):
		}
	}
	l.down(nil, false)
}

func (l *Link) down(err error, refused bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state.Connected || l.state.Since.IsZero() {
		l.state = State{Since: time.Now()}
	}
	l.state.Attempts++
	l.state.Refused = refused
	if err != nil {
		l.state.Error, l.state.Fault = err.Error(), err
	}
}

// refusal is a CONNACK that says who we are is wrong.
type refusal string

func (r refusal) Error() string { return string(r) }

var refusals = map[byte]refusal{
	byte(wire.ConnackBadClientID):   "the server does not accept this agent's id: enrol again",
	byte(wire.ConnackBadLogin):      "the server does not know this printer or its token: enrol again",
	byte(wire.ConnackNotAuthorized): "the printer was removed or disabled on the server: enrol again or ask the account's owner",
}

// session connects one way and stays until the connection ends.
func (l *Link) session(ctx context.Context, w way) error {
	gone, err := json.Marshal(wire.Presence{Online: false})
	if err != nil {
		return err
	}
	lost := make(chan error, 1)
	o := mqtt.NewClientOptions().AddBroker(w.url).SetClientID(l.UUID).SetUsername(l.UUID).SetPassword(l.Token)
	o.SetProtocolVersion(4).SetCleanSession(true).SetKeepAlive(wire.KeepAlive).SetPingTimeout(pingTimeout)
	o.SetConnectTimeout(connectTimeout).SetWriteTimeout(writeTimeout).SetAutoReconnect(false).SetConnectRetry(false)
	o.SetBinaryWill(wire.KindPresence.Topic(l.UUID), gone, 1, false)
	o.SetTLSConfig(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: l.Roots, ServerName: w.host})
	o.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { l.message(m.Topic(), m.Payload()) })
	o.SetConnectionLostHandler(func(_ mqtt.Client, err error) {
		select {
		case lost <- err:
		default:
		}
	})
	client := mqtt.NewClient(o)
	token := client.Connect()
	select {
	case <-token.Done():
	case <-ctx.Done():
		client.Disconnect(0)
		return ctx.Err()
	}
	if err := token.Error(); err != nil {
		if t, ok := token.(*mqtt.ConnectToken); ok {
			if r, ok := refusals[t.ReturnCode()]; ok {
				return r
			}
		}
		return fmt.Errorf("connect by %s: %w", w.name, err)
	}
	l.mu.Lock()
	l.state = State{Connected: true, Since: time.Now(), Transport: w.name}
	l.mu.Unlock()
	l.Log.Info("connected to the server", "by", w.name)
	return l.serve(ctx, client, lost)
}

// Refused tells whether an error of a session is the server's no to who we are.
func Refused(err error) bool {
	var r refusal
	return errors.As(err, &r)
}

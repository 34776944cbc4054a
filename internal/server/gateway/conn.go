package gateway

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// phase is how far a connection has come.
type phase uint8

const (
	phaseGreeting   phase = iota // no CONNECT yet
	phaseAnonymous               // let in without credentials, says nothing of who it is
	phaseQuarantine              // bound to a UUID that no printer is registered under
	phaseDevice                  // it is a device, and Sink knows
)

// conn is one connection. Its goroutine, the reader, reads packets and calls Sink; writing has a goroutine only while
// there is something to write.
type conn struct {
	g         *Gateway
	net       net.Conn
	tcp       net.Conn     // below TLS, or the same as net; nil for a WebSocket
	hardClose func() error // ends it at once, without waiting for the peer
	id        uint64
	transport Transport
	from      netip.AddrPort
	since     time.Time
	clientID  string
	stop      chan struct{} // closed when the connection is to end
	done      chan struct{} // closed when Sink has heard the last of it
	last      atomic.Int64  // Unix ns of the last complete packet
	reported  atomic.Bool   // has sent a status, be it in quarantine

	// The reader's own.
	in          inbound
	rate        rate
	idle        time.Duration // allowed silence
	statusTopic string        // the device's own, as it writes it: saves looking at each
	qos2        map[uint16]struct{}
	will        *will
	byUUID      bool      // came without credentials
	asked       string    // the UUID that it wanted to log in as, for the log
	alive       bool      // counted as logged in
	unstored    time.Time // since when there was no room for what it says, or zero
	loginSeq    uint64    // of Gateway.ended when the log-in began

	// sinkMu keeps the calls into Sink in order, and guards these. It is taken before mu.
	sinkMu sync.Mutex
	phase  phase
	device Device

	// mu guards these.
	mu       sync.Mutex
	uuid     string // whose topics it may use; set once
	session  *session
	keep     bool       // the session outlives the connection
	listed   phase      // phase as Publish sees it
	why      Reason     // set: the connection is ending
	draining bool       // Close asked for an end after the message at hand
	out      []outgoing // waits to be written
	outBytes int
	flushing bool // somebody writes
}

// errEnding is what a waiting reader gets when the connection is to end; conn.why says for what.
var errEnding = errors.New("the connection ends")

// errStopping is what it gets when the server stops.
var errStopping = errors.New("the server stops")

// errSilent is what it gets when nothing came for too long.
var errSilent = errors.New("nothing came for too long")

// protocolError ends a connection for a reason.
type protocolError struct {
	why  Reason
	text string
}

func (e protocolError) Error() string { return e.text }

// guarded runs a part of the connection's life and tells why it ended, "" when it goes on. A panic below ends this
// connection and no other.
func (c *conn) guarded(part func() error) (why Reason) {
	defer func() {
		if p := recover(); p != nil {
			c.g.panics.Add(1)
			c.g.log.Error("device connection failed", "panic", p, "stack", string(debug.Stack()))
			why = ReasonSink
		}
	}()
	err := part()
	if err == nil {
		return ""
	}
	why = c.reason(err)
	c.g.log.Debug("device connection ends", "uuid", c.uuid, "from", c.from, "reason", why, "error", err)
	return why
}

// reason finds the reason behind the error that ended the reader.
func (c *conn) reason(err error) Reason {
	c.mu.Lock()
	why := c.why
	c.mu.Unlock()
	var p protocolError
	switch {
	case why != "":
		return why
	case errors.As(err, &p):
		return p.why
	case errors.Is(err, errStopping):
		return ReasonStopping
	case errors.Is(err, errMalformed):
		return ReasonProtocol
	case errors.Is(err, errSilent):
		if !c.alive {
			return ReasonUnfinished
		}
		return ReasonTimeout
	}
	switch now := time.Now(); { // a WebSocket's deadline closes it and does not say so
	case c.transport != TransportWebSocket:
	case c.alive && now.Sub(c.LastPacket()) >= c.idle:
		return ReasonTimeout
	case !c.alive && now.Sub(c.since) >= c.g.limits.ConnectTimeout:
		return ReasonUnfinished
	}
	return ReasonLost
}

// loop reads packets until the connection ends.
func (c *conn) loop() error {
	for {
		h, err := c.header()
		if err != nil {
			return err
		}
		if err := c.packet(h); err != nil {
			return err
		}
		if !c.unstored.IsZero() && time.Since(c.unstored) > c.g.limits.Unstored {
			return protocolError{ReasonSink, "there was no room for what it said: it shall say it again"}
		}
	}
}

// header waits for the next packet's fixed header, which stays in the buffer.
func (c *conn) header() (header, error) {
	for n := 2; ; n++ {
		if err := c.need(n); err != nil {
			return header{}, err
		}
		h, more, err := parseHeader(c.in.bytes()[:min(n, 5)])
		if !more || err != nil {
			return h, err
		}
	}
}

// need waits for n bytes as long as the peer may be silent.
func (c *conn) need(n int) error {
	for {
		err := c.in.need(n)
		if err == nil {
			return nil
		}
		if err := c.forgive(err); err != nil {
			return err
		}
	}
}

// forgive lets the reader go on after a deadline that meant nothing.
func (c *conn) forgive(err error) error {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return c.rearm()
}

// rearm looks what a read deadline was for: the end, silence for too long, or nothing. Deadlines are not moved with
// each packet, which would cost a timer a message, but looked at when they come.
func (c *conn) rearm() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.why != "":
		return errEnding
	case c.draining:
		return errStopping
	case !c.alive:
		return errSilent
	}
	if c.in.moved { // a large packet is on its way, over a slow line
		c.in.moved = false
		c.last.Store(time.Now().UnixNano())
	}
	left := c.idle - time.Since(c.LastPacket())
	if left <= 0 {
		return errSilent
	}
	return c.net.SetReadDeadline(time.Now().Add(left))
}

// heard notes a complete packet.
func (c *conn) heard(at time.Time) {
	c.last.Store(at.UnixNano())
	if c.transport == TransportWebSocket { // its deadlines cannot be moved once they have passed
		_ = c.net.SetReadDeadline(at.Add(c.idle))
	}
}

// pause waits without reading, so that a device slows down.
func (c *conn) pause(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-c.stop:
		return errEnding
	}
}

// Close ends the connection at once.
func (c *conn) Close(why Reason) {
	c.ending(why)
	_ = c.hardClose()
}

// ending notes why the connection ends; the first reason stays.
func (c *conn) ending(why Reason) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why == "" {
		c.why = why
		close(c.stop)
	}
}

// ID, Device and the others are Conn's.
func (c *conn) ID() uint64              { return c.id }
func (c *conn) Address() netip.AddrPort { return c.from }
func (c *conn) Since() time.Time        { return c.since }
func (c *conn) Reported() bool          { return c.reported.Load() }
func (c *conn) LastPacket() time.Time   { return time.Unix(0, c.last.Load()) }
func (c *conn) Transport() Transport    { return c.transport }
func (c *conn) ClientID() string        { return c.clientID }
func (c *conn) Device() Device          { return c.device }

func (c *conn) String() string { return fmt.Sprintf("connection %d from %s", c.id, c.from) }

package gateway

import (
	"context"
	"errors"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// uuidSilence is how long a connection without credentials must have been silent before another one from the same
// address may take its UUID. The published plugin sends a snapshot each second: silent for this long it has lost its
// network, and need not wait for its keep-alive to run out.
const uuidSilence = 10 * time.Second

// welcomeAnonymous lets a connection in that has no credentials. Its session is never kept, and says so.
func (c *conn) welcomeAnonymous() error {
	c.sinkMu.Lock()
	defer c.sinkMu.Unlock()
	if err := c.accept(&session{clientID: c.clientID}, false, false, phaseAnonymous); err != nil {
		return err
	}
	c.resend() // nothing but the CONNACK
	return nil
}

// bind gives a connection without credentials to the first UUID whose topics it subscribes. An error means that it
// gets no rights and is to go: it comes again by itself, and may find the UUID free then.
func (c *conn) bind(topics []string) error {
	uuid := ""
	for _, t := range topics {
		if kind, owner := wire.ParseTopic(t); kind.ToDevice() {
			uuid = owner
			break
		}
	}
	if uuid == "" {
		return nil
	}
	if err := c.claim(uuid); err != nil {
		return err
	}
	switch d, err := c.askByUUID(uuid); {
	case err == nil:
		c.sinkMu.Lock()
		defer c.sinkMu.Unlock()
		c.becomeDevice(d)
	case errors.Is(err, ErrNotRegistered):
		c.sinkMu.Lock()
		defer c.sinkMu.Unlock()
		c.enterPhase(phaseQuarantine)
	case errors.Is(err, ErrNotAuthorized):
		return protocolError{ReasonNotAllowed, "this printer does not log in by its UUID alone"}
	default:
		c.g.log.Error("cannot look up a device", "uuid", uuid, "error", err)
		return protocolError{ReasonSink, "the device could not be looked up"}
	}
	return nil
}

// claim takes a UUID that no other connection has.
func (c *conn) claim(uuid string) error {
	g := c.g
	g.mu.Lock()
	old := g.devices[uuid]
	if old != nil && !c.outlives(old) {
		g.mu.Unlock()
		g.Sink.Contested(uuid, c.from.Addr())
		return protocolError{ReasonContested, "another connection has this UUID"}
	}
	g.devices[uuid] = c
	g.mu.Unlock()
	return c.follow(old, uuid)
}

// outlives tells whether old is c's own earlier connection, which has lost its network.
func (c *conn) outlives(old *conn) bool {
	return old.byUUID && old.from.Addr() == c.from.Addr() && time.Since(old.LastPacket()) >= uuidSilence
}

// askByUUID looks up who a UUID belongs to. Rights that ended meanwhile count as ended.
func (c *conn) askByUUID(uuid string) (Device, error) {
	g := c.g
	g.mu.Lock()
	c.loginSeq = g.ended.seq
	g.mu.Unlock()
	ctx, cancel := context.WithTimeout(g.ctx, g.limits.LoginTimeout)
	defer cancel()
	d, err := g.Registry.LoginByUUID(ctx, uuid, c.from.Addr())
	d.Authenticated = false
	return d, err
}

// becomeDevice makes the connection a device, which tells Sink what it listens to already. sinkMu is held.
func (c *conn) becomeDevice(d Device) {
	c.device = d
	c.enterPhase(phaseDevice)
	c.g.Sink.Connected(d, c)
	c.mu.Lock()
	var listens []wire.Kind
	for i, s := range c.session.subs {
		if s.topic != "" {
			listens = append(listens, wire.KindControl+wire.Kind(i))
		}
	}
	c.mu.Unlock()
	for _, kind := range listens {
		c.g.Sink.Subscribed(d, kind)
	}
}

// Promote asks Registry again about a UUID's quarantined connection, which becomes the device if it may. Call it when
// a UUID gets registered. It returns at once.
func (g *Gateway) Promote(uuid string) {
	g.initialize()
	g.mu.Lock()
	defer g.mu.Unlock()
	if c := g.devices[uuid]; c != nil {
		g.running.Add(1) // c is counted still, being in the table
		go func() { defer g.running.Done(); c.promote() }()
	}
}

// promote makes a quarantined connection a device, if Registry knows it now.
func (c *conn) promote() {
	c.sinkMu.Lock()
	defer c.sinkMu.Unlock()
	if c.phase != phaseQuarantine {
		return
	}
	if d, err := c.askByUUID(c.uuid); err == nil {
		c.guarded(func() error { c.becomeDevice(d); return nil })
	}
}

package gateway

import (
	"crypto/tls"
	"io"
	"time"
)

// finish ends a connection: the will speaks, Sink hears that it is over, every table forgets it.
func (c *conn) finish(why Reason) {
	g := c.g
	defer g.running.Done()
	c.ending(why)
	c.in.release()

	c.sinkMu.Lock()
	was := c.phase
	if was == phaseDevice {
		if why != ReasonClient && why != ReasonRevoked { // whose rights ended has none left to speak
			c.guarded(func() error { c.speakWill(); return nil })
		}
		c.guarded(func() error { g.Sink.Disconnected(c.device, c, why); return nil })
	}
	c.enterPhase(phaseGreeting)
	c.sinkMu.Unlock()

	g.forget(c, was == phaseDevice && why != ReasonRevoked)
	close(c.done)
	c.part(why)
	g.count.ended(why)
	g.count.halfOpen.Dec()
}

// part closes the network connection. One that ends in order is told so, in TLS's or WebSocket's own way.
func (c *conn) part(why Reason) {
	switch why {
	case ReasonRefused, ReasonContested:
		if c.transport == TransportWebSocket {
			_ = c.net.Close()
		} else {
			c.linger()
		}
	case ReasonClient, ReasonStopping:
		if c.transport != TransportTCP {
			_ = c.net.Close() // waits for 5 s at most
		}
	}
	_ = c.hardClose()
}

// linger lets what was written last reach the peer, such as the CONNACK that says why it is sent away: closing a TCP
// connection with bytes unread takes back what is on its way.
func (c *conn) linger() {
	type halfCloser interface{ CloseWrite() error }
	if t, ok := c.net.(*tls.Conn); ok {
		_ = t.CloseWrite()
	}
	if half, ok := c.tcp.(halfCloser); ok && half.CloseWrite() == nil {
		_ = c.tcp.SetReadDeadline(time.Now().Add(time.Second))
		_, _ = io.CopyN(io.Discard, c.tcp, 64<<10)
	}
}

// forget takes a connection out of the tables; its session stays if the device wanted that.
func (g *Gateway) forget(c *conn, mayKeep bool) {
	c.mu.Lock()
	uuid, session, keep := c.uuid, c.session, c.keep
	c.session, c.out = nil, nil
	c.mu.Unlock()

	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, c)
	if g.devices[uuid] == c {
		delete(g.devices, uuid)
	}
	if mayKeep && keep && session != nil && !g.ended.since(c.loginSeq, uuid) {
		g.sessions.put(uuid, session, time.Now())
	}
	g.crowd.leave(c.from.Addr(), c.alive, c.byUUID)
}

// enterPhase moves the connection on. sinkMu is held.
func (c *conn) enterPhase(p phase) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.enterPhaseLocked(p)
}

// enterPhaseLocked is enterPhase with mu held too.
func (c *conn) enterPhaseLocked(p phase) {
	c.g.gauge(c.phase).Dec()
	c.g.gauge(p).Inc()
	c.phase, c.listed = p, p
}

package gateway

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// Serve accepts devices from a listener, plain or TLS, until the listener fails or the gateway is closed; then it
// returns nil. It closes the listener.
func (g *Gateway) Serve(l net.Listener) error {
	g.initialize()
	defer l.Close()
	g.mu.Lock()
	g.listeners[l] = struct{}{}
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		delete(g.listeners, l)
		g.mu.Unlock()
	}()
	pause := time.Duration(0)
	for !g.stopping.Load() {
		c, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			go g.ServeConn(c)
		case g.stopping.Load():
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("accept devices: %w", err)
		default: // out of file descriptors, or the peer was gone before it was accepted: both pass
			g.log.Warn("cannot accept a device", "error", err)
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			time.Sleep(pause)
		}
	}
	return nil
}

// ServeConn takes a connection over. It returns once the connection is logged in or refused; a logged-in connection
// lives on by itself, so that what the TLS handshake and the log-in took of memory is free again.
func (g *Gateway) ServeConn(nc net.Conn) {
	g.initialize()
	c := &conn{net: nc, tcp: nc, transport: TransportTCP, hardClose: nc.Close, from: addrPort(nc.RemoteAddr())}
	if t, ok := nc.(*tls.Conn); ok {
		// Not tls.Conn.Close: it waits up to 5 s to tell a peer that may not be listening.
		c.transport, c.tcp, c.hardClose = TransportTLS, t.NetConn(), t.NetConn().Close
	}
	if tcp, ok := c.tcp.(*net.TCPConn); ok {
		// A peer that lost its power is noticed even if its keep-alive is long.
		_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: 20 * time.Second, Count: 3})
	}
	g.serve(c)
}

// serve takes a connection whose transport is known from its first byte to its log-in.
func (g *Gateway) serve(c *conn) {
	c.g, c.since, c.id = g, time.Now(), g.nextID.Add(1)
	c.stop, c.done = make(chan struct{}), make(chan struct{})
	if !g.enter(c) {
		_ = c.hardClose()
		return
	}
	c.in.start(c.net, g.count.bytesIn)
	_ = c.net.SetReadDeadline(c.since.Add(g.limits.ConnectTimeout))
	why := c.guarded(c.greet)
	if why != "" {
		c.finish(why)
		return
	}
	go func() { c.finish(c.guarded(c.loop)) }()
}

// enter makes a connection known, unless there are too many that have not logged in, or the server stops.
func (g *Gateway) enter(c *conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopping.Load() || !g.crowd.enter(c.from.Addr()) {
		return false
	}
	g.conns[c] = struct{}{}
	g.running.Add(1) // under mu, so that Close cannot be waiting already
	g.count.halfOpen.Inc()
	return true
}

// addrPort reads the address of a peer; it is zero for connections that have none, such as pipes.
func addrPort(a net.Addr) netip.AddrPort {
	if t, ok := a.(*net.TCPAddr); ok {
		p := t.AddrPort()
		return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
	}
	p, _ := netip.ParseAddrPort(a.String())
	return p
}

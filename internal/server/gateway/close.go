package gateway

import (
	"context"
	"fmt"
	"time"
)

// End closes a device's connection, whose rights ended, and forgets what was kept for it. A log-in of the device that
// is under way is refused. It returns at once.
func (g *Gateway) End(uuid string) {
	g.initialize()
	g.mu.Lock()
	c := g.devices[uuid]
	g.ended.mark(uuid, time.Now())
	g.sessions.drop(uuid)
	g.mu.Unlock()
	if c != nil {
		c.Close(ReasonRevoked)
	}
}

// endings remembers whose rights ended lately, for log-ins that were under way then. Gateway.mu guards it.
type endings struct {
	seq uint64
	at  map[string]ending
}

type ending struct {
	seq  uint64
	when time.Time
}

func (e *endings) mark(uuid string, now time.Time) {
	if len(e.at) >= 1024 {
		for u, x := range e.at {
			if now.Sub(x.when) > time.Minute { // a log-in takes LoginTimeout at most
				delete(e.at, u)
			}
		}
	}
	e.seq++
	e.at[uuid] = ending{e.seq, now}
}

// since tells whether the rights of a UUID ended after seq.
func (e *endings) since(seq uint64, uuid string) bool { return e.at[uuid].seq > seq }

// Close refuses new connections and ends the others: each finishes the message it has at hand. It waits for them;
// when ctx ends first it cuts them off and returns ctx's error.
func (g *Gateway) Close(ctx context.Context) error {
	g.initialize()
	g.stopping.Store(true)
	g.mu.Lock()
	for l := range g.listeners {
		_ = l.Close()
	}
	conns := make([]*conn, 0, len(g.conns))
	for c := range g.conns {
		conns = append(conns, c)
	}
	g.mu.Unlock()
	for _, c := range conns {
		c.drain()
	}
	gone := make(chan struct{})
	go func() { g.running.Wait(); close(gone) }()
	select {
	case <-gone:
		g.cancel()
		return nil
	case <-ctx.Done():
	}
	g.cancel()
	for _, c := range conns {
		c.Close(ReasonStopping)
	}
	select {
	case <-gone:
	case <-time.After(time.Second):
	}
	return fmt.Errorf("end the device connections: %w", ctx.Err())
}

// drain asks for the end of a connection after the message at hand.
func (c *conn) drain() {
	if c.transport == TransportWebSocket { // its reader cannot be woken without closing it
		c.Close(ReasonStopping)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.draining = true
	_ = c.net.SetReadDeadline(time.Unix(1, 0))
}

package web

import (
	"net"
	"net/netip"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// defaultPerAddress is how many connections one address may hold. A browser holds a handful, an office behind one
// router some dozens.
const defaultPerAddress = 256

// crowd counts the connections of each address, so that nobody takes all that there are.
type crowd struct {
	limit   int
	free    func(netip.Addr) bool // addresses that are not counted
	refused prometheus.Counter

	mu   sync.Mutex
	from map[netip.Addr]int // by place
}

// enter counts a connection, if there is room for it. leave, unless nil, must be called once it is closed.
func (c *crowd) enter(a netip.Addr) (leave func(), ok bool) {
	if !a.IsValid() || c.free(a) {
		return nil, true
	}
	from := place(a)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.from[from] >= c.limit {
		return nil, false
	}
	c.from[from]++
	return sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.from[from]--; c.from[from] == 0 {
			delete(c.from, from)
		}
	}), true
}

// place is what counts as one address: an IPv6 network of a subscriber is a /64.
func place(a netip.Addr) netip.Addr {
	if a.Is6() {
		p, _ := a.Prefix(64)
		return p.Addr()
	}
	return a
}

// isFree tells the addresses from which any number of connections may come: this machine, and the trusted proxies,
// whose connections are those of all people.
func (s *Server) isFree(a netip.Addr) bool { return a.IsLoopback() || s.trusts(a) }

// crowdListener closes connections that are too many of one address before anything is read of them.
type crowdListener struct {
	net.Listener
	crowd *crowd
}

// Accept waits for a connection that there is room for.
func (l crowdListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		leave, ok := l.crowd.enter(addressOf(conn.RemoteAddr().String()))
		switch {
		case !ok:
			l.crowd.refused.Inc()
			_ = conn.Close()
		case leave == nil:
			return conn, nil
		default:
			return &crowdConn{conn, leave}, nil
		}
	}
}

type crowdConn struct {
	net.Conn
	leave func()
}

// Close makes room for another connection.
func (c *crowdConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

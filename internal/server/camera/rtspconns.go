package camera

import (
	"net"
	"net/netip"
	"sync"
)

// perAddress bounds the connections from one address (IPv6: one /64), so that whoever opens many and says nothing keeps
// no publisher out. mu guards open.
type perAddress struct {
	net.Listener
	most int

	mu   sync.Mutex
	open map[netip.Prefix]int
}

// Accept closes at once what is one too many.
func (l *perAddress) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := networkOf(addressOf(c.RemoteAddr().String()))
		if l.take(from) {
			return &countedConn{Conn: c, left: func() { l.give(from) }}, nil
		}
		_ = c.Close()
	}
}

func networkOf(a netip.Addr) netip.Prefix {
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // none for what is no address, which is one, too
	return p
}

func (l *perAddress) take(from netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil {
		l.open = map[netip.Prefix]int{}
	}
	if l.open[from] >= l.most {
		return false
	}
	l.open[from]++
	return true
}

func (l *perAddress) give(from netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[from]--; l.open[from] <= 0 {
		delete(l.open, from)
	}
}

// countedConn tells once that it is closed.
type countedConn struct {
	net.Conn
	once sync.Once
	left func()
}

func (c *countedConn) Close() error {
	defer c.once.Do(c.left)
	return c.Conn.Close()
}

package camera

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// expectant is a listener that closes at once what comes before anybody is expected. Unaccepted it would wait in the
// kernel without an answer, and whoever fills the queue there would keep the first publisher out.
type expectant struct {
	net.Listener
	expected atomic.Bool
	taken    chan net.Conn
	done     chan struct{}
	once     sync.Once
}

func newExpectant(l net.Listener) *expectant {
	return &expectant{Listener: l, taken: make(chan net.Conn), done: make(chan struct{})}
}

// run takes connections until the listener is closed.
func (l *expectant) run() {
	for {
		c, err := l.Listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // too many open files, as a rule
			select {
			case <-time.After(100 * time.Millisecond):
				continue
			case <-l.done:
				return
			}
		}
		if !l.expected.Load() {
			_ = c.Close()
			continue
		}
		select {
		case l.taken <- c:
		case <-l.done:
			_ = c.Close()
		}
	}
}

func (l *expectant) Accept() (net.Conn, error) {
	select {
	case c := <-l.taken:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *expectant) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Listener.Close()
}

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

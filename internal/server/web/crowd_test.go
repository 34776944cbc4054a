package web

import (
	"io"
	"net"
	"net/netip"
	"testing"
)

// queue is a listener whose connections come from wherever the test says.
type queue chan net.Conn

func (q queue) Accept() (net.Conn, error) {
	c, ok := <-q
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (queue) Close() error   { return nil }
func (queue) Addr() net.Addr { return &net.TCPAddr{} }

type from struct {
	net.Conn
	address string
}

func (f from) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(f.address))
}

func TestConnectionsPerAddress(t *testing.T) {
	h := newHouse(t, func(s *Server) {
		s.ConnectionsPerAddress = 2
		s.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.5/32")}
	})
	in := make(queue, 100)
	l := crowdListener{in, h.crowd}
	come := func(address string) {
		here, there := net.Pipe()
		t.Cleanup(func() { here.Close(); there.Close() })
		in <- from{here, address}
	}
	// accepted empties the queue and tells how many came in.
	accepted := func() (list []net.Conn) {
		t.Helper()
		here, there := net.Pipe()
		t.Cleanup(func() { here.Close(); there.Close() })
		mark := from{here, "127.0.0.1:1"}
		in <- mark
		for {
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			if c == net.Conn(mark) {
				return list
			}
			list = append(list, c)
		}
	}
	for range 3 {
		come("192.0.2.1:1000")
	}
	first := accepted()
	if len(first) != 2 {
		t.Fatalf("%d connections of one address", len(first))
	}
	come("192.0.2.2:1000")
	if n := len(accepted()); n != 1 {
		t.Error("another address has no room")
	}
	first[0].Close()
	first[0].Close() // twice makes no room twice
	come("192.0.2.1:1001")
	come("[::ffff:192.0.2.1]:1002")
	if n := len(accepted()); n != 1 {
		t.Errorf("%d more after one was closed", n)
	}
	for _, a := range []string{"[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8::3]:1", "[2001:db8:0:1::1]:1"} {
		come(a)
	}
	if n := len(accepted()); n != 3 {
		t.Errorf("%d of two networks", n)
	}
	for _, a := range []string{"10.0.0.5:1", "127.0.0.1:1", "[::1]:1"} {
		for range 5 {
			come(a)
		}
	}
	if n := len(accepted()); n != 15 {
		t.Errorf("%d of those who are free", n)
	}
}

// The one who is refused hears nothing; who is let in is answered.
func TestConnectionsPerAddress_Serves(t *testing.T) {
	h := newHouse(t, nil)
	in := make(queue, 2)
	h.Serve(in, nil, nil)
	here, there := net.Pipe()
	in <- from{here, "192.0.2.1:1"}
	if _, err := io.WriteString(there, "GET /healthz HTTP/1.1\r\nHost: pi.local\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(there)
	if err != nil || len(b) < 12 || string(b[9:12]) != "200" {
		t.Errorf("%.80s %v", b, err)
	}
	close(in)
	if err := h.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

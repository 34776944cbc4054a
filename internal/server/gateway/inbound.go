package gateway

import (
	"io"
	"net"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
)

// inbound is the reading half of a connection: the bytes that have arrived and were not used yet. Only the
// connection's own goroutine touches it. A buffer grows by what has really arrived, never by what a header claims.
type inbound struct {
	conn  net.Conn
	raw   syscall.RawConn       // of a plain TCP connection, else nil
	try   func(fd uintptr) bool // tryRead, bound once
	count prometheus.Counter    // bytes
	first [16]byte              // where a connection without raw waits for a message's first bytes
	buf   *buffer               // nil when nothing waits
	r, w  int                   // buf.b[r:w] is unused
	n     int                   // result of the last tryRead
	err   error                 // the same
	moved bool                  // a buffer's worth has arrived since somebody last set this to false
}

// start prepares reading from c.
func (in *inbound) start(c net.Conn, count prometheus.Counter) {
	in.conn, in.count = c, count
	if tcp, ok := c.(*net.TCPConn); ok && canTryRead {
		if raw, err := tcp.SyscallConn(); err == nil {
			in.raw, in.try = raw, in.tryRead
		}
	}
}

// need waits until n bytes are there. After a deadline it can be called again: nothing is lost.
func (in *inbound) need(n int) error {
	for in.w-in.r < n {
		in.makeRoom(n)
		if err := in.read(); err != nil {
			return err
		}
	}
	return nil
}

// bytes are those that have arrived; they are valid until the next call of need, skip or use.
func (in *inbound) bytes() []byte { return in.buf.b[in.r:in.w] }

// use marks n bytes as done with.
func (in *inbound) use(n int) {
	in.r += n
	if in.r == in.w {
		in.r, in.w = 0, 0
	}
}

// makeRoom sees to it that something can be read, towards n bytes at once.
func (in *inbound) makeRoom(n int) {
	if in.buf == nil {
		return
	}
	if in.r > 0 && len(in.buf.b)-in.r < n {
		copy(in.buf.b, in.buf.b[in.r:in.w])
		in.r, in.w = 0, in.w-in.r
	}
	if in.w < len(in.buf.b) {
		return
	}
	in.moved = true
	bigger := borrow(in.buf.class + 1)
	copy(bigger.b, in.buf.b[in.r:in.w])
	in.buf.giveBack()
	in.buf, in.r, in.w = bigger, 0, in.w-in.r
}

// read waits for bytes, without holding a buffer while none wait.
func (in *inbound) read() error {
	switch {
	case in.raw != nil:
		if err := in.raw.Read(in.try); err != nil {
			return err
		}
	case in.r == in.w:
		in.release()
		in.n, in.err = in.conn.Read(in.first[:])
		if in.n > 0 {
			in.buf = borrow(0)
			copy(in.buf.b, in.first[:in.n])
		}
	default:
		in.n, in.err = in.conn.Read(in.buf.b[in.w:])
	}
	if in.n > 0 {
		in.w += in.n
		in.count.Add(float64(in.n))
		return nil
	}
	if in.err == nil {
		return io.EOF
	}
	return in.err
}

// skip throws n bytes away as they come, and tells how many are still to come when a deadline interrupts it.
func (in *inbound) skip(n int) (left int, err error) {
	for n > 0 {
		if in.r == in.w {
			if err := in.need(1); err != nil {
				return n, err
			}
			in.moved = true
		}
		k := min(n, in.w-in.r)
		in.use(k)
		n -= k
	}
	return 0, nil
}

// release gives the buffer back.
func (in *inbound) release() {
	if in.buf != nil {
		in.buf.giveBack()
		in.buf, in.r, in.w = nil, 0, 0
	}
}

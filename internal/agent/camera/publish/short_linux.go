package publish

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// keepShort has the system take no more of us than it can soon send: what waits in here can still be dropped for
// something newer, what waits in there cannot.
func keepShort(_, _ string, c syscall.RawConn) error {
	c.Control(func(fd uintptr) {
		unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, notSent) // without it, it is only later
	})
	return nil
}

//go:build unix

package gateway

import "syscall"

const canTryRead = true

// tryRead is called by the runtime when a plain TCP connection may have bytes; false sends it to sleep until there are
// some. The buffer is borrowed for the try and kept only if it got something.
func (in *inbound) tryRead(fd uintptr) bool {
	if in.buf == nil {
		in.buf = borrow(0)
	}
	for {
		in.n, in.err = syscall.Read(int(fd), in.buf.b[in.w:])
		switch in.err {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			in.n = 0
			if in.r == in.w {
				in.release()
			}
			return false
		}
		return true
	}
}

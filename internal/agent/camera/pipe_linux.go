package camera

import (
	"os"

	"golang.org/x/sys/unix"
)

// pipeSize is how much waits in the pipe to ffmpeg. The system's 64 KB are many seconds of a video of little movement.
const pipeSize = 8 << 10

// shorten has less wait in a pipe. What cannot be written waits here, where it can be dropped.
func shorten(pipe *os.File) {
	if c, err := pipe.SyscallConn(); err == nil {
		_ = c.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeSize) }) // without it, it is only later
	}
}

package publish

import (
	"os"
	"syscall"
)

// turn is the right to encode of those processes that do so by themselves: of one machine one at a time, so that several
// cameras do not take the printer's processor together. It is a lock on the program's own file, which ends with a process.
type turn struct{ file *os.File }

func (t *turn) take() bool {
	if t.file != nil {
		return true
	}
	f, err := os.Open("/proc/self/exe")
	if err != nil {
		return false
	}
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		f.Close()
		return false
	}
	t.file = f
	return true
}

func (t *turn) leave() {
	if t.file != nil {
		t.file.Close()
		t.file = nil
	}
}

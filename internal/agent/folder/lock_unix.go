//go:build unix

package folder

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Lock keeps the folder for this process until unlock or its end; ErrInUse when another one has it.
func (f *Folder) Lock() (unlock func(), err error) {
	file, err := os.OpenFile(f.Join("lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		file.Close()
		if err == unix.EWOULDBLOCK {
			return nil, ErrInUse
		}
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	return func() { file.Close() }, nil
}

package folder

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

// Lock keeps the folder for this process until unlock or its end; ErrInUse when another one has it.
func (f *Folder) Lock() (unlock func(), err error) {
	file, err := os.OpenFile(f.Join("lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	const how = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	if err := windows.LockFileEx(windows.Handle(file.Fd()), how, 0, 1, 0, new(windows.Overlapped)); err != nil {
		file.Close()
		if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
			return nil, ErrInUse
		}
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	return func() { file.Close() }, nil
}

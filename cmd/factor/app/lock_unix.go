//go:build unix && !solaris && !illumos && !aix

package app

import (
	"errors"
	"os"
	"syscall"
)

var (
	errLocked       = errors.New("locked by another process")
	errNotDirectory = syscall.ENOTDIR
)

// lock takes an advisory lock that ends with the file, however the process ends.
func lock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errLocked
	}
	return err
}

// owns tells whether a file or folder belongs to the user that runs this.
func owns(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

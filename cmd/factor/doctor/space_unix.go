//go:build linux || darwin || freebsd

package doctor

import "syscall"

// freeSpace gives the bytes that an ordinary user may still write on dir's file system.
func freeSpace(dir string) (uint64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return uint64(s.Bavail) * uint64(s.Bsize), nil
}

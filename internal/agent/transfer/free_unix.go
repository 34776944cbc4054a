//go:build !windows

package transfer

import "golang.org/x/sys/unix"

// free gives the bytes that this program may still write on dir's file system.
func free(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}

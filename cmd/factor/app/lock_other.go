//go:build !unix || solaris || illumos || aix

package app

import (
	"errors"
	"os"
)

var (
	errLocked       = errors.New("locked by another process")
	errNotDirectory = errors.New("not a folder")
)

// lock does nothing here: the server is built for such systems to be tried, not to be kept.
func lock(*os.File) error { return nil }

// owns is for modes that only a Unix has.
func owns(os.FileInfo) bool { return false }

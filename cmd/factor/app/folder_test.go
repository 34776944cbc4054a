//go:build unix

package app

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFolder_IsItsOwnersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	for _, c := range []struct {
		mode  os.FileMode
		done  bool
		after os.FileMode
		fails bool
	}{
		{0o755, true, 0o700, false},
		{0o770, true, 0o700, false},
		{0o700, false, 0o700, false},
		{0o777 | os.ModeSticky, false, 0o777, true}, // as /tmp is: others have their things there
	} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, c.mode); err != nil {
			t.Fatal(err)
		}
		f, err := OpenFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		done, err := f.Tighten()
		if done != c.done || (err != nil) != c.fails {
			t.Errorf("%v: changed %v, %v", c.mode, done, err)
		}
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != c.after {
			t.Errorf("%v: %v afterwards, %v", c.mode, info.Mode(), err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestServer_TightensItsFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	mustServe(t, dir)
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

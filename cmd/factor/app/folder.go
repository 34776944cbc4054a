package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// Files of the program itself in the data folder.
const (
	lockFile = "factor.lock"
	runFile  = "run.json"
)

// ErrRunning says that another process serves the data folder.
var ErrRunning = errors.New("stop it, or give this one a folder of its own")

// Folder is a data folder that belongs to this process as long as it is open. One process serves a folder; commands
// such as `factor user add` work beside it, on the database alone.
type Folder struct {
	Path string
	lock *os.File
}

// OpenFolder makes the folder where it is missing and takes it. Errors: ErrRunning, and words for a folder that
// cannot be written.
func OpenFolder(path string) (*Folder, error) {
	if err := MakeFolder(path); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(path, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, unwritable(path, err)
	}
	if err := lock(f); err != nil {
		f.Close()
		if !errors.Is(err, errLocked) {
			return nil, fmt.Errorf("--data: lock %s: %w", path, err)
		}
		words := fmt.Sprintf("--data: %s is served by another factor", path)
		if run, err := ReadRun(path); err == nil {
			words = fmt.Sprintf("%s (process %d, since %s)", words, run.PID, run.StartedAt.Local().Format(time.DateTime))
		}
		return nil, fmt.Errorf("%s: %w", words, ErrRunning)
	}
	return &Folder{Path: path, lock: f}, nil
}

// MakeFolder makes the data folder, for its owner only, and looks whether it can be written.
func MakeFolder(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return unwritable(path, err)
	}
	probe, err := os.CreateTemp(path, ".probe-*")
	if err != nil {
		return unwritable(path, err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// Tighten keeps everybody but its owner out of the data folder: keys and databases are there, and one that was made by
// hand, or by a service manager, is open to all of the machine. done tells whether it changed something. A folder that is
// not ours alone, such as /tmp, and one of somebody else are left as they are, with an error that says what to do.
func (f *Folder) Tighten() (done bool, err error) {
	info, err := os.Stat(f.Path)
	if err != nil || !OpenToOthers(info) {
		return false, err
	}
	mode := info.Mode()
	if !owns(info) || mode&fs.ModeSticky != 0 {
		return false, fmt.Errorf("others on this machine may look into the data folder %s (%v). Make it its owner's alone: chmod 700 %s", f.Path, mode.Perm(), f.Path)
	}
	if err := os.Chmod(f.Path, 0o700); err != nil {
		return false, fmt.Errorf("others on this machine may look into the data folder %s (%v): %w", f.Path, mode.Perm(), err)
	}
	return true, nil
}

// OpenToOthers tells whether others than its owner may look into a folder. Only a Unix says so by the mode.
func OpenToOthers(folder os.FileInfo) bool {
	return runtime.GOOS != "windows" && folder.Mode().Perm()&0o077 != 0
}

func unwritable(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("--data: %s cannot be written by the user that runs factor (uid %d). Give the folder to that user, or name another one: %w", path, os.Getuid(), err)
	case errors.Is(err, fs.ErrExist), errors.Is(err, errNotDirectory):
		return fmt.Errorf("--data: %s is no folder. Name another one: %w", path, err)
	}
	return fmt.Errorf("--data: %s cannot be used: %w", path, err)
}

// Close gives the folder back.
func (f *Folder) Close() error {
	// The file stays: removing it would let two processes hold two different locks.
	return f.lock.Close()
}

// RunInfo is run.json in the data folder, there while a server runs: where it really listens, for scripts that let it
// take free ports.
type RunInfo struct {
	PID       int       `json:"pid"`
	Version   string    `json:"version"`
	StartedAt time.Time `json:"started_at"`
	HTTP      string    `json:"http,omitempty"`   // host:port; missing: off
	HTTPS     string    `json:"https,omitempty"`  // host:port
	MQTTS     string    `json:"mqtts,omitempty"`  // host:port
	MQTT      string    `json:"mqtt,omitempty"`   // host:port
	WebRTC    string    `json:"webrtc,omitempty"` // host:port, UDP and TCP
	RTSP      string    `json:"rtsp,omitempty"`   // host:port
}

func (f *Folder) writeRun(info RunInfo) error {
	text, err := json.MarshalIndent(info, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(f.Path, runFile)
	tmp := path + ".new"
	if err := os.WriteFile(tmp, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", runFile, err)
	}
	return os.Rename(tmp, path)
}

func (f *Folder) removeRun() {
	os.Remove(filepath.Join(f.Path, runFile))
}

// ReadRun reads run.json. After a crash it tells of a process that is gone: Running knows.
func ReadRun(path string) (RunInfo, error) {
	var info RunInfo
	text, err := os.ReadFile(filepath.Join(path, runFile))
	if err != nil {
		return info, err
	}
	return info, json.Unmarshal(text, &info)
}

// Running tells whether a server serves the folder now, and what it says of itself.
func Running(path string) (RunInfo, bool) {
	f, err := os.OpenFile(filepath.Join(path, lockFile), os.O_RDWR, 0)
	if err != nil {
		return RunInfo{}, false
	}
	defer f.Close()
	if err := lock(f); !errors.Is(err, errLocked) {
		return RunInfo{}, false
	}
	info, err := ReadRun(path)
	return info, err == nil
}

package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/kangbyounggwan/factor/internal/line"
)

// Files of the program itself in the data folder.
const (
	lockFile = "factor.lock"
	runFile  = "run.json"
)

// ErrRunning says that another process serves the data folder.
var ErrRunning error = line.Tell("stop it, or give this one a folder of its own", "먼저 멈추거나 이 서버에 다른 폴더를 주세요")

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
			return nil, unwritable(path, err)
		}
		if run, err := ReadRun(path); err == nil {
			since := run.StartedAt.Local().Format(time.DateTime)
			return nil, line.Tell("--data: %[1]s is served by another factor (process %[2]d, since %[3]s): %[4]v",
				"--data: %[1]s 폴더는 다른 factor가 쓰고 있습니다(프로세스 %[2]d, %[3]s부터). %[5]s", path, run.PID, since, ErrRunning, line.InKorean(ErrRunning))
		}
		return nil, line.Tell("--data: %[1]s is served by another factor: %[2]v",
			"--data: %[1]s 폴더는 다른 factor가 쓰고 있습니다. %[3]s", path, ErrRunning, line.InKorean(ErrRunning))
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
	_, err = probe.WriteString("factor") // a full disk makes files, and takes nothing into them
	err = errors.Join(err, probe.Close())
	if err := errors.Join(err, os.Remove(probe.Name())); err != nil {
		return unwritable(path, err)
	}
	return nil
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
		return line.Tell("--data: %s cannot be written by the user that runs factor (uid %d). Give the folder to that user, or name another one: %v",
			"--data: factor를 실행하는 사용자(uid %[2]d)가 %[1]s 폴더에 쓸 수 없습니다. 폴더를 그 사용자에게 주거나 다른 폴더를 고르세요", path, os.Getuid(), err)
	case errors.Is(err, fs.ErrExist), errors.Is(err, errNotDirectory):
		return line.Tell("--data: %s is no folder. Name another one: %v", "--data: %[1]s은(는) 폴더가 아닙니다. 다른 이름을 고르세요", path, err)
	case DiskFull(err):
		return line.Tell("--data: the disk of %s is full. Make room on it and start again; nothing is lost: %v",
			"--data: %[1]s 폴더의 디스크가 가득 찼습니다. 공간을 비우고 다시 시작하세요. 잃은 것은 없습니다", path, err)
	}
	return line.Tell("--data: %s cannot be used: %v", "--data: %s 폴더를 쓸 수 없습니다: %v", path, err)
}

// DiskFull tells whether there was no room, on the disk or in the user's share of it.
func DiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
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

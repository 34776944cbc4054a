package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

const (
	socketName = "agent.sock"
	askTimeout = 5 * time.Second
	maxStatus  = 1 << 20 // bytes
	maxAddress = 100     // bytes of a Unix socket's path: the kernel takes 107, some systems 103
)

// ErrNotRunning says that no agent answers in a folder.
var ErrNotRunning = errors.New("no agent runs on this folder")

// address names the socket of a folder, by a short way if its path is too long for the kernel.
func address(dir string) (addr string, done func(), err error) {
	addr = filepath.Join(dir, socketName)
	if len(addr) <= maxAddress || runtime.GOOS != "linux" {
		return addr, func() {}, nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", d.Fd(), socketName), func() { d.Close() }, nil
}

// Serve answers everybody who connects to the folder's socket with the status, until ctx ends. The folder must be
// locked: a socket that an earlier process left is taken over. Only this user can connect.
func Serve(ctx context.Context, dir string, status func() Status) error {
	addr, done, err := address(dir)
	if err != nil {
		return fmt.Errorf("status socket: %w", err)
	}
	defer done()
	path := filepath.Join(dir, socketName)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("status socket: %w", err)
	}
	listener, err := net.Listen("unix", addr)
	if err != nil {
		return fmt.Errorf("status socket: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { listener.Close() })
	defer stop()
	defer os.Remove(path)
	defer listener.Close()
	if err := os.Chmod(path, 0o600); err != nil {
		return fmt.Errorf("status socket: %w", err)
	}
	for {
		conn, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("status socket: %w", err)
		}
		conn.SetDeadline(time.Now().Add(askTimeout))
		json.NewEncoder(conn).Encode(status()) // one at a time: an answer is short and has a deadline
		conn.Close()
	}
}

// Ask asks the agent that runs on a folder; ErrNotRunning when there is none.
func Ask(dir string) (*Status, error) {
	addr, done, err := address(dir)
	if err != nil {
		return nil, fmt.Errorf("status: %w", err)
	}
	defer done()
	conn, err := net.DialTimeout("unix", addr, askTimeout)
	if err != nil {
		if errors.Is(err, os.ErrPermission) {
			return nil, fmt.Errorf("status: %w", err)
		}
		return nil, ErrNotRunning
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(askTimeout))
	var s Status
	if err := json.NewDecoder(io.LimitReader(conn, maxStatus)).Decode(&s); err != nil {
		return nil, fmt.Errorf("status: %w", err)
	}
	return &s, nil
}

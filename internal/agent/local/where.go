package local

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/durable"
	"github.com/kangbyounggwan/factor/internal/agent/folder"
)

const (
	socketName   = "agent.sock"
	loopbackName = "local.json"
	maxAddress   = 100 // bytes of a Unix socket's path: the kernel takes 107, some systems 103
	atATime      = 16  // connections
)

// Where is where the API is served. The zero value is a socket in the data folder.
type Where struct {
	Socket string // path of a Unix socket
	Listen string // loopback address and port, such as 127.0.0.1:0; then the port and a secret are written to local.json
}

// loopback is local.json: how to reach an API that is served over TCP.
type loopback struct {
	Port   int    `json:"port"`
	Secret string `json:"secret"`
}

// Serve serves the API until ctx ends. The folder must be locked: a socket that an earlier process left is taken over.
func (a *API) Serve(ctx context.Context, w Where) error {
	listener, secret, done, err := listen(a.Folder, w)
	if err != nil {
		return fmt.Errorf("local API: %w", err)
	}
	defer done()
	server := &http.Server{Handler: a.handler(secret), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		IdleTimeout: 5 * time.Second, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx }}
	server.ErrorLog = nil
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(&bounded{Listener: listener, free: make(chan struct{}, atATime)}) }()
	select {
	case err := <-failed:
		return fmt.Errorf("local API: %w", err)
	case <-ctx.Done():
	}
	soon, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if server.Shutdown(soon) != nil {
		server.Close()
	}
	a.end(soon)
	return nil
}

// listen opens what w says. secret is "" for a socket, whose file's mode keeps others out.
func listen(f *folder.Folder, w Where) (l net.Listener, secret string, done func(), err error) {
	if w.Listen != "" {
		return listenLoopback(f, w.Listen)
	}
	path := w.Socket
	if path == "" {
		path = f.Join(socketName)
	}
	addr, release, err := address(path)
	if err != nil {
		return nil, "", nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		release()
		return nil, "", nil, err
	}
	// The socket's mode is set after it is made: until then a folder that only its owner can enter protects it.
	if l, err = net.Listen("unix", addr); err != nil {
		release()
		return nil, "", nil, err
	}
	done = func() {
		l.Close()
		os.Remove(path)
		release()
	}
	if err := os.Chmod(path, 0o600); err != nil {
		done()
		return nil, "", nil, err
	}
	return l, "", done, nil
}

func listenLoopback(f *folder.Folder, listen string) (net.Listener, string, func(), error) {
	host, _, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return nil, "", nil, fmt.Errorf("--listen %s is no loopback address with a port", listen)
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, "", nil, err
	}
	found := loopback{Port: l.Addr().(*net.TCPAddr).Port, Secret: rand.Text()}
	content, err := json.Marshal(found)
	if err == nil {
		err = durable.WriteFile(f.Join(loopbackName), content)
	}
	if err != nil {
		l.Close()
		return nil, "", nil, err
	}
	return l, found.Secret, func() {
		l.Close()
		f.Forget(loopbackName)
	}, nil
}

// address names a Unix socket, by a short way if its path is too long for the kernel.
func address(path string) (addr string, done func(), err error) {
	if len(path) <= maxAddress || runtime.GOOS != "linux" {
		return path, func() {}, nil
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", d.Fd(), filepath.Base(path)), func() { d.Close() }, nil
}

// bounded takes no more connections than it has room for.
type bounded struct {
	net.Listener
	free chan struct{}
}

func (b *bounded) Accept() (net.Conn, error) {
	b.free <- struct{}{}
	c, err := b.Listener.Accept()
	if err != nil {
		<-b.free
		return nil, err
	}
	return &boundedConn{Conn: c, free: b.free}, nil
}

type boundedConn struct {
	net.Conn
	free chan struct{}
}

func (c *boundedConn) Close() error {
	err := c.Conn.Close()
	if !errors.Is(err, net.ErrClosed) {
		<-c.free
	}
	return err
}

package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

const (
	askTimeout = 5 * time.Second
	maxStatus  = 1 << 20 // bytes
)

// ErrNotRunning says that no agent answers in a folder.
var ErrNotRunning = errors.New("no agent runs on this folder")

// Ask asks the agent that runs on a folder; ErrNotRunning when there is none, ErrNotRegistered when it has no printer.
func Ask(dir string) (*Status, error) {
	addr, done, err := address(filepath.Join(dir, socketName))
	if err != nil {
		return nil, fmt.Errorf("status: %w", err)
	}
	defer done()
	network, host, secret := "unix", "localhost", ""
	if content, err := os.ReadFile(filepath.Join(dir, loopbackName)); err == nil {
		var l loopback
		if json.Unmarshal(content, &l) == nil && l.Port != 0 {
			network, secret = "tcp", l.Secret
			addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(l.Port))
			host = addr
		}
	}
	client := &http.Client{Timeout: askTimeout, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		}}}
	req, err := http.NewRequest(http.MethodGet, "http://"+host+"/v1/agent", nil)
	if err != nil {
		return nil, fmt.Errorf("status: %w", err)
	}
	if secret != "" {
		req.Header.Set("Authorization", "Bearer "+secret)
	}
	res, err := client.Do(req)
	var unreachable *net.OpError
	switch {
	case errors.As(err, &unreachable) && unreachable.Op == "dial" && !errors.Is(err, os.ErrPermission):
		return nil, ErrNotRunning
	case err != nil:
		return nil, fmt.Errorf("status: %w", errors.Unwrap(err))
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusConflict {
		return nil, ErrNotRegistered
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status: the agent answers with %d", res.StatusCode)
	}
	var s Status
	if err := json.NewDecoder(io.LimitReader(res.Body, maxStatus)).Decode(&s); err != nil {
		return nil, fmt.Errorf("status: %w", err)
	}
	return &s, nil
}

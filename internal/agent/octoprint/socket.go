package octoprint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/kangbyounggwan/factor/internal/wire"
)

const (
	dialTimeout  = 15 * time.Second
	firstTimeout = 20 * time.Second // from the log-in to the first state
	pingEvery    = 20 * time.Second // a printer that is off makes OctoPrint silent for hours
	pingTimeout  = 15 * time.Second
	throttle     = 2       // × 500 ms between regular messages
	socketLimit  = 8 << 20 // bytes of a message that is discarded; beyond it the socket is closed
)

// wanted are the events that we ask for. Older versions do not know subscriptions and send every event; see forward.
var wanted = []string{"PrinterStateChanged", "UpdatedFiles", "FileAdded", "FileRemoved", "FileMoved", "FolderRemoved",
	"FolderMoved", "PrinterProfileModified", "SettingsUpdated",
	wire.EventPrintStarted, wire.EventPrintDone, wire.EventPrintFailed, wire.EventPrintCancelled, wire.EventPrintPaused,
	wire.EventPrintResumed, wire.EventError, wire.EventConnected, wire.EventDisconnected, wire.EventFilamentChange, eventStop}

// socket is an open push socket.
type socket struct {
	conn *websocket.Conn
}

// dial opens the push socket and logs in on it.
func (c *Client) dial(ctx context.Context, logs bool) (*socket, error) {
	auth, err := c.login(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	plain := *c.http
	plain.Timeout = 0 // it would end the socket; ctx bounds the handshake
	header := http.Header{"X-Api-Key": {c.key}}
	conn, _, err := websocket.Dial(ctx, c.path("/sockjs/websocket"), &websocket.DialOptions{HTTPClient: &plain, HTTPHeader: header})
	if err != nil {
		return nil, fmt.Errorf("OctoPrint push socket: %w", withoutURL(err))
	}
	conn.SetReadLimit(socketLimit)
	s := &socket{conn}
	for _, m := range []any{
		map[string]any{"throttle": throttle},
		subscription(logs),
		map[string]any{"auth": auth},
	} {
		if err := s.write(ctx, m); err != nil {
			conn.CloseNow()
			return nil, err
		}
	}
	return s, nil
}

// subscription asks for no other plugin's messages and, unless somebody looks, for no log lines: they are most of the bytes.
func subscription(logs bool) any {
	return map[string]any{"subscribe": map[string]any{"state": map[string]bool{"logs": logs, "messages": false},
		"plugins": false, "events": wanted}}
}

func (s *socket) write(ctx context.Context, message any) error {
	content, err := json.Marshal(message)
	if err == nil {
		err = s.conn.Write(ctx, websocket.MessageText, content)
	}
	if err != nil {
		return fmt.Errorf("OctoPrint push socket: %w", err)
	}
	return nil
}

// read gives one message after another to each until the socket breaks. A message that makes no sense is counted by bad.
func (s *socket) read(ctx context.Context, logs func() bool, each func(message), bad func(error)) error {
	for {
		_, r, err := s.conn.Reader(ctx)
		if err != nil {
			return fmt.Errorf("OctoPrint push socket: %w", closeReason(err))
		}
		m, wrong := readMessage(r, logs())
		if _, err := io.Copy(io.Discard, r); err != nil {
			return fmt.Errorf("OctoPrint push socket: %w", closeReason(err))
		}
		if wrong != nil {
			bad(wrong)
			continue
		}
		each(m)
	}
}

// keep pings until the other side stays silent.
func (s *socket) keep(ctx context.Context) error {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		pinging, cancel := context.WithTimeout(ctx, pingTimeout)
		err := s.conn.Ping(pinging)
		cancel()
		if err != nil {
			return errors.New("OctoPrint push socket: no answer to a ping")
		}
	}
}

func (s *socket) close() { s.conn.CloseNow() }

// closeReason makes the library's long texts short.
func closeReason(err error) error {
	if errors.Is(err, io.EOF) || strings.Contains(err.Error(), "EOF") {
		return errors.New("closed by OctoPrint")
	}
	return err
}

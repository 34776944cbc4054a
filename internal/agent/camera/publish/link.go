package publish

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/coder/websocket"

	"github.com/kangbyounggwan/factor/internal/agent/folder"
	"github.com/kangbyounggwan/factor/internal/wire"
)

const (
	dialTimeout  = 15 * time.Second
	writeTimeout = 20 * time.Second // a whole picture over a slow uplink
	pingEvery    = 20 * time.Second
	notSent      = 16 << 10 // bytes that may wait in the system for the network
)

// link is the connection on which the server gets the pictures. One goroutine writes, one reads.
type link struct {
	ws    *websocket.Conn
	wants func(wire.MediaOptions)
}

// errOver says that the server has ended the link in order: nobody looks any more.
var errOver = errors.New("the server ended the link")

// refusedLink says that the server knows no such link (any more).
type refusedLink int

func (r refusedLink) Error() string { return fmt.Sprintf("the server refuses the link (%d)", int(r)) }

// dialLink opens the link of an order.
func dialLink(ctx context.Context, o *Order) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	roots, err := folder.Roots(o.CA)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: dialTimeout, Control: keepShort}
	client := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: dialTimeout,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }} // the token is for this server
	at := o.Server + "/api/device/link?" + url.Values{"kind": {"camera"}, "camera": {o.Camera}, "link": {o.Link}}.Encode()
	login := base64.StdEncoding.EncodeToString([]byte(o.UUID + ":" + o.Token))
	ws, res, err := websocket.Dial(ctx, at, &websocket.DialOptions{HTTPClient: client, HTTPHeader: http.Header{"Authorization": {"Basic " + login}}})
	if err != nil {
		if res != nil && res.StatusCode >= 400 && res.StatusCode < 500 {
			return nil, refusedLink(res.StatusCode)
		}
		var u *url.Error
		if errors.As(err, &u) { // the address in it has the link's name
			err = u.Err
		}
		return nil, fmt.Errorf("open media link: %w", err)
	}
	ws.SetReadLimit(wire.MediaHeader + wire.MaxMediaJSON)
	return &link{ws: ws}, nil
}

// read takes what the server wants until the link ends.
func (l *link) read(ctx context.Context) error {
	for {
		kind, m, err := l.ws.Read(ctx)
		if err != nil {
			switch websocket.CloseStatus(err) {
			case websocket.StatusNormalClosure, websocket.StatusGoingAway, websocket.StatusPolicyViolation:
				return errOver
			}
			return fmt.Errorf("media link: %w", err)
		}
		if kind != websocket.MessageBinary {
			continue
		}
		is, _, _, payload, err := wire.ParseMedia(m)
		if err != nil || is != wire.MediaWant {
			continue // of a later server
		}
		var options wire.MediaOptions
		if json.Unmarshal(payload, &options) == nil {
			l.wants(options)
		}
	}
}

func (l *link) write(ctx context.Context, m []byte) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return l.ws.Write(ctx, websocket.MessageBinary, m)
}

func (l *link) writeJSON(ctx context.Context, kind wire.MediaKind, body any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return l.write(ctx, append(wire.AppendMedia(nil, kind, 0, 0), b...))
}

// ping keeps routers from forgetting a link on which there is nothing to send.
func (l *link) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return l.ws.Ping(ctx)
}

func (l *link) close() {
	l.ws.Close(websocket.StatusNormalClosure, "")
	l.ws.CloseNow()
}

// Package pushclient reads the realtime push as a page does. Tests and benchmarks look through it; it speaks the
// same JSON as the centrifuge client of the pages and nothing more of it than FACTOR uses.
package pushclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/centrifugal/fdelta"
	"github.com/coder/websocket"
)

// Message is one thing that came over a channel.
type Message struct {
	Channel string
	Data    []byte
	At      time.Time
	Wire    int // bytes of data as they were sent, before the delta was applied
}

// Ended is why a connection or a subscription was ended by the server.
type Ended struct {
	Channel string // "": the whole connection
	Code    int
	Reason  string
}

func (e *Ended) Error() string { return fmt.Sprintf("ended by the server: %d %s", e.Code, e.Reason) }

// Client is one connection. Messages, and ends of subscriptions, arrive on its channels; mu guards replies and bases.
type Client struct {
	Messages     chan Message // closed at the end of the connection
	Unsubscribed chan Ended

	conn *websocket.Conn
	ctx  context.Context
	stop context.CancelFunc

	mu      sync.Mutex
	next    int
	replies map[int]chan reply
	bases   map[string][]byte // last data of a channel with deltas
	end     error
}

type reply struct {
	ID        int             `json:"id"`
	Error     *replyError     `json:"error"`
	Connect   json.RawMessage `json:"connect"`
	Subscribe *struct {
		Data  json.RawMessage `json:"data"`
		Delta bool            `json:"delta"`
	} `json:"subscribe"`
	Push *struct {
		Channel string `json:"channel"`
		Pub     *struct {
			Data  json.RawMessage `json:"data"`
			Delta bool            `json:"delta"`
		} `json:"pub"`
		Unsubscribe *struct {
			Code   int    `json:"code"`
			Reason string `json:"reason"`
		} `json:"unsubscribe"`
	} `json:"push"`
}

type replyError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// Refused is the server's no to a command.
type Refused struct {
	Code    int
	Message string
}

func (e *Refused) Error() string { return fmt.Sprintf("refused: %d %s", e.Code, e.Message) }

// Dial connects to url (ws:// or wss://…/api/v1/push) with the headers that log in.
func Dial(ctx context.Context, url string, header http.Header, httpClient *http.Client) (*Client, error) {
	conn, resp, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPHeader: header, HTTPClient: httpClient})
	if err != nil {
		if resp != nil {
			return nil, &Refused{Code: resp.StatusCode, Message: resp.Status}
		}
		return nil, err
	}
	conn.SetReadLimit(8 << 20)
	c := &Client{
		Messages: make(chan Message, 1024), Unsubscribed: make(chan Ended, 64), conn: conn,
		replies: map[int]chan reply{}, bases: map[string][]byte{},
	}
	c.ctx, c.stop = context.WithCancel(context.Background())
	go c.read()
	if _, err := c.do(ctx, map[string]any{"connect": map[string]any{"name": "pushclient"}}); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Subscribe subscribes to a channel, with deltas if wanted, and gives what the reply holds.
func (c *Client) Subscribe(ctx context.Context, channel string, delta bool) ([]byte, error) {
	request := map[string]any{"channel": channel}
	if delta {
		request["delta"] = "fossil"
	}
	r, err := c.do(ctx, map[string]any{"subscribe": request})
	if err != nil {
		return nil, err
	}
	if r.Subscribe == nil {
		return nil, errors.New("the reply holds no subscription")
	}
	return r.Subscribe.Data, nil
}

// Unsubscribe ends a subscription.
func (c *Client) Unsubscribe(ctx context.Context, channel string) error {
	_, err := c.do(ctx, map[string]any{"unsubscribe": map[string]any{"channel": channel}})
	return err
}

// Close ends the connection.
func (c *Client) Close() {
	c.stop()
	c.conn.CloseNow()
}

// Err tells why the connection ended: *Ended when the server said so.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end
}

func (c *Client) do(ctx context.Context, command map[string]any) (reply, error) {
	c.mu.Lock()
	c.next++
	id, answer := c.next, make(chan reply, 1)
	c.replies[id] = answer
	c.mu.Unlock()
	command["id"] = id
	text, err := json.Marshal(command)
	if err != nil {
		return reply{}, err
	}
	if err := c.conn.Write(ctx, websocket.MessageText, text); err != nil {
		return reply{}, err
	}
	select {
	case r, ok := <-answer:
		if !ok {
			return reply{}, c.Err()
		}
		if r.Error != nil {
			return reply{}, &Refused{Code: r.Error.Code, Message: r.Error.Message}
		}
		return r, nil
	case <-ctx.Done():
		return reply{}, ctx.Err()
	}
}

func (c *Client) read() {
	var end error
	for {
		_, frame, err := c.conn.Read(c.ctx)
		if err != nil {
			end = err
			if closed, ok := errors.AsType[websocket.CloseError](err); ok {
				end = &Ended{Code: int(closed.Code), Reason: closed.Reason}
			}
			break
		}
		at := time.Now()
		for line := range bytes.SplitSeq(bytes.TrimSpace(frame), []byte("\n")) {
			if err := c.line(line, at); err != nil {
				end = err
				c.conn.CloseNow()
			}
		}
	}
	c.mu.Lock()
	if c.end == nil {
		c.end = end
	}
	for _, answer := range c.replies {
		close(answer)
	}
	c.replies = map[int]chan reply{}
	c.mu.Unlock()
	close(c.Messages)
}

func (c *Client) line(line []byte, at time.Time) error {
	if bytes.Equal(line, []byte("{}")) { // a ping, answered with a pong
		return c.conn.Write(c.ctx, websocket.MessageText, line)
	}
	var r reply
	if err := json.Unmarshal(line, &r); err != nil {
		return fmt.Errorf("read %q: %w", line, err)
	}
	if r.Push == nil {
		c.mu.Lock()
		answer := c.replies[r.ID]
		delete(c.replies, r.ID)
		c.mu.Unlock()
		if answer != nil {
			answer <- r
		}
		return nil
	}
	if u := r.Push.Unsubscribe; u != nil {
		c.Unsubscribed <- Ended{Channel: r.Push.Channel, Code: u.Code, Reason: u.Reason}
	}
	if r.Push.Pub == nil {
		return nil
	}
	data, err := c.whole(r.Push.Channel, r.Push.Pub.Data, r.Push.Pub.Delta)
	if err != nil {
		return err
	}
	select {
	case c.Messages <- Message{Channel: r.Push.Channel, Data: data, At: at, Wire: len(r.Push.Pub.Data)}:
	case <-c.ctx.Done():
	}
	return nil
}

// whole gives a message's data. On a channel with deltas it comes as a JSON string: the first is the whole, the
// others are what changed since.
func (c *Client) whole(channel string, data json.RawMessage, delta bool) ([]byte, error) {
	if len(data) == 0 || data[0] != '"' {
		return data, nil
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return nil, err
	}
	whole := []byte(text)
	c.mu.Lock()
	defer c.mu.Unlock()
	if delta {
		var err error
		if whole, err = fdelta.Apply(c.bases[channel], []byte(text)); err != nil {
			return nil, fmt.Errorf("apply a delta to %s: %w", channel, err)
		}
	}
	c.bases[channel] = whole
	return whole, nil
}

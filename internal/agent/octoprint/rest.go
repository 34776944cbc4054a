package octoprint

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// What can be wrong with an OctoPrint, as far as a caller decides on it.
var (
	ErrKeyRefused   = errors.New("OctoPrint refuses the API key")
	ErrNotOctoPrint = errors.New("this address answers, but not as OctoPrint does")
)

const (
	restTimeout = 20 * time.Second // a Pi Zero that analyses a file answers within some seconds
	maxAnswer   = 1 << 20          // bytes of a REST answer; the longest we ask for, the profiles, has some 10 KB
	maxTree     = 64 << 20         // bytes of a file list, read as a stream
)

// Client asks OctoPrint over REST. It keeps no state besides its connections.
type Client struct {
	base *url.URL
	key  string
	http *http.Client

	carrying sync.Once
	carrier  *http.Client // for long bodies
}

// NewClient takes the base URL, which may have a path, and an API key or application key.
func NewClient(base, key string) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, errors.New("the OctoPrint address is no http:// or https:// URL")
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath, u.RawQuery, u.Fragment = "", "", ""
	return &Client{base: u, key: key, http: &http.Client{
		Timeout: restTimeout,
		Transport: &http.Transport{
			DialContext:            (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSHandshakeTimeout:    10 * time.Second,
			ResponseHeaderTimeout:  restTimeout,
			MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConns:           1,
			IdleConnTimeout:        10 * time.Second,
			ReadBufferSize:         2 << 10,
			WriteBufferSize:        2 << 10,
		},
		// A redirect would carry the key to wherever it points.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// path gives the URL of an escaped path below the base.
func (c *Client) path(p string) string { return c.base.String() + p }

// open sends a request and gives the body of a 2xx answer.
func (c *Client) open(ctx context.Context, method, path string, body any) (io.ReadCloser, error) {
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.path(path), content)
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-Api-Key", c.key)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("OctoPrint %s: %w", path, withoutURL(err))
	}
	switch {
	case res.StatusCode/100 == 2:
		return res.Body, nil
	case res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden:
		err = ErrKeyRefused
	default:
		err = statusError(res.StatusCode)
	}
	io.CopyN(io.Discard, res.Body, 4<<10) // so that the connection can be used again
	res.Body.Close()
	return nil, fmt.Errorf("OctoPrint %s: %w", path, err)
}

// statusError is an answer that is no success.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("answered with status %d", int(e)) }

// withoutURL takes the URL out of an HTTP client's error: it may carry a user name and password.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// ask decodes an answer into out.
func (c *Client) ask(ctx context.Context, method, path string, body, out any) error {
	r, err := c.open(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer r.Close()
	content, err := io.ReadAll(io.LimitReader(r, maxAnswer+1))
	if err != nil {
		return fmt.Errorf("OctoPrint %s: %w", path, withoutURL(err))
	}
	if len(content) > maxAnswer || json.Unmarshal(content, out) != nil {
		return fmt.Errorf("OctoPrint %s: %w", path, ErrNotOctoPrint)
	}
	return nil
}

// Version asks for OctoPrint's version. ErrKeyRefused when the key is none of its keys or may not read the status.
func (c *Client) Version(ctx context.Context) (string, error) {
	var v struct{ API, Server, Text string }
	if err := c.ask(ctx, http.MethodGet, "/api/version", nil, &v); err != nil {
		return "", err
	}
	if v.API == "" || v.Server == "" {
		return "", ErrNotOctoPrint
	}
	return clip(v.Server, 40), nil
}

// login makes a session for the push socket, which does not take the key itself.
func (c *Client) login(ctx context.Context) (auth string, err error) {
	var v struct{ Name, Session string }
	if err := c.ask(ctx, http.MethodPost, "/api/login", map[string]bool{"passive": true}, &v); err != nil {
		return "", err
	}
	if v.Name == "" || v.Session == "" {
		return "", fmt.Errorf("OctoPrint /api/login: %w", ErrNotOctoPrint)
	}
	return v.Name + ":" + v.Session, nil
}

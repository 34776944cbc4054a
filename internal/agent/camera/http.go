package camera

import (
	"bufio"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

const maxRedirects = 5

// newClient is an HTTP client that goes nowhere but to cameras.
func newClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{DialContext: dial, DialTLSContext: dialTLS, ResponseHeaderTimeout: limit,
			MaxResponseHeaderBytes: 32 << 10, MaxIdleConns: 2, DisableCompression: true},
		// Each hop is dialled, and so checked, anew; a password goes to its own host only, which net/http sees to.
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects || (r.URL.Scheme != "http" && r.URL.Scheme != "https") {
				return failure(NotAStream)
			}
			return nil
		},
	}
}

// get asks, once more with a digest if the camera wants that.
func get(ctx context.Context, c *http.Client, u *url.URL) (*http.Response, error) {
	res, err := request(ctx, c, u, "")
	if err != nil {
		return nil, err
	}
	if res.StatusCode == http.StatusUnauthorized && u.User != nil {
		if answer := digest(res.Header.Values("WWW-Authenticate"), u, http.MethodGet); answer != "" {
			res.Body.Close()
			if res, err = request(ctx, c, u, answer); err != nil {
				return nil, err
			}
		}
	}
	switch {
	case res.StatusCode == http.StatusOK:
		return res, nil
	case res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden:
		err = failure(RefusedLogin)
	case res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusGone:
		err = failure(NotFound)
	case res.StatusCode >= 500:
		err = failure(Unreachable)
	default:
		err = failure(NotAStream)
	}
	res.Body.Close()
	return nil, err
}

func request(ctx context.Context, c *http.Client, u *url.URL, authorization string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, failure(BadURL)
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	req.Header.Set("User-Agent", "factor-agent")
	res, err := c.Do(req)
	if err != nil {
		return nil, withoutURL(err)
	}
	return res, nil
}

// withoutURL takes the URL out of an HTTP client's error: it may carry a user name and password.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// http looks at whatever an HTTP address gives.
func (l *look) http(ctx context.Context) error {
	if strings.HasSuffix(strings.TrimRight(l.url.Path, "/"), "/whep") {
		return l.whep(ctx)
	}
	if strings.EqualFold(path.Ext(l.url.Path), ".m3u8") {
		return l.hls(ctx)
	}
	client := newClient()
	defer client.CloseIdleConnections()
	res, err := get(ctx, client, l.url)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body := bufio.NewReaderSize(&allowance{res.Body, maxTotal}, 32<<10)
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if kind == "" { // odd parameters, such as a boundary with a colon in it
		kind, _, _ = strings.Cut(res.Header.Get("Content-Type"), ";")
		kind = strings.ToLower(strings.TrimSpace(kind))
	}
	start, _ := body.Peek(8) // shorter at the end, which reading meets again
	switch {
	case strings.HasPrefix(string(start), "#EXTM3U"):
		res.Body.Close()
		return l.hls(ctx)
	case strings.HasPrefix(kind, "multipart/"), strings.HasPrefix(string(start), "--"):
		return l.mjpeg(body)
	case kind == "image/jpeg", kind == "image/jpg", strings.HasPrefix(string(start), soi):
		return l.snapshot(body)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return failure(NotAStream)
}

func (l *look) mjpeg(body *bufio.Reader) error {
	l.result.Kind, l.result.Codec = MJPEG, "JPEG"
	f := &frames{in: body}
	first, err := f.next()
	if err != nil {
		return err
	}
	if err := l.picture(first); err != nil {
		return err
	}
	began := time.Now()
	n := 0
	for last := began; n < enough && last.Sub(began) < measure; n++ {
		if _, err := f.next(); err != nil {
			break // the first one is enough to look at
		}
		last = time.Now()
		l.result.FPS = float64(n+1) / max(last.Sub(began).Seconds(), 0.001)
	}
	if n < 2 {
		l.result.FPS = 0
	}
	return nil
}

func (l *look) snapshot(body *bufio.Reader) error {
	l.result.Kind, l.result.Codec = JPEG, "JPEG"
	frame, err := (&frames{in: body}).next()
	if err != nil {
		return err
	}
	return l.picture(frame)
}

// allowance ends a body that is longer than anybody needs.
type allowance struct {
	io.Reader
	left int
}

func (a *allowance) Read(p []byte) (int, error) {
	if a.left <= 0 {
		return 0, failure(TooLarge)
	}
	n, err := a.Reader.Read(p[:min(len(p), a.left)])
	a.left -= n
	return n, err
}

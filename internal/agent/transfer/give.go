package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/octoprint"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// give carries a file from OctoPrint to the server, from where the server says that it goes on.
func (c *Carrier) give(ctx context.Context, j *job) error {
	if err := c.stage(j, wire.TransferFetching); err != nil {
		return err
	}
	last, failures, best := time.Now(), 0, int64(-1)
	for ctx.Err() == nil {
		at, err := c.giveOnce(ctx, j)
		if err == nil {
			return nil
		}
		switch {
		case errors.Is(err, octoprint.ErrKeyRefused), errors.Is(err, octoprint.ErrRefused):
			return failed("octoprint_refused", "%v", err)
		}
		if f, over := errors.AsType[*failure](err); over {
			return f
		}
		if at > best {
			best, last, failures = at, time.Now(), 0
		}
		if time.Since(last) > giveUp {
			return failed("unreachable", "nothing of the file went through for an hour: %v", err)
		}
		c.Log.Info("a file's transfer was cut", "at", at, "error", err)
		pause(ctx, failures)
		failures++
	}
	return ctx.Err()
}

// giveOnce sends the rest of a file. at is what the server had before.
func (c *Carrier) giveOnce(ctx context.Context, j *job) (at int64, err error) {
	o := c.OctoPrint()
	if o == nil {
		return -1, errors.New("OctoPrint is away")
	}
	if j.Origin == wire.OriginSDCard {
		return -1, failed("not_supported", "OctoPrint cannot read files from the printer's SD card")
	}
	f, err := o.File(ctx, j.Origin, j.Path)
	if err != nil {
		return -1, err
	}
	if f == nil {
		return -1, failed("no_file", "OctoPrint has no such file any more")
	}
	if at, err = c.offset(ctx, j); err != nil {
		return -1, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	body, begins, err := o.Download(ctx, f, at)
	if err != nil {
		return at, err
	}
	defer body.Close()
	if _, err := io.CopyN(io.Discard, body, at-begins); err != nil {
		return at, err
	}
	watch := time.AfterFunc(patience, cancel)
	defer watch.Stop()
	sent := &telling{r: io.LimitReader(body, f.Size-at), watch: watch, at: at, tell: func(n int64) {
		c.tell(wire.Transfer{ID: j.ID, Stage: wire.TransferFetching, Bytes: n, Total: f.Size})
	}}
	req, err := c.request(ctx, http.MethodPut, j.Send.Token, io.NopCloser(sent))
	if err != nil {
		return at, err
	}
	req.ContentLength = f.Size - at
	req.Header.Set("Content-Type", "application/octet-stream")
	req.Header.Set("Upload-Offset", strconv.FormatInt(at, 10))
	req.Header.Set("Upload-Length", strconv.FormatInt(f.Size, 10))
	res, err := c.Client.Do(req)
	if err != nil {
		return at, withoutURL(err)
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode/100 == 2:
		return f.Size, nil
	case res.StatusCode == http.StatusConflict || res.StatusCode >= 500:
		io.CopyN(io.Discard, res.Body, 4<<10)
		return at, fmt.Errorf("the server answered with status %d", res.StatusCode)
	case res.StatusCode == http.StatusUnprocessableEntity || res.StatusCode == http.StatusRequestEntityTooLarge:
		return at, failed("refused", "the server does not take the file") // it has said why to whoever asked for it
	}
	return at, refused(res)
}

// offset asks how much of the file the server has.
func (c *Carrier) offset(ctx context.Context, j *job) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := c.request(ctx, http.MethodHead, j.Send.Token, nil)
	if err != nil {
		return 0, err
	}
	res, err := c.Client.Do(req)
	if err != nil {
		return 0, withoutURL(err)
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		return 0, refused(res)
	}
	at, err := strconv.ParseInt(res.Header.Get("Upload-Offset"), 10, 64)
	if err != nil || at < 0 {
		return 0, errors.New("the server does not say how much of the file it has")
	}
	return at, nil
}

// request makes a request about one file.
func (c *Carrier) request(ctx context.Context, method, token string, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.Server+"/api/device/files/"+url.PathEscape(token), body)
	if err != nil {
		return nil, errors.New("the server's address is no URL")
	}
	req.SetBasicAuth(c.UUID, c.Token)
	req.Header.Set("Accept-Encoding", "identity")
	return req, nil
}

// withoutURL takes the URL out of an HTTP client's error: it holds a token.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// telling is a reader that tells how far it is, and puts off whoever watches that something comes.
type telling struct {
	r     io.Reader
	watch *time.Timer // nil: nobody
	at    int64
	last  time.Time
	tell  func(n int64)
	err   error // of r
}

func (t *telling) Read(b []byte) (int, error) {
	n, err := t.r.Read(b)
	t.at += int64(n)
	if err != nil && err != io.EOF {
		t.err = err
	}
	if n > 0 && t.watch != nil {
		t.watch.Reset(patience)
	}
	if now := time.Now(); now.Sub(t.last) >= tellEvery {
		t.last = now
		t.tell(t.at)
	}
	return n, err
}

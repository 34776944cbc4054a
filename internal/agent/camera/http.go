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
	err = refusal(res.StatusCode)
	switch {
	case res.StatusCode == http.StatusOK:
		return res, nil
	case err != nil:
	case res.StatusCode == http.StatusMethodNotAllowed: // it is not for reading
		err = errWebRTC
	case res.StatusCode >= 500:
		err = failure(Unreachable)
	default:
		err = failure(NotAStream)
	}
	res.Body.Close()
	return nil, err
}

// refusal is what a status of HTTP or RTSP says of login or address; nil for any other.
func refusal(status int) error {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return failure(RefusedLogin)
	case http.StatusNotFound, http.StatusGone:
		return failure(NotFound)
	}
	return nil
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

// http follows whatever an HTTP address gives. One that answers with one picture is asked again and again.
func (f *follow) http(ctx context.Context) error {
	if speaksWHEP(f.url.Path) {
		return f.whep(ctx)
	}
	if strings.EqualFold(path.Ext(f.url.Path), ".m3u8") {
		return f.hls(ctx)
	}
	client := newClient()
	defer client.CloseIdleConnections()
	for rounds := 0; ; rounds++ {
		began := time.Now()
		n, err := f.answer(ctx, client)
		switch {
		case err == errHLS:
			return f.hls(ctx)
		case err == errWebRTC:
			return f.whep(ctx)
		case err != nil:
			return err
		case n > 2:
			return errEnded
		case rounds > 0 && n == 0:
			return failure(NotAStream)
		}
		wanted := f.to.Wanted()
		f.patience.Reset(f.stall + wanted.Every)
		if err := pause(ctx, began.Add(max(wanted.Every, pollPace)), wanted.Changed); err != nil {
			return err
		}
		f.alive()
	}
}

var (
	errHLS    = errors.New("a playlist") // is the answer
	errWebRTC = errors.New("signalling") // is what the address is for
)

// answer takes the pictures of one answer, and counts them. It stops after one where pictures are wanted rarely: that
// costs camera and network less than a stream of which most is thrown away.
func (f *follow) answer(ctx context.Context, client *http.Client) (pictures int, err error) {
	res, err := get(ctx, client, f.url)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	body := bufio.NewReaderSize(&paced{Reader: res.Body, ctx: ctx}, 64<<10)
	kind, err := kindOf(res.Header.Get("Content-Type"), body)
	if errors.Is(err, failure(NotAStream)) && strings.Contains(strings.ToLower(res.Header.Get("Content-Type")), "html") {
		if at := signalling(f.answered(res), page(body)); at != nil {
			f.url, err = at, errWebRTC
		}
	}
	if err != nil {
		return 0, err
	}
	f.is(Stream{Kind: kind, Codec: CodecJPEG})
	in := &frames{in: body}
	for {
		frame, err := in.next()
		switch {
		case err == nil:
		case errors.Is(err, failure(NotAStream)) && pictures > 0: // the end, after pictures
			return pictures, nil
		default:
			return pictures, err
		}
		if err := f.jpeg(frame, in.began, 0); err != nil {
			return pictures, err
		}
		pictures++
		if f.to.Wanted().Every >= rare {
			return 1, nil
		}
	}
}

// answered gives the address that answered after all redirects, with our login if it is still the same host's.
func (f *follow) answered(res *http.Response) *url.URL {
	at := *res.Request.URL
	if at.Host == f.url.Host && (at.Scheme == f.url.Scheme || at.Scheme == "https") {
		at.User = f.url.User
	}
	return &at
}

// rare is from when on a stream is not held open between two pictures.
const rare = time.Second

// kindOf tells what an answer is by its type, or else by how it begins.
func kindOf(contentType string, body *bufio.Reader) (kind string, err error) {
	media, _, _ := mime.ParseMediaType(contentType)
	if media == "" { // odd parameters, such as a boundary with a colon in it
		media, _, _ = strings.Cut(contentType, ";")
		media = strings.ToLower(strings.TrimSpace(media))
	}
	if strings.HasPrefix(media, "multipart/") {
		return MJPEG, nil
	}
	start, err := body.Peek(7)
	switch {
	case strings.HasPrefix(string(start), "#EXTM3U"):
		return "", errHLS
	case strings.HasPrefix(string(start), "--"):
		return MJPEG, nil
	case media == "image/jpeg", media == "image/jpg", strings.HasPrefix(string(start), soi):
		return JPEG, nil
	case err != nil && !errors.Is(err, io.EOF):
		return "", err
	}
	return "", failure(NotAStream)
}

// page gives the beginning of an answer that is no picture.
func page(body *bufio.Reader) []byte {
	text, _ := io.ReadAll(io.LimitReader(body, maxPage))
	return text
}

const maxPage = 64 << 10 // bytes; the pages of camera-streamer and mediamtx have less than 4,000

// paced reads no faster than any camera sends.
type paced struct {
	io.Reader
	ctx  context.Context
	free time.Time // when the next read may begin
}

func (p *paced) Read(b []byte) (int, error) {
	if wait := time.Until(p.free); wait > 0 {
		if wait > 10*time.Millisecond {
			if err := pause(p.ctx, p.free, nil); err != nil {
				return 0, err
			}
		}
	} else {
		p.free = time.Now()
	}
	n, err := p.Reader.Read(b)
	p.free = p.free.Add(time.Duration(n) * time.Second / maxRate)
	return n, err
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

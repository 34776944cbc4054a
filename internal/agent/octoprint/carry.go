package octoprint

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"time"
)

// What can become of a file that is brought to OctoPrint, as far as a caller decides on it.
var (
	ErrExists  = errors.New("OctoPrint has a file of that name already")
	ErrRefused = errors.New("OctoPrint refuses the file")
	ErrNotNow  = errors.New("the printer's state does not allow it")
)

// storeTime is how long OctoPrint may take to store a file after its last byte: on a Pi's card it copies it once more.
const storeTime = 5 * time.Minute

// slow is a client for long bodies: nothing bounds how long those take, but how long OctoPrint says nothing after them.
func (c *Client) slow() *http.Client {
	c.carrying.Do(func() {
		transport := c.http.Transport.(*http.Transport).Clone()
		transport.ResponseHeaderTimeout = storeTime
		transport.DisableKeepAlives = true
		c.carrier = &http.Client{Transport: transport, CheckRedirect: c.http.CheckRedirect}
	})
	return c.carrier
}

// placeOf escapes a file's place.
func placeOf(origin, path string) string {
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return "/api/files/" + url.PathEscape(origin) + "/" + strings.Join(parts, "/")
}

// FileInfo is a file that OctoPrint has.
type FileInfo struct {
	Size     int64
	SHA1     string // lower-case hex; empty: it does not tell
	Download string // URL below the base, or elsewhere
}

// File asks for one file; nil when there is none.
func (c *Client) File(ctx context.Context, origin, path string) (*FileInfo, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.path(placeOf(origin, path)), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-Api-Key", c.key)
	res, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("OctoPrint: %w", withoutURL(err))
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusNotFound:
		io.CopyN(io.Discard, res.Body, 4<<10)
		return nil, nil
	case res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden:
		return nil, ErrKeyRefused
	case res.StatusCode/100 != 2:
		return nil, fmt.Errorf("OctoPrint: answered with status %d", res.StatusCode)
	}
	var v struct {
		Size int64
		Hash string
		Refs struct{ Download string }
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&v); err != nil {
		return nil, ErrNotOctoPrint
	}
	return &FileInfo{Size: v.Size, SHA1: strings.ToLower(v.Hash), Download: v.Refs.Download}, nil
}

// Taken tells whether OctoPrint has a file that one of this name would take the place of: it changes some characters.
func (c *Client) Taken(ctx context.Context, name string) (bool, error) {
	var v struct{ Exists *bool }
	err := c.ask(ctx, http.MethodPost, "/api/files/test", map[string]string{"command": "exists", "storage": "local", "path": "", "filename": name}, &v)
	if err == nil && v.Exists != nil {
		return *v.Exists, nil
	}
	if errors.Is(err, ErrKeyRefused) {
		return false, err
	}
	f, err := c.File(ctx, "local", name) // an OctoPrint that cannot be asked so
	return f != nil, err
}

// Upload brings a file of size bytes to OctoPrint, streaming, and gives the path that it has there. What is for the SD
// card is on its way there then, under a name that OctoPrint has made up for it. Errors: ErrExists, ErrRefused,
// ErrKeyRefused.
func (c *Client) Upload(ctx context.Context, origin, name string, size int64, content io.Reader) (path string, err error) {
	var head bytes.Buffer
	form := multipart.NewWriter(&head)
	for field, value := range map[string]string{"noOverwrite": "true", "select": "false", "print": "false"} {
		if err := form.WriteField(field, value); err != nil {
			return "", err
		}
	}
	// filename*, RFC 8187, is the only way that every version takes for a name beyond ASCII.
	_, err = form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {"form-data; name=\"file\"; filename*=UTF-8''" + url.PathEscape(name)}, "Content-Type": {"application/octet-stream"}})
	if err != nil {
		return "", err
	}
	tail := "\r\n--" + form.Boundary() + "--\r\n"
	body := io.MultiReader(bytes.NewReader(head.Bytes()), io.LimitReader(content, size), strings.NewReader(tail))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.path("/api/files/"+url.PathEscape(origin)), io.NopCloser(body))
	if err != nil {
		return "", err
	}
	req.ContentLength = int64(head.Len()) + size + int64(len(tail))
	req.Header.Set("X-Api-Key", c.key)
	req.Header.Set("Content-Type", form.FormDataContentType())
	res, err := c.slow().Do(req)
	if err != nil {
		return "", fmt.Errorf("OctoPrint: %w", withoutURL(err))
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return "", fmt.Errorf("OctoPrint: %w", withoutURL(err))
	}
	switch {
	case res.StatusCode/100 == 2:
	case res.StatusCode == http.StatusConflict && strings.Contains(string(answer), "noOverwrite"):
		return "", ErrExists
	case res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden:
		return "", ErrKeyRefused
	case res.StatusCode/100 == 4:
		return "", fmt.Errorf("%w (%s)", ErrRefused, words(answer, res.StatusCode))
	default:
		return "", fmt.Errorf("OctoPrint: answered with status %d", res.StatusCode)
	}
	var v struct {
		Files map[string]struct{ Name, Path string }
	}
	if json.Unmarshal(answer, &v) != nil {
		return "", ErrNotOctoPrint
	}
	for _, at := range []string{origin, "local"} {
		if f, ok := v.Files[at]; ok {
			if f.Path != "" {
				return f.Path, nil
			}
			return f.Name, nil
		}
	}
	return name, nil
}

// words are OctoPrint's own about a refusal.
func words(answer []byte, status int) string {
	var v struct{ Error string }
	if json.Unmarshal(answer, &v) == nil && v.Error != "" {
		return clipRunes(v.Error, 200)
	}
	return fmt.Sprintf("status %d", status)
}

// Start has a file of OctoPrint's printed. Errors: ErrNotNow, ErrRefused, ErrKeyRefused.
func (c *Client) Start(ctx context.Context, origin, path string) error {
	b, err := json.Marshal(map[string]any{"command": "select", "print": true})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.path(placeOf(origin, path)), bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("X-Api-Key", c.key)
	req.Header.Set("Content-Type", "application/json")
	res, err := c.slow().Do(req)
	if err != nil {
		return fmt.Errorf("OctoPrint: %w", withoutURL(err))
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10)) // words for people only
	switch {
	case res.StatusCode/100 == 2:
		return nil
	case res.StatusCode == http.StatusConflict:
		return fmt.Errorf("%w (%s)", ErrNotNow, words(answer, res.StatusCode))
	case res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden:
		return ErrKeyRefused
	}
	return fmt.Errorf("%w (%s)", ErrRefused, words(answer, res.StatusCode))
}

// Activity is what the printer does now, in OctoPrint's words, and with which file.
type Activity struct {
	State  string
	Origin string
	Path   string
}

// Transferring tells whether OctoPrint sends a file to the printer's SD card: "Sending file to SD", in some versions
// "Transferring file to SD".
func (a Activity) Transferring() bool {
	state := strings.ToLower(a.State)
	return strings.HasPrefix(state, "sending") || strings.HasPrefix(state, "transfer")
}

// Printing tells whether a print is under way.
func (a Activity) Printing() bool {
	for _, word := range []string{"printing", "paus", "resum", "starting", "finishing"} {
		if strings.HasPrefix(strings.ToLower(a.State), word) {
			return true
		}
	}
	return false
}

// Activity asks what the printer does now.
func (c *Client) Activity(ctx context.Context) (Activity, error) {
	var v struct {
		State string
		Job   struct {
			File struct{ Origin, Path, Name string }
		}
	}
	if err := c.ask(ctx, http.MethodGet, "/api/job", nil, &v); err != nil {
		return Activity{}, err
	}
	a := Activity{State: v.State, Origin: v.Job.File.Origin, Path: v.Job.File.Path}
	if a.Path == "" {
		a.Path = v.Job.File.Name
	}
	return a, nil
}

// Download opens a file of OctoPrint's from a byte on. Where OctoPrint cannot begin there, from says where it does.
func (c *Client) Download(ctx context.Context, f *FileInfo, from int64) (body io.ReadCloser, begins int64, err error) {
	u, err := url.Parse(f.Download)
	if err != nil || f.Download == "" {
		return nil, 0, fmt.Errorf("%w: it does not say where the file can be had", ErrRefused)
	}
	// The path counts, below the address that we know OctoPrint by: the key goes nowhere else.
	at := u.EscapedPath()
	if i := strings.Index(at, "/downloads/"); i >= 0 {
		at = at[i:]
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.path(at), nil)
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("X-Api-Key", c.key)
	if from > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	res, err := c.slow().Do(req)
	if err != nil {
		return nil, 0, fmt.Errorf("OctoPrint: %w", withoutURL(err))
	}
	switch res.StatusCode {
	case http.StatusPartialContent:
		return res.Body, from, nil
	case http.StatusOK:
		return res.Body, 0, nil
	}
	res.Body.Close()
	if res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden {
		return nil, 0, ErrKeyRefused
	}
	return nil, 0, fmt.Errorf("%w (status %d)", ErrRefused, res.StatusCode)
}

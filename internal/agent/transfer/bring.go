package transfer

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/octoprint"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// bring carries a file from the server to OctoPrint, from the stage on that is written down.
func (c *Carrier) bring(ctx context.Context, j *job) error {
	for ctx.Err() == nil {
		var err error
		switch j.Stage {
		case wire.TransferWaiting:
			err = c.stage(j, wire.TransferFetching)
		case wire.TransferFetching:
			if err = c.fetch(ctx, j); err == nil {
				err = c.stage(j, wire.TransferChecking)
			}
		case wire.TransferChecking:
			if err = c.check(j); err == nil {
				err = c.stage(j, wire.TransferUploading)
			} else if f, is := errors.AsType[*failure](err); is && f.code == codeChecksum && !j.Again {
				// A power cut can leave what was never written to the disk.
				j.Again = true
				os.Remove(c.file(j, ".part"))
				err = c.stage(j, wire.TransferFetching)
			}
		case wire.TransferUploading:
			if err = c.upload(ctx, j); err == nil {
				if !j.Fetch.Print {
					return nil
				}
				if err = c.alone(j); err != nil {
					return err
				}
				// What is about to be printed is written down first: a second time must not be.
				os.Remove(c.file(j, ".part"))
				if err = c.stage(j, wire.TransferStarting); err == nil {
					return c.start(ctx, j)
				}
			}
		case wire.TransferStarting:
			return c.started(ctx, j)
		default:
			return fmt.Errorf("the transfer stands at %q", j.Stage)
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// fetch gets what is missing of the content, however often the network is cut.
func (c *Carrier) fetch(ctx context.Context, j *job) error {
	out, err := os.OpenFile(c.file(j, ".part"), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return failed("no_space", "the device's disk does not take the file: %w", err)
	}
	defer out.Close()
	last, failures := time.Now(), 0
	for ctx.Err() == nil {
		at, err := out.Seek(0, io.SeekEnd)
		if err != nil {
			return err
		}
		if at >= j.Fetch.Size {
			break
		}
		if err := c.room(j, at); err != nil {
			return err
		}
		n, err := c.fetchPart(ctx, j, out, at)
		if f, over := errors.AsType[*failure](err); over {
			return f
		}
		if n > 0 {
			last, failures = time.Now(), 0
		}
		if err != nil {
			c.Log.Info("a file's transfer was cut", "at", at+n, "error", err)
			if time.Since(last) > giveUp {
				return failed("unreachable", "the server was not reached for an hour")
			}
			pause(ctx, failures)
			failures++
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := out.Sync(); err != nil {
		return failed("no_space", "the device's disk does not take the file: %w", err)
	}
	return nil
}

// room refuses a file that the disk cannot hold twice: OctoPrint copies it.
func (c *Carrier) room(j *job, have int64) error {
	left, err := c.Free(c.Dir)
	if err != nil {
		return nil // a system that does not tell: the write will
	}
	if need := 2*j.Fetch.Size - have + spare; left < need {
		return failed("no_space", "the device's disk has %d MB free, and %d MB are needed: %w", left>>20, need>>20, syscall.ENOSPC)
	}
	return nil
}

func (c *Carrier) fetchPart(ctx context.Context, j *job, out *os.File, at int64) (int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := c.request(ctx, http.MethodGet, j.Fetch.Token, nil)
	if err != nil {
		return 0, err
	}
	if at > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", at))
		req.Header.Set("If-Range", `"`+j.Fetch.SHA256+`"`)
	}
	watch := time.AfterFunc(patience, cancel)
	defer watch.Stop()
	res, err := c.Client.Do(req)
	if err != nil {
		return 0, withoutURL(err)
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusPartialContent:
	case http.StatusOK:
		if err := out.Truncate(0); err != nil {
			return 0, err
		}
		at = 0
	default:
		return 0, refused(res)
	}
	if _, err := out.Seek(at, io.SeekStart); err != nil {
		return 0, err
	}
	body := &telling{r: io.LimitReader(res.Body, j.Fetch.Size-at), watch: watch, at: at, tell: func(n int64) {
		c.tell(wire.Transfer{ID: j.ID, Stage: wire.TransferFetching, Bytes: n, Total: j.Fetch.Size})
	}}
	n, err := io.CopyBuffer(struct{ io.Writer }{out}, body, make([]byte, 32<<10))
	if body.err == nil && err != nil { // not the network's fault
		return n, failed("no_space", "the device's disk does not take the file: %w", err)
	}
	if err == nil && at+n < j.Fetch.Size {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// refused makes of the server's no what becomes of the transfer.
func refused(res *http.Response) error {
	io.CopyN(io.Discard, res.Body, 4<<10)
	switch res.StatusCode {
	case http.StatusGone, http.StatusNotFound:
		return failed("cancelled", "the server has ended this transfer")
	case http.StatusUnauthorized, http.StatusForbidden:
		return failed("cancelled", "the server does not know this device any more")
	}
	return fmt.Errorf("the server answered with status %d", res.StatusCode)
}

const codeChecksum = "checksum"

// check compares what came with what was announced.
func (c *Carrier) check(j *job) error {
	f, err := os.Open(c.file(j, ".part"))
	if err != nil {
		return err
	}
	defer f.Close()
	long, short := sha256.New(), sha1.New()
	body := &telling{r: f, tell: func(n int64) {
		c.tell(wire.Transfer{ID: j.ID, Stage: wire.TransferChecking, Bytes: n, Total: j.Fetch.Size})
	}}
	n, err := io.CopyBuffer(io.MultiWriter(long, short), body, make([]byte, 32<<10))
	if err != nil {
		return err
	}
	if n != j.Fetch.Size || hex.EncodeToString(long.Sum(nil)) != j.Fetch.SHA256 {
		return failed(codeChecksum, "what came is not what was sent: its SHA-256 differs")
	}
	j.SHA1 = hex.EncodeToString(short.Sum(nil)) // by which OctoPrint knows it
	return nil
}

// upload brings the content to OctoPrint, under a name that it has not.
func (c *Carrier) upload(ctx context.Context, j *job) error {
	last, failures := time.Now(), 0
	for ctx.Err() == nil {
		o := c.OctoPrint()
		if o == nil {
			pause(ctx, failures)
			continue
		}
		done, err := c.uploadOnce(ctx, o, j)
		switch {
		case done:
			return nil
		case errors.Is(err, octoprint.ErrExists):
			continue // somebody was faster: the next number
		case errors.Is(err, octoprint.ErrKeyRefused), errors.Is(err, octoprint.ErrRefused):
			return failed("octoprint_refused", "%v", err)
		}
		if f, over := errors.AsType[*failure](err); over {
			return f
		}
		if time.Since(last) > giveUp {
			return failed("octoprint_unreachable", "OctoPrint was not reached for an hour: %v", err)
		}
		c.Log.Info("OctoPrint did not take a file yet", "error", err)
		pause(ctx, failures)
		failures++
	}
	return ctx.Err()
}

func (c *Carrier) uploadOnce(ctx context.Context, o OctoPrint, j *job) (done bool, err error) {
	card := j.Fetch.Target == wire.OriginSDCard
	switch {
	case card && j.Path != "": // OctoPrint sends it to the card already
		err := c.onCard(ctx, o, j)
		return err == nil, err
	case card:
		if err := c.beforeCard(ctx, o, j); err != nil {
			return false, err
		}
	case j.Name != "":
		// It was begun before. Whether OctoPrint has it, it alone knows.
		f, err := o.File(ctx, wire.OriginLocal, first(j.Path, j.Name))
		if err != nil {
			return false, err
		}
		if f != nil && f.Size == j.Fetch.Size && (f.SHA1 == "" || f.SHA1 == j.SHA1) {
			j.Path = first(j.Path, j.Name)
			return true, nil
		}
	}
	if j.Name, err = c.freeName(ctx, o, j.Fetch.Name); err != nil {
		return false, err
	}
	if err := c.save(j); err != nil {
		return false, failed("no_space", "%w", err)
	}
	f, err := os.Open(c.file(j, ".part"))
	if err != nil {
		return false, failed("failed", "what was fetched is gone: %v", err)
	}
	defer f.Close()
	body := &telling{r: f, tell: func(n int64) {
		c.tell(wire.Transfer{ID: j.ID, Stage: wire.TransferUploading, Bytes: n, Total: j.Fetch.Size})
	}}
	path, err := o.Upload(ctx, j.Fetch.Target, j.Name, j.Fetch.Size, body)
	if err != nil {
		return false, err
	}
	j.Path = path
	if card {
		if err := c.save(j); err != nil {
			return false, failed("no_space", "%w", err)
		}
		err = c.onCard(ctx, o, j)
	}
	return err == nil, err
}

// freeName finds a name that OctoPrint has no file of.
func (c *Carrier) freeName(ctx context.Context, o OctoPrint, name string) (string, error) {
	for n := 1; n <= 1000; n++ {
		free := wire.NumberedName(name, n)
		taken, err := o.Taken(ctx, free)
		if err != nil {
			return "", err
		}
		if !taken {
			return free, nil
		}
	}
	return "", failed("name_refused", "OctoPrint has a thousand files of that name")
}

// start has OctoPrint print the file.
func (c *Carrier) start(ctx context.Context, j *job) error {
	o := c.OctoPrint()
	if o == nil {
		return failed("octoprint_unreachable", "the file is on the device, but OctoPrint is away. Print it from there")
	}
	err := o.Start(ctx, j.Fetch.Target, j.Path)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, octoprint.ErrNotNow):
		return failed("not_now", "the file is on the device, but the printer could not begin: %v", err)
	}
	return failed("octoprint_refused", "the file is on the device, but was not printed: %v", err)
}

// started finds out whether a print that was about to be begun when the agent was killed was begun. It is not begun
// again: who wants it looks at the printer first.
func (c *Carrier) started(ctx context.Context, j *job) error {
	for failures := 0; ctx.Err() == nil; failures++ {
		if o := c.OctoPrint(); o != nil {
			a, err := o.Activity(ctx)
			if err == nil {
				if a.Printing() && sameOnCard(a.Path, j.Path) {
					return nil
				}
				return failed("outcome_unknown", "the file is on the device, but the agent was interrupted as it was to be printed. Look at the printer")
			}
		}
		pause(ctx, failures)
	}
	return ctx.Err()
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

package transfer

import (
	"context"
	"strings"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/octoprint"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// beforeCard keeps what the printer's SD card has before a file is sent there: what comes to it is the file then,
// whatever name the printer gives it. Cards know names of eight letters, and OctoPrint does not tell for certain which.
func (c *Carrier) beforeCard(ctx context.Context, o OctoPrint, j *job) error {
	list, err := o.Card(ctx)
	if err != nil {
		return err
	}
	j.Card = make([]string, len(list))
	for i, f := range list {
		j.Card[i] = f.Path
	}
	return nil
}

// onCard waits until OctoPrint has sent the file to the printer's SD card, which takes as long as printing it would, and
// lists it there. Only what is listed can be printed and deleted.
func (c *Carrier) onCard(ctx context.Context, o OctoPrint, j *job) error {
	for quiet := time.Now(); ctx.Err() == nil; {
		a, err := o.Activity(ctx)
		switch {
		case err != nil: // OctoPrint may be restarting: who sent files to the card then, does so no more
		case a.Transferring():
			quiet = time.Now()
			c.tell(wire.Transfer{ID: j.ID, Stage: wire.TransferUploading, Bytes: j.Fetch.Size, Total: j.Fetch.Size})
		case strings.HasPrefix(strings.ToLower(a.State), "offline"), strings.HasPrefix(strings.ToLower(a.State), "error"):
			return failed("octoprint_refused", "the printer was lost while the file was on its way to the SD card (%s)", a.State)
		default:
			if path, ok := c.listed(ctx, o, j); ok {
				j.Path = path
				return nil
			}
		}
		if time.Since(quiet) > listedWithin {
			return failed(string(wire.ResultOutcomeUnknown), "OctoPrint does not list the file on the SD card. Look at the card")
		}
		select {
		case <-ctx.Done():
		case <-time.After(pollEvery):
		}
	}
	return ctx.Err()
}

// listed finds the file on the card: by the name that OctoPrint said, else as what was not there before.
func (c *Carrier) listed(ctx context.Context, o OctoPrint, j *job) (path string, ok bool) {
	list, err := o.Card(ctx)
	if err != nil {
		return "", false
	}
	var fresh []wire.DeviceFile
	for _, f := range list {
		switch {
		case has(j.Card, f.Path):
		case sameOnCard(f.Path, j.Path):
			return f.Path, true
		default:
			fresh = append(fresh, f)
		}
	}
	if len(fresh) != 1 {
		return "", false
	}
	return fresh[0].Path, true
}

// sameOnCard tells whether two paths name the same file. A card's are written with and without a slash in front, in
// capitals and small letters.
func sameOnCard(a, b string) bool {
	return strings.EqualFold(strings.TrimPrefix(a, "/"), strings.TrimPrefix(b, "/"))
}

func has(list []string, path string) bool {
	for _, p := range list {
		if sameOnCard(p, path) {
			return true
		}
	}
	return false
}

var _ OctoPrint = (*octoprint.Client)(nil)

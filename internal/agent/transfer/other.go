package transfer

import (
	"errors"
	"io/fs"
	"os"

	"github.com/kangbyounggwan/factor/internal/agent/durable"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// otherPrint ends the name of the file that says of a transfer: another print has begun or ended since it was wanted.
const otherPrint = ".other"

// Event takes an event of OctoPrint. When a print begins or ends while a file that is to be printed is on its way, that
// file is not printed any more once it is there: on the bed lies what nobody has cleared.
func (c *Carrier) Event(e wire.Event) {
	switch e.Type {
	case wire.EventPrintStarted, wire.EventPrintDone, wire.EventPrintFailed, wire.EventPrintCancelled:
	default:
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, j := range c.jobs {
		if j.Fetch == nil || !j.Fetch.Print || j.End != nil {
			continue
		}
		if err := durable.WriteFile(c.file(j, otherPrint), nil); err != nil {
			c.Log.Warn("another print could not be written down of a transfer", "trouble", "disk_write", "error", err)
		}
	}
}

// alone refuses to print a file when there was another print meanwhile.
func (c *Carrier) alone(j *job) error {
	if _, err := os.Stat(c.file(j, otherPrint)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return failed("another_print", "the file is on the device, but another print was there meanwhile. Clear the bed, then print it from there")
}

package publish

import (
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// useful is how many pictures a second let one follow a printer. Fewer than these, and H.264 is worth its processor time.
const useful = 5.0

// held is how long pictures are encoded at least: each change costs those who look a moment.
var held = 20 * time.Second

// demand decides whether a camera's JPEGs have to be encoded because the uplink cannot carry them as they are.
type demand struct {
	why   string // wire.EncodeBudget, wire.EncodeUplink; "" for not
	kbps  int    // that they would take at a useful rate
	since time.Time
}

// decide takes what a picture has in bytes, how many a second come, and what the owner and the uplink allow, kbit/s (0:
// anything).
func (d *demand) decide(now time.Time, size, fps float64, budget int, uplink float64) string {
	d.kbps = int(size * 8 * min(useful, fps) / 1000)
	limit, why := bound(budget, uplink)
	switch {
	case limit > 0 && float64(d.kbps) > limit:
		if d.why == "" {
			d.since = now
		}
		d.why = why
	case d.why != "" && now.Sub(d.since) >= held && (limit == 0 || float64(d.kbps)*1.2 <= limit):
		d.why = ""
	}
	return d.why
}

// bound is what may go out, kbit/s (0: anything), and which of the two sets it.
func bound(budget int, uplink float64) (limit float64, why string) {
	if uplink > 0 && (budget == 0 || uplink < float64(budget)) {
		return uplink, wire.EncodeUplink
	}
	return float64(budget), wire.EncodeBudget
}

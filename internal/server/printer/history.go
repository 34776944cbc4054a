package printer

import (
	"math"
	"slices"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// sampleEvery is the time between two samples of a printer.
const sampleEvery = 10 * time.Second

// statusNumber is a status as history keeps it: its place in wire.Statuses, which therefore only ever grows.
func statusNumber(s wire.Status) int16 {
	return int16(slices.Index(wire.Statuses, s))
}

func statusOfNumber(n int16) wire.Status {
	if n < 0 || int(n) >= len(wire.Statuses) {
		return wire.StatusUnknown
	}
	return wire.Statuses[n]
}

// sample puts what is known now into the open block. When that block's time is over, it is given back to be written
// for the last time. A printer that is away, or whose report is old, has no sample: the gap is the message.
func (t *twin) sample(now time.Time) (full *block) {
	finest := tiers[0]
	unix := now.Unix()
	start := finest.startOf(unix)
	if t.history.start != start && len(t.history.columns) > 0 {
		done := t.history
		full = &done
		t.history = block{}
	}
	if !t.online || t.reportedAt.IsZero() || t.isStale(now) {
		return full
	}
	if t.history.start != start {
		t.history = block{step: finest.step, start: start, places: finest.places}
	}
	b, place := &t.history, int((unix-start)/finest.step)
	for name, reading := range t.snap.Temperatures {
		if v, ok := scaled(reading.Actual, 10); ok {
			b.set(place, name, kindActual, v)
		}
		if v, ok := scaled(reading.Target, 10); ok {
			b.set(place, name, kindTarget, v)
		}
	}
	if v, ok := scaled(t.snap.Progress.Completion, 100); ok && t.status.Active() {
		b.set(place, "completion", kindCompletion, v)
	}
	b.set(place, "status", kindStatus, statusNumber(t.status))
	return full
}

// scaled gives a reading as a whole number of its unit's parts.
func scaled(v *float64, factor float64) (int16, bool) {
	if v == nil {
		return 0, false
	}
	n := math.Round(*v * factor)
	if math.IsNaN(n) || n <= absent || n > math.MaxInt16 {
		return 0, false
	}
	return int16(n), true
}

// rollUp gives what a full block of the finest tier adds to the block of a coarser one.
func rollUp(b *block, to tier) *block {
	coarse := &block{step: to.step, start: to.startOf(b.start), places: to.places}
	per := int(to.step / b.step)
	for i := range b.columns {
		c := &b.columns[i]
		for from := 0; from < b.places; from += per {
			v := c.shrink(from, from+per)
			if v == absent {
				continue
			}
			place := int((b.start + int64(from)*b.step - coarse.start) / to.step)
			coarse.set(place, c.name, c.kind, v)
		}
	}
	return coarse
}

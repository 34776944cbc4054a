package publish

import "time"

const (
	carryWindow  = 3 * time.Second
	carryFull    = 0.85 // of the time spent writing, from where on the uplink is the bound
	carryIdle    = 0.5  // below which more may be tried
	carryGrowth  = 2
	firstClimb   = 20 * time.Second
	longestClimb = 10 * time.Minute
	leastCarried = 100.0 // kbit/s; less is a link that stood still for a moment
	carryShare   = 0.8   // of what it carries that a stream is made for: others use it, too
)

// carry measures what the way to the server carries, by how long writing to it takes. What it carries beyond what was
// asked of it cannot be seen, so that more is tried after a while, and ever later where that was too much. Its owner is
// the link's writer.
type carry struct {
	kbps  float64 // 0: all that was asked of it so far
	since time.Time
	bytes int
	busy  time.Duration

	changed time.Time
	tried   bool // the last change was upwards
	climb   time.Duration
}

// begin continues with what an earlier link was measured to carry.
func (c *carry) begin(now time.Time, kbps float64) {
	c.kbps, c.changed, c.climb = kbps, now, firstClimb
}

// took takes note of a write, and tells whether kbps has changed.
func (c *carry) took(now time.Time, writing time.Duration, bytes int) (changed bool) {
	if c.since.IsZero() {
		c.since = now.Add(-writing)
	}
	c.bytes += bytes
	c.busy += writing
	span := now.Sub(c.since)
	if span < carryWindow {
		return false
	}
	busy, kbps := c.busy.Seconds()/span.Seconds(), float64(c.bytes)*8/1000/c.busy.Seconds()
	c.since, c.bytes, c.busy = now, 0, 0
	switch {
	case busy >= carryFull:
		if c.climb = max(c.climb, firstClimb); c.tried {
			c.climb = min(2*c.climb, longestClimb)
		}
		c.kbps, c.changed, c.tried = max(kbps, leastCarried), now, false
		return true
	case c.kbps > 0 && busy < carryIdle && now.Sub(c.changed) >= c.climb:
		c.kbps, c.changed, c.tried = c.kbps*carryGrowth, now, true
		return true
	}
	return false
}

package uplink

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

const (
	askAgain   = time.Hour
	askWaiting = 3 * time.Second  // until there is a first answer
	slowReply  = 10 * time.Second // an older answer says too little about now
)

// clock keeps the server's time on this machine's monotonic clock, so that nobody who sets the wall clock moves it.
type clock struct {
	mu     sync.Mutex
	t0     float64
	asked  time.Time
	server time.Time // at known
	known  time.Time // zero: never
}

// forget makes the time unknown: at each connection it is asked anew. A machine that slept has a monotonic clock that did
// not go on meanwhile.
func (c *clock) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked, c.known = time.Time{}, time.Time{}
}

// request gives the payload of a question and how long to wait before the next one.
func (c *clock) request() (payload []byte, next time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = time.Now()
	c.t0 = float64(c.asked.UnixMicro()) / 1e6
	payload, err := json.Marshal(wire.TimeRequest{T0: c.t0})
	if err != nil {
		panic(err) // one finite number
	}
	if c.known.IsZero() {
		return payload, askWaiting
	}
	return payload, askAgain
}

// reply takes an answer. One that is not to the last question, is late or tells no sensible time is left out.
func (c *clock) reply(r wire.TimeReply) {
	c.mu.Lock()
	defer c.mu.Unlock()
	took := time.Since(c.asked)
	if c.asked.IsZero() || r.T0 != c.t0 || took > slowReply || r.Server < 1.6e9 || r.Server > 1e11 {
		return
	}
	c.asked = time.Time{}
	c.known = time.Now()
	c.server = time.UnixMicro(int64(r.Server * 1e6)).Add(took / 2)
}

func (c *clock) now() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known.IsZero() {
		return time.Time{}, false
	}
	return c.server.Add(time.Since(c.known)), true
}

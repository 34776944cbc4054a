package command

import (
	"sync"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// Rates of commands. Jogging by keyboard at its quickest is 5 a second; a bulk action is one or two to each printer.
var (
	perPrinter = rate{perSecond: 10, burst: 30}  // of one person to one printer
	perPerson  = rate{perSecond: 60, burst: 600} // of one person to all
)

// maxBuckets bounds the memory: those that are full again are forgotten first.
const maxBuckets = 20_000

type rate struct{ perSecond, burst float64 }

type bucketKey struct{ user, printer string }

type bucket struct {
	left float64
	at   time.Time
}

// rates is guarded by mu.
type rates struct {
	now func() time.Time

	mu      sync.Mutex
	buckets map[bucketKey]*bucket
}

// take counts a command and gives 0, or counts nothing and tells how long to wait. An emergency stop never waits.
func (r *rates) take(user, printer string, c wire.CommandType) time.Duration {
	if c == wire.CommandEmergencyStop {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	one, all := r.fill(bucketKey{user, printer}, perPrinter, now), r.fill(bucketKey{user: user}, perPerson, now)
	for _, b := range []struct {
		*bucket
		rate
	}{{one, perPrinter}, {all, perPerson}} {
		if b.left < 1 {
			return time.Duration((1 - b.left) / b.perSecond * float64(time.Second))
		}
	}
	one.left--
	all.left--
	return 0
}

func (r *rates) fill(k bucketKey, rate rate, now time.Time) *bucket {
	b := r.buckets[k]
	if b == nil {
		r.sweep(now)
		b = &bucket{left: rate.burst, at: now}
		r.buckets[k] = b
	}
	b.left = min(rate.burst, b.left+max(0, now.Sub(b.at).Seconds())*rate.perSecond)
	b.at = now
	return b
}

func (r *rates) sweep(now time.Time) {
	if r.buckets == nil {
		r.buckets = map[bucketKey]*bucket{}
	}
	if len(r.buckets) < maxBuckets {
		return
	}
	for k, b := range r.buckets {
		if now.Sub(b.at) > time.Minute { // full again, whichever it is
			delete(r.buckets, k)
		}
	}
	if len(r.buckets) >= maxBuckets {
		clear(r.buckets)
	}
}

package gateway

import "time"

// rate is what a device may still send: a token bucket of messages and one of bytes. Only the connection's own
// goroutine touches it. A bucket may go below zero, so that one message larger than the bucket is possible.
type rate struct {
	messages, bytes float64
	at              time.Time // zero: nothing was taken yet
}

// full fills the buckets up for the first message, and by the time that has passed for those after.
func (r *rate) fill(l *Limits, now time.Time) {
	if r.at.IsZero() {
		r.messages, r.bytes = l.MessageBurst, l.ByteBurst
	} else if s := now.Sub(r.at).Seconds(); s > 0 {
		r.messages = min(l.MessageBurst, r.messages+s*l.MessagesPerSecond)
		r.bytes = min(l.ByteBurst, r.bytes+s*l.BytesPerSecond)
	}
	r.at = now
}

// take counts a message of size bytes. ok tells whether it is within the rate; wait is how long to leave the
// connection unread then. A message that may be lost (QoS 0) makes wait only once the debt is a second deep:
// until then dropping it is enough.
func (r *rate) take(l *Limits, now time.Time, size int, mayLose bool) (ok bool, wait time.Duration) {
	r.fill(l, now)
	ok = r.messages > 0 && r.bytes > 0
	r.messages--
	r.bytes -= float64(size)
	if ok {
		return true, 0
	}
	debt := max(-r.messages/l.MessagesPerSecond, -r.bytes/l.BytesPerSecond)
	if mayLose {
		debt--
	}
	return false, time.Duration(max(0, debt) * float64(time.Second))
}

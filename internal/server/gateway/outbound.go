package gateway

import (
	"errors"
	"os"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// outgoing is a packet that waits to be written.
type outgoing struct {
	b       []byte
	kind    wire.Kind // KindNone: an answer to a packet
	mayLose bool      // QoS 0: the first to go when the device does not keep up
}

const (
	maxWrite = 64 << 10 // bytes written under one deadline
	slack    = 16 << 10 // of the queue, for answers
)

// Publish sends a message to this connection's device.
func (c *conn) Publish(kind wire.Kind, payload []byte, qos byte) error {
	if len(payload) > c.g.limits.QueueBytes {
		return ErrTooLarge
	}
	c.mu.Lock()
	err := c.publishLocked(kind, payload, qos)
	if c.claimFlush() {
		c.g.running.Add(1) // under mu: the connection is not ending yet, so it is counted still
		go func() { defer c.g.running.Done(); c.flush() }()
	}
	c.mu.Unlock()
	if errors.Is(err, ErrQueueFull) {
		c.g.count.drop(dropQueue)
	}
	return err
}

func (c *conn) publishLocked(kind wire.Kind, payload []byte, qos byte) error {
	if c.why != "" || c.session == nil || !kind.ToDevice() ||
		c.listed != phaseDevice && (c.listed != phaseQuarantine || kind != wire.KindRegistration) {
		return ErrOffline
	}
	sub := c.session.subscription(kind)
	if sub.topic == "" {
		return ErrNotSubscribed
	}
	if min(qos, sub.qos) == 0 {
		return c.queueLossy(kind, encodePublish(sub.topic, payload, 0, 0, false))
	}
	s, l := c.session, &c.g.limits
	if len(s.flight)+len(s.waiting) >= l.Queue || s.bytes+len(payload) > l.QueueBytes {
		return ErrQueueFull
	}
	s.bytes += len(payload)
	s.waiting = append(s.waiting, message{kind: kind, topic: sub.topic, payload: append([]byte(nil), payload...)})
	c.fillWindow()
	return nil
}

// queueLossy queues a QoS 0 message: a newer one of the same kind replaces an older one, and nothing waits behind a
// full queue.
func (c *conn) queueLossy(kind wire.Kind, b []byte) error {
	for i := range c.out {
		if o := &c.out[i]; o.mayLose && o.kind == kind {
			c.g.count.drop(dropStale)
			c.outBytes += len(b) - len(o.b)
			o.b = b
			return nil
		}
	}
	if len(c.out) >= c.g.limits.Queue || c.outBytes+len(b) > c.g.limits.QueueBytes {
		return ErrQueueFull
	}
	c.queue(outgoing{b, kind, true})
	return nil
}

func (c *conn) queue(o outgoing) {
	c.out = append(c.out, o)
	c.outBytes += len(o.b)
}

// fillWindow moves waiting messages into the window of those in flight.
func (c *conn) fillWindow() {
	s := c.session
	for len(s.waiting) > 0 && len(s.flight) < c.g.limits.InFlight {
		m := s.waiting[0]
		s.waiting = s.waiting[1:]
		m.id = s.freeID()
		s.flight = append(s.flight, m)
		c.queue(outgoing{b: encodePublish(m.topic, m.payload, 1, m.id, false), kind: m.kind})
	}
}

// resend writes the CONNACK out, then again what the device had not acknowledged when it went (OASIS MQTT 3.1.1, 4.4),
// then what waits.
func (c *conn) resend() {
	c.mu.Lock()
	for _, m := range c.session.flight {
		c.queue(outgoing{b: encodePublish(m.topic, m.payload, 1, m.id, true), kind: m.kind})
	}
	c.fillWindow()
	mustFlush := c.claimFlush()
	c.mu.Unlock()
	if mustFlush {
		c.flush()
	}
}

// acknowledged takes a PUBACK: there is room for the next message.
func (c *conn) acknowledged(id uint16) error {
	c.mu.Lock()
	if c.session != nil {
		c.session.acknowledged(id)
		c.fillWindow()
	}
	mustFlush := c.claimFlush()
	c.mu.Unlock()
	if mustFlush {
		c.flush()
	}
	return nil
}

// answer writes an answer to a packet. Only the reader calls it: while it writes, it does not read.
func (c *conn) answer(b []byte) error {
	c.mu.Lock()
	if c.outBytes > c.g.limits.QueueBytes+slack {
		c.mu.Unlock()
		return protocolError{ReasonSlow, "the device does not read its answers"}
	}
	c.queue(outgoing{b: b})
	mustFlush := c.claimFlush()
	c.mu.Unlock()
	if mustFlush {
		c.flush()
	}
	return nil
}

// claimFlush makes the caller the one who writes, if there is something to write and nobody does.
func (c *conn) claimFlush() bool {
	if c.flushing || len(c.out) == 0 || c.why != "" {
		return false
	}
	c.flushing = true
	return true
}

// flush writes until nothing waits any more.
func (c *conn) flush() {
	for {
		c.mu.Lock()
		b := c.nextWrite()
		if b == nil {
			c.flushing = false
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		_ = c.net.SetWriteDeadline(time.Now().Add(c.g.limits.WriteTimeout))
		_, err := c.net.Write(b)
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				c.Close(ReasonSlow)
			} else {
				c.Close(ReasonLost)
			}
			continue // nextWrite sees that it is over
		}
		_ = c.net.SetWriteDeadline(time.Time{}) // TLS may have to write by itself
		c.g.count.bytesOut.Add(float64(len(b)))
	}
}

// nextWrite takes packets from the queue, nil when there is nothing to write.
func (c *conn) nextWrite() []byte {
	if len(c.out) == 0 || c.why != "" {
		c.out, c.outBytes = nil, 0
		return nil
	}
	n, size := 0, 0
	for n < len(c.out) && (n == 0 || size+len(c.out[n].b) <= maxWrite) {
		if k := c.out[n].kind; k != wire.KindNone {
			c.g.count.sent[k].Inc()
		}
		size += len(c.out[n].b)
		n++
	}
	b := c.out[0].b
	if n > 1 {
		b = make([]byte, 0, size)
		for _, o := range c.out[:n] {
			b = append(b, o.b...)
		}
	}
	c.outBytes -= size
	if c.out = c.out[n:]; len(c.out) == 0 {
		c.out = nil
	}
	return b
}

func encodePublish(topic string, payload []byte, qos byte, id uint16, dup bool) []byte {
	return encode(&packets.PublishPacket{
		FixedHeader: packets.FixedHeader{MessageType: packets.Publish, Qos: qos, Dup: dup},
		TopicName:   topic, MessageID: id, Payload: payload,
	})
}

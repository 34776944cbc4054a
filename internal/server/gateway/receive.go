package gateway

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// packet handles the packet whose header has been read.
func (c *conn) packet(h header) error {
	if h.packet() == packets.Publish {
		return c.publish(h)
	}
	if h.length > maxOtherPacket {
		return protocolError{ReasonTooLarge, "packet is too large"}
	}
	if err := c.need(h.size + h.length); err != nil {
		return err
	}
	now := time.Now()
	c.heard(now)
	if ok, wait := c.rate.take(&c.g.limits, now, h.size+h.length, false); !ok {
		if err := c.pause(wait); err != nil {
			return err
		}
	}
	body := c.in.bytes()[h.size : h.size+h.length]
	err := c.control(h, body)
	c.in.use(h.size + h.length)
	return err
}

// control handles every packet after the CONNECT that is no PUBLISH.
func (c *conn) control(h header, body []byte) error {
	switch h.packet() {
	case packets.Pingreq:
		return c.answer(pingResponse)
	case packets.Puback:
		return c.acknowledged(binary.BigEndian.Uint16(body))
	case packets.Pubrel:
		id := binary.BigEndian.Uint16(body)
		delete(c.qos2, id)
		return c.answer(acknowledgement(packets.Pubcomp, id))
	case packets.Subscribe:
		return c.subscribe(h, body)
	case packets.Unsubscribe:
		return c.unsubscribe(h, body)
	case packets.Disconnect:
		return protocolError{ReasonClient, "DISCONNECT"}
	case packets.Connect:
		return protocolError{ReasonProtocol, "a second CONNECT"}
	case packets.Pubrec, packets.Pubcomp:
		return protocolError{ReasonProtocol, "an answer to a QoS 2 message that was never sent"}
	}
	return errMalformed
}

// publish handles a PUBLISH: rights, then size, then rate, and only then is the payload waited for. At QoS 0 it is
// handed on where it lies in the read buffer.
func (c *conn) publish(h header) error {
	fixed := 2 // bytes before the payload
	if h.length < fixed {
		return errMalformed
	}
	if err := c.need(h.size + fixed); err != nil {
		return err
	}
	topicLen := int(binary.BigEndian.Uint16(c.in.bytes()[h.size:]))
	fixed += topicLen
	if h.qos() > 0 {
		fixed += 2
	}
	switch {
	case topicLen == 0 || h.length < fixed:
		return errMalformed
	case topicLen > wire.MaxTopic:
		return protocolError{ReasonNotAllowed, "PUBLISH to a topic that is none"}
	}
	if err := c.need(h.size + fixed); err != nil {
		return err
	}
	b := c.in.bytes()[h.size : h.size+fixed]
	kind, refusal, err := c.mayPublish(b[2 : 2+topicLen])
	if err != nil {
		return err
	}
	id := uint16(0)
	if h.qos() > 0 {
		if id = binary.BigEndian.Uint16(b[fixed-2:]); id == 0 {
			return errMalformed
		}
	}
	now := time.Now()
	size := h.size + h.length
	ok, wait := c.rate.take(&c.g.limits, now, size, h.qos() == 0)
	if wait > 0 {
		if err := c.pause(wait); err != nil {
			return err
		}
	}
	switch {
	case refusal != "":
	case h.length-fixed > kind.PayloadLimit():
		refusal = dropTooLarge
	case !ok && h.qos() == 0:
		refusal = dropRate
	}
	if refusal != "" {
		return c.throwAway(h, id, refusal)
	}
	if err := c.need(size); err != nil {
		return err
	}
	if wait > 0 || size > bufferSizes[0] { // it took its time
		now = time.Now()
	}
	c.heard(now)
	c.g.count.received[kind].Inc()
	payload := c.in.bytes()[h.size+fixed : size]
	err = c.take(h.qos(), id, kind, payload, now)
	if err != nil && !errors.Is(err, ErrLater) {
		return err
	}
	c.in.use(size)
	if err != nil {
		return nil
	}
	return c.acknowledge(h.qos(), id)
}

// take hands a message on, unless it is a QoS 2 message that has been handed on before.
func (c *conn) take(qos byte, id uint16, kind wire.Kind, payload []byte, at time.Time) error {
	if qos == 2 {
		if _, again := c.qos2[id]; again {
			return nil
		}
		if len(c.qos2) >= c.g.limits.QoS2 {
			return protocolError{ReasonProtocol, "too many QoS 2 messages without PUBREL"}
		}
	}
	if kind == wire.KindEvent && !c.unstored.IsZero() {
		return ErrLater
	}
	err := c.handInTurn(kind, payload, at)
	if errors.Is(err, ErrLater) {
		if c.unstored.IsZero() {
			c.g.log.Error("there is no room for a device's message: the disk is full", "uuid", c.uuid, "kind", kindLabels[kind])
			c.unstored = at
		}
		return ErrLater
	}
	if err != nil && !errors.Is(err, ErrInvalid) {
		c.g.log.Error("cannot take a device's message", "uuid", c.uuid, "kind", kindLabels[kind], "error", err)
		return protocolError{ReasonSink, "the message was not taken"}
	}
	if err != nil {
		c.g.count.drop(dropInvalid)
	}
	if qos == 2 {
		if c.qos2 == nil {
			c.qos2 = map[uint16]struct{}{}
		}
		c.qos2[id] = struct{}{}
	}
	return nil
}

// handInTurn is hand for the reader. It unlocks even if Sink panics.
func (c *conn) handInTurn(kind wire.Kind, payload []byte, at time.Time) error {
	c.sinkMu.Lock()
	defer c.sinkMu.Unlock()
	return c.hand(kind, payload, at, false)
}

// hand gives a message to the one who wants it. sinkMu is held.
func (c *conn) hand(kind wire.Kind, payload []byte, at time.Time, will bool) error {
	if c.phase != phaseDevice {
		c.g.count.drop(dropQuarantine)
		return nil
	}
	s, ctx, d := c.g.Sink, c.g.ctx, c.device
	switch kind {
	case wire.KindStatus:
		s.Status(d, payload, at)
		return nil
	case wire.KindEvent:
		return s.Event(ctx, d, payload, at)
	case wire.KindPresence:
		return s.Presence(ctx, d, payload, at, will)
	case wire.KindFiles:
		return s.Files(ctx, d, payload, at)
	case wire.KindTime:
		return c.tellTime(payload)
	case wire.KindControlReply:
		return s.ControlResult(ctx, d, payload, at)
	case wire.KindGcodeOut:
		return s.GcodeOut(ctx, d, payload, at)
	case wire.KindCameraState:
		return s.CameraState(ctx, d, payload, at)
	case wire.KindTransfer:
		return s.Transfer(ctx, d, payload, at)
	case wire.KindTerminal:
		return s.Terminal(ctx, d, payload, at)
	case wire.KindRegistered:
		return s.RegistrationAck(ctx, d, payload, at)
	}
	return ErrInvalid
}

// throwAway skips a message that is not wanted, without keeping it, and acknowledges it: unacknowledged it would come
// again for ever. One that is longer than anything sensible ends the connection.
func (c *conn) throwAway(h header, id uint16, reason string) error {
	c.g.count.drop(reason)
	if h.length > c.g.limits.MaxSkip {
		return protocolError{ReasonTooLarge, "packet is too large"}
	}
	for left := h.size + h.length; left > 0; {
		var err error
		if left, err = c.in.skip(left); left > 0 {
			if err := c.forgive(err); err != nil {
				return err
			}
		}
	}
	c.heard(time.Now())
	return c.acknowledge(h.qos(), id)
}

// acknowledge answers a PUBLISH by its QoS.
func (c *conn) acknowledge(qos byte, id uint16) error {
	switch qos {
	case 1:
		return c.answer(acknowledgement(packets.Puback, id))
	case 2:
		return c.answer(acknowledgement(packets.Pubrec, id))
	}
	return nil
}

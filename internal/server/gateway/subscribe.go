package gateway

import (
	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/kangbyounggwan/factor/internal/wire"
)

const subscribeFailed = 0x80

// subscribe handles a SUBSCRIBE. A filter is granted if it is one of the device's own topics, word for word.
func (c *conn) subscribe(h header, body []byte) error {
	p := &packets.SubscribePacket{FixedHeader: packets.FixedHeader{RemainingLength: h.length}}
	if err := unpack(p, body); err != nil {
		return err
	}
	if p.MessageID == 0 || len(p.Topics) == 0 {
		return errMalformed
	}
	for i, t := range p.Topics {
		if t == "" || !validText(t) || p.Qoss[i] > 2 {
			return errMalformed
		}
	}
	var parting error
	if c.uuid == "" {
		parting = c.bind(p.Topics)
	}
	codes := make([]byte, len(p.Topics))
	granted := make([]wire.Kind, 0, len(p.Topics))
	for i, t := range p.Topics {
		codes[i] = subscribeFailed
		if parting != nil || i >= c.g.limits.Filters {
			continue
		}
		if kind, qos, ok := c.grant(t, p.Qoss[i]); ok {
			codes[i] = qos
			granted = append(granted, kind)
		}
	}
	answer := &packets.SubackPacket{FixedHeader: packets.FixedHeader{MessageType: packets.Suback},
		MessageID: p.MessageID, ReturnCodes: codes}
	if err := c.answer(encode(answer)); err != nil {
		return err
	}
	if parting != nil {
		return parting
	}
	c.sinkMu.Lock()
	defer c.sinkMu.Unlock()
	if c.phase == phaseDevice {
		for _, kind := range granted {
			c.g.Sink.Subscribed(c.device, kind)
		}
	}
	return nil
}

// grant notes a subscription and tells the QoS it is granted at: 1 at most, which is what the server sends.
func (c *conn) grant(topic string, qos byte) (wire.Kind, byte, bool) {
	kind, owner := wire.ParseTopic(topic)
	if !kind.ToDevice() || owner != c.uuid {
		return 0, 0, false
	}
	qos = min(qos, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session == nil {
		return 0, 0, false
	}
	s := c.session.subscription(kind)
	if s.topic != "" && s.topic != topic { // another prefix before the same topic
		return 0, 0, false
	}
	*s = subscription{topic, qos}
	return kind, qos, true
}

// unsubscribe handles an UNSUBSCRIBE.
func (c *conn) unsubscribe(h header, body []byte) error {
	p := &packets.UnsubscribePacket{FixedHeader: packets.FixedHeader{RemainingLength: h.length}}
	if err := unpack(p, body); err != nil {
		return err
	}
	if p.MessageID == 0 || len(p.Topics) == 0 {
		return errMalformed
	}
	for _, t := range p.Topics {
		if t == "" || !validText(t) {
			return errMalformed
		}
	}
	c.mu.Lock()
	for _, t := range p.Topics {
		if kind, _ := wire.ParseTopic(t); kind.ToDevice() && c.session != nil {
			if s := c.session.subscription(kind); s.topic == t {
				*s = subscription{}
			}
		}
	}
	c.mu.Unlock()
	return c.answer(acknowledgement(packets.Unsuback, p.MessageID))
}

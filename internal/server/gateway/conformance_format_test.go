package gateway

import (
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// ends gives a check that each of these, sent by a device that is logged in, closes the connection.
func ends(packet ...func(p *peer) []byte) func(*testing.T, *door) {
	return func(t *testing.T, d *door) {
		for i, f := range packet {
			p := d.device()
			p.send(f(p))
			p.expectClosed()
			if t.Failed() {
				t.Fatalf("packet %d", i)
			}
		}
	}
}

// fixed is a packet that is the same for every device.
func fixed(b []byte) func(*peer) []byte { return func(*peer) []byte { return b } }

// connects gives a check of what a CONNECT's bytes are answered with; -1: closed without an answer.
func connects(code int, first byte, body ...any) func(*testing.T, *door) {
	return func(t *testing.T, d *door) {
		p := d.dial()
		p.send(raw(first, body...))
		if code >= 0 {
			if got := p.expect(packets.Connack); len(got) != 2 || got[0] != 0 || int(got[1]) != code {
				t.Fatalf("CONNACK % x, want code %d", got, code)
			}
		} else if _, b, err := p.next(); err == nil {
			t.Fatalf("answered with % x", b)
		}
		if code != 0 {
			p.expectClosed()
		}
	}
}

// alike runs several checks.
func alike(checks ...func(*testing.T, *door)) func(*testing.T, *door) {
	return func(t *testing.T, d *door) {
		for _, c := range checks {
			c(t, d)
		}
	}
}

const (
	connectPacket     = packets.Connect << 4
	publishPacket     = packets.Publish << 4
	subscribePacket   = packets.Subscribe<<4 | 2
	unsubscribePacket = packets.Unsubscribe<<4 | 2
)

var formatStatements = []statement{
	{id: "MQTT-1.5.3-1", text: "text that is no UTF-8 closes the connection", check: alike(
		ends(
			func(p *peer) []byte { return raw(publishPacket, "octoprint/status/\xff"+p.uuid, []byte("x")) },
			func(p *peer) []byte { return raw(subscribePacket, 0, 1, "control/\xed\xa0\x80", 0) }, // a surrogate
			func(p *peer) []byte { return raw(unsubscribePacket, 0, 1, "\xc0\xaf") },
		),
		connects(-1, connectPacket, "MQTT", 4, 0x82, 0, 60, "", "\xff"),
		connects(2, connectPacket, "MQTT", 4, 2, 0, 60, "\xff"),
	)},
	{id: "MQTT-1.5.3-2", text: "U+0000 closes the connection", check: alike(
		ends(
			func(p *peer) []byte { return raw(publishPacket, "octoprint/status/\x00", []byte("x")) },
			func(p *peer) []byte { return raw(subscribePacket, 0, 1, "a\x00", 0) },
			func(p *peer) []byte { return raw(unsubscribePacket, 0, 1, "a\x00") },
		),
		connects(-1, connectPacket, "MQTT", 4, 0x82, 0, 60, "", "a\x00"),
	)},
	{id: "MQTT-1.5.3-3", text: "U+FEFF is a letter and not stripped", check: func(t *testing.T, d *door) {
		p := d.device()
		if c := p.subscribe(1, "\ufeffcontrol/"+p.uuid, "control/"+p.uuid+"\ufeff"); c[0] != 0x80 || c[1] != 0x80 {
			t.Errorf("SUBACK % x", c)
		}
	}},
	{id: "MQTT-2.2.2-1", text: "reserved flags have their value", check: func(t *testing.T, d *door) {
		p := d.device()
		p.listen(1, wire.KindControl)
		p.say(wire.KindEvent, 1, "x")
		for _, b := range [][]byte{raw(unsubscribePacket, 0, 9, "control/"+p.uuid), {packets.Pingreq << 4, 0}} {
			p.send(b)
			first, _, err := p.next()
			if err != nil || first&15 != 0 {
				t.Fatalf("answer %x, %v", first, err)
			}
		}
	}},
	{id: "MQTT-2.2.2-2", text: "other flags close the connection", check: ends(
		fixed([]byte{packets.Pingreq<<4 | 1, 0}), fixed([]byte{packets.Disconnect<<4 | 8, 0}),
		fixed([]byte{packets.Puback<<4 | 2, 2, 0, 1}), fixed([]byte{packets.Pubrec<<4 | 1, 2, 0, 1}),
		fixed([]byte{packets.Pubcomp<<4 | 4, 2, 0, 1}), fixed([]byte{0, 0}), fixed([]byte{0xf0, 0}),
	)},
	{id: "MQTT-2.3.1-1", text: "a packet identifier is not zero", check: ends(
		func(p *peer) []byte { return publication(wire.KindEvent.Topic(p.uuid), 1, 0, "x") },
		func(p *peer) []byte { return publication(wire.KindEvent.Topic(p.uuid), 2, 0, "x") },
		func(p *peer) []byte { return raw(subscribePacket, 0, 0, "control/"+p.uuid, 1) },
		func(p *peer) []byte { return raw(unsubscribePacket, 0, 0, "control/"+p.uuid) },
	)},
	{id: "MQTT-2.3.1-2", text: "a client takes an identifier that is free", moot: ofClients},
	{id: "MQTT-2.3.1-3", text: "a client sends again with the same identifier", moot: ofClients},
	{id: "MQTT-2.3.1-4", text: "the server's identifiers are free ones, and the same when sent again", check: resends},
	{id: "MQTT-2.3.1-5", text: "QoS 0 has no packet identifier", check: func(t *testing.T, d *door) {
		p := d.device()
		p.listen(1, wire.KindWatch)
		p.send(publication(wire.KindStatus.Topic(p.uuid), 0, 0, "\x00\x07payload"))
		d.heard.await(t, "status", func(c call) bool { return c.payload == "\x00\x07payload" })
		d.mustPublish(p, wire.KindWatch, "w", 0)
		if m := p.expectPublish(); string(m.Payload) != "w" {
			t.Errorf("payload %q", m.Payload)
		}
	}},
	{id: "MQTT-2.3.1-6", text: "PUBACK, PUBREC and PUBCOMP carry the PUBLISH's identifier", check: func(t *testing.T, d *door) {
		p := d.device()
		for qos, answer := range map[byte]byte{1: packets.Puback, 2: packets.Pubrec} {
			p.send(publication(wire.KindEvent.Topic(p.uuid), qos, 0x1234, "x"))
			if b := p.expect(answer); b[0] != 0x12 || b[1] != 0x34 {
				t.Errorf("% x", b)
			}
		}
		p.send([]byte{packets.Pubrel<<4 | 2, 2, 0x12, 0x34})
		if b := p.expect(packets.Pubcomp); b[0] != 0x12 || b[1] != 0x34 {
			t.Errorf("% x", b)
		}
	}},
	{id: "MQTT-2.3.1-7", text: "SUBACK and UNSUBACK carry the request's identifier", check: func(t *testing.T, d *door) {
		p := d.device()
		p.send(raw(subscribePacket, 0xab, 0xcd, "control/"+p.uuid, 1), raw(unsubscribePacket, 0xef, 1, "control/"+p.uuid))
		if b := p.expect(packets.Suback); b[0] != 0xab || b[1] != 0xcd {
			t.Errorf("SUBACK % x", b)
		}
		if b := p.expect(packets.Unsuback); b[0] != 0xef || b[1] != 1 {
			t.Errorf("UNSUBACK % x", b)
		}
	}},
}

// mustPublish sends to a peer, waiting until the gateway knows that it listens.
func (d *door) mustPublish(p *peer, kind wire.Kind, payload string, qos byte) {
	d.t.Helper()
	if err := d.Publish(p.uuid, kind, []byte(payload), qos); err != nil {
		d.t.Fatalf("publish: %v", err)
	}
}

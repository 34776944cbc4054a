package gateway

import (
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// answers gives a check of the code that a changed CONNECT of a registered device gets.
func answers(code byte, change func(*packets.ConnectPacket)) func(*testing.T, *door) {
	return func(t *testing.T, d *door) {
		h := hello(d.people.add())
		change(h)
		p := d.dial()
		if got, present := p.connect(h); got != code || present {
			t.Fatalf("CONNACK %d, session present %v; want %d", got, present, code)
		}
		if code != 0 {
			p.expectClosed()
		}
	}
}

func accepts(change func(*packets.ConnectPacket)) func(*testing.T, *door) { return answers(0, change) }

var connectStatements = []statement{
	{id: "MQTT-3.1.0-1", text: "the first packet is a CONNECT", check: func(t *testing.T, d *door) {
		for _, b := range [][]byte{{packets.Pingreq << 4, 0}, publication("octoprint/status/x", 0, 0, "x"),
			raw(subscribePacket, 0, 1, "a", 0), {packets.Disconnect << 4, 0}} {
			p := d.dial()
			p.send(b)
			if _, _, err := p.next(); err == nil {
				t.Errorf("% x was answered", b)
			}
		}
	}},
	{id: "MQTT-3.1.0-2", text: "a second CONNECT closes the connection", check: ends(
		func(p *peer) []byte { return encode(hello(p.uuid)) })},
	{id: "MQTT-3.1.2-1", text: "another protocol name is not served", check: alike(
		connects(-1, connectPacket, "mqtt", 4, 2, 0, 60, "a"), connects(-1, connectPacket, "MQTTT", 4, 2, 0, 60, "a"),
		connects(-1, connectPacket, "", 4, 2, 0, 60, "a"), connects(1, connectPacket, "MQIsdp", 3, 2, 0, 60, "a"))},
	{id: "MQTT-3.1.2-2", text: "another protocol level is answered 1", check: alike(
		connects(1, connectPacket, "MQTT", 3, 2, 0, 60, "a"), connects(1, connectPacket, "MQTT", 6, 2, 0, 60, "a"),
		connects(1, connectPacket, "MQTT", 0x84, 2, 0, 60, "a"),
		func(t *testing.T, d *door) { // MQTT 5 in its own form, so that its clients fall back
			p := d.dial()
			p.send(raw(connectPacket, "MQTT", 5, 2, 0, 60, 0, "a"))
			if b := p.expect(packets.Connack); len(b) != 3 || b[0] != 0 || b[1] != 0x84 || b[2] != 0 {
				t.Errorf("CONNACK % x", b)
			}
			p.expectClosed()
		})},
	{id: "MQTT-3.1.2-3", text: "CONNECT's reserved flag is 0", check: connects(-1, connectPacket, "MQTT", 4, 3, 0, 60, "a")},
	{id: "MQTT-3.1.2-18", text: "no user name without its flag", check: connects(-1, connectPacket, "MQTT", 4, 2, 0, 60, "a", "user")},
	{id: "MQTT-3.1.2-19", text: "a user name with its flag", check: connects(-1, connectPacket, "MQTT", 4, 0x82, 0, 60, "a")},
	{id: "MQTT-3.1.2-20", text: "no password without its flag", check: connects(-1, connectPacket, "MQTT", 4, 0x82, 0, 60, "a", "user", "word")},
	{id: "MQTT-3.1.2-21", text: "a password with its flag", check: connects(-1, connectPacket, "MQTT", 4, 0xc2, 0, 60, "a", "user")},
	{id: "MQTT-3.1.2-22", text: "no password without a user name", check: connects(-1, connectPacket, "MQTT", 4, 0x42, 0, 60, "a", "word")},
	{id: "MQTT-3.1.2-23", text: "a client keeps its keep-alive", moot: ofClients},
	{id: "MQTT-3.1.2-24", text: "silence for 1.5 times the keep-alive closes the connection", check: func(t *testing.T, d *door) {
		start := time.Now()
		p := d.device(func(c *packets.ConnectPacket) { c.Keepalive = 1 })
		p.expectClosed()
		if took := time.Since(start); took < 1400*time.Millisecond {
			t.Errorf("closed after %v", took)
		}
		d.heard.await(t, "disconnected", func(c call) bool { return c.why == ReasonTimeout })
	}},
	{id: "MQTT-3.1.3-1", text: "the payload's fields are in their order", check: accepts(func(c *packets.ConnectPacket) {
		c.WillFlag, c.WillTopic, c.WillMessage = true, wire.KindPresence.Topic(c.Username), []byte("w")
	})},
	{id: "MQTT-3.1.3-2", text: "the client id identifies the state", check: func(t *testing.T, d *door) {
		uuid := d.people.add()
		keep := func(id string) func(*packets.ConnectPacket) {
			return func(c *packets.ConnectPacket) { c.CleanSession, c.ClientIdentifier = false, id }
		}
		d.leave(d.login(uuid, keep("one")))
		if _, present := d.rejoin(uuid, keep("two")); present {
			t.Error("another client id got the session")
		}
	}},
	{id: "MQTT-3.1.3-3", text: "the client id is there", check: connects(-1, connectPacket, "MQTT", 4, 2, 0, 60)},
	{id: "MQTT-3.1.3-4", text: "the client id is UTF-8", check: connects(2, connectPacket, "MQTT", 4, 2, 0, 60, "a\xfe")},
	{id: "MQTT-3.1.3-5", text: "1 to 23 letters and digits are accepted", check: alike(
		accepts(func(c *packets.ConnectPacket) { c.ClientIdentifier = "0" }),
		accepts(func(c *packets.ConnectPacket) { c.ClientIdentifier = "0123456789abcdefghijklm" }),
		accepts(func(c *packets.ConnectPacket) { c.ClientIdentifier = "nopqrstuvwxyzABCDEFGHIJ" }),
		accepts(func(c *packets.ConnectPacket) { c.ClientIdentifier = "KLMNOPQRSTUVWXYZ" }))},
	{id: "MQTT-3.1.3-6", text: "an empty client id gets one of its own", check: func(t *testing.T, d *door) {
		a := d.device(func(c *packets.ConnectPacket) { c.ClientIdentifier = "" })
		b := d.device(func(c *packets.ConnectPacket) { c.ClientIdentifier = "" })
		a.expectNothing() // both live
		b.expectNothing()
	}},
	{id: "MQTT-3.1.3-7", text: "an empty client id comes with a clean session", check: accepts(
		func(c *packets.ConnectPacket) { c.ClientIdentifier = "" })},
	{id: "MQTT-3.1.3-8", text: "an empty client id without one is answered 2", check: answers(2,
		func(c *packets.ConnectPacket) { c.ClientIdentifier, c.CleanSession = "", false })},
	{id: "MQTT-3.1.3-9", text: "a client id that is refused is answered 2", check: alike(
		answers(2, func(c *packets.ConnectPacket) { c.ClientIdentifier = "line\nbreak" }),
		answers(2, func(c *packets.ConnectPacket) { c.ClientIdentifier = strings.Repeat("x", maxClientID+1) }))},
	{id: "MQTT-3.1.3-11", text: "the user name is UTF-8", check: connects(-1, connectPacket, "MQTT", 4, 0x82, 0, 60, "a", "\xff")},
	{id: "MQTT-3.1.4-1", text: "a malformed CONNECT is closed without an answer", check: alike(
		connects(-1, connectPacket), connects(-1, connectPacket, "MQTT"), connects(-1, connectPacket, "MQTT", 4, 2, 0),
		connects(-1, connectPacket, 0xff, 0xff, "MQTT"), connects(-1, connectPacket|1, "MQTT", 4, 2, 0, 60, "a"),
		connects(-1, connectPacket, "MQTT", 4, 2, 0, 60, "a", 9, 9), connects(-1, connectPacket, "MQTT", 4, 2, 0, 60, 0xff, 0xff))},
	{id: "MQTT-3.1.4-2", text: "the same client again closes the earlier connection", check: func(t *testing.T, d *door) {
		p := d.device()
		q := d.login(p.uuid)
		p.expectClosed()
		q.expectNothing()
	}},
	{id: "MQTT-3.1.4-3", text: "clean session is heeded", check: keptSession},
	{id: "MQTT-3.1.4-4", text: "a CONNECT that is fine is answered 0", check: accepts(func(*packets.ConnectPacket) {})},
	{id: "MQTT-3.1.4-5", text: "nothing is done for what follows a refused CONNECT", check: func(t *testing.T, d *door) {
		uuid := d.people.add()
		h := hello(uuid)
		h.Password = []byte("wrong")
		p := d.dial()
		p.send(encode(h), publication(wire.KindStatus.Topic(uuid), 0, 0, "x"))
		if b := p.expect(packets.Connack); b[1] != 4 {
			t.Errorf("CONNACK %d", b[1])
		}
		p.expectClosed()
		d.awaitMetric(1, "factor_mqtt_disconnects_total", "reason", "refused")
		if n := len(d.heard.all()); n != 0 {
			t.Errorf("the sink heard %d things", n)
		}
	}},
	{id: "MQTT-3.2.0-1", text: "CONNACK is the first packet", check: func(t *testing.T, d *door) {
		uuid := d.people.add()
		p := d.dial()
		p.send(encode(hello(uuid)), []byte{packets.Pingreq << 4, 0}, raw(subscribePacket, 0, 1, "control/"+uuid, 1))
		p.expect(packets.Connack)
		p.expect(packets.Pingresp)
		p.expect(packets.Suback)
	}},
	{id: "MQTT-3.2.2-4", text: "a refusal says that no session is present", check: func(t *testing.T, d *door) {
		uuid := d.people.add()
		d.leave(d.login(uuid, func(c *packets.ConnectPacket) { c.CleanSession = false }))
		h := hello(uuid)
		h.CleanSession, h.Password = false, []byte("wrong")
		if code, present := d.dial().connect(h); code != 4 || present {
			t.Errorf("CONNACK %d, session present %v", code, present)
		}
	}},
	{id: "MQTT-3.2.2-5", text: "a refusal closes the connection", check: alike(
		answers(4, func(c *packets.ConnectPacket) { c.Username = wire.NewUUID() }),
		answers(4, func(c *packets.ConnectPacket) { c.Username = "somebody" }),
		answers(4, func(c *packets.ConnectPacket) { c.PasswordFlag = false }),
		answers(5, func(c *packets.ConnectPacket) { c.Username = "" }))},
	{id: "MQTT-3.2.2-6", text: "what no code fits is closed without CONNACK", check: alike(
		connects(-1, connectPacket, "HTTP", 4, 2, 0, 60, "a"), func(t *testing.T, d *door) {
			p := d.dial()
			p.send([]byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
			p.expectClosed()
		})},
}

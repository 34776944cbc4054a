package gateway

import (
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// retained gives a check that a message with RETAIN is taken as any other, and comes to nobody later.
func retained(payload string) func(*testing.T, *door) {
	return func(t *testing.T, d *door) {
		p := d.device()
		b := publication(wire.KindPresence.Topic(p.uuid), 1, 5, payload)
		b[0] |= 1
		p.send(b)
		p.expect(packets.Puback)
		d.heard.await(t, "presence", func(c call) bool { return c.payload == payload && c.uuid == p.uuid })
		q := d.login(p.uuid)
		q.listen(1, wire.KindControl)
		q.expectNothing()
	}
}

// qos2 checks the receiving side of QoS 2.
func qos2(t *testing.T, d *door) {
	p := d.device()
	send := func(dup bool, payload string) {
		p.send(encodePublish(wire.KindEvent.Topic(p.uuid), []byte(payload), 2, 8, dup))
		p.expect(packets.Pubrec)
	}
	send(false, "once")
	send(true, "once") // the same delivery, sent again
	for range 2 {
		p.send([]byte{packets.Pubrel<<4 | 2, 2, 0, 8})
		p.expect(packets.Pubcomp)
	}
	send(false, "next")
	d.heard.await(t, "event", func(c call) bool { return c.payload == "next" })
	if n := d.heard.count("event"); n != 2 {
		t.Errorf("%d events, want 2", n)
	}
}

var publishStatements = []statement{
	{id: "MQTT-3.3.1-1", text: "DUP is set on what is sent again", check: resends},
	{id: "MQTT-3.3.1-2", text: "DUP is 0 at QoS 0", check: ends(func(p *peer) []byte {
		return encodePublish(wire.KindStatus.Topic(p.uuid), []byte("x"), 0, 0, true)
	})},
	{id: "MQTT-3.3.1-3", text: "DUP of what comes in does not go on", check: func(t *testing.T, d *door) {
		p := d.device()
		p.listen(1, wire.KindControl)
		p.send(encodePublish(wire.KindEvent.Topic(p.uuid), []byte("x"), 1, 5, true))
		p.expect(packets.Puback)
		d.mustPublish(p, wire.KindControl, "y", 1)
		if m := p.expectPublish(); m.Dup {
			t.Error("DUP is set")
		}
	}},
	{id: "MQTT-3.3.1-4", text: "QoS 3 closes the connection", check: ends(func(p *peer) []byte {
		return encodePublish(wire.KindEvent.Topic(p.uuid), []byte("x"), 3, 5, false)
	})},
	{id: "MQTT-3.3.1-5", text: "a retained message is kept for those who subscribe later", moot: noRetain},
	{id: "MQTT-3.3.1-6", text: "a new subscription gets the retained message", moot: noRetain},
	{id: "MQTT-3.3.1-7", text: "a retained QoS 0 message replaces the earlier one", moot: noRetain},
	{id: "MQTT-3.3.1-8", text: "what a new subscription gets has RETAIN 1", moot: noRetain},
	{id: "MQTT-3.3.1-9", text: "what a standing subscription gets has RETAIN 0", check: func(t *testing.T, d *door) {
		p := d.device()
		p.listen(1, wire.KindControl)
		d.mustPublish(p, wire.KindControl, "y", 1)
		if m := p.expectPublish(); m.Retain {
			t.Error("RETAIN is set")
		}
	}},
	{id: "MQTT-3.3.1-10", text: "an empty retained message is a message", check: retained("")},
	{id: "MQTT-3.3.1-11", text: "an empty retained message is not kept", check: retained("")},
	{id: "MQTT-3.3.1-12", text: "a message without RETAIN is not kept", check: func(t *testing.T, d *door) {
		p := d.device()
		p.say(wire.KindPresence, 1, "x")
		q := d.login(p.uuid)
		q.listen(1, wire.KindControl)
		q.expectNothing()
	}},
	{id: "MQTT-3.3.2-1", text: "the topic comes first and is UTF-8", check: ends(
		fixed(raw(publishPacket)), fixed(raw(publishPacket, 0)), fixed(raw(publishPacket, 0, 9, []byte("short"))),
		fixed(raw(publishPacket, "\xff\xfe")))},
	{id: "MQTT-3.3.2-2", text: "a topic has no wildcards", check: ends(
		func(p *peer) []byte { return publication("+/status/"+p.uuid, 0, 0, "x") },
		func(p *peer) []byte { return publication("octoprint/status/#", 1, 1, "x") })},
	{id: "MQTT-3.3.2-3", text: "the server's topic matches the subscription", check: func(t *testing.T, d *door) {
		p := d.device()
		if c := p.subscribe(1, "workshop/gcode_in/"+p.uuid); c[0] != 1 {
			t.Fatalf("SUBACK % x", c)
		}
		d.mustPublish(p, wire.KindGcodeIn, "x", 1)
		if m := p.expectPublish(); m.TopicName != "workshop/gcode_in/"+p.uuid {
			t.Errorf("topic %s", m.TopicName)
		}
	}},
	{id: "MQTT-3.3.4-1", text: "QoS 0 is not answered, 1 with PUBACK, 2 with PUBREC", check: func(t *testing.T, d *door) {
		p := d.device()
		p.say(wire.KindEvent, 0, "x")
		p.expectNothing()
		p.say(wire.KindEvent, 1, "x")
		p.send(publication(wire.KindEvent.Topic(p.uuid), 2, 1, "x"))
		p.expect(packets.Pubrec)
	}},
	{id: "MQTT-3.3.5-1", text: "overlapping subscriptions get the message at the highest QoS", check: func(t *testing.T, d *door) {
		p := d.device() // topics cannot overlap here: one filter a kind, word for word; the last QoS counts
		p.listen(0, wire.KindControl)
		p.listen(1, wire.KindControl)
		d.mustPublish(p, wire.KindControl, "x", 1)
		if m := p.expectPublish(); m.Qos != 1 {
			t.Errorf("QoS %d", m.Qos)
		}
		p.expectNothing() // once
	}},
	{id: "MQTT-3.3.5-2", text: "a PUBLISH without the right closes the connection", check: alike(ends(
		func(p *peer) []byte { return publication(wire.KindStatus.Topic(wire.NewUUID()), 0, 0, "x") },
		func(p *peer) []byte { return publication(wire.KindEvent.Topic(wire.NewUUID()), 1, 4, "x") },
		func(p *peer) []byte { return publication(wire.KindControl.Topic(p.uuid), 1, 4, "x") },
		func(p *peer) []byte { return publication("somewhere/else", 0, 0, "x") },
		func(p *peer) []byte { return publication("$SYS/broker", 0, 0, "x") },
	), func(t *testing.T, d *door) { // what can be nobody's is acknowledged and ignored
		p := d.device()
		p.send(publication("octoprint/temperature", 1, 5, "x"))
		p.expect(packets.Puback)
		p.send(publication("octoprint/gcode", 0, 0, "x"))
		p.expectNothing()
		if n := d.metric("factor_mqtt_dropped_total", "reason", dropUnattributed); n != 2 {
			t.Errorf("%v dropped", n)
		}
	})},
	{id: "MQTT-3.6.1-1", text: "PUBREL's flags are 0010", check: ends(
		fixed([]byte{packets.Pubrel << 4, 2, 0, 1}), fixed([]byte{packets.Pubrel<<4 | 3, 2, 0, 1}))},
	{id: "MQTT-4.3.1-1", text: "QoS 0 is sent with DUP 0", check: func(t *testing.T, d *door) {
		p := d.device()
		p.listen(1, wire.KindWatch)
		d.mustPublish(p, wire.KindWatch, "x", 0)
		if m := p.expectPublish(); m.Qos != 0 || m.Dup {
			t.Errorf("%v", m)
		}
	}},
	{id: "MQTT-4.3.2-1", text: "QoS 1 is sent with an identifier and kept until PUBACK", check: resends},
	{id: "MQTT-4.3.2-2", text: "QoS 1 is answered with PUBACK; after it the identifier is free", check: func(t *testing.T, d *door) {
		p := d.device()
		p.say(wire.KindEvent, 1, "one")
		p.say(wire.KindEvent, 1, "two") // with the same identifier
		if n := d.heard.count("event"); n != 2 {
			t.Errorf("%d events", n)
		}
	}},
	{id: "MQTT-4.3.3-1", text: "sending at QoS 2", check: func(t *testing.T, d *door) { // is never done: 1 is the most that is granted
		p := d.device()
		if c := p.subscribe(2, "control/"+p.uuid); c[0] != 1 {
			t.Fatalf("SUBACK % x", c)
		}
		d.mustPublish(p, wire.KindControl, "x", 2)
		if m := p.expectPublish(); m.Qos != 1 {
			t.Errorf("QoS %d", m.Qos)
		}
	}},
	{id: "MQTT-4.3.3-2", text: "QoS 2 comes in once", check: qos2},
}

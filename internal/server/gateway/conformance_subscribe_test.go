package gateway

import (
	"bytes"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// unsubscribe sends an UNSUBSCRIBE and waits for its answer.
func (p *peer) unsubscribe(topics ...string) {
	p.t.Helper()
	var body []any
	body = append(body, 0, 6)
	for _, t := range topics {
		body = append(body, t)
	}
	p.send(raw(unsubscribePacket, body...))
	if b := p.expect(packets.Unsuback); !bytes.Equal(b, []byte{0, 6}) {
		p.t.Fatalf("UNSUBACK % x", b)
	}
}

// unsubscribes: an UNSUBSCRIBE ends exactly the subscriptions that it names.
func unsubscribes(t *testing.T, d *door) {
	p := d.device()
	p.listen(1, wire.KindControl, wire.KindCamera, wire.KindWatch)
	p.unsubscribe("control/"+p.uuid, "x/gcode_in/"+p.uuid, "CAMERA/"+p.uuid+"/cmd", wire.KindWatch.Topic(p.uuid))
	for kind, want := range map[wire.Kind]error{wire.KindControl: ErrNotSubscribed, wire.KindWatch: ErrNotSubscribed, wire.KindCamera: nil} {
		if err := d.Publish(p.uuid, kind, []byte("x"), 1); err != want {
			t.Errorf("%s: %v", kind.Topic(""), err)
		}
	}
	if m := p.expectPublish(); m.TopicName != wire.KindCamera.Topic(p.uuid) {
		t.Errorf("got %v", m)
	}
}

var subscribeStatements = []statement{
	{id: "MQTT-3.8.1-1", text: "SUBSCRIBE's flags are 0010", check: ends(
		func(p *peer) []byte { return raw(packets.Subscribe<<4, 0, 1, "control/"+p.uuid, 1) },
		func(p *peer) []byte { return raw(packets.Subscribe<<4|3, 0, 1, "control/"+p.uuid, 1) })},
	{id: "MQTT-3.8.3-1", text: "filters are UTF-8", check: ends(fixed(raw(subscribePacket, 0, 1, "\xff", 0)))},
	{id: "MQTT-3.8.3-2", text: "wildcards are not served, and refused", check: func(t *testing.T, d *door) {
		p := d.device()
		for _, c := range p.subscribe(0, "#", "+/"+p.uuid, "control/+", "octoprint/#", "$SYS/#", "/", "+/gcode_in/"+p.uuid) {
			if c != subscribeFailed {
				t.Errorf("SUBACK %x", c)
			}
		}
	}},
	{id: "MQTT-3.8.3-3", text: "SUBSCRIBE has at least one filter", check: ends(
		fixed(raw(subscribePacket, 0, 1)), fixed(raw(subscribePacket, 0)), fixed(raw(subscribePacket)))},
	{id: "MQTT-3.8.3-4", text: "the requested QoS is 0, 1 or 2", check: ends(
		func(p *peer) []byte { return raw(subscribePacket, 0, 1, "control/"+p.uuid, 3) },
		func(p *peer) []byte { return raw(subscribePacket, 0, 1, "control/"+p.uuid, 0x81) },
		func(p *peer) []byte { return raw(subscribePacket, 0, 1, "control/"+p.uuid) }, // mochi-mqtt ends here
	)},
	{id: "MQTT-3.8.4-1", text: "SUBSCRIBE is answered with SUBACK", check: func(t *testing.T, d *door) {
		p := d.device()
		p.listen(1, wire.KindControl)
	}},
	{id: "MQTT-3.8.4-2", text: "SUBACK has the identifier", check: func(t *testing.T, d *door) {
		p := d.device()
		p.send(raw(subscribePacket, 0xff, 0xff, "control/"+p.uuid, 0))
		if b := p.expect(packets.Suback); b[0] != 0xff || b[1] != 0xff {
			t.Errorf("% x", b)
		}
	}},
	{id: "MQTT-3.8.4-3", text: "the same filter again replaces the subscription", check: func(t *testing.T, d *door) {
		p := d.device()
		p.listen(1, wire.KindControl)
		p.listen(0, wire.KindControl)
		d.mustPublish(p, wire.KindControl, "x", 1)
		if m := p.expectPublish(); m.Qos != 0 {
			t.Errorf("QoS %d", m.Qos)
		}
		p.expectNothing()
	}},
	{id: "MQTT-3.8.4-4", text: "several filters are one after the other, with one SUBACK", check: func(t *testing.T, d *door) {
		p := d.device()
		if c := p.subscribe(1, "control/"+p.uuid, "camera/"+p.uuid+"/cmd", "control/"+p.uuid); !bytes.Equal(c, []byte{1, 1, 1}) {
			t.Errorf("SUBACK % x", c)
		}
		p.expectNothing()
	}},
	{id: "MQTT-3.8.4-5", text: "SUBACK has a code for each filter", check: func(t *testing.T, d *door) {
		p := d.device()
		topics := make([]string, 40)
		for i := range topics {
			topics[i] = "control/" + p.uuid
		}
		c := p.subscribe(1, topics...)
		if len(c) != 40 || c[15] != 1 || c[16] != subscribeFailed { // beyond the limit
			t.Errorf("SUBACK % x", c)
		}
	}},
	{id: "MQTT-3.8.4-6", text: "a message has the lower of its QoS and the granted one", check: func(t *testing.T, d *door) {
		p := d.device()
		p.listen(0, wire.KindControl)
		p.listen(1, wire.KindWatch)
		d.mustPublish(p, wire.KindControl, "x", 1)
		if m := p.expectPublish(); m.Qos != 0 {
			t.Errorf("QoS %d", m.Qos)
		}
		d.mustPublish(p, wire.KindWatch, "x", 0)
		if m := p.expectPublish(); m.Qos != 0 {
			t.Errorf("QoS %d", m.Qos)
		}
	}},
	{id: "MQTT-3.9.3-1", text: "SUBACK's codes are in the order of the filters", check: func(t *testing.T, d *door) {
		p, other := d.device(), wire.NewUUID()
		c := p.subscribe(1, "control/"+other, "control/"+p.uuid, "octoprint/status/"+p.uuid, "camera/"+p.uuid+"/cmd")
		if !bytes.Equal(c, []byte{0x80, 1, 0x80, 1}) {
			t.Errorf("SUBACK % x", c)
		}
	}},
	{id: "MQTT-3.9.3-2", text: "SUBACK's codes are 0, 1, 2 or 0x80", check: func(t *testing.T, d *door) {
		p := d.device()
		for qos := range byte(3) {
			for _, c := range p.subscribe(qos, "control/"+p.uuid, "x") {
				if c > 2 && c != 0x80 {
					t.Errorf("SUBACK %x", c)
				}
			}
		}
	}},
	{id: "MQTT-3.10.1-1", text: "UNSUBSCRIBE's flags are 0010", check: ends(
		func(p *peer) []byte { return raw(packets.Unsubscribe<<4, 0, 1, "control/"+p.uuid) })},
	{id: "MQTT-3.10.3-1", text: "filters are UTF-8", check: ends(fixed(raw(unsubscribePacket, 0, 1, "\xff")))},
	{id: "MQTT-3.10.3-2", text: "UNSUBSCRIBE has at least one filter", check: ends(
		fixed(raw(unsubscribePacket, 0, 1)), fixed(raw(unsubscribePacket, 0)), fixed(raw(unsubscribePacket, 0, 1, 0, 9)))},
	{id: "MQTT-3.10.4-1", text: "filters are compared letter by letter", check: unsubscribes},
	{id: "MQTT-3.10.4-2", text: "nothing new is sent after it", check: unsubscribes},
	{id: "MQTT-3.10.4-3", text: "what is on its way is delivered to its end", check: func(t *testing.T, d *door) {
		p := d.device(keeps)
		p.listen(1, wire.KindControl)
		d.mustPublish(p, wire.KindControl, "x", 1)
		p.expectPublish()
		p.unsubscribe("control/" + p.uuid)
		d.leave(p)
		p, _ = d.rejoin(p.uuid, keeps)
		if m := p.expectPublish(); string(m.Payload) != "x" || !m.Dup {
			t.Errorf("%v", m)
		}
	}},
	{id: "MQTT-3.10.4-4", text: "UNSUBACK has the identifier", check: unsubscribes},
	{id: "MQTT-3.10.4-5", text: "UNSUBACK comes even if nothing was subscribed", check: func(t *testing.T, d *door) {
		d.device().unsubscribe("never/subscribed")
	}},
	{id: "MQTT-3.10.4-6", text: "several filters have one UNSUBACK", check: unsubscribes},
}

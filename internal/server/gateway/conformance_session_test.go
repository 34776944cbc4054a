package gateway

import (
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/kangbyounggwan/factor/internal/wire"
)

func keeps(c *packets.ConnectPacket) { c.CleanSession = false }

// leave ends a connection and waits until the gateway has forgotten it.
func (d *door) leave(p *peer) {
	d.t.Helper()
	p.Close()
	eventually(d.t, func() bool { return !d.Connected(p.uuid) }, "the connection ends")
}

// rejoin logs in and tells whether a session was there.
func (d *door) rejoin(uuid string, change ...func(*packets.ConnectPacket)) (*peer, bool) {
	d.t.Helper()
	h := hello(uuid)
	for _, f := range change {
		f(h)
	}
	p := d.dial()
	p.uuid = uuid
	code, present := p.connect(h)
	if code != 0 {
		d.t.Fatalf("CONNACK %d", code)
	}
	return p, present
}

// keptSession: clean=false keeps subscriptions over connections, clean=true discards them.
func keptSession(t *testing.T, d *door) {
	p := d.device(keeps)
	p.listen(1, wire.KindControl)
	d.leave(p)
	p, present := d.rejoin(p.uuid, keeps)
	if !present {
		t.Fatal("no session present")
	}
	d.mustPublish(p, wire.KindControl, "still subscribed", 1)
	if m := p.expectPublish(); string(m.Payload) != "still subscribed" {
		t.Fatalf("got %v", m)
	}
	d.leave(p)
	p, present = d.rejoin(p.uuid) // clean
	if present {
		t.Fatal("a clean session has a past")
	}
	if err := d.Publish(p.uuid, wire.KindControl, []byte("x"), 1); err != ErrNotSubscribed {
		t.Errorf("publish to a clean session: %v", err)
	}
	d.leave(p)
	if _, present = d.rejoin(p.uuid, keeps); present {
		t.Error("a clean session was kept")
	}
}

// resends: what was not acknowledged comes again, in order, with DUP and the same identifiers.
func resends(t *testing.T, d *door) {
	p := d.device(keeps)
	p.listen(1, wire.KindControl)
	var ids []uint16
	for _, s := range []string{"a", "b", "c"} {
		d.mustPublish(p, wire.KindControl, s, 1)
		m := p.expectPublish()
		if m.Dup || m.Qos != 1 || m.MessageID == 0 {
			t.Fatalf("first time: %v", m)
		}
		ids = append(ids, m.MessageID)
	}
	if ids[0] == ids[1] || ids[1] == ids[2] || ids[0] == ids[2] {
		t.Fatalf("identifiers %v", ids)
	}
	p.send(acknowledgement(packets.Puback, ids[1]))
	p.expectNothing()
	d.leave(p)
	p, present := d.rejoin(p.uuid, keeps)
	if !present {
		t.Fatal("no session present")
	}
	for i, want := range []string{"a", "c"} {
		if m := p.expectPublish(); string(m.Payload) != want || !m.Dup || m.Qos != 1 || m.MessageID != ids[2*i] {
			t.Fatalf("again: %v, want %s with identifier %d", m, want, ids[2*i])
		}
	}
	p.send(acknowledgement(packets.Puback, ids[0]), acknowledgement(packets.Puback, ids[2]))
	p.expectNothing()
	d.leave(p)
	p, _ = d.rejoin(p.uuid, keeps)
	p.expectNothing()
}

var sessionStatements = []statement{
	{id: "MQTT-3.1.2-4", text: "clean session 0 goes on with the session", check: keptSession},
	{id: "MQTT-3.1.2-5", text: "QoS 1 messages that are on their way are part of the session (none is accepted for a device that is away: Publish says so)", check: alike(
		resends, func(t *testing.T, d *door) {
			p := d.device(keeps)
			p.listen(1, wire.KindControl)
			d.leave(p)
			if err := d.Publish(p.uuid, wire.KindControl, []byte("x"), 1); err != ErrOffline {
				t.Errorf("publish to an absent device: %v", err)
			}
		})},
	{id: "MQTT-3.1.2-6", text: "clean session 1 discards the session", check: keptSession},
	{id: "MQTT-3.1.2-7", text: "retained messages outlive a session", moot: noRetain},
	{id: "MQTT-3.2.2-1", text: "clean session 1: no session present", check: func(t *testing.T, d *door) {
		p := d.device(keeps)
		d.leave(p)
		if _, present := d.rejoin(p.uuid); present {
			t.Error("session present")
		}
	}},
	{id: "MQTT-3.2.2-2", text: "a session that is there is said to be there", check: keptSession},
	{id: "MQTT-3.2.2-3", text: "no session that is not there", check: func(t *testing.T, d *door) {
		if _, present := d.rejoin(d.people.add(), keeps); present {
			t.Error("session present")
		}
	}},
	{id: "MQTT-4.1.0-1", text: "the session state is stored as long as the session lasts", check: resends},
	{id: "MQTT-4.1.0-2", text: "a session lasts at least as long as its connection", check: func(t *testing.T, _ *door) {
		d := mustOpen(t, func(g *Gateway) { g.Limits.SessionAge = 1 }) // ns, of sessions without a connection
		p := d.device(keeps)
		p.listen(1, wire.KindControl)
		d.mustPublish(p, wire.KindControl, "x", 1)
		p.expectPublish()
	}},
	{id: "MQTT-4.4.0-1", text: "what was not acknowledged is sent again", check: resends},
}

package gateway

import (
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// stranger connects without credentials and subscribes the four topics of a UUID, as the published plugin does.
func (d *door) stranger(uuid string) (*peer, []byte) {
	d.t.Helper()
	p := d.dial()
	p.uuid = uuid
	if code, _ := p.connect(anonymous()); code != 0 {
		d.t.Fatalf("CONNACK %d", code)
	}
	return p, p.subscribe(1, wire.KindControl.Topic(uuid), wire.KindGcodeIn.Topic(uuid), wire.KindCamera.Topic(uuid), wire.KindRegistration.Topic(uuid))
}

func granted(codes []byte) bool {
	for _, c := range codes {
		if c == subscribeFailed {
			return false
		}
	}
	return true
}

func TestUUIDLogin_Off(t *testing.T) {
	d := mustOpen(t)
	p := d.dial()
	if code, _ := p.connect(anonymous()); code != 5 {
		t.Errorf("CONNACK %d", code)
	}
	p.expectClosed()
}

func TestUUIDLogin_Registered(t *testing.T) {
	d := mustOpen(t, byUUID)
	uuid := d.people.add()
	p, codes := d.stranger(uuid)
	if !granted(codes) {
		t.Fatalf("SUBACK % x", codes)
	}
	c := d.heard.await(t, "connected", nil)
	if got := c.conn.Device(); got.UUID != uuid || got.Authenticated {
		t.Errorf("device %+v", got)
	}
	d.heard.await(t, "subscribed", func(c call) bool { return c.kind == wire.KindRegistration })
	p.say(wire.KindStatus, 0, "snapshot")
	d.heard.await(t, "status", func(c call) bool { return c.payload == "snapshot" && c.uuid == uuid })
	d.mustPublish(p, wire.KindControl, "pause", 1)
	p.expectPublish()
	if c := p.subscribe(1, wire.KindControl.Topic(d.people.add())); granted(c) {
		t.Error("a bound connection got another device's topic")
	}
	p.send(publication(wire.KindStatus.Topic(d.people.add()), 0, 0, "x"))
	p.expectClosed()
}

func TestUUIDLogin_NotAllowedForPrinter(t *testing.T) {
	d := mustOpen(t, byUUID)
	uuid := wire.NewUUID()
	d.people.set(uuid, Device{UUID: uuid}, ErrNotAuthorized)
	p, codes := d.stranger(uuid)
	for _, c := range codes {
		if c != subscribeFailed {
			t.Errorf("SUBACK % x", codes)
		}
	}
	p.expectClosed()
	if d.heard.count("connected") != 0 {
		t.Error("it became a device")
	}
}

func TestUUIDLogin_Quarantine(t *testing.T) {
	d := mustOpen(t, byUUID)
	uuid := wire.NewUUID()
	p, codes := d.stranger(uuid)
	if !granted(codes) {
		t.Fatalf("SUBACK % x", codes)
	}
	if !d.Connected(uuid) {
		t.Error("its connection is not known")
	}
	p.say(wire.KindStatus, 0, "dropped")
	p.say(wire.KindEvent, 1, "dropped") // acknowledged: its queue must not fill
	p.expectNothing()
	if n := d.metric("factor_mqtt_dropped_total", "reason", dropQuarantine); n != 2 {
		t.Errorf("%v dropped", n)
	}
	if n := d.metric("factor_mqtt_connections", "state", "quarantine"); n != 1 {
		t.Errorf("%v in quarantine", n)
	}
	if err := d.Publish(uuid, wire.KindControl, []byte("x"), 1); err != ErrOffline {
		t.Errorf("a command to quarantine: %v", err)
	}
	if len(d.heard.all()) != 0 {
		t.Errorf("the sink heard %v", d.heard.all())
	}

	// The owner completes the registration in the page.
	d.people.set(uuid, Device{ID: "new", UUID: uuid, PrinterID: "p"}, nil)
	d.mustPublish(p, wire.KindRegistration, `{"status":"registered"}`, 1)
	m := p.expectPublish()
	p.send(acknowledgement(packets.Puback, m.MessageID))
	p.say(wire.KindRegistered, 1, `{"status":"confirmed"}`)
	p.say(wire.KindStatus, 0, "taken")
	d.heard.await(t, "status", func(c call) bool { return c.payload == "taken" })
	d.heard.await(t, "ack", nil)
	if all := d.heard.all(); all[0].what != "connected" || all[1].what != "subscribed" {
		t.Errorf("the sink heard %v", all)
	}
	p.unsubscribe(wire.KindRegistration.Topic(uuid))
	d.mustPublish(p, wire.KindControl, "pause", 1)
	p.expectPublish()
}

func TestUUIDLogin_Promote(t *testing.T) {
	d := mustOpen(t, byUUID)
	uuid := wire.NewUUID()
	p, _ := d.stranger(uuid)
	d.Promote(uuid) // nothing to become yet
	p.expectNothing()
	d.people.set(uuid, Device{ID: "new", UUID: uuid, PrinterID: "p"}, nil)
	d.Promote(uuid)
	d.heard.await(t, "connected", func(c call) bool { return c.uuid == uuid })
	p.say(wire.KindStatus, 0, "taken")
	d.heard.await(t, "status", nil)
	p.Close()
	d.heard.await(t, "disconnected", nil)
}

func TestUUIDLogin_Contested(t *testing.T) {
	d := mustOpen(t, byUUID)
	for _, registered := range []bool{true, false} {
		uuid := wire.NewUUID()
		if registered {
			uuid = d.people.add()
		}
		owner, _ := d.stranger(uuid)
		thief, codes := d.stranger(uuid)
		for _, c := range codes {
			if c != subscribeFailed {
				t.Errorf("SUBACK % x", codes)
			}
		}
		thief.expectClosed()
		d.heard.await(t, "contested", func(c call) bool { return c.uuid == uuid })
		owner.expectNothing() // it lives
	}
	// Not against one with a token either.
	owner := d.device()
	thief, codes := d.stranger(owner.uuid)
	if codes[0] != subscribeFailed {
		t.Errorf("SUBACK % x", codes)
	}
	thief.expectClosed()
	owner.expectNothing()
}

func TestUUIDLogin_TokenTakesOver(t *testing.T) {
	d := mustOpen(t, byUUID)
	uuid := d.people.add()
	thief, _ := d.stranger(uuid)
	owner := d.login(uuid)
	thief.expectClosed()
	owner.expectNothing()
	d.heard.await(t, "disconnected", func(c call) bool { return c.why == ReasonTakeover })
}

func TestUUIDLogin_LostNetwork(t *testing.T) {
	d := mustOpen(t, byUUID)
	uuid := d.people.add()
	old, _ := d.stranger(uuid)
	d.find(uuid).last.Store(time.Now().Add(-uuidSilence).UnixNano()) // it went without a word
	_, codes := d.stranger(uuid)
	if !granted(codes) {
		t.Fatalf("SUBACK % x: the device's own new connection was refused", codes)
	}
	old.expectClosed()
}

func TestUUIDLogin_BeforeBinding(t *testing.T) {
	d := mustOpen(t, byUUID)
	uuid := d.people.add()
	p := d.dial()
	h := anonymous()
	h.CleanSession, h.ClientIdentifier = false, "plugin"
	if code, present := p.connect(h); code != 0 || present {
		t.Fatalf("CONNACK %d, session present %v", code, present)
	}
	p.uuid = uuid
	p.say(wire.KindStatus, 0, "dropped: nobody knows whose it is")
	if c := p.subscribe(0, "nonsense", wire.KindStatus.Topic(uuid)); granted(c) {
		t.Errorf("SUBACK % x", c)
	}
	p.expectNothing()
	if len(d.heard.all()) != 0 {
		t.Errorf("the sink heard %v", d.heard.all())
	}
	p.listen(1, wire.KindControl)
	d.heard.await(t, "connected", nil)
}

func TestUUIDLogin_Caps(t *testing.T) {
	d := mustOpen(t, byUUID, func(g *Gateway) { g.Limits.UUIDPerAddr = 3 })
	for range 3 {
		d.stranger(wire.NewUUID())
	}
	p := d.dial()
	if code, _ := p.connect(anonymous()); code != 3 {
		t.Errorf("CONNACK %d for one too many", code)
	}
	d.device() // those with a token are not counted there
}

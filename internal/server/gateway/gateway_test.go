package gateway

import (
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/kangbyounggwan/factor/internal/wire"
)

func TestGateway_Messages(t *testing.T) {
	d := mustOpen(t)
	p := d.device()
	d.heard.await(t, "connected", func(c call) bool { return c.uuid == p.uuid })
	for _, x := range []struct {
		kind wire.Kind
		what string
	}{
		{wire.KindStatus, "status"}, {wire.KindEvent, "event"}, {wire.KindFiles, "files"}, {wire.KindPresence, "presence"},
		{wire.KindControlReply, "result"}, {wire.KindGcodeOut, "gcode"}, {wire.KindCameraState, "camera"},
		{wire.KindRegistered, "ack"}, {wire.KindTransfer, "transfer"}, {wire.KindTerminal, "terminal"},
	} {
		p.say(x.kind, 1, "hello "+x.what)
		got := d.heard.await(t, x.what, nil)
		if got.payload != "hello "+x.what || got.uuid != p.uuid || got.will {
			t.Errorf("%s: %+v", x.what, got)
		}
	}
	if n := d.metric("factor_mqtt_messages_total", "direction", "in"); n != 10 {
		t.Errorf("%v messages counted", n)
	}
	if n := d.metric("factor_mqtt_connections", "state", "device"); n != 1 {
		t.Errorf("%v devices counted", n)
	}
}

func TestGateway_StatusPrefix(t *testing.T) {
	d := mustOpen(t)
	p := d.device()
	p.send(publication("workshop/status/"+p.uuid, 0, 0, "mine"))
	d.heard.await(t, "status", func(c call) bool { return c.payload == "mine" })
}

func TestGateway_Publish(t *testing.T) {
	d := mustOpen(t)
	uuid := d.people.add()
	if err := d.Publish(uuid, wire.KindControl, []byte("x"), 1); err != ErrOffline {
		t.Fatalf("to an absent device: %v", err)
	}
	p := d.login(uuid)
	if err := d.Publish(uuid, wire.KindControl, []byte("x"), 1); err != ErrNotSubscribed {
		t.Fatalf("to one that does not listen: %v", err)
	}
	p.listen(1, wire.KindControl, wire.KindWatch)
	d.heard.await(t, "subscribed", func(c call) bool { return c.kind == wire.KindControl })
	if err := d.Publish(uuid, wire.KindControl, []byte(`{"type":"pause"}`), 1); err != nil {
		t.Fatal(err)
	}
	m := p.expectPublish()
	if m.TopicName != "control/"+uuid || string(m.Payload) != `{"type":"pause"}` || m.Qos != 1 || m.Retain {
		t.Fatalf("got %v", m)
	}
	p.send(acknowledgement(packets.Puback, m.MessageID))
	if err := d.Publish(uuid, wire.KindStatus, nil, 0); err != ErrOffline {
		t.Fatalf("a device's own kind: %v", err)
	}
	if err := d.Publish(uuid, wire.KindControl, make([]byte, 2<<20), 1); err != ErrTooLarge {
		t.Fatalf("2 MB: %v", err)
	}
	p.expectNothing()
	if !d.Connected(uuid) || d.Connections() != 1 {
		t.Error("the connection is not counted")
	}
}

func TestGateway_Time(t *testing.T) {
	d := mustOpen(t)
	p := d.device()
	p.listen(0, wire.KindTimeReply)
	before := float64(time.Now().UnixMilli()) / 1e3
	p.say(wire.KindTime, 0, `{"t0":12.5}`)
	m := p.expectPublish()
	if !strings.HasPrefix(string(m.Payload), `{"t0":12.5,"server":`) || m.TopicName != wire.KindTimeReply.Topic(p.uuid) {
		t.Fatalf("got %s on %s", m.Payload, m.TopicName)
	}
	var reply wire.TimeReply
	mustUnmarshal(t, m.Payload, &reply)
	if reply.Server < before-1 || reply.Server > before+patience.Seconds() {
		t.Errorf("server clock %f, was %f", reply.Server, before)
	}
	for _, bad := range []string{"", "{", `{"t0":"x"}`, `{"t0":` + strings.Repeat("1", 300) + `}`} {
		p.say(wire.KindTime, 0, bad)
	}
	p.expectNothing()
	if n := d.metric("factor_mqtt_dropped_total", "reason", dropInvalid); n != 4 {
		t.Errorf("%v dropped", n)
	}
}

func TestGateway_EventNotStored(t *testing.T) {
	d := mustOpen(t)
	d.heard.event = func(p []byte) error {
		switch string(p) {
		case "fail":
			return errStore
		case "bad":
			return ErrInvalid
		}
		return nil
	}
	p := d.device()
	p.say(wire.KindEvent, 1, "bad") // acknowledged: it would come again for ever
	p.send(publication(wire.KindEvent.Topic(p.uuid), 1, 9, "fail"))
	first, body, err := p.next()
	if err == nil {
		t.Fatalf("an event that was not stored was answered with %x % x", first, body)
	}
	d.heard.await(t, "disconnected", func(c call) bool { return c.why == ReasonSink })
}

// With a full disk a printer stays on the page; what could not be stored is said again, in the order in which it happened.
func TestGateway_NoRoomForEvent(t *testing.T) {
	t.Run("StaysAndIsSeen", func(t *testing.T) {
		d := mustOpen(t, func(g *Gateway) { g.Limits.Unstored = time.Hour })
		room := false
		d.heard.event = func([]byte) error {
			if room {
				return nil
			}
			room = true
			return ErrLater
		}
		p := d.device()
		p.send(publication(wire.KindEvent.Topic(p.uuid), 1, 9, "first"))
		p.expectNothing()
		p.send(publication(wire.KindEvent.Topic(p.uuid), 1, 10, "second")) // there is room by now, but not before "first"
		p.expectNothing()
		p.say(wire.KindPresence, 1, `{"online":true}`)
		p.send(publication(wire.KindStatus.Topic(p.uuid), 0, 0, "{}"))
		d.heard.await(t, "status", nil)
		if n := d.heard.count("event"); n != 0 {
			t.Errorf("%d events were stored behind one that was not", n)
		}
		again := d.login(p.uuid)
		again.say(wire.KindEvent, 1, "first")
		again.say(wire.KindEvent, 1, "second")
	})
	t.Run("IsSentAwayInAWhile", func(t *testing.T) {
		d := mustOpen(t, func(g *Gateway) { g.Limits.Unstored = time.Nanosecond })
		d.heard.event = func([]byte) error { return ErrLater }
		p := d.device()
		p.send(publication(wire.KindEvent.Topic(p.uuid), 1, 9, "first"))
		if first, body, err := p.next(); err == nil {
			t.Fatalf("answered with %x % x", first, body)
		}
		d.heard.await(t, "disconnected", func(c call) bool { return c.why == ReasonSink })
	})
}

func TestGateway_Takeover(t *testing.T) {
	d := mustOpen(t)
	withWill := func(c *packets.ConnectPacket) {
		c.WillFlag, c.WillTopic, c.WillMessage = true, wire.KindPresence.Topic(c.Username), []byte("gone")
	}
	first := d.device(withWill)
	second := d.login(first.uuid, func(c *packets.ConnectPacket) { c.ClientIdentifier = "another" })
	first.expectClosed()
	second.say(wire.KindEvent, 1, "I am here")
	var order []string
	for _, c := range d.heard.all() {
		order = append(order, c.what+" "+string(c.why))
	}
	want := "connected , presence , disconnected takeover, connected , event "
	if got := strings.Join(order, ", "); got != want {
		t.Errorf("the sink heard %s; want %s", got, want)
	}
	if d.Connections() != 1 {
		t.Errorf("%d connections", d.Connections())
	}
}

func TestGateway_Will(t *testing.T) {
	d := mustOpen(t)
	with := func(topic func(uuid string) string) func(*packets.ConnectPacket) {
		return func(c *packets.ConnectPacket) {
			c.WillFlag, c.WillQos, c.WillTopic, c.WillMessage = true, 1, topic(c.Username), []byte(`{"online":false}`)
		}
	}
	own := with(wire.KindPresence.Topic)
	lost := d.device(own)
	lost.Close()
	if c := d.heard.await(t, "presence", func(c call) bool { return c.uuid == lost.uuid }); !c.will {
		t.Error("a will that does not say it is one")
	}
	d.heard.await(t, "disconnected", func(c call) bool { return c.uuid == lost.uuid && c.why == ReasonLost })

	gone := d.device(own)
	gone.send([]byte{packets.Disconnect << 4, 0})
	gone.expectClosed()
	d.heard.await(t, "disconnected", func(c call) bool { return c.uuid == gone.uuid && c.why == ReasonClient })
	if n := d.heard.count("presence"); n != 1 {
		t.Errorf("%d wills spoke", n)
	}
	for _, foreign := range []string{wire.KindPresence.Topic(lost.uuid), wire.KindControl.Topic(gone.uuid), "a/b", "#"} {
		p := hello(gone.uuid)
		with(func(string) string { return foreign })(p)
		if code, _ := d.dial().connect(p); code != 5 {
			t.Errorf("will to %s: CONNACK %d", foreign, code)
		}
	}
}

func TestGateway_End(t *testing.T) {
	d := mustOpen(t)
	keep := func(c *packets.ConnectPacket) {
		c.CleanSession = false
		c.WillFlag, c.WillTopic, c.WillMessage = true, wire.KindPresence.Topic(c.Username), []byte("x")
	}
	p := d.device(keep)
	p.listen(1, wire.KindControl)
	d.End(p.uuid)
	p.expectClosed()
	d.heard.await(t, "disconnected", func(c call) bool { return c.why == ReasonRevoked })
	if d.heard.count("presence") != 0 {
		t.Error("the will of a device without rights spoke")
	}
	c := d.dial()
	if code, present := c.connect(func() *packets.ConnectPacket { h := hello(p.uuid); h.CleanSession = false; return h }()); code != 0 || present {
		t.Errorf("CONNACK %d, session present %v", code, present)
	}
}

func TestGateway_EndDuringLogin(t *testing.T) {
	d := mustOpen(t)
	uuid := d.people.add()
	slow := &slowRegistry{Registry: d.people, asked: make(chan struct{}), proceed: make(chan struct{})}
	d.Registry = slow
	p := d.dial()
	p.send(encode(hello(uuid)))
	<-slow.asked
	d.End(uuid)
	close(slow.proceed)
	if body := p.expect(packets.Connack); body[1] != 5 {
		t.Errorf("CONNACK %d", body[1])
	}
	p.expectClosed()
}

func TestGateway_Close(t *testing.T) {
	d := mustOpen(t)
	began, proceed := make(chan struct{}), make(chan struct{})
	d.heard.event = func([]byte) error { close(began); <-proceed; return nil }
	p, idle, half := d.device(), d.device(), d.dial()
	p.send(publication(wire.KindEvent.Topic(p.uuid), 1, 3, "in the middle"))
	<-began
	closed := make(chan error)
	go func() { closed <- d.Close(t.Context()) }()
	idle.expectClosed()
	half.expectClosed()
	close(proceed)
	p.expect(packets.Puback) // what was stored is acknowledged before the end
	p.expectClosed()
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	d.heard.await(t, "disconnected", func(c call) bool { return c.uuid == p.uuid && c.why == ReasonStopping })
	if d.Connections() != 0 {
		t.Errorf("%d connections left", d.Connections())
	}
}

package gateway

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/kangbyounggwan/factor/internal/wire"
)

func TestLimits_Defaults(t *testing.T) {
	if got := (Limits{}).orDefault(); got != DefaultLimits {
		t.Errorf("%+v, want %+v", got, DefaultLimits)
	}
}

func TestLimits_PayloadBySort(t *testing.T) {
	d := mustOpen(t, func(g *Gateway) { g.Limits.ByteBurst = 64 << 20 })
	p := d.device()
	for kind, limit := range map[wire.Kind]int{wire.KindStatus: 4 << 20, wire.KindPresence: 16 << 10} {
		for _, qos := range []byte{0, 1} {
			p.say(kind, qos, strings.Repeat("x", limit))
			p.say(kind, qos, strings.Repeat("y", limit+1)) // dropped, the device is kept
		}
	}
	p.say(wire.KindEvent, 1, "last")
	for _, c := range d.heard.all() {
		if strings.HasPrefix(c.payload, "y") {
			t.Errorf("%s of %d bytes was taken", c.what, len(c.payload))
		}
	}
	if n := d.heard.count("status") + d.heard.count("presence"); n != 4 {
		t.Errorf("%d messages taken, want 4", n)
	}
	if n := d.metric("factor_mqtt_dropped_total", "reason", dropTooLarge); n != 4 {
		t.Errorf("%v dropped", n)
	}
	// 5 MB of files keep the device, 20 MB end it.
	p.say(wire.KindStatus, 0, strings.Repeat("z", 5<<20))
	p.expectNothing()
	p.send([]byte{packets.Publish << 4, 0x80, 0x80, 0x80, 0x0a}, raw(0, wire.KindStatus.Topic(p.uuid))[2:])
	p.expectClosed()
	d.heard.await(t, "disconnected", func(c call) bool { return c.why == ReasonTooLarge })
}

func TestLimits_BeforeLogin(t *testing.T) {
	d := mustOpen(t)
	h := hello(d.people.add())
	h.WillFlag, h.WillTopic, h.WillMessage = true, wire.KindPresence.Topic(h.Username), bytes.Repeat([]byte("w"), 1500)
	if code, _ := d.dial().connect(h); code != 0 {
		t.Errorf("CONNACK %d for a CONNECT of less than 2 KB", code)
	}
	h.WillMessage = bytes.Repeat([]byte("w"), 2048)
	p := d.dial()
	p.send(encode(h)[:100]) // the length alone is enough
	p.expectClosed()
	p = d.dial()
	p.send([]byte{packets.Connect << 4, 0xff, 0xff, 0xff, 0x7f})
	p.expectClosed()
}

func TestLimits_OtherPackets(t *testing.T) {
	d := mustOpen(t)
	p := d.device()
	p.send(raw(subscribePacket, 0, 1, strings.Repeat("a/", 5000), 0))
	p.expectClosed()
	// Thousands of levels, which cost mochi-mqtt 26 s, are one more topic that is nobody's.
	p = d.device()
	if c := p.subscribe(0, strings.Repeat("a/", 3000)); c[0] != subscribeFailed {
		t.Errorf("SUBACK % x", c)
	}
}

func TestLimits_MessageRate(t *testing.T) {
	d := mustOpen(t, func(g *Gateway) { g.Limits.MessagesPerSecond, g.Limits.MessageBurst = 5, 10 })
	p := d.device()
	for i := range 14 {
		p.say(wire.KindStatus, 0, fmt.Sprint(i))
	}
	p.expectNothing()
	taken, dropped := d.heard.count("status"), d.metric("factor_mqtt_dropped_total", "reason", dropRate)
	if taken+int(dropped) != 14 || dropped == 0 || taken < 10 {
		t.Errorf("%d taken, %v dropped", taken, dropped)
	}
	// QoS 1 is never dropped: the connection is read more slowly.
	start := time.Now()
	for range 5 {
		p.say(wire.KindEvent, 1, "x")
	}
	if d.heard.count("event") != 5 {
		t.Error("events were lost")
	}
	if took := time.Since(start); took < 200*time.Millisecond {
		t.Errorf("5 messages at 5/s took %v", took)
	}
}

func TestLimits_ByteRate(t *testing.T) {
	d := mustOpen(t, func(g *Gateway) { g.Limits.BytesPerSecond, g.Limits.ByteBurst = 100_000, 100_000 })
	p := d.device()
	big := strings.Repeat("x", 60_000)
	for range 4 {
		p.say(wire.KindStatus, 0, big)
	}
	p.expectNothing()
	if n := d.metric("factor_mqtt_dropped_total", "reason", dropRate); n == 0 {
		t.Error("nothing was dropped")
	}
	if n := d.heard.count("status"); n < 2 {
		t.Errorf("%d taken", n)
	}
}

func TestLimits_Connections(t *testing.T) {
	d := mustOpen(t, func(g *Gateway) { g.Limits.PerAddress = 3 })
	var last *peer
	for range 3 {
		last = d.device()
	}
	if code, _ := d.dial().connect(hello(d.people.add())); code != 3 {
		t.Errorf("CONNACK %d for the fourth from one address", code)
	}
	d.leave(last)
	d.device()
	all := mustOpen(t, func(g *Gateway) { g.Limits.Connections = 2 })
	all.device()
	all.device()
	if code, _ := all.dial().connect(hello(all.people.add())); code != 3 {
		t.Errorf("CONNACK %d for the third of all", code)
	}
}

func TestLimits_HalfOpen(t *testing.T) {
	d := mustOpen(t, func(g *Gateway) {
		g.Limits.HalfOpenAddr, g.Limits.ConnectTimeout = 5, 300*time.Millisecond
	})
	var half []*peer
	for i := range 5 {
		half = append(half, d.dial())
		if i%2 == 1 {
			half[i].send([]byte{packets.Connect << 4, 100, 0}) // begins, and never ends
		}
	}
	d.awaitMetric(5, "factor_mqtt_connections", "state", "half_open")
	d.dial().expectClosed() // one too many
	for _, p := range half {
		p.expectClosed()
	}
	d.awaitMetric(5, "factor_mqtt_disconnects_total", "reason", string(ReasonUnfinished))
	d.device()
	if n := d.metric("factor_mqtt_connections", "state", "half_open"); n != 0 {
		t.Errorf("%v half-open left", n)
	}
}

func TestLimits_DripFed(t *testing.T) {
	d := mustOpen(t)
	p := d.device()
	header := []byte{packets.Publish << 4, 0x80, 0x80, 0x80, 1} // 2 MB claimed
	p.send(header, raw(0, wire.KindStatus.Topic(p.uuid))[2:], make([]byte, 6000))
	d.awaitMetric(6000, "factor_mqtt_bytes_total", "direction", "in")
	c := d.find(p.uuid)
	p.Close()
	<-c.done
	if c.in.buf != nil {
		t.Error("the buffer was not given back")
	}
}

func TestLimits_Queue(t *testing.T) {
	d := mustOpen(t)
	p := d.device() // never reads
	p.listen(1, wire.KindControl, wire.KindWatch, wire.KindGcodeIn)
	accepted := 0
	for i := 0; ; i++ {
		err := d.Publish(p.uuid, wire.KindControl, []byte(fmt.Sprint(i)), 1)
		if err == ErrQueueFull {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		accepted++
	}
	if accepted != d.limits.Queue {
		t.Errorf("%d accepted", accepted)
	}
	for i := range accepted { // none of those accepted is lost
		m := p.expectPublish()
		if string(m.Payload) != fmt.Sprint(i) {
			t.Fatalf("got %s, want %d", m.Payload, i)
		}
		p.send(acknowledgement(packets.Puback, m.MessageID))
	}
	if n := d.metric("factor_mqtt_dropped_total", "reason", dropQueue); n != 1 {
		t.Errorf("%v dropped", n)
	}
}

func TestLimits_NewerWatchReplaces(t *testing.T) {
	d := mustOpen(t)
	p := d.device()
	p.listen(0, wire.KindWatch)
	c := d.find(p.uuid)
	c.mu.Lock()
	c.flushing = true // as if the device did not read
	c.mu.Unlock()
	for i := range 100 {
		d.mustPublish(p, wire.KindWatch, fmt.Sprint(i), 0)
	}
	c.mu.Lock()
	n := len(c.out)
	c.mu.Unlock()
	if n != 1 {
		t.Errorf("%d wait", n)
	}
	c.flush()
	if m := p.expectPublish(); string(m.Payload) != "99" {
		t.Errorf("got %s", m.Payload)
	}
}

func TestLimits_SlowReader(t *testing.T) {
	d := mustOpen(t, func(g *Gateway) { g.Limits.WriteTimeout = 300 * time.Millisecond })
	slow, other := d.device(), d.device()
	slow.listen(1, wire.KindGcodeIn)
	other.listen(1, wire.KindControl)
	chunk := make([]byte, 200<<10)
	for slowGone := false; !slowGone; {
		switch err := d.Publish(slow.uuid, wire.KindGcodeIn, chunk, 0); err {
		case nil, ErrQueueFull:
		case ErrOffline:
			slowGone = true
		default:
			t.Fatal(err)
		}
		d.mustPublish(other, wire.KindControl, "x", 1) // is not held up
		m := other.expectPublish()
		other.send(acknowledgement(packets.Puback, m.MessageID))
	}
	d.heard.await(t, "disconnected", func(c call) bool { return c.uuid == slow.uuid && c.why == ReasonSlow })
}

func TestLimits_FloodOfPings(t *testing.T) {
	d := mustOpen(t, func(g *Gateway) {
		g.Limits.WriteTimeout, g.Limits.MessagesPerSecond, g.Limits.MessageBurst = 300*time.Millisecond, 1e9, 1e9
	})
	p := d.device() // asks for ever and never reads
	flood := bytes.Repeat([]byte{packets.Pingreq << 4, 0}, 32<<10)
	for {
		_ = p.SetWriteDeadline(time.Now().Add(patience))
		if _, err := p.Write(flood); err != nil {
			break
		}
	}
	d.heard.await(t, "disconnected", func(c call) bool { return c.uuid == p.uuid })
}

func TestLimits_KeepAliveZero(t *testing.T) {
	d := mustOpen(t, func(g *Gateway) { g.Limits.MaxIdle = 400 * time.Millisecond })
	for _, keepAlive := range []uint16{0, 65535} {
		p := d.device(func(c *packets.ConnectPacket) { c.Keepalive = keepAlive })
		p.expectClosed()
		d.heard.await(t, "disconnected", func(c call) bool { return c.uuid == p.uuid && c.why == ReasonTimeout })
	}
}

func TestLimits_LoginFails(t *testing.T) {
	d := mustOpen(t)
	uuid := wire.NewUUID()
	for err, want := range map[error]byte{ErrNotAuthorized: 5, ErrBadLogin: 4, errStore: 3} {
		d.people.set(uuid, Device{UUID: uuid}, err)
		if code, _ := d.dial().connect(hello(uuid)); code != want {
			t.Errorf("%v: CONNACK %d", err, code)
		}
		if n := d.metric("factor_mqtt_connack_total", "code", fmt.Sprint(want)); n != 1 {
			t.Errorf("%v counted for %d", n, want)
		}
	}
}

func TestSessions_Bounded(t *testing.T) {
	s := sessions{limit: 2, age: time.Hour}
	now := time.Now()
	s.put("a", &session{}, now)
	s.put("b", &session{}, now)
	s.put("c", &session{}, now)
	if s.take("a", now) != nil || s.take("c", now) == nil {
		t.Error("the oldest was not the one to go")
	}
	if s.take("b", now.Add(2*time.Hour)) != nil || len(s.byUUID) != 0 || s.order.Len() != 0 {
		t.Error("an old session was given")
	}
}

func TestHeader(t *testing.T) {
	for _, n := range []int{0, 1, 127, 128, 16383, 16384, 2097151, 2097152, 268435455} {
		b := []byte{packets.Publish << 4}
		b = append(b, binary.AppendUvarint(nil, uint64(n))...)
		h, more, err := parseHeader(b)
		if h.length != n || h.size != len(b) || more || err != nil {
			t.Errorf("%d: %+v %v %v", n, h, more, err)
		}
		if _, more, err := parseHeader(b[:len(b)-1]); len(b) > 2 && (!more || err != nil) {
			t.Errorf("%d cut short: %v %v", n, more, err)
		}
	}
}

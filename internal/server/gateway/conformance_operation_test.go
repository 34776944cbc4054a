package gateway

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/kangbyounggwan/factor/internal/wire"
)

var operationStatements = []statement{
	{id: "MQTT-3.12.4-1", text: "PINGREQ is answered with PINGRESP", check: func(t *testing.T, d *door) { d.device().expectNothing() }},
	{id: "MQTT-3.14.1-1", text: "DISCONNECT's flags are 0", check: func(t *testing.T, d *door) {
		p := d.device(leavesWill)
		p.send([]byte{packets.Disconnect<<4 | 1, 0})
		p.expectClosed()
		d.heard.await(t, "presence", func(c call) bool { return c.will }) // it was no DISCONNECT
	}},
	{id: "MQTT-3.14.4-1", text: "a client closes after DISCONNECT", check: func(t *testing.T, d *door) { // or else the server does
		p := d.device()
		p.send([]byte{packets.Disconnect << 4, 0})
		p.expectClosed()
	}},
	{id: "MQTT-3.14.4-2", text: "a client sends nothing after DISCONNECT", check: func(t *testing.T, d *door) { // nothing is heard of it
		p := d.device()
		p.send([]byte{packets.Disconnect << 4, 0}, publication(wire.KindStatus.Topic(p.uuid), 0, 0, "late"))
		d.heard.await(t, "disconnected", nil)
		if d.heard.count("status") != 0 {
			t.Error("a message after DISCONNECT was taken")
		}
	}},
	{id: "MQTT-4.5.0-1", text: "a message of the server's is in the session of the one who listens", check: resends},
	{id: "MQTT-4.5.0-2", text: "a client acknowledges", moot: ofClients},
	{id: "MQTT-4.6.0-1", text: "what is sent again is in its first order", check: resends},
	{id: "MQTT-4.6.0-2", text: "PUBACKs are in the order of the PUBLISHes", check: func(t *testing.T, d *door) {
		p := d.device()
		for i := range 20 {
			p.send(publication(wire.KindEvent.Topic(p.uuid), 1, uint16(100+i), "x"))
		}
		for i := range 20 {
			if b := p.expect(packets.Puback); int(b[1]) != 100+i {
				t.Fatalf("PUBACK %d, want %d", b[1], 100+i)
			}
		}
	}},
	{id: "MQTT-4.6.0-3", text: "PUBRECs are in the order of the PUBLISHes", check: func(t *testing.T, d *door) {
		p := d.device()
		for i := range 20 {
			p.send(publication(wire.KindEvent.Topic(p.uuid), 2, uint16(100+i), "x"))
		}
		for i := range 20 {
			if b := p.expect(packets.Pubrec); int(b[1]) != 100+i {
				t.Fatalf("PUBREC %d, want %d", b[1], 100+i)
			}
		}
	}},
	{id: "MQTT-4.6.0-4", text: "PUBRELs are in the order of the PUBRECs", moot: "binds the sender of QoS 2, which the server never is"},
	{id: "MQTT-4.6.0-5", text: "every topic is ordered", check: inOrder},
	{id: "MQTT-4.6.0-6", text: "messages are delivered in order", check: inOrder},
	{id: "MQTT-4.7.1-1", text: "wildcards are in no topic name", check: ends(
		func(p *peer) []byte { return publication("octoprint/+/"+p.uuid, 1, 1, "x") })},
	{id: "MQTT-4.7.1-2", text: "# is the last level", check: wildcardsRefused},
	{id: "MQTT-4.7.1-3", text: "+ is a whole level", check: wildcardsRefused},
	{id: "MQTT-4.7.2-1", text: "wildcards do not match $ topics", check: wildcardsRefused},
	{id: "MQTT-4.7.3-1", text: "topics have at least one character", check: ends(
		fixed(raw(publishPacket, "", []byte("x"))), fixed(raw(subscribePacket, 0, 1, "", 0)), fixed(raw(unsubscribePacket, 0, 1, "")))},
	{id: "MQTT-4.7.3-2", text: "topics have no U+0000", check: ends(fixed(raw(publishPacket, "a\x00b", []byte("x"))))},
	{id: "MQTT-4.7.3-3", text: "topics have at most 65,535 bytes", check: func(t *testing.T, d *door) {
		p := d.device()
		p.send(publication(strings.Repeat("x", 65535), 0, 0, "x")) // fits, and is nobody's
		p.expectClosed()
	}},
	{id: "MQTT-4.7.3-4", text: "topics are compared without normalising them", check: func(t *testing.T, d *door) {
		p := d.device()
		for _, c := range p.subscribe(0, "Control/"+p.uuid, "control/"+strings.ToUpper(p.uuid), "control/"+p.uuid+"/", "/control/"+p.uuid, "control//"+p.uuid, " control/"+p.uuid) {
			if c != subscribeFailed {
				t.Errorf("SUBACK %x", c)
			}
		}
	}},
	{id: "MQTT-4.8.0-1", text: "a protocol violation closes the connection", check: ends(
		fixed([]byte{packets.Connack << 4, 2, 0, 0}), fixed([]byte{packets.Suback << 4, 3, 0, 1, 0}),
		fixed([]byte{packets.Unsuback << 4, 2, 0, 1}), fixed([]byte{packets.Pingresp << 4, 0}),
		fixed([]byte{packets.Pubrec << 4, 2, 0, 1}), fixed([]byte{packets.Pubcomp << 4, 2, 0, 1}),
		fixed([]byte{packets.Puback << 4, 3, 0, 1, 1}), fixed([]byte{packets.Pingreq << 4, 1, 0}),
		fixed([]byte{packets.Publish << 4, 0xff, 0xff, 0xff, 0xff, 1}), fixed([]byte{packets.Disconnect << 4, 1, 0}))},
	{id: "MQTT-4.8.0-2", text: "a passing failure closes the connection it happened on", check: func(t *testing.T, d *door) {
		d.heard.event = func([]byte) error { return errStore }
		p, other := d.device(), d.device()
		p.send(publication(wire.KindEvent.Topic(p.uuid), 1, 1, "x"))
		p.expectClosed()
		other.expectNothing()
	}},
}

// inOrder: messages arrive in the order they were sent, both ways, beyond the window in flight too.
func inOrder(t *testing.T, d *door) {
	p := d.device()
	p.listen(1, wire.KindControl)
	for i := range 50 {
		d.mustPublish(p, wire.KindControl, fmt.Sprint(i), 1)
	}
	for i := range 50 {
		m := p.expectPublish()
		if string(m.Payload) != fmt.Sprint(i) {
			t.Fatalf("got %s, want %d", m.Payload, i)
		}
		p.send(acknowledgement(packets.Puback, m.MessageID))
	}
	for i := range 50 {
		p.send(publication(wire.KindEvent.Topic(p.uuid), 0, 0, fmt.Sprint(i)))
	}
	d.heard.await(t, "event", func(c call) bool { return c.payload == "49" })
	next := 0
	for _, c := range d.heard.all() {
		if c.what == "event" {
			if c.payload != fmt.Sprint(next) {
				t.Fatalf("heard %s, want %d", c.payload, next)
			}
			next++
		}
	}
}

func wildcardsRefused(t *testing.T, d *door) {
	p := d.device()
	for _, c := range p.subscribe(0, "#", "#/a", "a#", "a/#/b", "+", "+/+", "a+/b", "$SYS/#", "+/"+p.uuid, "control/"+p.uuid+"/#") {
		if c != subscribeFailed {
			t.Errorf("SUBACK %x", c)
		}
	}
}

// dialWebSocket connects with subprotocols.
func (d *door) dialWebSocket(protocols ...string) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, d.serveWebSocket(), &websocket.DialOptions{Subprotocols: protocols})
	if err == nil {
		d.t.Cleanup(func() { _ = ws.CloseNow() })
	}
	return ws, err
}

// overWebSocket is a peer over WebSocket.
func (d *door) overWebSocket() *peer {
	d.t.Helper()
	ws, err := d.dialWebSocket("mqtt")
	if err != nil {
		d.t.Fatal(err)
	}
	return &peer{t: d.t, Conn: websocket.NetConn(context.Background(), ws, websocket.MessageBinary)}
}

var transportStatements = []statement{
	{id: "MQTT-4.2.0-1", text: "the transport is an ordered, lossless stream of bytes both ways", check: func(t *testing.T, d *door) {
		p := d.device()
		for _, b := range publication(wire.KindStatus.Topic(p.uuid), 0, 0, "byte by byte") {
			p.send([]byte{b})
		}
		d.heard.await(t, "status", func(c call) bool { return c.payload == "byte by byte" })
	}},
	{id: "MQTT-6.0.0-1", text: "frames of text close the connection", check: func(t *testing.T, d *door) {
		ws, err := d.dialWebSocket("mqtt")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if err := ws.Write(ctx, websocket.MessageText, encode(hello(d.people.add()))); err != nil {
			t.Fatal(err)
		}
		if _, _, err := ws.Read(ctx); err == nil {
			t.Error("it was answered")
		}
	}},
	{id: "MQTT-6.0.0-2", text: "packets do not have to begin with a frame", check: func(t *testing.T, d *door) {
		p := d.overWebSocket()
		p.uuid = d.people.add()
		b := append(encode(hello(p.uuid)), publication(wire.KindStatus.Topic(p.uuid), 0, 0, "split")...)
		p.send(b[:7])
		p.send(b[7:40])
		p.send(b[40:])
		p.expect(packets.Connack)
		d.heard.await(t, "status", func(c call) bool { return c.payload == "split" })
	}},
	{id: "MQTT-6.0.0-3", text: "the client offers the subprotocol mqtt", check: func(t *testing.T, d *door) {
		for _, offers := range [][]string{nil, {"chat"}} {
			ws, err := d.dialWebSocket(offers...)
			if err != nil {
				continue
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			_ = ws.Write(ctx, websocket.MessageBinary, encode(hello(d.people.add())))
			if _, b, err := ws.Read(ctx); err == nil {
				t.Errorf("without the subprotocol: % x", b)
			}
		}
	}},
	{id: "MQTT-6.0.0-4", text: "the server answers with the subprotocol mqtt", check: func(t *testing.T, d *door) {
		ws, err := d.dialWebSocket("mqttv3.1", "mqtt")
		if err != nil || ws.Subprotocol() != "mqtt" {
			t.Errorf("%v %q", err, ws.Subprotocol())
		}
	}},
	{id: "MQTT-7.0.0-1", text: "a server that makes connections is a client too", moot: "the gateway makes none"},
	{id: "MQTT-7.0.0-2", text: "a transport that is ordered and lossless is served", check: func(t *testing.T, d *door) {
		d.device().expectNothing()
		p := d.overWebSocket()
		if code, _ := p.connect(hello(d.people.add())); code != 0 {
			t.Errorf("CONNACK %d", code)
		}
	}},
}

package gateway

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// transports gives a way to connect over each.
func (d *door) transports() map[Transport]func() *peer {
	addr, config, _ := d.serveTLS()
	return map[Transport]func() *peer{
		TransportTCP: d.dial,
		TransportTLS: func() *peer {
			c, err := tls.Dial("tcp", addr, config)
			if err != nil {
				d.t.Fatal(err)
			}
			d.t.Cleanup(func() { c.Close() })
			return &peer{t: d.t, Conn: c}
		},
		TransportWebSocket: d.overWebSocket,
	}
}

func TestTransports(t *testing.T) {
	d := mustOpen(t)
	for transport, dial := range d.transports() {
		t.Run(string(transport), func(t *testing.T) {
			again := dial
			dial := func() *peer { p := again(); p.t = t; return p }
			p := dial()
			p.uuid = d.people.add()
			if code, _ := p.connect(hello(p.uuid)); code != 0 {
				t.Fatalf("CONNACK %d", code)
			}
			c := d.heard.await(t, "connected", func(c call) bool { return c.uuid == p.uuid }).conn
			if c.Transport() != transport || !c.Address().Addr().IsLoopback() || c.ClientID() == "" || c.ID() == 0 ||
				time.Since(c.Since()) > patience || time.Since(c.LastPacket()) > patience {
				t.Errorf("connection %+v", c)
			}
			p.listen(1, wire.KindControl)
			for _, n := range []int{10, 2000, 5000, 100_000, 1 << 20} {
				payload := strings.Repeat("x", n)
				p.say(wire.KindFiles, 1, payload)
				d.heard.await(t, "files", func(c call) bool { return c.uuid == p.uuid && len(c.payload) == n })
			}
			d.mustPublish(p, wire.KindControl, "pause", 1)
			p.expectPublish()
			d.End(p.uuid)
			p.expectClosed()
			d.heard.await(t, "disconnected", func(c call) bool { return c.uuid == p.uuid && c.why == ReasonRevoked })

			// A refusal arrives though more was sent than is read.
			p = dial()
			h := hello(d.people.add())
			h.Password = []byte("wrong")
			p.send(encode(h), make([]byte, 20_000))
			if b := p.expect(packets.Connack); b[1] != 4 {
				t.Errorf("CONNACK %d", b[1])
			}
			p.expectClosed()

			p = dial()
			p.uuid = d.people.add()
			if code, _ := p.connect(hello(p.uuid)); code != 0 {
				t.Fatalf("CONNACK %d", code)
			}
			p.send([]byte{packets.Disconnect << 4, 0})
			p.expectClosed()
			d.heard.await(t, "disconnected", func(c call) bool { return c.uuid == p.uuid && c.why == ReasonClient })
		})
	}
}

func TestTransports_Close(t *testing.T) {
	d := mustOpen(t)
	var all []*peer
	for _, dial := range d.transports() {
		p := dial()
		p.uuid = d.people.add()
		if code, _ := p.connect(hello(p.uuid)); code != 0 {
			t.Fatalf("CONNACK %d", code)
		}
		all = append(all, p)
	}
	if err := d.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		p.expectClosed()
		d.heard.await(t, "disconnected", func(c call) bool { return c.uuid == p.uuid && c.why == ReasonStopping })
	}
	if _, err := net.Dial("tcp", d.addr); err == nil {
		t.Error("it still listens")
	}
	if err := d.Close(t.Context()); err != nil {
		t.Errorf("again: %v", err)
	}
}

func TestTransports_HalfOpen(t *testing.T) {
	d := mustOpen(t, func(g *Gateway) { g.Limits.ConnectTimeout = 300 * time.Millisecond })
	addr, _, _ := d.serveTLS()
	c, err := net.Dial("tcp", addr) // not even a handshake
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	(&peer{t: t, Conn: c}).expectClosed()
	d.overWebSocket().expectClosed()
	d.awaitMetric(2, "factor_mqtt_disconnects_total", "reason", string(ReasonUnfinished))
}

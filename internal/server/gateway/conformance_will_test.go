package gateway

import (
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/kangbyounggwan/factor/internal/wire"
)

func leavesWill(c *packets.ConnectPacket) {
	c.WillFlag, c.WillTopic, c.WillMessage = true, wire.KindPresence.Topic(c.Username), []byte("gone")
}

// willSpeaks gives a check that the will speaks when a device goes as how says.
func willSpeaks(speaks bool, change func(*packets.ConnectPacket), how func(d *door, p *peer)) func(*testing.T, *door) {
	return func(t *testing.T, d *door) {
		p := d.device(change)
		how(d, p)
		d.heard.await(t, "disconnected", func(c call) bool { return c.uuid == p.uuid })
		n := d.heard.count("presence")
		if speaks != (n == 1) {
			t.Fatalf("%d wills spoke", n)
		}
		if speaks {
			if c := d.heard.await(t, "presence", nil); c.payload != "gone" || !c.will {
				t.Errorf("%+v", c)
			}
		}
	}
}

func breaks(_ *door, p *peer)  { p.Close() }
func cheats(_ *door, p *peer)  { p.send([]byte{0, 0}) }
func partsOK(_ *door, p *peer) { p.send([]byte{packets.Disconnect << 4, 0}) }

var willStatements = []statement{
	{id: "MQTT-3.1.2-8", text: "a will speaks when the connection ends without DISCONNECT", check: alike(
		willSpeaks(true, leavesWill, breaks), willSpeaksAfresh(cheats),
		willSpeaksAfresh(func(d *door, p *peer) { d.login(p.uuid) }))},
	{id: "MQTT-3.1.2-9", text: "with a will flag, topic and message are there", check: alike(
		connects(-1, connectPacket, "MQTT", 4, 6, 0, 60, "a"), connects(-1, connectPacket, "MQTT", 4, 6, 0, 60, "a", "topic"))},
	{id: "MQTT-3.1.2-10", text: "a will speaks once", check: func(t *testing.T, d *door) {
		keep := func(c *packets.ConnectPacket) { c.CleanSession = false; leavesWill(c) }
		p := d.device(keep)
		p.Close()
		d.heard.await(t, "disconnected", nil)
		d.leave(d.login(p.uuid, func(c *packets.ConnectPacket) { c.CleanSession = false }))
		if n := d.heard.count("presence"); n != 1 {
			t.Errorf("the will spoke %d times", n)
		}
	}},
	{id: "MQTT-3.1.2-11", text: "without a will flag there is nothing of a will", check: alike(
		connects(-1, connectPacket, "MQTT", 4, 2|0x28, 0, 60, "a"), connects(-1, connectPacket, "MQTT", 4, 2, 0, 60, "a", "topic", "message"))},
	{id: "MQTT-3.1.2-12", text: "without a will flag nothing speaks", check: willSpeaks(false, func(*packets.ConnectPacket) {}, breaks)},
	{id: "MQTT-3.1.2-13", text: "without a will flag its QoS is 0", check: connects(-1, connectPacket, "MQTT", 4, 2|0x08, 0, 60, "a")},
	{id: "MQTT-3.1.2-14", text: "a will's QoS is not 3", check: connects(-1, connectPacket, "MQTT", 4, 6|0x18, 0, 60, "a", "t", "m")},
	{id: "MQTT-3.1.2-15", text: "without a will flag it is not retained", check: connects(-1, connectPacket, "MQTT", 4, 2|0x20, 0, 60, "a")},
	{id: "MQTT-3.1.2-16", text: "a will without retain is a plain message", check: willSpeaks(true, leavesWill, breaks)},
	{id: "MQTT-3.1.2-17", text: "a will with retain is published too", check: willSpeaks(true, func(c *packets.ConnectPacket) {
		leavesWill(c)
		c.WillRetain, c.WillQos = true, 2
	}, breaks)},
	{id: "MQTT-3.1.3-10", text: "the will's topic is UTF-8", check: connects(-1, connectPacket, "MQTT", 4, 6, 0, 60, "a", "\xff", "m")},
	{id: "MQTT-3.14.4-3", text: "DISCONNECT discards the will", check: willSpeaks(false, leavesWill, partsOK)},
}

// willSpeaksAfresh is willSpeaks in a gateway of its own, so that wills are counted alone.
func willSpeaksAfresh(how func(d *door, p *peer)) func(*testing.T, *door) {
	return func(t *testing.T, _ *door) { willSpeaks(true, leavesWill, how)(t, mustOpen(t)) }
}

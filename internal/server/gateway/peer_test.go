package gateway

import (
	"bytes"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/kangbyounggwan/factor/internal/wire"
)

func encodePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// peer is a client that can also break every rule.
type peer struct {
	t *testing.T
	net.Conn
	uuid string
}

// dial opens a connection and says nothing.
func (d *door) dial() *peer {
	d.t.Helper()
	c, err := net.Dial("tcp", d.addr)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { c.Close() })
	return &peer{t: d.t, Conn: c}
}

// hello is a CONNECT of a device with its token, clean session, keep-alive 60 s.
func hello(uuid string) *packets.ConnectPacket {
	p := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	p.ProtocolName, p.ProtocolVersion, p.CleanSession, p.Keepalive = "MQTT", 4, true, 60
	p.ClientIdentifier = "c-" + uuid[:8]
	p.UsernameFlag, p.PasswordFlag, p.Username, p.Password = true, true, uuid, []byte("token-"+uuid)
	return p
}

// anonymous is the CONNECT of the published plugin out of the box.
func anonymous() *packets.ConnectPacket {
	p := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	p.ProtocolName, p.ProtocolVersion, p.CleanSession, p.Keepalive = "MQTT", 4, true, 60
	return p
}

// login connects as a device that is registered, and waits until it is in.
func (d *door) login(uuid string, change ...func(*packets.ConnectPacket)) *peer {
	d.t.Helper()
	p := hello(uuid)
	for _, f := range change {
		f(p)
	}
	c := d.dial()
	c.uuid = uuid
	if code, _ := c.connect(p); code != 0 {
		d.t.Fatalf("CONNACK %d", code)
	}
	return c
}

// device registers a new device and logs it in.
func (d *door) device(change ...func(*packets.ConnectPacket)) *peer {
	d.t.Helper()
	return d.login(d.people.add(), change...)
}

// connect sends a CONNECT and gives the answer.
func (p *peer) connect(c *packets.ConnectPacket) (code byte, sessionPresent bool) {
	p.t.Helper()
	p.send(encode(c))
	body := p.expect(packets.Connack)
	return body[1], body[0]&1 != 0
}

// send writes bytes as they are.
func (p *peer) send(b ...[]byte) {
	p.t.Helper()
	_ = p.SetWriteDeadline(time.Now().Add(patience))
	if _, err := p.Write(bytes.Join(b, nil)); err != nil {
		p.t.Fatalf("send: %v", err)
	}
}

// next reads a packet: its first byte and its body.
func (p *peer) next() (first byte, body []byte, err error) {
	_ = p.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 5)
	n := 0
	for {
		if _, err := io.ReadFull(p, b[n:n+1]); err != nil {
			return 0, nil, err
		}
		n++
		if n > 1 && b[n-1]&0x80 == 0 {
			break
		}
	}
	length := 0
	for i, d := range b[1:n] {
		length |= int(d&0x7f) << (7 * i)
	}
	body = make([]byte, length)
	_, err = io.ReadFull(p, body)
	return b[0], body, err
}

// expect reads a packet of a type and gives its body.
func (p *peer) expect(packet byte) []byte {
	p.t.Helper()
	first, body, err := p.next()
	if err != nil {
		p.t.Fatalf("waiting for %s: %v", packets.PacketNames[packet], err)
	}
	if first>>4 != packet {
		p.t.Fatalf("got %s % x, want %s", packets.PacketNames[first>>4], body, packets.PacketNames[packet])
	}
	return body
}

// expectPublish reads a PUBLISH.
func (p *peer) expectPublish() *packets.PublishPacket {
	p.t.Helper()
	first, body, err := p.next()
	if err != nil || first>>4 != packets.Publish {
		p.t.Fatalf("waiting for PUBLISH: got %x % x, %v", first, body, err)
	}
	q := &packets.PublishPacket{FixedHeader: packets.FixedHeader{MessageType: packets.Publish, Dup: first&8 != 0,
		Qos: first >> 1 & 3, Retain: first&1 != 0, RemainingLength: len(body)}}
	if err := q.Unpack(bytes.NewReader(body)); err != nil && !(errors.Is(err, io.EOF) && len(q.Payload) == 0) {
		p.t.Fatal(err)
	}
	return q
}

// expectClosed waits for the end of the connection. Packets that come before are read over.
func (p *peer) expectClosed() {
	p.t.Helper()
	for {
		_, _, err := p.next()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			p.t.Fatal("the connection was not closed")
		}
		if err != nil {
			return
		}
	}
}

// expectNothing makes sure that nothing is on its way: what was sent before a PINGRESP arrives before it.
func (p *peer) expectNothing() {
	p.t.Helper()
	p.send([]byte{packets.Pingreq << 4, 0})
	p.expect(packets.Pingresp)
}

// subscribe subscribes topics and gives the codes.
func (p *peer) subscribe(qos byte, topics ...string) []byte {
	p.t.Helper()
	s := packets.NewControlPacket(packets.Subscribe).(*packets.SubscribePacket)
	s.MessageID = 77
	for _, t := range topics {
		s.Topics, s.Qoss = append(s.Topics, t), append(s.Qoss, qos)
	}
	p.send(encode(s))
	body := p.expect(packets.Suback)
	if body[0] != 0 || body[1] != 77 {
		p.t.Fatalf("SUBACK has the packet identifier % x", body[:2])
	}
	return body[2:]
}

// listen subscribes the device's own topic of a kind.
func (p *peer) listen(qos byte, kinds ...wire.Kind) {
	p.t.Helper()
	for _, k := range kinds {
		if code := p.subscribe(qos, k.Topic(p.uuid)); code[0] != qos {
			p.t.Fatalf("SUBACK %x for %s", code, k.Topic(p.uuid))
		}
	}
}

// publication is a PUBLISH, encoded.
func publication(topic string, qos byte, id uint16, payload string) []byte {
	return encodePublish(topic, []byte(payload), qos, id, false)
}

// say publishes on the device's own topic of a kind and waits for the acknowledgement of QoS 1.
func (p *peer) say(kind wire.Kind, qos byte, payload string) {
	p.t.Helper()
	p.send(publication(kind.Topic(p.uuid), qos, 5, payload))
	if qos == 1 {
		if id := p.expect(packets.Puback); id[1] != 5 {
			p.t.Fatalf("PUBACK for % x", id)
		}
	}
}

// raw is a packet with its length in front, of a first byte and pieces of a body.
func raw(first byte, pieces ...any) []byte {
	var body []byte
	for _, x := range pieces {
		switch x := x.(type) {
		case int:
			body = append(body, byte(x))
		case string: // with its length
			body = append(body, byte(len(x)>>8), byte(len(x)))
			body = append(body, x...)
		case []byte:
			body = append(body, x...)
		}
	}
	b := []byte{first}
	for n := len(body); ; {
		d := byte(n & 0x7f)
		if n >>= 7; n > 0 {
			b = append(b, d|0x80)
			continue
		}
		return append(append(b, d), body...)
	}
}

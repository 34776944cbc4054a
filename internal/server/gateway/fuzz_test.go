package gateway

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// fuzzUUID is the one device that fuzzed conversations know.
const fuzzUUID = "0f0e0d0c-0b0a-4908-8706-050403020100"

// stage is a gateway for fuzzing: one device, short deadlines, over pipes.
func stage(t testing.TB) *Gateway {
	t.Helper()
	g := &Gateway{Registry: fuzzRegistry{}, Sink: quiet{}, UUIDLogin: true,
		Limits: Limits{ConnectTimeout: 200 * time.Millisecond, WriteTimeout: 200 * time.Millisecond,
			MaxIdle: 200 * time.Millisecond, MessagesPerSecond: 1e6, MessageBurst: 1e6, BytesPerSecond: 1e9, ByteBurst: 1e9}}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := g.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return g
}

type fuzzRegistry struct{}

func (fuzzRegistry) Login(_ context.Context, uuid, token string, _ netip.Addr) (Device, error) {
	if uuid != fuzzUUID || token != "token" {
		return Device{}, ErrBadLogin
	}
	return Device{ID: "d", UUID: uuid, Authenticated: true}, nil
}

func (fuzzRegistry) LoginByUUID(_ context.Context, uuid string, _ netip.Addr) (Device, error) {
	if uuid != fuzzUUID {
		return Device{}, ErrNotRegistered
	}
	return Device{ID: "d", UUID: uuid}, nil
}

// quiet is a Sink that checks that only what belongs to the device arrives, and reads every payload.
type quiet struct{}

func (quiet) Connected(d Device, c Conn) {
	mustOwn(d)
	_ = c.Publish(wire.KindControl, []byte("hello"), 1)
}
func (quiet) Subscribed(d Device, _ wire.Kind) { mustOwn(d) }
func (quiet) Status(d Device, p []byte, _ time.Time) {
	mustOwn(d)
	if len(p) > wire.MaxStatus {
		panic("status beyond the limit")
	}
}
func (quiet) Event(_ context.Context, d Device, p []byte, _ time.Time) error { return small(d, p) }
func (quiet) Presence(_ context.Context, d Device, p []byte, _ time.Time, _ bool) error {
	return small(d, p)
}
func (quiet) Files(_ context.Context, d Device, _ []byte, _ time.Time) error { mustOwn(d); return nil }
func (quiet) RegistrationAck(_ context.Context, d Device, p []byte, _ time.Time) error {
	return small(d, p)
}
func (quiet) ControlResult(_ context.Context, d Device, p []byte, _ time.Time) error {
	return small(d, p)
}
func (quiet) GcodeOut(_ context.Context, d Device, p []byte, _ time.Time) error { return small(d, p) }
func (quiet) CameraState(_ context.Context, d Device, p []byte, _ time.Time) error {
	return small(d, p)
}

func (quiet) Transfer(_ context.Context, d Device, p []byte, _ time.Time) error {
	return small(d, p)
}

func (quiet) Terminal(_ context.Context, d Device, p []byte, _ time.Time) error {
	return small(d, p)
}
func (quiet) Disconnected(d Device, _ Conn, _ Reason) { mustOwn(d) }
func (quiet) Contested(string, netip.Addr)            {}

func mustOwn(d Device) {
	if d.UUID != fuzzUUID {
		panic("a device that nobody registered: " + d.UUID)
	}
}

func small(d Device, p []byte) error {
	mustOwn(d)
	if len(p) > wire.MaxSmall {
		panic("payload beyond the limit")
	}
	if len(p) == 1 && p[0] == 'E' {
		return errStore
	}
	return nil
}

// converse plays bytes to a gateway and gives its answers. The gateway must end the connection in the end, and what it
// answers must be packets, the first a CONNACK.
func converse(t *testing.T, g *Gateway, b []byte) []byte {
	t.Helper()
	before := g.failures()
	client, server := net.Pipe()
	go g.ServeConn(server)
	answers := make(chan []byte)
	go func() {
		_ = client.SetReadDeadline(time.Now().Add(patience))
		all, _ := io.ReadAll(client)
		answers <- all
	}()
	_ = client.SetWriteDeadline(time.Now().Add(patience))
	_, _ = client.Write(b)
	_, _ = client.Write([]byte{packets.Disconnect << 4, 0})
	all := <-answers
	client.Close()
	for i, rest := 0, all; len(rest) > 0; i++ {
		h, more, err := answerHeader(rest)
		if more || err != nil || len(rest) < h.size+h.length {
			t.Fatalf("the answers are no packets: % x", all)
		}
		if (h.packet() == packets.Connack) != (i == 0) {
			t.Fatalf("CONNACK is not the first answer, and that only: % x", all)
		}
		rest = rest[h.size+h.length:]
	}
	if g.failures() != before {
		t.Fatal("a panic inside")
	}
	return all
}

// answerHeader is parseHeader for what a server sends.
func answerHeader(b []byte) (h header, more bool, err error) {
	if len(b) < 2 {
		return h, true, nil
	}
	h.first = b[0]
	p := []byte{packets.Publish << 4}
	q, more, err := parseHeader(append(p, b[1:min(len(b), 5)]...))
	h.size, h.length = q.size, q.length
	return h, more, err
}

// failures counts the panics that guarded caught: fuzzed payloads never make the sink fail but by an E.
func (g *Gateway) failures() int {
	g.initialize()
	return int(g.panics.Load())
}

// asDevice is what comes before a packet of a device that is logged in.
func asDevice() []byte {
	h := hello(fuzzUUID)
	h.Password = []byte("token")
	h.Keepalive = 0
	return append(encode(h), raw(subscribePacket, 0, 1, "control/"+fuzzUUID, 1, "device/"+fuzzUUID+"/time/reply", 0)...)
}

// fuzzPacket fuzzes the body of one type of packet, sent by a device that is logged in.
func fuzzPacket(f *testing.F, first byte, seeds ...[]byte) {
	for _, s := range seeds {
		f.Add(first, s[bodyAt(s):])
	}
	f.Fuzz(func(t *testing.T, flags byte, body []byte) {
		if len(body) > 1<<16 {
			return
		}
		converse(t, stage(t), append(asDevice(), raw(first&0xf0|flags&0x0f, body)...))
	})
}

func bodyAt(b []byte) int {
	h, _, _ := answerHeader(b)
	return h.size
}

func FuzzPublish(f *testing.F) {
	fuzzPacket(f, publishPacket,
		publication(wire.KindStatus.Topic(fuzzUUID), 0, 0, `{"state":{"text":"Operational"}}`),
		publication(wire.KindEvent.Topic(fuzzUUID), 1, 7, "E"),
		publication(wire.KindTime.Topic(fuzzUUID), 0, 0, `{"t0":1}`),
		publication(wire.KindTime.Topic(fuzzUUID), 0, 0, `{"t0":1e999}`),
		publication("octoprint/temperature", 0, 0, "x"), raw(publishPacket), raw(publishPacket, 0xff, 0xff))
}

func FuzzSubscribe(f *testing.F) {
	fuzzPacket(f, subscribePacket, raw(subscribePacket, 0, 2, "control/"+fuzzUUID, 1), raw(subscribePacket, 0, 2, "#", 0),
		raw(subscribePacket, 0, 2, "control/"+fuzzUUID), raw(subscribePacket))
}

func FuzzUnsubscribe(f *testing.F) {
	fuzzPacket(f, unsubscribePacket, raw(unsubscribePacket, 0, 2, "control/"+fuzzUUID), raw(unsubscribePacket, 0, 2))
}

func FuzzPuback(f *testing.F) {
	fuzzPacket(f, packets.Puback<<4, raw(0x40, 0, 1), raw(0x40, 0xff, 0xff), raw(0x40))
}
func FuzzPubrec(f *testing.F)  { fuzzPacket(f, packets.Pubrec<<4, raw(0x50, 0, 1)) }
func FuzzPubrel(f *testing.F)  { fuzzPacket(f, packets.Pubrel<<4|2, raw(0x62, 0, 1), raw(0x62)) }
func FuzzPubcomp(f *testing.F) { fuzzPacket(f, packets.Pubcomp<<4, raw(0x70, 0, 1)) }
func FuzzPingreq(f *testing.F) { fuzzPacket(f, packets.Pingreq<<4, raw(0xc0), raw(0xc0, 1)) }

func FuzzDisconnect(f *testing.F) {
	fuzzPacket(f, packets.Disconnect<<4, raw(0xe0), raw(0xe0, 0))
}

// FuzzServerPackets fuzzes the types that only a server sends, and the reserved ones.
func FuzzServerPackets(f *testing.F) {
	for _, first := range []byte{0, packets.Connack << 4, packets.Suback << 4, packets.Unsuback << 4, packets.Pingresp << 4, 0xf0} {
		f.Add(first, []byte{0, 1})
	}
	f.Fuzz(func(t *testing.T, first byte, body []byte) {
		if len(body) <= 1<<16 {
			converse(t, stage(t), append(asDevice(), raw(first, body)...))
		}
	})
}

// FuzzConnect fuzzes the first packet.
func FuzzConnect(f *testing.F) {
	will := hello(fuzzUUID)
	leavesWill(will)
	will.Password = []byte("token")
	for _, b := range [][]byte{encode(anonymous()), encode(hello(fuzzUUID)), encode(will), raw(connectPacket, "MQIsdp", 3, 2, 0, 60, "a"),
		raw(connectPacket, "MQTT", 5, 2, 0, 60, 0, "a"), raw(connectPacket, "MQTT", 4, 0xff, 0, 60, "a"), raw(connectPacket)} {
		f.Add(byte(0), b[bodyAt(b):])
	}
	f.Fuzz(func(t *testing.T, flags byte, body []byte) {
		if len(body) <= 1<<16 {
			converse(t, stage(t), raw(connectPacket|flags&0x0f, body))
		}
	})
}

// FuzzHeader fuzzes the first bytes of a packet, and holds them to Paho's reading of them.
func FuzzHeader(f *testing.F) {
	f.Add([]byte{0xc0, 0})
	f.Add([]byte{0x30, 0xff, 0xff, 0xff, 0x7f})
	f.Add([]byte{0x30, 0x80, 0x80, 0x80, 0x80, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 2 {
			return
		}
		h, more, err := parseHeader(b[:min(len(b), 5)])
		if more || err != nil {
			return
		}
		if h.size < 2 || h.size > 5 || h.length < 0 || h.length > 268435455 {
			t.Fatalf("%+v", h)
		}
		if h.length < 1<<16 {
			p, err := packets.ReadPacket(bytes.NewReader(append(b[:h.size:h.size], make([]byte, h.length)...)))
			if err == nil && p.Details().Qos > 2 {
				t.Fatalf("%v", p)
			}
		}
	})
}

// FuzzConversation fuzzes whole conversations: any bytes from the first on.
func FuzzConversation(f *testing.F) {
	status := publication(wire.KindStatus.Topic(fuzzUUID), 0, 0, `{"ts":1}`)
	event := publication(wire.KindEvent.Topic(fuzzUUID), 2, 3, `{"seq":1}`)
	subscribe := raw(subscribePacket, 0, 4, "control/"+fuzzUUID, 1, "device/"+fuzzUUID+"/registration", 1)
	f.Add(asDevice())
	f.Add(append(asDevice(), status...))
	f.Add(bytes.Join([][]byte{asDevice(), event, event, raw(0x62, 0, 3), status, raw(0xc0), raw(0x40, 0, 1)}, nil))
	f.Add(bytes.Join([][]byte{encode(anonymous()), status, subscribe, status, event, raw(0xe0)}, nil))
	f.Add(bytes.Join([][]byte{encode(anonymous()), raw(subscribePacket, 0, 4, "control/1f0e0d0c-0b0a-4908-8706-050403020100", 1), status}, nil))
	f.Add([]byte("GET /mqtt HTTP/1.1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) <= 1<<17 {
			converse(t, stage(t), b)
		}
	})
}

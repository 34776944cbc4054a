package gateway

import (
	"errors"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// errMalformed ends a connection: after it nobody knows where the next packet begins.
var errMalformed = errors.New("malformed packet")

// header is a packet's fixed header (OASIS MQTT 3.1.1, 2.2).
type header struct {
	first  byte
	size   int // bytes of the header itself, 2…5
	length int // bytes that follow it
}

func (h header) packet() byte { return h.first >> 4 }
func (h header) dup() bool    { return h.first&8 != 0 }
func (h header) qos() byte    { return h.first >> 1 & 3 }

// parseHeader reads a header from the first bytes of a packet. more is true when it needs another byte.
func parseHeader(b []byte) (h header, more bool, err error) {
	h.first = b[0]
	for i, digit := range b[1:] {
		if i == 4 {
			break
		}
		h.length |= int(digit&0x7f) << (7 * i)
		if digit&0x80 == 0 {
			h.size = i + 2
			return h, false, h.check()
		}
	}
	if len(b) >= 5 {
		return h, false, errMalformed
	}
	return h, true, nil
}

// Flags that table 2.2 demands, and the lengths that leave no choice. -1: any.
var fixedPackets = [16]struct {
	known  bool
	flags  int
	length int
}{
	packets.Connect:     {true, 0, -1},
	packets.Publish:     {true, -1, -1},
	packets.Puback:      {true, 0, 2},
	packets.Pubrec:      {true, 0, 2},
	packets.Pubrel:      {true, 2, 2},
	packets.Pubcomp:     {true, 0, 2},
	packets.Subscribe:   {true, 2, -1},
	packets.Unsubscribe: {true, 2, -1},
	packets.Pingreq:     {true, 0, 0},
	packets.Disconnect:  {true, 0, 0},
}

// check refuses packets that a server never gets and flags that are reserved.
func (h header) check() error {
	f := fixedPackets[h.packet()]
	switch {
	case !f.known,
		f.flags >= 0 && int(h.first&15) != f.flags,
		f.length >= 0 && h.length != f.length,
		h.packet() == packets.Publish && h.qos() == 3,
		h.packet() == packets.Publish && h.qos() == 0 && h.dup():
		return errMalformed
	}
	return nil
}

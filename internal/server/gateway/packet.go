package gateway

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// strictReader gives what was asked for or an error: Paho's decoders take a short read for a whole one.
type strictReader struct{ b []byte }

func (r *strictReader) Read(p []byte) (int, error) {
	if len(p) > len(r.b) {
		return 0, io.ErrUnexpectedEOF
	}
	copy(p, r.b)
	r.b = r.b[len(p):]
	return len(p), nil
}

// unpack decodes the body of a packet into p. Every length in it was checked before Paho allocates for one, and
// nothing may be left over.
func unpack(p packets.ControlPacket, body []byte) error {
	fits := true
	switch p.(type) {
	case *packets.ConnectPacket:
		fits = connectFits(body)
	case *packets.SubscribePacket:
		fits = len(body) >= 2 && stringsFit(body[2:], 1)
	case *packets.UnsubscribePacket:
		fits = len(body) >= 2 && stringsFit(body[2:], 0)
	}
	if !fits {
		return errMalformed
	}
	r := strictReader{body}
	if err := p.Unpack(&r); err != nil || len(r.b) > 0 {
		return errMalformed
	}
	return nil
}

// connectFits checks the lengths inside a CONNECT: a protocol name, four bytes, then only strings.
func connectFits(b []byte) bool {
	if len(b) < 2 {
		return false
	}
	name := 2 + int(binary.BigEndian.Uint16(b))
	return len(b) >= name+4 && stringsFit(b[name+4:], 0)
}

// stringsFit tells whether b is a row of strings with their lengths in front, each followed by tail bytes.
func stringsFit(b []byte, tail int) bool {
	for len(b) > 0 {
		if len(b) < 2 {
			return false
		}
		n := 2 + int(binary.BigEndian.Uint16(b)) + tail
		if len(b) < n {
			return false
		}
		b = b[n:]
	}
	return true
}

// validText tells whether s is text as 1.5.3 of the specification wants it: UTF-8 without U+0000.
func validText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// encode writes a packet out.
func encode(p packets.ControlPacket) []byte {
	var b bytes.Buffer
	_ = p.Write(&b) // a bytes.Buffer takes everything
	return b.Bytes()
}

var pingResponse = []byte{packets.Pingresp << 4, 0}

// acknowledgement is PUBACK, PUBREC, PUBCOMP or UNSUBACK: a type and a packet identifier.
func acknowledgement(packet byte, id uint16) []byte {
	return []byte{packet << 4, 2, byte(id >> 8), byte(id)}
}

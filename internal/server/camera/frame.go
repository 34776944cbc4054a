package camera

import (
	"bytes"
	"sync"
	"time"

	"github.com/pion/rtp"

	"github.com/bluenviron/gortsplib/v5/pkg/format/rtph264"
)

// frame is one access unit of H.264 or one JPEG. It is shared by everybody who looks and never changes.
type frame struct {
	kind     frameKind
	key      bool
	at       time.Time // when it was captured, as well as the server can tell
	received time.Time
	data     []byte   // a JPEG, or H.264 in Annex B form
	units    [][]byte // of H.264: its NAL units, parts of data
	seq      uint64   // within the stream

	packing sync.Once
	packets []*rtp.Packet
}

type frameKind byte

const (
	frameH264 frameKind = iota + 1
	frameJPEG
)

// payloadMax keeps RTP packets below the path MTU of those who come through a tunnel: 1188 bytes with headers of RTP,
// SRTP, UDP and IPv6 are 1280.
const payloadMax = 1188

// packed gives the frame as RTP payloads, made once for all viewers.
func (f *frame) packed() []*rtp.Packet {
	f.packing.Do(func() {
		units := make([][]byte, 0, len(f.units))
		for _, u := range f.units {
			if t := unitType(u); t != unitDelimiter && t != unitFiller {
				units = append(units, u)
			}
		}
		if len(units) == 0 {
			return
		}
		e := rtph264.Encoder{PayloadType: 96, PayloadMaxSize: payloadMax, PacketizationMode: 1, SSRC: new(uint32), InitialSequenceNumber: new(uint16)}
		if e.Init() == nil {
			f.packets, _ = e.Encode(units) // without units alone it fails
		}
	})
	return f.packets
}

// isJPEG tells whether b begins and ends as a JPEG does (ISO 10918-1, B.1.1.3: SOI, EOI).
func isJPEG(b []byte) bool {
	return len(b) > 100 && bytes.HasPrefix(b, []byte{0xff, 0xd8, 0xff}) && bytes.Contains(b[len(b)-min(len(b), 1024):], []byte{0xff, 0xd9})
}

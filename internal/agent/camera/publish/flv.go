package publish

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// flv reads the H.264 of an FLV stream, as ffmpeg writes it: it tells where each picture ends, and its time.
// Adobe Flash Video File Format Specification 10.1, annex E.
type flv struct {
	in   *bufio.Reader
	sets [][]byte // parameter sets that go before the next picture
	head bool     // the file header has been read
}

var errFLV = errors.New("malformed FLV")

const tagVideo = 9

// next gives the next access unit and its time.
func (f *flv) next() (ms uint32, unit [][]byte, err error) {
	if !f.head {
		var header [13]byte
		if _, err := io.ReadFull(f.in, header[:]); err != nil {
			return 0, nil, err
		}
		if string(header[:3]) != "FLV" {
			return 0, nil, errFLV
		}
		f.head = true
	}
	for {
		var tag [11]byte
		if _, err := io.ReadFull(f.in, tag[:]); err != nil {
			return 0, nil, err
		}
		size := int(tag[1])<<16 | int(tag[2])<<8 | int(tag[3])
		if size > wire.MaxAccessUnit {
			return 0, nil, errFLV
		}
		body := make([]byte, size+4) // and the tag's size once more
		if _, err := io.ReadFull(f.in, body); err != nil {
			return 0, nil, err
		}
		body = body[:size]
		if tag[0] != tagVideo || size < 5 || body[0]&0x0f != 7 { // 7: AVC
			continue
		}
		ms = uint32(tag[7])<<24 | uint32(tag[4])<<16 | uint32(tag[5])<<8 | uint32(tag[6])
		switch body[1] {
		case 0:
			if f.sets, err = setsOf(body[5:]); err != nil {
				return 0, nil, err
			}
		case 1:
			if unit, err = split(body[5:]); err != nil {
				return 0, nil, err
			}
			unit = append(f.sets, unit...)
			f.sets = nil
			return ms, unit, nil
		}
	}
}

// setsOf gives the parameter sets of an AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1).
func setsOf(b []byte) (sets [][]byte, err error) {
	if len(b) < 6 {
		return nil, errFLV
	}
	count := int(b[5] & 0x1f)
	b = b[6:]
	for kind := range 2 { // SPS, then PPS
		for range count {
			if len(b) < 2 {
				return nil, errFLV
			}
			n := int(binary.BigEndian.Uint16(b))
			if n == 0 || len(b) < 2+n {
				return nil, errFLV
			}
			sets = append(sets, b[2:2+n])
			b = b[2+n:]
		}
		if kind == 0 {
			if len(b) < 1 {
				return nil, errFLV
			}
			count = int(b[0])
			b = b[1:]
		}
	}
	return sets, nil
}

// split gives the NAL units that stand one behind the other, each after its length in four bytes, as ffmpeg writes it.
func split(b []byte) (unit [][]byte, err error) {
	for len(b) > 0 {
		if len(b) < 4 {
			return nil, errFLV
		}
		n := int(binary.BigEndian.Uint32(b))
		if n <= 0 || n > len(b)-4 {
			return nil, errFLV
		}
		unit = append(unit, b[4:4+n])
		b = b[4+n:]
	}
	return unit, nil
}

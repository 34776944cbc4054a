package camera

import (
	"errors"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
)

// Types of NAL units (ITU-T H.264, table 7-1).
const (
	unitSlice     = 1
	unitIDR       = 5
	unitSPS       = 7
	unitPPS       = 8
	unitDelimiter = 9
	unitFiller    = 12
)

// maxUnits bounds the NAL units of one access unit: a picture has a few slices, and this is many times of that.
const maxUnits = 512

var errH264 = errors.New("no access unit of H.264")

func unitType(u []byte) byte {
	if len(u) == 0 {
		return 0
	}
	return u[0] & 0x1f
}

// splitAnnexB takes an access unit in Annex B form apart (ITU-T H.264, B.1). The units are parts of b.
func splitAnnexB(b []byte) ([][]byte, error) {
	var units [][]byte
	start := -1
	for i := 0; i+2 < len(b); {
		switch {
		case b[i+2] > 1: // no start code can begin at any of these three
			i += 3
		case b[i] == 0 && b[i+1] == 0 && b[i+2] == 1:
			if start < 0 && !zeros(b[:i]) {
				return nil, errH264
			}
			if start >= 0 {
				units = appendUnit(units, b[start:i])
			}
			if len(units) > maxUnits {
				return nil, errH264
			}
			i += 3
			start = i
		default:
			i++
		}
	}
	if start < 0 {
		return nil, errH264
	}
	units = appendUnit(units, b[start:])
	if len(units) == 0 || len(units) > maxUnits {
		return nil, errH264
	}
	return units, nil
}

// appendUnit appends a unit without the zeros that belong to the next start code.
func appendUnit(units [][]byte, u []byte) [][]byte {
	for len(u) > 0 && u[len(u)-1] == 0 {
		u = u[:len(u)-1]
	}
	if len(u) == 0 {
		return units
	}
	return append(units, u)
}

func zeros(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// parameters are what a decoder must know before the first picture.
type parameters struct {
	sps, pps []byte
	width    int
	height   int
	fps      float64
	bFrames  bool // there was a picture that needs a later one, which WebRTC cannot carry
}

// learn takes the parameter sets of an access unit in, and tells whether it is a picture that can be decoded by itself
// and whether it holds a picture at all.
func (p *parameters) learn(units [][]byte) (key, picture bool) {
	for _, u := range units {
		switch unitType(u) {
		case unitSPS:
			if string(u) != string(p.sps) {
				p.takeSPS(u)
			}
		case unitPPS:
			if string(u) != string(p.pps) {
				p.pps = append([]byte(nil), u...)
			}
		case unitIDR:
			key, picture = true, true
		case unitSlice, 2, 3, 4:
			picture = true
			p.bFrames = p.bFrames || isB(u)
		}
	}
	return key, picture
}

func (p *parameters) takeSPS(u []byte) {
	var s h264.SPS
	if s.Unmarshal(u) != nil {
		return
	}
	p.sps = append([]byte(nil), u...)
	p.width, p.height, p.fps = s.Width(), s.Height(), s.FPS()
}

// complete puts the parameter sets in front of an IDR picture that lacks them.
func (p *parameters) complete(units [][]byte) [][]byte {
	hasSPS, hasPPS := false, false
	for _, u := range units {
		hasSPS = hasSPS || unitType(u) == unitSPS
		hasPPS = hasPPS || unitType(u) == unitPPS
	}
	if hasSPS && hasPPS || p.sps == nil || p.pps == nil {
		return units
	}
	whole := make([][]byte, 0, len(units)+2)
	whole = append(whole, p.sps, p.pps)
	for _, u := range units {
		if t := unitType(u); t != unitSPS && t != unitPPS {
			whole = append(whole, u)
		}
	}
	return whole
}

// appendAnnexB writes units with start codes between them.
func appendAnnexB(b []byte, units [][]byte) []byte {
	for _, u := range units {
		b = append(b, 0, 0, 0, 1)
		b = append(b, u...)
	}
	return b
}

// isB tells whether a slice is one of a B picture: slice_type 1 or 6 (ITU-T H.264, 7.3.3 and table 7-6).
func isB(slice []byte) bool {
	r := bits{b: slice[1:min(len(slice), 16)]}
	r.golomb() // first_mb_in_slice
	t := r.golomb()
	return !r.over && (t == 1 || t == 6)
}

// bits reads Exp-Golomb numbers (ITU-T H.264, 9.1).
type bits struct {
	b    []byte
	at   int // bit
	over bool
}

func (r *bits) bit() uint {
	if r.at >= 8*len(r.b) {
		r.over = true
		return 1
	}
	v := uint(r.b[r.at/8]>>(7-r.at%8)) & 1
	r.at++
	return v
}

func (r *bits) golomb() uint {
	n := 0
	for r.bit() == 0 {
		if n++; n > 31 {
			r.over = true
			return 0
		}
	}
	v := uint(1)
	for range n {
		v = v<<1 | r.bit()
	}
	return v - 1
}

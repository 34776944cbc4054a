package publish

import (
	"slices"

	"github.com/bluenviron/mediacommon/v2/pkg/bits"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"github.com/kangbyounggwan/factor/internal/agent/camera"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// video knows of an H.264 stream what a viewer needs who comes in the middle: its parameter sets.
type video struct {
	sps           []byte
	pps           [][]byte // some cameras have several
	width, height int
	fps           float64 // as the parameter set says; 0 where it does not
	bFrames       bool
}

const maxPPS = 16

// take gives an access unit as it goes over the link: in Annex B form, parameter sets before each IDR picture, without
// what carries no picture. An empty result has none. It tells whether what is known of the stream has changed.
func (v *video) take(unit [][]byte) (data []byte, key, changed bool) {
	kept := make([][]byte, 0, len(unit)+2)
	picture, inBand := false, false
	var pps [][]byte
	for _, n := range unit {
		if len(n) == 0 {
			continue
		}
		switch h264.NALUType(n[0] & 0x1f) {
		case h264.NALUTypeAccessUnitDelimiter, h264.NALUTypeFillerData, h264.NALUTypeEndOfSequence, h264.NALUTypeEndOfStream:
			continue
		case h264.NALUTypeSPS:
			changed = v.sized(n) || changed
			inBand = true
			continue // it goes to the front, once
		case h264.NALUTypePPS:
			pps = append(pps, n)
			continue
		case h264.NALUTypeIDR:
			key, picture = true, true
		case h264.NALUTypeNonIDR, h264.NALUTypeDataPartitionA:
			picture = true
			if !v.bFrames && isB(n) {
				v.bFrames, changed = true, true
			}
		}
		kept = append(kept, n)
	}
	if len(pps) > 0 && len(pps) <= maxPPS {
		v.pps, inBand = pps, true
	}
	if !picture || (key && (v.sps == nil || v.pps == nil)) {
		return nil, false, changed
	}
	if (key || inBand) && v.sps != nil {
		kept = slices.Concat([][]byte{v.sps}, v.pps, kept)
	}
	data = camera.AnnexB(kept)
	if len(data) > wire.MaxAccessUnit {
		return nil, false, changed
	}
	return data, key, changed
}

// sized takes a sequence parameter set.
func (v *video) sized(set []byte) (changed bool) {
	if string(set) == string(v.sps) {
		return false
	}
	v.sps = set
	var s h264.SPS
	if s.Unmarshal(set) != nil {
		return false
	}
	w, h, fps := s.Width(), s.Height(), s.FPS()
	if fps < 0 || fps > 240 {
		fps = 0
	}
	changed = w != v.width || h != v.height || fps != v.fps
	v.width, v.height, v.fps = w, h, fps
	return changed
}

// isB tells whether a slice is of a picture that needs a later one: its slice_type is 1 or 6 (ITU-T H.264, 7.4.3).
func isB(slice []byte) bool {
	begin := h264.EmulationPreventionRemove(slice[1:min(len(slice), 16)])
	pos := 0
	if _, err := bits.ReadGolombUnsigned(begin, &pos); err != nil { // first_mb_in_slice
		return false
	}
	kind, err := bits.ReadGolombUnsigned(begin, &pos)
	return err == nil && (kind == 1 || kind == 6)
}

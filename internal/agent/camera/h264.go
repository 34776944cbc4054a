package camera

import (
	"slices"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
)

// Parameters are the newest parameter sets of a video, which a decoder needs before a key frame. They are looked at in
// the camera's own order: VPS (H.265 only), SPS, PPS.
type Parameters struct{ vps, sps, pps []byte }

// Take keeps what is in an access unit, and tells whether that is a key frame.
func (p *Parameters) Take(codec string, unit [][]byte) (key bool) {
	for _, n := range unit {
		switch {
		case len(n) == 0:
		case codec == CodecH264:
			switch h264.NALUType(n[0] & 0x1f) {
			case h264.NALUTypeSPS:
				p.sps = n
			case h264.NALUTypePPS:
				p.pps = n
			case h264.NALUTypeIDR:
				key = true
			}
		default:
			switch h265.NALUType((n[0] >> 1) & 0x3f) {
			case h265.NALUType_VPS_NUT:
				p.vps = n
			case h265.NALUType_SPS_NUT:
				p.sps = n
			case h265.NALUType_PPS_NUT:
				p.pps = n
			case h265.NALUType_IDR_W_RADL, h265.NALUType_IDR_N_LP, h265.NALUType_CRA_NUT:
				key = true
			}
		}
	}
	return key
}

// complete tells whether a decoder could begin.
func (p *Parameters) complete(codec string) bool {
	return p.sps != nil && p.pps != nil && (codec == CodecH264 || p.vps != nil)
}

// size tells what the parameter sets say. Errors: UnsupportedCodec, TooLarge.
func (p *Parameters) size(codec string) (width, height int, fps float64, err error) {
	if codec == CodecH264 {
		var s h264.SPS
		if p.sps == nil || s.Unmarshal(p.sps) != nil {
			return 0, 0, 0, failure(UnsupportedCodec)
		}
		width, height, fps = s.Width(), s.Height(), s.FPS()
	} else {
		var s h265.SPS
		if p.sps == nil || s.Unmarshal(p.sps) != nil {
			return 0, 0, 0, failure(UnsupportedCodec)
		}
		width, height, fps = s.Width(), s.Height(), s.FPS()
	}
	if width < 1 || height < 1 {
		return 0, 0, 0, failure(UnsupportedCodec)
	}
	if width*height > maxPixels {
		return width, height, fps, failure(TooLarge)
	}
	return width, height, fps, nil
}

// Sets gives what there is of them, in the order that decoders expect.
func (p *Parameters) Sets() [][]byte {
	return slices.DeleteFunc([][]byte{p.vps, p.sps, p.pps}, func(s []byte) bool { return s == nil })
}

package camera

import (
	"context"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
)

// video collects what is needed of an H.264 stream: its parameter sets, one keyframe, and how fast pictures come. One
// goroutine at a time uses it.
type video struct {
	sps, pps []byte
	keyframe [][]byte
	bytes    int
	first    time.Duration // of the pictures that were timed
	last     time.Duration
	count    int
}

// add takes an access unit and its time; true when nothing more is needed.
func (v *video) add(unit [][]byte, at time.Duration) (done bool, err error) {
	key := false
	size := 0
	for _, n := range unit {
		if len(n) == 0 {
			continue
		}
		size += len(n)
		switch h264.NALUType(n[0] & 0x1f) {
		case h264.NALUTypeSPS:
			v.sps = n
		case h264.NALUTypePPS:
			v.pps = n
		case h264.NALUTypeIDR:
			key = true
		}
	}
	if v.bytes += size; v.bytes > maxTotal || size > maxFrame {
		return false, failure(TooLarge)
	}
	if key && v.keyframe == nil && v.sps != nil && v.pps != nil {
		v.keyframe = unit
	}
	switch {
	case v.count == 0 || at < v.first: // B-frames come before what they were filmed after
		v.first = at
		v.last = max(v.last, at)
	default:
		v.last = max(v.last, at)
	}
	v.count++
	return v.keyframe != nil && (v.count >= enough || v.last-v.first >= measure), nil
}

// sized takes the size over from the parameter set, also where no picture can be made.
func (l *look) sized(v *video) (h264.SPS, error) {
	var s h264.SPS
	if v.sps == nil || s.Unmarshal(v.sps) != nil {
		return s, failure(UnsupportedCodec)
	}
	l.result.Codec, l.result.Width, l.result.Height = "H264", s.Width(), s.Height()
	if s.Width()*s.Height() > maxPixels {
		return s, failure(TooLarge)
	}
	return s, nil
}

// video makes the look's picture of a keyframe.
func (l *look) video(ctx context.Context, v *video) error {
	s, err := l.sized(v)
	if err != nil {
		return err
	}
	if span := v.last - v.first; span > 0 && v.count > 2 {
		l.result.FPS = float64(v.count-1) / span.Seconds()
	} else {
		l.result.FPS = s.FPS()
	}
	if v.keyframe == nil {
		return failure(Timeout)
	}
	unit := append([][]byte{v.sps, v.pps}, v.keyframe...)
	stream, err := h264.AnnexB(unit).Marshal()
	if err != nil {
		return failure(UnsupportedCodec)
	}
	l.jpeg, err = decode(ctx, "h264", stream)
	return err
}

package camera

import (
	"context"
	"encoding/base64"
	"math"
	"net/url"
	"time"
)

// look is one look under way: a viewer that has soon seen enough. Its fields are the stream's goroutine's until Follow
// has returned.
type look struct {
	stop   context.CancelCauseFunc
	stream Stream
	fault  error // what is wrong with the pictures

	jpeg     []byte // the first picture
	sets     Parameters
	keyframe [][]byte

	bytes       int
	first, last time.Duration // of the pictures that were timed
	began       time.Time
	count       int
}

// errEnough ends a look.
const errEnough = failure("enough")

// Look looks at an address for at most ten seconds. What is found reaches the caller only as a picture and numbers, and
// what goes wrong only as a code: an address cannot be used to read something else.
func Look(ctx context.Context, address string) Result {
	u, err := parse(address)
	if err != nil {
		return failed(BadURL)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return lookAt(ctx, u)
}

func lookAt(ctx context.Context, u *url.URL) Result {
	seeing, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	l := &look{stop: stop}
	err := followTo(seeing, u, l)
	r := Result{Kind: l.stream.Kind}
	if err := l.finish(ctx, &r, err); err != nil {
		code := codeOf(ctx, err)
		r.Picture = ""
		return r.failed(code)
	}
	r.OK = true
	r.FPS = math.Round(r.FPS*100) / 100
	return r
}

// Found is told once what the stream is.
func (l *look) Found(s Stream) { l.stream = s }

// Wanted asks for nothing in particular.
func (l *look) Wanted() Wanted { return Wanted{} }

func (l *look) enough(fault error) {
	if l.fault == nil {
		l.fault = fault
	}
	l.stop(errEnough)
}

// Frame looks at a picture.
func (l *look) Frame(f Frame) {
	if l.fault != nil {
		return
	}
	size := len(f.JPEG)
	for _, n := range f.Unit {
		size += len(n)
	}
	if l.bytes += size; l.bytes > maxTotal || size > maxFrame {
		l.enough(failure(TooLarge))
		return
	}
	at := f.PTS
	if at == 0 && f.JPEG != nil {
		if l.began.IsZero() {
			l.began = f.At
		}
		at = f.At.Sub(l.began)
	}
	if l.count == 0 || at < l.first { // B-frames come before what they were filmed after
		l.first = at
	}
	l.last = max(l.last, at)
	l.count++
	if f.JPEG != nil && l.jpeg == nil {
		l.jpeg = f.JPEG
	}
	if f.Unit != nil && l.sets.Take(l.stream.Codec, f.Unit) && l.keyframe == nil && l.sets.complete(l.stream.Codec) {
		l.keyframe = f.Unit
	}
	seen := l.jpeg != nil || l.keyframe != nil
	if seen && (l.stream.Kind == JPEG || l.count >= enough || l.last-l.first >= measure) {
		l.enough(errEnough)
	}
}

// finish makes the result of what was seen.
func (l *look) finish(ctx context.Context, r *Result, ended error) error {
	if l.fault != nil && l.fault != errEnough {
		ended = l.fault
	}
	if l.jpeg == nil && l.keyframe == nil {
		if w, h, _, err := l.sets.size(l.stream.Codec); l.stream.Codec != CodecJPEG && err == nil {
			r.Codec, r.Width, r.Height = codecNames[l.stream.Codec], w, h // what is known is said
		}
		if ended == errEnded {
			return failure(NotAStream)
		}
		return ended
	}
	if l.fault != nil && l.fault != errEnough {
		return l.fault
	}
	r.Codec = codecNames[l.stream.Codec]
	if span := l.last - l.first; l.count > 2 && span > 0 {
		r.FPS = float64(l.count-1) / span.Seconds()
	}
	if l.keyframe != nil {
		w, h, fps, err := l.sets.size(l.stream.Codec)
		r.Width, r.Height = w, h
		if err != nil {
			return err
		}
		if r.FPS == 0 {
			r.FPS = fps
		}
		if l.jpeg, err = picture(ctx, l.stream.Codec, l.sets, l.keyframe); err != nil {
			return err
		}
	} else {
		h, err := headOf(l.jpeg)
		if err != nil {
			return err
		}
		r.Width, r.Height = h.Width, h.Height
	}
	small, err := fit(l.jpeg)
	if err != nil {
		return err
	}
	r.Picture = "data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(small)
	return nil
}

// codecNames are how a result names a stream's codec.
var codecNames = map[string]string{CodecJPEG: "JPEG", CodecH264: "H264", CodecH265: "H265"}

// picture makes a JPEG of a key frame.
func picture(ctx context.Context, codec string, sets Parameters, keyframe [][]byte) ([]byte, error) {
	format := "h264"
	if codec == CodecH265 {
		format = "hevc"
	}
	return decode(ctx, format, AnnexB(append(sets.Sets(), keyframe...)))
}

// AnnexB writes NAL units one behind the other, each after a start code.
func AnnexB(unit [][]byte) []byte {
	size := 0
	for _, n := range unit {
		size += 4 + len(n)
	}
	out := make([]byte, 0, size)
	for _, n := range unit {
		out = append(append(out, 0, 0, 0, 1), n...)
	}
	return out
}

func failed(code string) Result { return Result{}.failed(code) }

// failed keeps what was found out before it failed.
func (r Result) failed(code string) Result {
	said := words[code]
	r.OK, r.Code, r.Message, r.Cure = false, code, said[0], said[1]
	return r
}

package camera

import "time"

// pace gives the frames of an HLS output their times. Low-latency HLS wants parts that are all about as long as the longest
// (RFC 8216bis, 4.4.4.9: at least 85 %), and the muxer, which must know how long before the first one ends, takes longer and
// longer ones for frames whose times jitter or come in bursts: three quarters of a second instead of 200 ms. So frames are a
// step apart, which follows the real times as slowly as a phase-locked loop does, and jumps where frames are missing.
type pace struct {
	step     int64 // in units of hlsClock
	last     int64 // that was given
	begun    time.Time
	learning bool // the muxer does: a step that is longer than the others would have it take longer parts for ever
}

const hlsClock = 90_000

// usualRates are those that cameras are set to, in frames a second.
var usualRates = []float64{5, 6, 7.5, 8, 10, 12, 12.5, 15, 18, 20, 24, 25, 30, 48, 50, 60}

// Bounds of a step: 120 frames a second, and one.
const (
	minStep = hlsClock / 120
	maxStep = hlsClock
)

// pause is from when on frames are missing rather than late.
const pause = hlsClock / 2

// paceOf learns the step from the first frames of a stream: enough for it are those of a second. Should there be few of
// them it looks longer, because parts that are too long at first stay so.
func paceOf(frames []*frame) (p pace, enough bool) {
	n := len(frames)
	if n < 2 {
		return pace{}, false
	}
	if span := frames[n-1].at.Sub(frames[0].at); n < 120 && (span < time.Second || n < 6 && span < 4*time.Second) {
		return pace{}, false
	}
	var span, count time.Duration
	for i := range frames[1:] {
		if d := frames[i+1].at.Sub(frames[i].at); d*hlsClock < pause*time.Second || n < 3 {
			span, count = span+d, count+1
		}
	}
	rate := min(max(float64(count)/max(span, time.Millisecond).Seconds(), 1), 120)
	for _, usual := range usualRates {
		if usual > 0.94*rate && usual < 1.03*rate {
			rate = usual // a few frames tell it no better
			break
		}
	}
	return pace{step: int64(hlsClock / rate), last: -1, begun: frames[0].at, learning: true}, true
}

// part is how long a part is to be at least, for the number of whole steps that come closest to hlsPart. Steps that were
// shortened are within it.
func (p *pace) part() time.Duration {
	step := time.Duration(p.step) * time.Second / hlsClock
	n := max(2, (hlsPart+step/2)/step)
	return n * step * 86 / 100
}

// next gives the time of a frame that was captured at that moment.
func (p *pace) next(at time.Time) int64 {
	if p.last < 0 {
		p.last = 0
		return 0
	}
	due, most := p.last+p.step, p.step/10
	if p.learning {
		most /= 10
	}
	late := at.Sub(p.begun).Milliseconds()*hlsClock/1000 - due
	if p.learning && late > pause {
		p.begun = p.begun.Add(time.Duration(late) * time.Second / hlsClock)
		late = 0
	}
	switch {
	case late > max(pause, 2*p.step):
		due += late / p.step * p.step
		p.step += p.step / 64 // should it be for ever
	case late < -max(pause, 2*p.step): // there are more of them than it seemed
		due -= p.step * 3 / 4
		p.step -= p.step / 32
	default:
		due += min(max(late/32, -p.step/10), most)
		p.step += late / 4096
	}
	p.step = min(max(p.step, minStep), maxStep)
	p.last = due
	return due
}

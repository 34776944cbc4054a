package camera

import (
	"math/rand/v2"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/bluenviron/gohlslib/v2/pkg/playlist"
)

// jittery gives the times of capture of a camera whose frames come up to that share of their distance early or late.
func jittery(n int, fps, share float64, seed uint64) []time.Time {
	random := rand.New(rand.NewPCG(seed, 1))
	begun := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := make([]time.Time, n)
	for i := range at {
		at[i] = begun.Add(time.Duration((float64(i) + share*(2*random.Float64()-1)) / fps * float64(time.Second)))
	}
	return at
}

func framesAt(at []time.Time) []*frame {
	frames := make([]*frame, len(at))
	for i, t := range at {
		frames[i] = &frame{at: t}
	}
	return frames
}

// bursts has frames come together, as they do from a camera behind a network that gathers them.
func bursts(at []time.Time, size int) []time.Time {
	for i := range at {
		at[i] = at[min(i/size*size+size-1, len(at)-1)].Add(time.Duration(i%size) * time.Millisecond)
	}
	return at
}

func TestPace_StepsAreEvenAndFollowTheClock(t *testing.T) {
	for _, c := range []struct {
		fps, share float64
		burst      int
	}{{5, 0.2, 1}, {7.3, 0.1, 1}, {10, 0, 1}, {10, 0.2, 1}, {15, 0.25, 1}, {25, 0.3, 1}, {25, 0.1, 3}, {29.97, 0.1, 1}, {31.4, 0.1, 1}, {60, 0.2, 8}} {
		at := bursts(jittery(3000, c.fps, c.share, 1), c.burst)
		p, enough := paceOf(framesAt(at[:int(c.fps)+12]))
		if !enough {
			t.Fatalf("%+v: the frames of a second are not enough", c)
		}
		p.learning = false
		last := int64(0)
		for i, captured := range at {
			pts := p.next(captured)
			if step := pts - last; i > 0 && (step < p.step*8/10 || step > p.step*12/10) {
				t.Fatalf("%+v: frame %d is %d after the one before, a step is %d", c, i, step, p.step)
			}
			last = pts
			real := captured.Sub(at[0]).Milliseconds() * hlsClock / 1000
			if off := pts - real; off < -pause || off > pause {
				t.Fatalf("%+v: frame %d is off by %d, a step is %d", c, i, off, p.step)
			}
		}
	}
}

func TestPace_MissingFramesAreJumpedOver(t *testing.T) {
	at := jittery(50, 10, 0, 1)
	p, _ := paceOf(framesAt(at))
	for _, captured := range at {
		p.next(captured)
	}
	p.learning = false
	before := p.last
	pts := p.next(at[len(at)-1].Add(3 * time.Second))
	if d := pts - before; d < 29*hlsClock/10 || d > 31*hlsClock/10 {
		t.Errorf("%d after three seconds without a frame", d)
	}
}

// A pause while it learns, or another rate later, and the times still are those of the clock.
func TestPace_IsLearntAnewWhenItWasWrong(t *testing.T) {
	at := jittery(24, 10, 0, 1)
	for i := range at[12:] {
		at[12+i] = at[12+i].Add(3 * time.Second)
	}
	p, _ := paceOf(framesAt(at))
	if fps := float64(hlsClock) / float64(p.step); fps < 9.5 || fps > 10.5 {
		t.Errorf("%v fps of 10 with a pause", fps)
	}
	for _, fps := range []float64{4, 7, 15, 30} {
		p, _ := paceOf(framesAt(jittery(12, 10, 0, 1)))
		at := jittery(1000, fps, 0.1, 1)
		for _, captured := range at {
			pts := p.next(captured)
			if off := time.Duration(pts)*time.Second/hlsClock - captured.Sub(p.begun); off < -time.Second || off > time.Second {
				t.Fatalf("%v fps in place of 10: off by %v", fps, off)
			}
		}
	}
}

func TestPace_OfTooFewFramesIsNotKnown(t *testing.T) {
	at := jittery(8, 10, 0, 1)
	if _, enough := paceOf(framesAt(at)); enough {
		t.Error("eight frames of less than a second are enough")
	}
	stalled := jittery(4, 10, 0, 1)
	stalled[3] = stalled[3].Add(2 * time.Second)
	if _, enough := paceOf(framesAt(stalled)); enough {
		t.Error("four frames are enough, two seconds after the third")
	}
	slow := jittery(5, 1, 0, 1)
	if p, enough := paceOf(framesAt(slow)); !enough || p.step > maxStep || p.part() < time.Second {
		t.Errorf("one frame a second: %+v, %v, %v", p, enough, p.part())
	}
	backwards := []*frame{{at: slow[2]}, {at: slow[1]}, {at: slow[1]}, {at: slow[0]}}
	for range 120 {
		backwards = append(backwards, backwards[len(backwards)-1])
	}
	if p, enough := paceOf(backwards); !enough || p.step < minStep || p.step > maxStep {
		t.Errorf("times that go back: %+v, %v", p, enough)
	}
}

// The parts of a camera whose frames jitter are as short as those of one whose frames do not, and none is shorter than the
// standard allows (RFC 8216bis, 4.4.4.9).
func TestHLS_JitterMakesNoLongParts(t *testing.T) {
	t.Parallel()
	units := accessUnits(t) // each 25th is a key frame, the first as well
	for _, c := range []struct {
		fps, share float64
		burst      int
		gap        time.Duration // after 12 frames
	}{{10, 0, 1, 0}, {10, 0.3, 1, 0}, {15, 0.3, 1, 0}, {25, 0.3, 1, 0}, {25, 0.1, 3, 0}, {25, 0, 1, 3 * time.Second}} {
		st := newStream(&Service{count: newCounters(nil, nil)}, streamKey{}, "", Camera{})
		at := bursts(jittery(100, c.fps, c.share, 1), c.burst)
		for i := range at[12:] {
			at[12+i] = at[12+i].Add(c.gap)
		}
		for i, captured := range at {
			data := units[i%len(units)]
			split, err := splitAnnexB(data)
			if err != nil {
				t.Fatal(err)
			}
			st.take(&frame{kind: frameH264, at: captured, received: captured, data: data, units: split})
			if i == 0 {
				st.openHLS()
			}
		}
		index, answer := httptest.NewRecorder(), httptest.NewRecorder()
		st.hls.muxer.Handle(index, httptest.NewRequest("GET", "/index.m3u8", nil))
		st.hls.muxer.Handle(answer, httptest.NewRequest("GET", "/"+uri.FindString(index.Body.String()), nil))
		var media playlist.Media
		if err := media.Unmarshal(answer.Body.Bytes()); err != nil {
			t.Fatalf("%+v: %v in %s", c, err, answer.Body)
		}
		target, parts := media.PartInf.PartTarget, 0
		if target > 250*time.Millisecond {
			t.Errorf("%+v: parts of %v", c, target)
		}
		for _, segment := range media.Segments {
			for i, part := range segment.Parts {
				if parts++; i < len(segment.Parts)-1 && part.Duration < target*85/100 {
					t.Errorf("%+v: a part of %v, of the target %v", c, part.Duration, target)
				}
			}
		}
		if parts < 8 {
			t.Errorf("%+v: %d parts in %s", c, parts, answer.Body)
		}
		st.endHLS()
	}
}

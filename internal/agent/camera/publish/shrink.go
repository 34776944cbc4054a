package publish

import (
	"bytes"
	"image"
	"image/jpeg"
	"time"
)

// rungs are how a JPEG is made smaller where dropping frames is not enough: by quality, then by whole divisors of its
// size. share is about what is left of its bytes, until it is known better.
var rungs = []struct {
	by, quality int
	share       float64
}{{1, 0, 1}, {1, 45, 0.6}, {2, 60, 0.25}, {3, 55, 0.12}, {4, 50, 0.07}, {6, 45, 0.03}}

const (
	fewest  = 2.0             // pictures a second before they are made smaller
	plenty  = 4.0             // that would come on the next larger rung before it is tried again
	settled = 3 * time.Second // between two changes
)

// ladder finds out how small JPEGs have to be for the uplink. Its owner is the link's writer.
type ladder struct {
	rung    int
	shares  [6]float64 // measured of each rung, 0 for not yet
	changed time.Time
	climb   time.Duration // how long a rung is kept before the next larger one is tried

	size  float64 // bytes of a picture as it comes, mean
	since time.Time
	sent  int
	busy  time.Duration // of the writer, since
}

// fit gives the picture as it is to be sent.
func (l *ladder) fit(data []byte) []byte {
	if l.size == 0 {
		l.size = float64(len(data))
	}
	l.size += (float64(len(data)) - l.size) / 8
	if l.rung == 0 {
		return data
	}
	r := rungs[l.rung]
	small, err := shrink(data, r.by, r.quality)
	if err != nil || len(small) >= len(data) {
		return data
	}
	share := float64(len(small)) / float64(len(data))
	if old := l.shares[l.rung]; old != 0 {
		share = old + (share-old)/8
	}
	l.shares[l.rung] = share
	return small
}

func (l *ladder) share(rung int) float64 {
	if s := l.shares[rung]; s != 0 {
		return s
	}
	return rungs[rung].share
}

// took takes note of a picture that was sent, how long that took, and which rate is allowed (0: any) of pictures that
// are wanted so often. It may change the rung.
func (l *ladder) took(now time.Time, writing time.Duration, bytesPerSecond, wantedFPS float64) {
	if l.since.IsZero() {
		l.since = now.Add(-writing)
	}
	l.sent++
	l.busy += writing
	least := min(fewest, wantedFPS)
	// What the budget allows is known from the first picture on.
	if bytesPerSecond > 0 {
		down := l.rung
		for down < len(rungs)-1 && bytesPerSecond/(l.size*l.share(down)) < least {
			down++
		}
		if down > l.rung {
			l.to(down, now)
			return
		}
	}
	span := now.Sub(l.since)
	if span < settled {
		return
	}
	fps, busy := float64(l.sent)/span.Seconds(), l.busy.Seconds()/span.Seconds()
	l.since, l.sent, l.busy = now, 0, 0
	switch {
	case busy > 0.9 && fps < least && l.rung < len(rungs)-1:
		if l.changed.Add(10 * time.Second).After(now) { // the larger one was too much
			l.climb = min(2*l.climb, 5*time.Minute)
		}
		l.to(l.rung+1, now)
	case l.rung > 0 && busy < 0.4 && now.Sub(l.changed) > max(l.climb, 2*settled):
		larger := l.size * l.share(l.rung-1)
		if bytesPerSecond <= 0 || bytesPerSecond/larger >= min(plenty, 2*least) {
			l.climb = max(l.climb, 10*time.Second)
			l.to(l.rung-1, now)
		}
	}
}

func (l *ladder) to(rung int, now time.Time) {
	l.rung, l.changed = rung, now
	l.since, l.sent, l.busy = now, 0, 0
}

// last tells whether pictures cannot be made any smaller.
func (l *ladder) last() bool { return l.rung == len(rungs)-1 }

// shrink makes a JPEG again: so many times smaller each way, in a quality.
func shrink(data []byte, by, quality int) ([]byte, error) {
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if y, ok := img.(*image.YCbCr); ok && by > 1 {
		img = smaller(y, by)
	}
	var out bytes.Buffer
	out.Grow(len(data) / by)
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// smaller averages blocks of by × by pixels, plane by plane.
func smaller(img *image.YCbCr, by int) *image.YCbCr {
	w, h := max(img.Rect.Dx()/by, 1), max(img.Rect.Dy()/by, 1)
	out := image.NewYCbCr(image.Rect(0, 0, w, h), img.SubsampleRatio)
	cw, ch := out.CStride, len(out.Cb)/max(out.CStride, 1)
	inCh := len(img.Cb) / max(img.CStride, 1)
	average(out.Y, out.YStride, w, h, img.Y, img.YStride, img.Rect.Dx(), img.Rect.Dy(), by)
	average(out.Cb, out.CStride, cw, ch, img.Cb, img.CStride, img.CStride, inCh, by)
	average(out.Cr, out.CStride, cw, ch, img.Cr, img.CStride, img.CStride, inCh, by)
	return out
}

func average(out []uint8, stride, w, h int, in []uint8, inStride, inW, inH, by int) {
	for y := range h {
		for x := range w {
			sum, n := 0, 0
			for dy := y * by; dy < min((y+1)*by, inH); dy++ {
				for dx := x * by; dx < min((x+1)*by, inW); dx++ {
					sum += int(in[dy*inStride+dx])
					n++
				}
			}
			if n > 0 {
				out[y*stride+x] = uint8(sum / n)
			}
		}
	}
}

package scene

import (
	"errors"
	"image"
	"time"
)

// ErrNoClock says that no clock can be read in a picture.
var ErrNoClock = errors.New("no clock can be read in the picture")

// ReadClock reads a picture's clock, also after it went through a lossy codec. Of the day only the time is known: the
// answer is the moment nearest to now that shows it.
func ReadClock(img image.Image, now time.Time) (time.Time, error) {
	b := img.Bounds()
	area, size := Clock(b.Size())
	unit := size.X / 4
	bright := func(x, y int) bool {
		r, g, bl, _ := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
		return (r+g+bl)/3 > 0x8000
	}
	pen := image.Pt(area.Min.X+2*unit, area.Min.Y+2*unit)
	var digits [9]int
	for i := range digits {
		if i == 2 || i == 4 || i == 6 {
			pen.X += 2 * unit
		}
		d, ok := readDigit(bright, pen, size)
		if !ok {
			return time.Time{}, ErrNoClock
		}
		digits[i] = d
		pen.X += size.X + unit
	}
	of := time.Duration(digits[0]*10+digits[1])*time.Hour + time.Duration(digits[2]*10+digits[3])*time.Minute +
		time.Duration(digits[4]*10+digits[5])*time.Second + time.Duration(digits[6]*100+digits[7]*10+digits[8])*time.Millisecond
	now = now.UTC()
	at := now.Truncate(24 * time.Hour).Add(of)
	switch gap := at.Sub(now); {
	case gap > 12*time.Hour:
		at = at.Add(-24 * time.Hour)
	case gap < -12*time.Hour:
		at = at.Add(24 * time.Hour)
	}
	return at, nil
}

// readDigit looks at the middle of each segment.
func readDigit(bright func(x, y int) bool, at, size image.Point) (int, bool) {
	unit := size.X / 4
	mid, half := size.Y/2, unit/2
	var on byte
	for i, p := range []image.Point{
		{size.X / 2, half},
		{half, size.Y/4 + half},
		{size.X - 1 - half, size.Y/4 + half},
		{size.X / 2, mid},
		{half, size.Y*3/4 - half},
		{size.X - 1 - half, size.Y*3/4 - half},
		{size.X / 2, size.Y - 1 - half},
	} {
		if bright(at.X+p.X, at.Y+p.Y) {
			on |= 1 << (6 - i)
		}
	}
	for d, s := range segments {
		if s == on {
			return d, true
		}
	}
	return 0, false
}

// Package scene draws what a camera beside a printer would see: a part that grows, the nozzle over it, and a clock by
// which the age of a picture can be read off. It is for demonstrations and for tests that measure a camera's delay.
package scene

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"time"
)

// Scene is one moment.
type Scene struct {
	Progress float64   // of the print, 0…1; negative: nothing is printed and the nozzle rests
	At       time.Time // shown by the clock, in UTC with milliseconds
	Part     color.RGBA
}

// Colours of parts, for a fleet whose printers do not all print the same.
var Parts = []color.RGBA{
	{0x3b, 0x8f, 0xd6, 0xff}, {0xe8, 0x7a, 0x2f, 0xff}, {0x5b, 0xb4, 0x6e, 0xff}, {0xc9, 0x5b, 0x9a, 0xff}, {0xd9, 0xb9, 0x3d, 0xff},
}

var (
	wall  = color.RGBA{0x2b, 0x31, 0x3b, 0xff}
	floor = color.RGBA{0x1c, 0x20, 0x27, 0xff}
	frame = color.RGBA{0x5a, 0x64, 0x73, 0xff}
	bed   = color.RGBA{0x3c, 0x44, 0x50, 0xff}
	head  = color.RGBA{0x8b, 0x95, 0xa4, 0xff}
	tip   = color.RGBA{0xe0, 0xa8, 0x3a, 0xff}
	plate = color.RGBA{0x00, 0x00, 0x00, 0xff}
	digit = color.RGBA{0xff, 0xff, 0xff, 0xff}
)

const layers = 24

// Draw fills img with the scene. Its proportions follow the image's size.
func Draw(img *image.RGBA, s Scene) {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	x := func(share float64) int { return b.Min.X + int(share*float64(w)) }
	y := func(share float64) int { return b.Min.Y + int(share*float64(h)) }
	fill := func(c color.RGBA, x0, y0, x1, y1 float64) {
		draw.Draw(img, image.Rect(x(x0), y(y0), x(x1), y(y1)), image.NewUniform(c), image.Point{}, draw.Src)
	}
	fill(wall, 0, 0, 1, 0.72)
	fill(floor, 0, 0.72, 1, 1)
	fill(frame, 0.14, 0.06, 0.165, 0.86)
	fill(frame, 0.835, 0.06, 0.86, 0.86)
	fill(frame, 0.14, 0.06, 0.86, 0.09)
	fill(bed, 0.24, 0.8, 0.76, 0.84)

	// The part: layers of the same height, narrower towards the top.
	done := int(max(0, s.Progress) * layers)
	top := 0.8
	for i := range done {
		half := 0.16 - 0.09*math.Pow(float64(i)/layers, 1.6)
		top = 0.8 - float64(i+1)*0.02
		shade := s.Part
		if i%2 == 1 {
			shade = darker(shade)
		}
		fill(shade, 0.5-half, top, 0.5+half, top+0.02)
	}
	// The nozzle sweeps over it, about once in two seconds.
	at := 0.24
	if s.Progress >= 0 {
		phase := float64(s.At.UnixMilli()%2000) / 2000
		at = 0.5 + 0.13*math.Sin(2*math.Pi*phase)
	}
	gantry := top - 0.1
	fill(frame, 0.165, gantry-0.015, 0.835, gantry+0.005)
	fill(head, at-0.035, gantry-0.045, at+0.035, gantry+0.055)
	fill(tip, at-0.01, gantry+0.055, at+0.01, top)
	drawClock(img, s.At.UTC())
}

func darker(c color.RGBA) color.RGBA {
	return color.RGBA{uint8(int(c.R) * 9 / 10), uint8(int(c.G) * 9 / 10), uint8(int(c.B) * 9 / 10), 0xff}
}

// segments are the bars of a seven-segment digit: top, upper left, upper right, middle, lower left, lower right, bottom.
var segments = [10]byte{0b1110111, 0b0010010, 0b1011101, 0b1011011, 0b0111010, 0b1101011, 0b1101111, 0b1010010, 0b1111111, 0b1111011}

// Clock gives where the clock stands in a picture of this size, and how wide and high a digit is. Tests read it there.
func Clock(size image.Point) (plate image.Rectangle, digit image.Point) {
	unit := max(size.Y/90, 1)
	digit = image.Pt(4*unit, 7*unit)
	// "15:04:05.000": nine digits and three marks, each with a gap of one unit behind it
	width := 9*(digit.X+unit) + 3*2*unit + 3*unit
	return image.Rect(2*unit, size.Y-digit.Y-6*unit, 2*unit+width, size.Y-2*unit), digit
}

func drawClock(img *image.RGBA, at time.Time) {
	b := img.Bounds()
	area, size := Clock(b.Size())
	area = area.Add(b.Min)
	unit := size.X / 4
	draw.Draw(img, area, image.NewUniform(plate), image.Point{}, draw.Src)
	pen := image.Pt(area.Min.X+2*unit, area.Min.Y+2*unit)
	for _, c := range fmt.Sprintf("%02d:%02d:%02d.%03d", at.Hour(), at.Minute(), at.Second(), at.Nanosecond()/1e6) {
		if c < '0' || c > '9' {
			dots := []int{5}
			if c == ':' {
				dots = []int{2, 5}
			}
			for _, up := range dots {
				draw.Draw(img, image.Rect(0, 0, unit, unit).Add(image.Pt(pen.X, pen.Y+up*unit)), image.NewUniform(digit), image.Point{}, draw.Src)
			}
			pen.X += 2 * unit
			continue
		}
		drawDigit(img, pen, size, segments[c-'0'])
		pen.X += size.X + unit
	}
}

func drawDigit(img *image.RGBA, at, size image.Point, on byte) {
	unit := size.X / 4
	mid := size.Y / 2
	for i, r := range []image.Rectangle{
		image.Rect(0, 0, size.X, unit),
		image.Rect(0, 0, unit, mid+unit/2),
		image.Rect(size.X-unit, 0, size.X, mid+unit/2),
		image.Rect(0, mid-unit/2, size.X, mid-unit/2+unit),
		image.Rect(0, mid, unit, size.Y),
		image.Rect(size.X-unit, mid, size.X, size.Y),
		image.Rect(0, size.Y-unit, size.X, size.Y),
	} {
		if on&(1<<(6-i)) != 0 {
			draw.Draw(img, r.Add(at), image.NewUniform(digit), image.Point{}, draw.Src)
		}
	}
}

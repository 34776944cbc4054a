package gcode

import (
	"encoding/binary"
	"errors"
	"image"
	"image/color"
)

// QOI is "The Quite OK Image Format", https://qoiformat.org/qoi-specification.pdf: what Prusa's printers show.

var errQOI = errors.New("not a QOI picture")

const qoiHeader = 14 // bytes

func qoiConfig(raw []byte) (image.Config, error) {
	if len(raw) < qoiHeader || string(raw[:4]) != "qoif" {
		return image.Config{}, errQOI
	}
	width, height := binary.BigEndian.Uint32(raw[4:]), binary.BigEndian.Uint32(raw[8:])
	if width == 0 || height == 0 || raw[12] != 3 && raw[12] != 4 {
		return image.Config{}, errQOI
	}
	return image.Config{ColorModel: color.NRGBAModel, Width: int(width), Height: int(height)}, nil
}

// qoiDecode reads a picture whose size was looked at. One that ends early is no picture.
func qoiDecode(raw []byte) (image.Image, error) {
	size, err := qoiConfig(raw)
	if err != nil {
		return nil, err
	}
	if size.Width > maxPictureSide || size.Height > maxPictureSide {
		return nil, errQOI
	}
	picture := image.NewNRGBA(image.Rect(0, 0, size.Width, size.Height))
	var seen [64][4]byte
	pixel := [4]byte{3: 255}
	b := raw[qoiHeader:]
	run := 0
	for at := 0; at < len(picture.Pix); at += 4 {
		if run > 0 {
			run--
		} else {
			n := qoiChunk(b, &pixel, &seen, &run)
			if n == 0 || n > len(b) {
				return nil, errQOI
			}
			b = b[n:]
			seen[(int(pixel[0])*3+int(pixel[1])*5+int(pixel[2])*7+int(pixel[3])*11)%64] = pixel
		}
		copy(picture.Pix[at:], pixel[:])
	}
	return picture, nil
}

// qoiChunk reads one chunk into pixel and returns its length, 0 if b is too short for it.
func qoiChunk(b []byte, pixel *[4]byte, seen *[64][4]byte, run *int) int {
	if len(b) == 0 {
		return 0
	}
	c := b[0]
	switch {
	case c == 0xfe: // QOI_OP_RGB
		if len(b) < 4 {
			return 0
		}
		copy(pixel[:3], b[1:4])
		return 4
	case c == 0xff: // QOI_OP_RGBA
		if len(b) < 5 {
			return 0
		}
		copy(pixel[:], b[1:5])
		return 5
	case c>>6 == 0: // QOI_OP_INDEX
		*pixel = seen[c]
		return 1
	case c>>6 == 1: // QOI_OP_DIFF
		pixel[0] += c>>4&3 - 2
		pixel[1] += c>>2&3 - 2
		pixel[2] += c&3 - 2
		return 1
	case c>>6 == 2: // QOI_OP_LUMA
		if len(b) < 2 {
			return 0
		}
		green := c&0x3f - 32
		pixel[0] += green - 8 + b[1]>>4
		pixel[1] += green
		pixel[2] += green - 8 + b[1]&0xf
		return 2
	default: // QOI_OP_RUN
		*run = int(c & 0x3f)
		return 1
	}
}

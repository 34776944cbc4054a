package camera

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"sync"
)

// fit gives a picture that a page can show and that is small enough for a result. That it decodes is part of the look.
func fit(frame []byte) ([]byte, error) {
	img, err := jpeg.Decode(bytes.NewReader(frame))
	if err != nil {
		// USB cameras leave the usual Huffman tables away.
		frame = withTables(frame)
		if img, err = jpeg.Decode(bytes.NewReader(frame)); err != nil {
			return nil, failure(UnsupportedCodec)
		}
	}
	if len(frame) <= maxPicture {
		return frame, nil
	}
	for _, t := range []struct{ width, quality int }{{1280, 75}, {960, 60}, {640, 50}, {320, 40}} {
		var out bytes.Buffer
		if err := jpeg.Encode(&out, shrunk(img, t.width), &jpeg.Options{Quality: t.quality}); err != nil {
			return nil, failure(UnsupportedCodec)
		}
		if out.Len() <= maxPicture {
			return out.Bytes(), nil
		}
	}
	return nil, failure(TooLarge)
}

// shrunk gives a picture at most so many pixels wide, or high.
func shrunk(img image.Image, width int) image.Image {
	b := img.Bounds()
	by := (max(b.Dx(), b.Dy()) + width - 1) / width
	if by <= 1 {
		return img
	}
	small := image.NewRGBA(image.Rect(0, 0, max(b.Dx()/by, 1), max(b.Dy()/by, 1)))
	for y := range small.Rect.Dy() {
		for x := range small.Rect.Dx() {
			r, g, bl, _ := img.At(b.Min.X+x*by, b.Min.Y+y*by).RGBA()
			small.SetRGBA(x, y, color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(bl >> 8), 255})
		}
	}
	return small
}

// tables are the Huffman tables of ITU-T T.81 annex K.3 as a DHT segment, which Go's own encoder writes.
var tables = sync.OnceValue(func() []byte {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, image.NewRGBA(image.Rect(0, 0, 1, 1)), nil); err != nil {
		return nil
	}
	all := out.Bytes()
	at := bytes.Index(all, []byte{0xff, 0xc4})
	return all[at : at+2+int(all[at+2])<<8+int(all[at+3])]
})

// withTables puts the usual Huffman tables before the compressed data of a picture that has none.
func withTables(frame []byte) []byte {
	at := bytes.Index(frame, []byte{0xff, markerSOS})
	if at < 0 || bytes.Contains(frame[:at], []byte{0xff, 0xc4}) {
		return frame
	}
	return append(append(append(make([]byte, 0, len(frame)+500), frame[:at]...), tables()...), frame[at:]...)
}

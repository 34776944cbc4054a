package camera

import "encoding/binary"

// head is what the segments before a JPEG's compressed data say.
type head struct {
	Width, Height int
	tables        bool // it has Huffman tables
	data          int  // where the compressed data's segment begins
}

// headOf reads a picture that begins with a start of image. Errors: UnsupportedCodec, TooLarge.
func headOf(frame []byte) (h head, err error) {
	for at := 2; at+4 <= len(frame); {
		if frame[at] != 0xff {
			break
		}
		marker := frame[at+1]
		switch {
		case marker == 0xff: // any number of them may stand before a marker
			at++
			continue
		case marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7): // alone, without a length
			at += 2
			continue
		}
		length := int(binary.BigEndian.Uint16(frame[at+2:]))
		if length < 2 || at+2+length > len(frame) {
			break
		}
		switch {
		case marker == markerSOS:
			if h.data = at; h.Width < 1 || h.Height < 1 {
				return head{}, failure(UnsupportedCodec)
			}
			return h, nil
		case marker == 0xc4:
			h.tables = true
		case marker >= 0xc0 && marker <= 0xc2 && length >= 8: // baseline, extended, progressive: what browsers show
			h.Height, h.Width = int(binary.BigEndian.Uint16(frame[at+5:])), int(binary.BigEndian.Uint16(frame[at+7:]))
			if h.Width*h.Height > maxPixels {
				return head{}, failure(TooLarge)
			}
		}
		at += 2 + length
	}
	return head{}, failure(UnsupportedCodec)
}

// complete puts the usual Huffman tables into a picture that has none, as those of USB cameras: browsers and ffmpeg's
// stricter readers need them.
func (h head) complete(frame []byte) []byte {
	if h.tables {
		return frame
	}
	t := tables()
	return append(append(append(make([]byte, 0, len(frame)+len(t)), frame[:h.data]...), t...), frame[h.data:]...)
}

// Size tells how large a JPEG is; false for something else.
func Size(frame []byte) (width, height int, ok bool) {
	if len(frame) < 2 || frame[0] != 0xff || frame[1] != 0xd8 {
		return 0, 0, false
	}
	h, err := headOf(frame)
	return h.Width, h.Height, err == nil
}

package camera

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"time"
)

const (
	soi     = "\xff\xd8\xff" // how every JPEG begins: start of image, then the next marker
	maxJunk = 1 << 20        // bytes between two pictures
)

// JPEG markers, ITU-T T.81 table B.1.
const (
	markerEOI = 0xd9
	markerSOS = 0xda
)

// frames finds the pictures in a stream of JPEGs by what a JPEG is, and not by boundaries and lengths between them:
// many cameras write those wrongly or not at all.
type frames struct {
	in    *bufio.Reader
	began time.Time // when the first bytes of the last picture came
	size  int       // of that
}

// errBroken says that what began like a picture is none.
var errBroken = errors.New("broken JPEG")

// next gives the next whole picture. Broken ones are left out.
func (f *frames) next() ([]byte, error) {
	for junk := 0; junk < maxJunk; {
		n, err := f.seek()
		if err != nil {
			return nil, ended(err)
		}
		junk += n
		f.began = time.Now()
		frame, err := f.frame()
		switch {
		case err == nil:
			return frame, nil
		case !errors.Is(err, errBroken):
			return nil, ended(err)
		}
		junk += len(frame)
	}
	return nil, failure(NotAStream)
}

func ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return failure(NotAStream)
	}
	return err
}

// seek goes to just behind the next start of an image.
func (f *frames) seek() (passed int, err error) {
	for last := byte(0); ; passed++ {
		b, err := f.in.ReadByte()
		if err != nil {
			return passed, err
		}
		if last == 0xff && b == 0xd8 {
			return passed, nil
		}
		last = b
		if passed > maxJunk {
			return passed, failure(NotAStream)
		}
	}
}

// frame reads a picture whose start has been read, marker by marker to its end.
func (f *frames) frame() ([]byte, error) {
	frame := append(make([]byte, 0, max(f.size+f.size/8, 16<<10)), 0xff, 0xd8)
	defer func() { f.size = len(frame) }() // the next one is about as large
	put := func(b byte) error {
		if len(frame) >= maxFrame {
			return failure(TooLarge)
		}
		frame = append(frame, b)
		return nil
	}
	b, err := f.in.ReadByte()
	for {
		if err != nil {
			return frame, err
		}
		if b != 0xff {
			return frame, errBroken
		}
		for b == 0xff { // any number of them may stand before a marker
			if err := put(b); err != nil {
				return frame, err
			}
			if b, err = f.in.ReadByte(); err != nil {
				return frame, err
			}
		}
		marker := b
		if err := put(marker); err != nil {
			return frame, err
		}
		switch {
		case marker == markerEOI:
			return frame, nil
		case marker == 0x00 || marker == 0xd8: // no marker; the start of another picture
			return frame, errBroken
		case marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7): // alone, without a length
			b, err = f.in.ReadByte()
			continue
		}
		var length [2]byte
		if _, err := io.ReadFull(f.in, length[:]); err != nil {
			return frame, err
		}
		n := int(length[0])<<8 | int(length[1])
		if n < 2 {
			return frame, errBroken
		}
		if len(frame)+n > maxFrame {
			return frame, failure(TooLarge)
		}
		frame = append(frame, length[:]...)
		at := len(frame)
		frame = append(frame, make([]byte, n-2)...)
		if _, err := io.ReadFull(f.in, frame[at:]); err != nil {
			return frame, err
		}
		if b, err = f.in.ReadByte(); err != nil || marker != markerSOS {
			continue
		}
		if frame, b, err = f.compressed(frame, b); err != nil {
			return frame, err
		}
	}
}

// compressed takes compressed data that begins with b, up to the 0xff of a marker that is neither a stuffed 0xff nor a
// restart. It copies what the reader has at hand instead of asking byte by byte: nearly all of a picture is this.
func (f *frames) compressed(frame []byte, b byte) ([]byte, byte, error) {
	for {
		for b != 0xff {
			frame = append(frame, b)
			have, _ := f.in.Peek(f.in.Buffered())
			n := bytes.IndexByte(have, 0xff)
			if n < 0 {
				n = len(have)
			}
			if len(frame)+n >= maxFrame {
				return frame, 0, failure(TooLarge)
			}
			frame = append(frame, have[:n]...)
			f.in.Discard(n)
			var err error
			if b, err = f.in.ReadByte(); err != nil {
				return frame, 0, err
			}
		}
		following, err := f.in.Peek(1)
		if err != nil {
			return frame, 0, err
		}
		if m := following[0]; m != 0x00 && (m < 0xd0 || m > 0xd7) {
			return frame, b, nil
		}
		if len(frame)+2 >= maxFrame {
			return frame, 0, failure(TooLarge)
		}
		frame = append(frame, b, following[0])
		f.in.Discard(1)
		if b, err = f.in.ReadByte(); err != nil {
			return frame, 0, err
		}
	}
}

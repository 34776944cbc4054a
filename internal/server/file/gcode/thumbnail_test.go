package gcode

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"slices"
	"strings"
	"testing"
)

// samePicture fails if two PNGs do not show the same.
func samePicture(t *testing.T, a, b []byte) {
	t.Helper()
	x, err := png.Decode(bytes.NewReader(a))
	if err != nil {
		t.Fatal(err)
	}
	y, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if x.Bounds() != y.Bounds() || x.Bounds().Empty() {
		t.Fatalf("%v and %v", x.Bounds(), y.Bounds())
	}
	for row := range x.Bounds().Dy() {
		for column := range x.Bounds().Dx() {
			if x.At(column, row) != y.At(column, row) {
				t.Fatalf("pixel %d, %d: %v and %v", column, row, x.At(column, row), y.At(column, row))
			}
		}
	}
}

// withPicture is a print with a thumbnail as slicers embed one.
func withPicture(word string, picture []byte) string {
	text := base64.StdEncoding.EncodeToString(picture)
	var b strings.Builder
	fmt.Fprintf(&b, ";\n; %s begin 16x16 %d\n", word, len(text))
	for row := range slices.Chunk([]byte(text), 78) {
		fmt.Fprintf(&b, "; %s\n", row)
	}
	fmt.Fprintf(&b, "; %s end\n;\nG28\nG1 X10\n", word)
	return b.String()
}

func picture(width, height int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range m.Pix {
		m.Pix[i] = byte(i * 7)
	}
	return m
}

func asPNG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asJPEG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// asQOI writes every pixel in full: what the other chunks mean is tried with the samples.
func asQOI(m *image.NRGBA) []byte {
	b := []byte("qoif")
	b = binary.BigEndian.AppendUint32(b, uint32(m.Rect.Dx()))
	b = binary.BigEndian.AppendUint32(b, uint32(m.Rect.Dy()))
	b = append(b, 4, 0)
	for pixel := range slices.Chunk(m.Pix, 4) {
		b = append(append(b, 0xff), pixel...)
	}
	return append(b, 0, 0, 0, 0, 0, 0, 0, 1)
}

func TestThumbnails(t *testing.T) {
	m := picture(16, 12)
	for _, test := range []struct {
		file           string
		embedded, kind string
	}{
		{withPicture("thumbnail", asPNG(t, m)), "png", "image/png"},
		{withPicture("thumbnail_PNG", asPNG(t, m)), "png", "image/png"},
		{withPicture("thumbnail_QOI", asQOI(m)), "qoi", "image/png"},
		{withPicture("thumbnail_JPG", asJPEG(t, m)), "jpg", "image/jpeg"},
		{withPicture("jpg", asJPEG(t, m)), "jpg", "image/jpeg"},
		{strings.ReplaceAll(withPicture("thumbnail", asPNG(t, m)), "\n", "\r\n"), "png", "image/png"},
		{"; THUMBNAIL_BLOCK_START\n" + withPicture("thumbnail", asPNG(t, m)) + "; THUMBNAIL_BLOCK_END\n", "png", "image/png"},
		{";thumbnail: data:image/png;base64," + base64.StdEncoding.EncodeToString(asPNG(t, m)) + "\nG28\n", "png", "image/png"},
	} {
		r := analyse(t, []byte(test.file))
		if len(r.Thumbnails) != 1 || len(r.Warnings) != 1 || r.Warnings[0].Code != NothingPrinted {
			t.Fatalf("%.40q: %+v, %+v", test.file, r.Thumbnails, r.Warnings)
		}
		got := r.Thumbnails[0]
		if got.Width != 16 || got.Height != 12 || got.Embedded != test.embedded || got.Type != test.kind || got.Size != len(got.Data) {
			t.Errorf("%.40q: %+v", test.file, got)
		}
		if test.kind == "image/png" {
			samePicture(t, got.Data, asPNG(t, m))
		} else if !bytes.Equal(got.Data, asJPEG(t, m)) {
			t.Errorf("the JPEG is another one")
		}
	}
}

// What a PNG may carry beside its pixels does not reach a browser.
func TestThumbnailIsWrittenAnew(t *testing.T) {
	raw := asPNG(t, picture(4, 4))
	const secret = "tEXtComment\x00<script>"
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(secret)-4))
	chunk = append(append(chunk, secret...), 0, 0, 0, 0)
	binary.BigEndian.PutUint32(chunk[len(chunk)-4:], crcOf(secret))
	dirty := slices.Concat(raw[:33], chunk, raw[33:])
	r := analyse(t, []byte(withPicture("thumbnail", dirty)))
	if len(r.Thumbnails) != 1 || bytes.Contains(r.Thumbnails[0].Data, []byte("script")) {
		t.Errorf("%+v", r.Thumbnails)
	}
}

func TestThumbnailsThatAreRefused(t *testing.T) {
	claims := func(raw []byte, at int) []byte {
		raw = bytes.Clone(raw)
		binary.BigEndian.PutUint32(raw[at:], 60000)
		binary.BigEndian.PutUint32(raw[at+4:], 60000)
		return raw
	}
	huge := claims(asPNG(t, picture(4, 4)), 16)
	binary.BigEndian.PutUint32(huge[29:], crcOf(string(huge[12:29])))
	wide := asJPEG(t, image.NewGray(image.Rect(0, 0, 4096, 8)))
	lines := strings.Repeat("; "+strings.Repeat("A", 76)+"\n", maxPictureText/76+1)
	for name, test := range map[string]struct {
		file string
		want Code
	}{
		"PNG that claims 60000 × 60000": {withPicture("thumbnail", huge), Hostile},
		"QOI that claims 60000 × 60000": {withPicture("thumbnail_QOI", claims(asQOI(picture(4, 4)), 4)), Hostile},
		"JPEG of 4096 pixels":           {withPicture("thumbnail_JPG", wide), Hostile},
		"endless Base64":                {"; thumbnail begin 1x1 4\n" + lines + "; thumbnail end\nG28\n", Hostile},
		"too many":                      {strings.Repeat(withPicture("thumbnail", asPNG(t, picture(1, 1))), MaxThumbnails+1), TooManyThumbnails},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Analyse(context.Background(), strings.NewReader(test.file)); CodeOf(err) != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// A picture that is broken is no reason against the print.
func TestThumbnailsThatAreLeftOut(t *testing.T) {
	whole := asPNG(t, picture(16, 16))
	for name, file := range map[string]string{
		"no Base64":    "; thumbnail begin 1x1 4\n; *** hello\n; thumbnail end\nG28\n",
		"half a PNG":   withPicture("thumbnail", whole[:len(whole)/2]),
		"QOI as a PNG": withPicture("thumbnail", asQOI(picture(4, 4))),
		"half a QOI":   withPicture("thumbnail_QOI", asQOI(picture(4, 4))[:30]),
		"no JPEG":      withPicture("thumbnail_JPG", whole),
		"empty":        "; thumbnail begin 1x1 0\n; thumbnail end\nG28\n",
	} {
		r := analyse(t, []byte(file))
		if len(r.Thumbnails) != 0 || len(r.Warnings) != 2 || r.Warnings[0].Code != BadThumbnail {
			t.Errorf("%s: %+v, %+v", name, r.Thumbnails, r.Warnings)
		}
	}
}

// The chunks of QOI, byte by byte as the specification has them.
func TestQOI(t *testing.T) {
	head := "qoif\x00\x00\x00\x01\x00\x00\x00\x06\x04\x00"
	chunks := "\xfe\x0a\x14\x1e" + // RGB 10 20 30
		"\x40" + // each 2 less: 8 18 28
		"\xa5\x79" + // green 5 more, red 4 more, blue 6 more: 12 23 34
		"\xc0" + // the same once more
		"\xff\x01\x02\x03\x04" + // RGBA 1 2 3 4
		"\x09" // 10 20 30 255 has the place (30+100+210+2805) % 64
	got, err := qoiDecode([]byte(head + chunks))
	if err != nil {
		t.Fatal(err)
	}
	for row, want := range []color.NRGBA{{10, 20, 30, 255}, {8, 18, 28, 255}, {12, 23, 34, 255}, {12, 23, 34, 255}, {1, 2, 3, 4}, {10, 20, 30, 255}} {
		if got.At(0, row) != want {
			t.Errorf("pixel %d is %v, want %v", row, got.At(0, row), want)
		}
	}
	for n := range len(head + chunks) {
		if _, err := qoiDecode([]byte(head + chunks)[:n]); err == nil {
			t.Errorf("%d bytes of it are taken", n)
		}
	}
}

func crcOf(s string) uint32 { return crc32.ChecksumIEEE([]byte(s)) }

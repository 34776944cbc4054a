package gcode

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// toPlain turns a binary file into text.
func toPlain(t testing.TB, file []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := ToText(context.Background(), bytes.NewReader(file), &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// telling are the lines that say something: libbgcode drops some empty comments and leaves other empty lines than we do.
func telling(text []byte) string {
	var all strings.Builder
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && line != ";" {
			all.WriteString(line + "\n")
		}
	}
	return all.String()
}

// libbgcode packed these files in each of its ways, and what it turns them back into is beside them.
func TestToTextAgreesWithLibbgcode(t *testing.T) {
	for compression := range 4 {
		for encoding := range 3 {
			name := fmt.Sprintf("two-tools-C%dE%d.bgcode", compression, encoding)
			t.Run(name, func(t *testing.T) {
				want := telling(own(t, fmt.Sprintf("two-tools-E%d.txt", encoding)))
				if got := telling(toPlain(t, own(t, name))); got != want {
					a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
					for i := range min(len(a), len(b)) {
						if a[i] != b[i] {
							t.Fatalf("line %d of %d is %q, want %q", i, len(a), a[i], b[i])
						}
					}
					t.Fatalf("%d lines, want %d", len(a), len(b))
				}
			})
		}
	}
}

func TestAnalyseBinary(t *testing.T) {
	plain := analyse(t, own(t, "prusa-two-tools.gcode"))
	for _, name := range []string{"two-tools-C0E0.bgcode", "two-tools-C1E0.bgcode", "two-tools-C2E2.bgcode", "two-tools-C3E2.bgcode"} {
		t.Run(name, func(t *testing.T) {
			file := own(t, name)
			r, err := Analyse(context.Background(), bytes.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			if r.Format != Binary || r.Bytes != int64(len(file)) {
				t.Errorf("format %s, %d bytes", r.Format, r.Bytes)
			}
			if r.Slicer != plain.Slicer || *r.PrintTime != *plain.PrintTime || r.Layers != plain.Layers || *r.Bounds != *plain.Bounds ||
				r.FilamentLength != plain.FilamentLength || r.FilamentWeight != plain.FilamentWeight || r.PrinterModel != plain.PrinterModel ||
				len(r.Tools) != 2 || r.Tools[1] != plain.Tools[1] {
				t.Errorf("got %+v\nwant %+v", r, plain)
			}
			if len(r.Thumbnails) != 2 || r.Thumbnails[0].Embedded != "png" || r.Thumbnails[1].Embedded != "qoi" {
				t.Fatalf("thumbnails %+v", r.Thumbnails)
			}
			samePicture(t, r.Thumbnails[0].Data, r.Thumbnails[1].Data)
		})
	}
}

func TestManyBlocks(t *testing.T) {
	r := analyse(t, own(t, "many-blocks.bgcode"))
	if r.Layers != 25 || r.Height != 5 || r.Lines < 10_000 {
		t.Errorf("%d layers, %g high, %d lines", r.Layers, r.Height, r.Lines)
	}
	// The same layers of the plain file.
	plain := bytes.Split(withoutFigures(sample(t, "sample.gcode")), []byte(";LAYER_CHANGE"))
	want := analyse(t, append(bytes.Join(plain[:26], []byte(";LAYER_CHANGE")), "; prusaslicer_config = end\n"...))
	near(t, "filament", r.FilamentLength, want.FilamentLength, 0.001)
	if *r.Bounds != *want.Bounds {
		t.Errorf("bounds %v, want %v", r.Bounds, want.Bounds)
	}
}

func TestToTextReadsInAnyPieces(t *testing.T) {
	file := own(t, "two-tools-C3E2.bgcode")
	var out bytes.Buffer
	if err := ToText(context.Background(), iotest.OneByteReader(bytes.NewReader(file)), &out); err != nil || !bytes.Equal(out.Bytes(), toPlain(t, file)) {
		t.Errorf("%d bytes, %v", out.Len(), err)
	}
}

// Wherever a file is cut off and whichever byte is wrong, it is noticed.
func TestToTextNoticesDamage(t *testing.T) {
	file := own(t, "two-tools-C1E2.bgcode")
	for n := 0; n < len(file); n += 11 {
		if err := ToText(context.Background(), bytes.NewReader(file[:n]), io.Discard); CodeOf(err) != CutOff {
			t.Fatalf("cut off at %d: %v", n, err)
		}
	}
	for n := 0; n < len(file); n += 7 {
		wrong := bytes.Clone(file)
		wrong[n] ^= 0x10
		if err := ToText(context.Background(), bytes.NewReader(wrong), io.Discard); CodeOf(err) == "" {
			t.Fatalf("byte %d wrong: %v", n, err)
		}
	}
}

// packed is a file of blocks as the tests want them.
type packed struct{ bytes.Buffer }

func newPacked() *packed {
	p := &packed{}
	p.WriteString("GCDE\x01\x00\x00\x00\x01\x00")
	return p
}

// add appends a block whose header claims size bytes unpacked.
func (p *packed) add(kind blockType, compression uint16, size int, parameters []byte, data []byte) *packed {
	b := binary.LittleEndian.AppendUint16(nil, uint16(kind))
	b = binary.LittleEndian.AppendUint16(b, compression)
	b = binary.LittleEndian.AppendUint32(b, uint32(size))
	if compression != 0 {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	}
	b = append(append(b, parameters...), data...)
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	p.Write(b)
	return p
}

func deflated(data []byte) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

func TestToTextRefuses(t *testing.T) {
	none := []byte{0, 0}
	code := []byte("G28\nG1 X10\n")
	zeros := deflated(bytes.Repeat([]byte("G1 X1 Y1\n"), 8<<20/9))
	bomb := newPacked()
	for range 8 {
		bomb.add(codeBlock, 1, 8<<20/9*9, none, zeros)
	}
	many := newPacked()
	for range maxMetadataCount + 1 {
		many.add(printMetadata, 0, 4, none, []byte("a=b\n"))
	}
	pictures := newPacked()
	for range MaxThumbnails + 1 {
		pictures.add(thumbnailBlock, 0, 1, make([]byte, 6), []byte("x"))
	}
	for _, test := range []struct {
		name string
		file []byte
		want Code
	}{
		{"nothing", nil, CutOff},
		{"text", []byte("G28\nG1 X1 Y2 Z3\n"), NotGCode},
		{"a later version", []byte("GCDE\x02\x00\x00\x00\x01\x00"), Unsupported},
		{"another checksum", []byte("GCDE\x01\x00\x00\x00\x02\x00"), Unsupported},
		{"no code", newPacked().add(printMetadata, 0, 4, none, []byte("a=b\n")).Bytes(), CutOff},
		{"unknown block", newPacked().add(9, 0, len(code), none, code).Bytes(), Damaged},
		{"unknown compression", newPacked().add(codeBlock, 4, len(code), none, code).Bytes(), Damaged},
		{"unknown encoding", newPacked().add(codeBlock, 0, len(code), []byte{3, 0}, code).Bytes(), Unsupported},
		{"settings after the code", newPacked().add(codeBlock, 0, len(code), none, code).add(printMetadata, 0, 4, none, []byte("a=b\n")).Bytes(), Damaged},
		{"unpacks to less than it claims", newPacked().add(codeBlock, 1, 1<<20, none, deflated(code)).Bytes(), Damaged},
		{"heatshrink that ends early", newPacked().add(codeBlock, 2, 1<<20, none, code).Bytes(), Damaged},
		{"no deflate", newPacked().add(codeBlock, 1, 1<<20, none, code).Bytes(), Damaged},
		{"4 GB claimed", newPacked().add(codeBlock, 0, 1<<32-1, none, code).Bytes(), CutOff},
		{"bomb in the code", bomb.Bytes(), Hostile},
		{"bomb in the settings", newPacked().add(slicerMetadata, 1, 64<<20, none, zeros).Bytes(), Hostile},
		{"bomb in a thumbnail", newPacked().add(thumbnailBlock, 1, 64<<20, make([]byte, 6), zeros).Bytes(), Hostile},
		{"too many settings", many.Bytes(), Hostile},
		{"too many thumbnails", pictures.Bytes(), TooManyThumbnails},
		{"control characters in the settings", newPacked().add(slicerMetadata, 0, 4, none, []byte("a=\x1b\n")).Bytes(), Hostile},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out limited
			err := ToText(context.Background(), bytes.NewReader(test.file), &out)
			if CodeOf(err) != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if out.n > freeText+maxRatio*int64(len(test.file)) {
				t.Errorf("wrote %d bytes", out.n)
			}
		})
	}
}

// limited counts what it is given.
type limited struct{ n int64 }

func (l *limited) Write(p []byte) (int, error) {
	l.n += int64(len(p))
	return len(p), nil
}

func TestToTextStopsWhenNobodyTakesIt(t *testing.T) {
	full := errors.New("the disk is full")
	err := ToText(context.Background(), bytes.NewReader(own(t, "many-blocks.bgcode")), writer(func([]byte) (int, error) { return 0, full }))
	if !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := ToText(ctx, bytes.NewReader(own(t, "many-blocks.bgcode")), io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// What MeatPack cannot show in the samples: pairs of whole bytes, spaces that are kept, 0xff in a text.
func TestMeatPack(t *testing.T) {
	for name, test := range map[string]struct{ packed, want string }{
		"not packing":            {"M117 \xff hi\n", "M117 \xff hi\n"},
		"pairs":                  {"\xff\xff\xfb\x1d\xbe\xca", "G1 X .\n"},
		"whole first":            {"\xff\xff\xfb\x0fM\xcf1", "M01\n"},
		"whole second":           {"\xff\xff\xfb\xf1M\xc0", "1M0\n"},
		"both whole":             {"\xff\xff\xfb\xffMP\xc0", "MP0\n"},
		"E for a space":          {"\xff\xff\xfb\xff\xff\xf7\x1d\x1b\xc0", "G1 E10\n"},
		"spaces again":           {"\xff\xff\xfb\xff\xff\xf7\xff\xff\xf6\xb1\xc0", "1 0\n"},
		"filled up after a line": {"\xff\xff\xfb\xc1\x0c\xc2", "1\n2\n"},
		"off":                    {"\xff\xff\xfb\xc1\xff\xff\xfa; hi\n", "1\n; hi\n"},
	} {
		var out bytes.Buffer
		w := newMeatpack(&out)
		if _, err := w.Write([]byte(test.packed)); err != nil {
			t.Fatal(err)
		}
		if err := w.w.Flush(); err != nil || out.String() != test.want {
			t.Errorf("%s: got %q, want %q, %v", name, out.String(), test.want, err)
		}
	}
}

// A repetition may reach before the beginning, where there are zeros, and into itself.
func TestHeatshrink(t *testing.T) {
	for name, test := range map[string]struct {
		bits, want string
		window     uint
	}{
		"literals":            {"1 01000111 1 00110001", "G1", 11},
		"itself":              {"1 01000111 0 00000000000 0011", "GGGGG", 11},
		"window of 12":        {"1 01000111 0 000000000000 0011", "GGGGG", 12},
		"before it began":     {"0 00000000000 0001", "\x00\x00", 11},
		"two back":            {"1 01000111 1 00110001 0 00000000001 0001", "G1G1", 11},
		"ends in a literal":   {"1 01000111 1 0011", "G", 11},
		"ends in a reference": {"1 01000111 0 0000000", "G", 11},
	} {
		h := &heatshrink{r: bytes.NewReader(bitString(test.bits)), window: test.window}
		got, err := io.ReadAll(io.LimitReader(h, int64(len(test.want))))
		if err != nil || string(got) != test.want {
			t.Errorf("%s: got %q, want %q, %v", name, got, test.want, err)
		}
	}
}

func bitString(bits string) []byte {
	var out []byte
	n := 0
	for _, c := range bits {
		if c == ' ' {
			continue
		}
		if n%8 == 0 {
			out = append(out, 0)
		}
		out[n/8] |= byte(c-'0') << (7 - n%8)
		n++
	}
	return out
}

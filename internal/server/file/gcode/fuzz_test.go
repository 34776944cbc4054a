package gcode

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math"
	"strings"
	"testing"
)

// seeds are files of every kind, shortened: their beginnings and ends have what is special.
func seeds(f *testing.F) {
	f.Helper()
	for _, name := range []string{"prusa-absolute.gcode", "prusa-raft.gcode", "prusa-two-tools.gcode", "prusa-macros.gcode", "cura-marlin.gcode", "cura-ultigcode.gcode"} {
		file := own(f, name)
		f.Add(append(bytes.Clone(file[:3000]), file[len(file)-800:]...))
	}
	f.Add([]byte("N1 G20*3\ng91\nG2 X1 Y1 R-3 E1\nG92.1\nG92 E-4\nM200 D1.75\nT1\nG3 I1\nG1X1e5Y.-3"))
	f.Add([]byte("G1 X99999999999999999999999.99999999999999999999999999 E9999999999999999999999\nG28 X\nG1 X-0 E1 F0.00000001\n"))
	f.Add([]byte("; HEADER_BLOCK_START\n; BambuStudio 01.08\n; model printing time: 6m 5s; total estimated time: 12m 5s\n; CHANGE_LAYER\n; FEATURE: Outer wall\nM73 P0 R12\nG1 X1 E1\n"))
	f.Add([]byte(withPicture("thumbnail", asPNG(f, picture(4, 4)))))
	f.Add([]byte(withPicture("thumbnail_QOI", asQOI(picture(4, 4)))))
	f.Add([]byte(withPicture("thumbnail_JPG", asJPEG(f, picture(8, 8)))))
	f.Add(own(f, "two-tools-C1E1.bgcode"))
	f.Add(own(f, "two-tools-C3E2.bgcode"))
	f.Add(newPacked().add(codeBlock, 0, 10, []byte{1, 0}, []byte("\xff\xff\xfb\x1d\xbe\xca\xff\xff\xfa\n")).Bytes())
}

// A report can be kept as JSON and holds only figures that make sense; a refusal has a code.
func FuzzAnalyse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := Analyse(context.Background(), bytes.NewReader(file))
		if err != nil {
			if CodeOf(err) == "" || r != nil {
				t.Fatalf("refused by %v, %v", err, r)
			}
			return
		}
		if _, err := json.Marshal(r); err != nil {
			t.Fatal(err)
		}
		if r.PrintTime != nil && (*r.PrintTime <= 0 || *r.PrintTime > maxSeconds) {
			t.Errorf("print time %g", *r.PrintTime)
		}
		if r.Bounds != nil {
			for i := range 3 {
				if r.Bounds.Min[i] > r.Bounds.Max[i] || math.Abs(r.Bounds.Max[i]) > farthest || r.Bounds.Min[i] < r.Reach.Min[i] {
					t.Errorf("bounds %v in %v", r.Bounds, r.Reach)
				}
			}
		}
		if r.FilamentLength < 0 || r.FilamentWeight < 0 || r.MaxTemperature < 0 || r.MaxTemperature > MaxCelsius || r.Layers < 0 {
			t.Errorf("%+v", r)
		}
		for _, s := range []string{r.Slicer.Name, r.Slicer.Version, r.PrinterModel} {
			if strings.ContainsAny(s, "\x00\x1b\n\r") || len(s) > 300 {
				t.Errorf("%q is not to be shown", s)
			}
		}
		r.Fits(Printer{Space: Volume(200, 200, 200, false), Tools: 1, MaxNozzle: 200})
		// The same in other pieces gives the same.
		again, err := Analyse(context.Background(), io.MultiReader(bytes.NewReader(file[:len(file)/3]), bytes.NewReader(file[len(file)/3:])))
		if err != nil {
			t.Fatalf("in two pieces: %v", err)
		}
		if a, b := asJSON(r), asJSON(again); a != b {
			t.Errorf("in two pieces %s, in one %s", b, a)
		}
	})
}

func asJSON(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// A drawing is sound and bounded, whatever it is of.
func FuzzToolpath(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, file []byte) {
		var out bytes.Buffer
		if err := Toolpath(context.Background(), bytes.NewReader(file), &out, MinPoints); err != nil {
			if CodeOf(err) == "" {
				t.Fatal(err)
			}
			return
		}
		p, err := readToolpath(out.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if len(p.points) > MinPoints {
			t.Errorf("%d points", len(p.points))
		}
		for position := 0.0; position <= p.bytes; position += 1 + p.bytes/10 {
			p.place(position)
		}
	})
}

// Text that comes out is bounded by what goes in.
func FuzzToText(f *testing.F) {
	for _, name := range []string{"two-tools-C0E0.bgcode", "two-tools-C1E2.bgcode", "two-tools-C2E1.bgcode", "two-tools-C3E2.bgcode"} {
		f.Add(own(f, name))
	}
	f.Add(newPacked().add(thumbnailBlock, 0, 4, []byte{2, 0, 1, 0, 1, 0}, []byte("qoif")).add(codeBlock, 2, 8, []byte{2, 0}, []byte("12345678")).Bytes())
	f.Fuzz(func(t *testing.T, file []byte) {
		// Checksums would keep nearly every change from being looked at.
		if len(file) > 10 {
			file = bytes.Clone(file)
			file[8], file[9] = 0, 0
		}
		var out limited
		if err := ToText(context.Background(), bytes.NewReader(file), &out); err != nil && CodeOf(err) == "" {
			t.Fatal(err)
		}
		if most := 4 * (freeText + maxRatio*int64(len(file))); out.n > most {
			t.Errorf("%d bytes of %d", out.n, len(file))
		}
	})
}

func FuzzThumbnail(f *testing.F) {
	f.Add("png", asPNG(f, picture(3, 5)))
	f.Add("png", asPNG(f, picture(3, 5))[:33])
	f.Add("jpg", asJPEG(f, picture(8, 8)))
	f.Add("qoi", asQOI(picture(3, 5)))
	f.Add("qoi", []byte("qoif\x00\x00\x00\x01\x00\x00\x00\x06\x04\x00\xfe\x0a\x14\x1e\x40\xa5\x79\xc0\xff\x01\x02\x03\x04\x09"))
	f.Add("qoi", []byte("qoif\xff\xff\xff\xff\xff\xff\xff\xff\x04\x00\xfd\xfd"))
	f.Fuzz(func(t *testing.T, kind string, raw []byte) {
		got, err := readPicture(raw, kind)
		if err != nil {
			return
		}
		if got.Width < 1 || got.Width > maxPictureSide || got.Height < 1 || got.Height > maxPictureSide || len(got.Data) != got.Size || got.Size == 0 {
			t.Errorf("%d × %d, %d bytes", got.Width, got.Height, got.Size)
		}
		if got.Type == "image/png" {
			samePicture(t, got.Data, got.Data)
		}
	})
}

func FuzzHeatshrink(f *testing.F) {
	f.Add([]byte("\xa3\x98\x80"), false)
	f.Add([]byte{0, 0, 0, 0}, true)
	f.Fuzz(func(t *testing.T, packed []byte, wide bool) {
		h := &heatshrink{r: bytes.NewReader(packed), window: 11}
		if wide {
			h.window = 12
		}
		out, err := io.ReadAll(h)
		// 16 bytes of 16 bits are the most that one symbol gives.
		if err != nil || len(out) > len(packed)*8 {
			t.Errorf("%d bytes of %d, %v", len(out), len(packed), err)
		}
	})
}

func FuzzMeatPack(f *testing.F) {
	f.Add([]byte("\xff\xff\xfb\x1d\xbe\xca"))
	f.Add([]byte("\xff\xff\xfb\xff\xff\xf7\x1d\x1b\xc0\xff\xff\xfa; hi\n"))
	f.Add([]byte("\xff\xff\xff\xff\xfb\x0f"))
	f.Fuzz(func(t *testing.T, packed []byte) {
		var whole, pieces bytes.Buffer
		w := newMeatpack(&whole)
		if _, err := w.Write(packed); err != nil {
			t.Fatal(err)
		}
		w.w.Flush()
		w = newMeatpack(&pieces)
		for i := range packed {
			if _, err := w.Write(packed[i : i+1]); err != nil {
				t.Fatal(err)
			}
		}
		w.w.Flush()
		// Two characters a byte, and a space before each.
		if !bytes.Equal(whole.Bytes(), pieces.Bytes()) || whole.Len() > 4*len(packed) {
			t.Errorf("%d bytes of %d, %d in pieces", whole.Len(), len(packed), pieces.Len())
		}
	})
}

package gcode

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

const testdata = "../../../../testdata"

// sample reads a sliced file of the tree.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(testdata, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func analyse(t testing.TB, file []byte) *Report {
	t.Helper()
	r, err := Analyse(context.Background(), bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// near fails if got is more than percent away from want.
func near(t *testing.T, what string, got, want, percent float64) {
	t.Helper()
	if math.Abs(got-want) > math.Abs(want)*percent/100 {
		t.Errorf("%s is %g, want %g within %g %%", what, got, want, percent)
	}
}

// stated reads a figure out of a slicer's own comment, past this package.
func stated(t *testing.T, file []byte, pattern string) float64 {
	t.Helper()
	found := regexp.MustCompile(`(?m)^; ` + pattern).FindSubmatch(file)
	if found == nil {
		t.Fatalf("the file has no comment %q", pattern)
	}
	v, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAnalysePrusaSlicer(t *testing.T) {
	file := sample(t, "sample.gcode")
	r := analyse(t, file)
	if r.Slicer != (Slicer{"PrusaSlicer", "2.5.0"}) || r.Format != Text {
		t.Errorf("made by %+v as %s", r.Slicer, r.Format)
	}
	if r.PrintTime == nil || *r.PrintTime != 3*3600+44*60 || r.TimeSource != BySlicer {
		t.Errorf("print time %v by %s", r.PrintTime, r.TimeSource)
	}
	if r.Layers != bytes.Count(file, []byte(";LAYER_CHANGE\n")) || r.LayerHeight != 0.2 || r.Height != 23.6 {
		t.Errorf("%d layers of %g, %g high", r.Layers, r.LayerHeight, r.Height)
	}
	// sample.ini: 210 °C in the first layer, 205 later; the bed is at 60 and is left so.
	if got := r.Tools[0].Temperature; got != (Temperature{210, 205}) || r.MaxTemperature != 210 || r.Bed != (Temperature{60, 60}) {
		t.Errorf("nozzle %+v, at most %g; bed %+v", got, r.MaxTemperature, r.Bed)
	}
	if len(r.Warnings) != 1 || r.Warnings[0].Code != EndsHot || r.Warnings[0].Text != "bed" {
		t.Errorf("warnings %+v", r.Warnings)
	}
	if r.Bytes != int64(len(file)) || r.Lines != int64(bytes.Count(file, []byte("\n"))) {
		t.Errorf("%d bytes, %d lines", r.Bytes, r.Lines)
	}
}

// What the moves say must agree with what the slicer says: without its comments they are all there is.
func TestAnalyseWithoutComments(t *testing.T) {
	for _, name := range []string{"sample.gcode", "short.gcode"} {
		t.Run(name, func(t *testing.T) {
			file := sample(t, name)
			bare := regexp.MustCompile(`(?m)^;.*\n`).ReplaceAll(file, nil)
			r, with := analyse(t, bare), analyse(t, file)
			near(t, "filament", r.FilamentLength, stated(t, file, `filament used \[mm\] = ([\d.]+)`), 1)
			near(t, "weight by the slicer", with.FilamentWeight, stated(t, file, `filament used \[g\] = ([\d.]+)`), 1)
			if r.Layers != with.Layers || *r.Bounds != *with.Bounds || r.Height != with.Height {
				t.Errorf("%d layers in %v, want %d in %v", r.Layers, r.Bounds, with.Layers, with.Bounds)
			}
			if r.TimeSource != ByMoves {
				t.Fatalf("the time is by %q", r.TimeSource)
			}
			near(t, "print time", *r.PrintTime, *with.PrintTime, 20)
		})
	}
}

func TestAnalyseReadsInAnyPieces(t *testing.T) {
	file := sample(t, "short.gcode")
	whole := analyse(t, file)
	r, err := Analyse(context.Background(), iotest.OneByteReader(bytes.NewReader(file)))
	if err != nil || r.FilamentLength != whole.FilamentLength || r.Lines != whole.Lines || *r.Bounds != *whole.Bounds {
		t.Errorf("byte by byte %+v, %v; want %+v", r, err, whole)
	}
}

func TestAnalysePassesOnWhatReadingSays(t *testing.T) {
	failing := errors.New("the disk is gone")
	file := io.MultiReader(bytes.NewReader(sample(t, "short.gcode")), iotest.ErrReader(failing))
	if _, err := Analyse(context.Background(), file); !errors.Is(err, failing) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Analyse(ctx, bytes.NewReader(sample(t, "short.gcode"))); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestAnalyseMoves(t *testing.T) {
	for _, test := range []struct {
		name, file string
		box        Box
		filament   float64
	}{
		{"relative filament", "M83\nG1 X10 Y10 Z0.2\nG1 X20 E1\nG1 Y20 E1.5", Box{[3]float64{10, 10, 0.2}, [3]float64{20, 20, 0.2}}, 2.5},
		{"absolute filament", "M82\nG92 E5\nG1 X10 Y10 Z0.2\nG1 X20 E6\nG1 Y20 E7.5", Box{[3]float64{10, 10, 0.2}, [3]float64{20, 20, 0.2}}, 2.5},
		{"retraction counts once", "M83\nG1 X10 Y10\nG1 X20 E2\nG1 E-1\nG1 X30\nG1 E1\nG1 X40 E1", Box{[3]float64{10, 10, 0}, [3]float64{40, 10, 0}}, 3},
		{"relative moves", "G91\nG1 X10 Y10\nG1 X5 E1\nG1 Y5 E1", Box{[3]float64{10, 10, 0}, [3]float64{15, 15, 0}}, 2},
		{"inches", "G20\nM83\nG0 X1 Y1\nG1 X2 E0.1", Box{[3]float64{25.4, 25.4, 0}, [3]float64{50.8, 25.4, 0}}, 2.54},
		{"shifted zero", "M83\nG1 X10 Y10\nG92 X0\nG1 X5 E1", Box{[3]float64{10, 10, 0}, [3]float64{15, 10, 0}}, 1},
		{"shift taken back", "M83\nG1 X10 Y10\nG92 X0\nG92.1\nG1 X25 E1", Box{[3]float64{10, 10, 0}, [3]float64{25, 10, 0}}, 1},
		{"homing", "M83\nG1 X10 Y10\nG28 X\nG1 Y20 E1", Box{[3]float64{0, 10, 0}, [3]float64{0, 20, 0}}, 1},
		{"full circle", "M83\nG1 X20 Y10\nG2 I-10 E1", Box{[3]float64{0, 0, 0}, [3]float64{20, 20, 0}}, 1},
		{"half circle", "M83\nG1 X20 Y10\nG3 X0 Y10 I-10 J0 E1", Box{[3]float64{0, 10, 0}, [3]float64{20, 20, 0}}, 1},
		{"half circle the other way", "M83\nG1 X20 Y10\nG2 X0 Y10 I-10 J0 E1", Box{[3]float64{0, 0, 0}, [3]float64{20, 10, 0}}, 1},
		{"quarter by radius", "M83\nG1 X20 Y10\nG3 X10 Y20 R10 E1", Box{[3]float64{10, 10, 0}, [3]float64{20, 20, 0}}, 1},
		{"three quarters by radius", "M83\nG1 X20 Y10\nG2 X10 Y20 R-10 E1", Box{[3]float64{0, 0, 0}, [3]float64{20, 20, 0}}, 1},
		{"no spaces, lower case, numbered", "N1 m83*1\nN2g1x10y10*33\nN3 g1X20e1 ; there", Box{[3]float64{10, 10, 0}, [3]float64{20, 10, 0}}, 1},
		{"carriage returns, comments", "M83\r\nG1 X10 Y10\r\nG1 X20 E1;E5\r\nG1 X30 (E7)\r\n", Box{[3]float64{10, 10, 0}, [3]float64{20, 10, 0}}, 1},
		{"start code is not the print", "M83\nG1 X0 Y-3\nG1 X60 E9\n;LAYER_CHANGE\nG1 X10 Y10\nG1 X20 E1\n", Box{[3]float64{10, 10, 0}, [3]float64{20, 10, 0}}, 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := analyse(t, []byte(test.file))
			if r.Bounds == nil || *r.Bounds != test.box {
				t.Errorf("bounds %v, want %v", r.Bounds, test.box)
			}
			near(t, "filament", r.FilamentLength, test.filament, 0.001)
		})
	}
}

func TestAnalyseRefuses(t *testing.T) {
	short := string(sample(t, "short.gcode"))
	cura := ";FLAVOR:Marlin\n;Generated with Cura_SteamEngine 4.13.0\nM82\nG1 X1 Y1\nG1 X2 E1\n"
	for _, test := range []struct {
		name, file string
		want       Code
	}{
		{"empty", "", NotGCode},
		{"white", " \n\n", NotGCode},
		{"prose", strings.Repeat("Once upon a time, there was a printer.\n", 40), NotGCode},
		{"web page", "<!doctype html><p>G1 X10", NotGCode},
		{"3MF", "PK\x03\x04", NotGCode},
		{"model", "solid cube\nfacet normal 0 0 1\n", NotGCode},
		{"binary", "G1\x00\x01\x02", NotGCode},
		{"endless line", "G1 X1\n;" + strings.Repeat("x", MaxLine+1), NotGCode},
		{"PrusaSlicer without its end", short[:len(short)-100], CutOff},
		{"PrusaSlicer, half", short[:len(short)/2], CutOff},
		{"Cura without its end", cura, CutOff},
		{"OrcaSlicer without its settings", "; HEADER_BLOCK_START\n; generated by OrcaSlicer 2.1.1 on 2024-01-01\n; HEADER_BLOCK_END\n; EXECUTABLE_BLOCK_START\nG28\n; EXECUTABLE_BLOCK_END\n", CutOff},
		{"Bambu Studio without its end", "; HEADER_BLOCK_START\n; BambuStudio 01.08.04.51\n; HEADER_BLOCK_END\n; CONFIG_BLOCK_START\n; CONFIG_BLOCK_END\n; EXECUTABLE_BLOCK_START\nG28\n", CutOff},
		{"half a line", "G28\nG1 X10 Y", CutOff},
		{"half a number", "G28\nG1 X10 Y-", CutOff},
		{"half a picture", "G28\n; thumbnail begin 16x16 400\n; iVBORw0KGgo\n", CutOff},
		{"zero bytes", short + strings.Repeat("\x00", 100) + "\n", Damaged},
		{"zero bytes to the end", short + strings.Repeat("\x00", 2*MaxLine), Damaged},
		{"control character in a comment", "G28\n; \x1b[2J\n", Hostile},
		{"control character in a command", "G28\nM117 \x07\n", Hostile},
		{"control character in a move", "G28\nG1 X1\x18Y2\n", Hostile},
		{"control character behind a move", "G28\nG1 X1 ; \x18\n", Hostile},
		{"far away", "M83\nG1 X99999999\nG1 Y10 E1\n", Hostile},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := Analyse(context.Background(), strings.NewReader(test.file))
			if got := CodeOf(err); got != test.want {
				t.Errorf("got %v (%+v), want %s", err, r, test.want)
			}
		})
	}
}

func TestAnalyseTakes(t *testing.T) {
	for name, file := range map[string]string{
		"Cura with its end":        ";FLAVOR:Marlin\n;TIME:6666\n;Generated with Cura_SteamEngine 4.13.0\nM82\nG1 X1 Y1\nG1 X2 E1\n;TIME_ELAPSED:12.5\n;End of Gcode\n",
		"an old PrusaSlicer's":     "; generated by PrusaSlicer 2.3.3+linux-x64 on 2021-07-16\nG28\n; wipe = 0\n",
		"no line end at the end":   "G28\nG1 X10",
		"text at the end":          "G28\nM117 Done.",
		"Klipper's macros":         "START_PRINT BED_TEMP=60 EXTRUDER_TEMP=210\nG1 X1\nEND_PRINT",
		"OctoPrint's @commands":    "@pause\nG1 X1\n",
		"a comment in Korean":      "; 출력 시작\nM117 안녕\nG1 X1\n",
		"a comment in Latin-1":     "; d\xfcse\nG1 X1\n",
		"a file of comments first": strings.Repeat("; hello\n", 1000) + "G28\n",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Analyse(context.Background(), strings.NewReader(file)); err != nil {
				t.Error(err)
			}
		})
	}
}

// An editor's mark before the first line does not hide who made the file.
func TestAnalyseByteOrderMark(t *testing.T) {
	if r := analyse(t, append([]byte("\ufeff"), sample(t, "short.gcode")...)); r.Slicer.Name != "PrusaSlicer" {
		t.Errorf("made by %+v", r.Slicer)
	}
}

func TestFits(t *testing.T) {
	r := &Report{
		Bounds: &Box{[3]float64{10, 10, 0.2}, [3]float64{110, 60, 50}}, Height: 50, Radius: math.Hypot(110, 60),
		Tools: []Tool{{Tool: 0}, {Tool: 1}}, MaxTemperature: 240, MaxBed: 80, Chamber: 40,
	}
	codes := func(p Printer) string {
		var all []string
		for _, m := range r.Fits(p) {
			all = append(all, string(m.Code)+m.Axis)
		}
		return strings.Join(all, " ")
	}
	for _, test := range []struct {
		name string
		p    Printer
		want string
	}{
		{"nothing is known", Printer{}, ""},
		{"everything fits", Printer{Space: Volume(220, 220, 250, false), Tools: 2, MaxNozzle: 240, MaxBed: 80, MaxChamber: 60}, ""},
		{"too wide", Printer{Space: Volume(90, 220, 250, false)}, "too_largex"},
		{"too high", Printer{Space: Volume(220, 220, 49, false)}, "too_largez"},
		{"over the edge", Printer{Space: Volume(105, 220, 250, false)}, "outsidex"},
		{"placed for another zero", Printer{Space: Volume(200, 200, 250, true)}, "outsidex"},
		{"round bed", Printer{Space: Volume(240, 240, 250, true), Round: true}, "outside"},
		{"one tool", Printer{Tools: 1}, "tool_missing"},
		{"too hot", Printer{MaxNozzle: 230, MaxBed: 70, MaxChamber: 30}, "nozzle_too_hot bed_too_hot chamber_too_hot"},
		{"nothing to heat with", Printer{NoHeatedBed: true, NoHeatedChamber: true}, "no_heated_bed no_heated_chamber"},
	} {
		if got := codes(test.p); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

// Numbers are read eight digits at once; here they are read by the standard library.
func TestDecimal(t *testing.T) {
	for _, text := range []string{
		"0", "7", "12", "123.456", "-0.5", ".5", "-.25", "+3", "1234567", "12345678", "123456789", "1.2345678", "1.23456789",
		"1234567.1234567", "99999999.99999999", "0.00000001", "00000000012", "3.",
	} {
		want, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		for _, behind := range []string{"\n", " Y1\n", "\n99999999", "Y12345678"} {
			line := []byte("X" + text + behind)
			whole := line[:1+len(text)] // more follows in memory
			short := bytes.Clone(whole)
			for _, b := range [][]byte{whole, short[:len(short):len(short)]} {
				got, next := decimal(b, 1)
				if math.Abs(got-want) > 1e-9*math.Abs(want) || next != 1+len(text) {
					t.Errorf("%q before %q: %v, %d; want %v, %d", text, behind, got, next, want, 1+len(text))
				}
			}
		}
	}
	for _, text := range []string{"", "-", ".", "-.", "x"} {
		if v, _ := decimal(append([]byte(text), "\n        "...)[:len(text)], 0); v != 0 {
			t.Errorf("%q is %v", text, v)
		}
	}
}

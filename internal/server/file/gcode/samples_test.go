package gcode

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// own reads a file of this folder's testdata; README.md there says how they were made.
func own(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// withoutFigures takes out of a PrusaSlicer file what it says about times and lengths, and leaves the settings.
func withoutFigures(file []byte) []byte {
	return regexp.MustCompile(`(?m)^; (filament used|estimated|total).*\n|^M73.*\n`).ReplaceAll(file, nil)
}

func TestSamplesOfPrusaSlicer(t *testing.T) {
	for _, test := range []struct {
		name  string
		tools int
		first float64 // °C of tool 0
		other float64
	}{
		{"prusa-absolute", 1, 215, 205},
		{"prusa-firmware-retraction", 1, 215, 205},
		{"prusa-macros", 1, 215, 205},
		{"prusa-raft", 1, 215, 205},
		{"prusa-sprinter", 1, 215, 205},
		{"prusa-two-tools", 2, 215, 205},
		{"prusa-vase", 1, 215, 205},
		{"prusa-volumetric", 1, 215, 205},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := own(t, test.name+".gcode")
			says, moves := analyse(t, file), analyse(t, withoutFigures(file))
			if says.PrinterModel != "TESTER" || says.Slicer.Name != "PrusaSlicer" || says.LayerHeight != 0.2 || says.FirstLayerHeight != 0.25 {
				t.Errorf("%+v", says)
			}
			lengths := figures(t, file, `filament used \[mm\]`)
			weights := figures(t, file, `filament used \[g\]`)
			if len(lengths) != test.tools || len(says.Tools) != test.tools || len(moves.Tools) != test.tools {
				t.Fatalf("%d tools by its comment, %+v, %+v", len(lengths), says.Tools, moves.Tools)
			}
			for i, want := range lengths {
				near(t, "length by the slicer", says.Tools[i].FilamentLength, want, 0.01)
				near(t, "length by the moves", moves.Tools[i].FilamentLength, want, 1)
				near(t, "weight by the slicer", says.Tools[i].FilamentWeight, weights[i], 0.01)
				// Its comment has two digits: half of the last one is more than 1 % here.
				if got := moves.Tools[i].FilamentWeight; math.Abs(got-weights[i]) > 0.011 {
					t.Errorf("weight by the moves is %g, want %g", got, weights[i])
				}
			}
			want := duration([]byte(regexp.MustCompile(`normal mode\) = (.*)`).FindStringSubmatch(string(file))[1]))
			if says.PrintTime == nil || *says.PrintTime != want || want < 60 {
				t.Errorf("print time %v, want %g", says.PrintTime, want)
			}
			if moves.PrintTime == nil || moves.TimeSource != ByMoves {
				t.Fatalf("no time by the moves")
			}
			near(t, "time by the moves", *moves.PrintTime, want, 10)
			if n := bytes.Count(file, []byte("\n;LAYER_CHANGE")); says.Layers != n {
				t.Errorf("%d layers, want %d", says.Layers, n)
			}
			if got := says.Tools[0].Temperature; got != (Temperature{test.first, test.other}) {
				t.Errorf("temperatures %+v", got)
			}
			if highest := zOf(t, file); test.name != "prusa-vase" && says.Height != highest {
				t.Errorf("%g mm high, want %g", says.Height, highest)
			}
			checkBounds(t, file, says)
		})
	}
}

// figures reads the list in one of the slicer's comments.
func figures(t *testing.T, file []byte, comment string) (all []float64) {
	t.Helper()
	found := regexp.MustCompile(`(?m)^; ` + comment + ` = (.*)$`).FindSubmatch(file)
	if found == nil {
		t.Fatalf("no comment %s", comment)
	}
	for part := range strings.SplitSeq(string(found[1]), ", ") {
		v, err := strconv.ParseFloat(part, 64)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

// zOf is the highest of PrusaSlicer's own ;Z: comments.
func zOf(t *testing.T, file []byte) (highest float64) {
	t.Helper()
	for _, found := range regexp.MustCompile(`(?m)^;Z:(.*)$`).FindAllSubmatch(file, -1) {
		v, err := strconv.ParseFloat(string(found[1]), 64)
		if err != nil {
			t.Fatal(err)
		}
		highest = math.Max(highest, v)
	}
	return highest
}

// checkBounds reads x and y of the printing moves a second time, by the plainest means.
func checkBounds(t *testing.T, file []byte, r *Report) {
	t.Helper()
	word := regexp.MustCompile(`([XYE])(-?[\d.]+)`)
	low, high := [2]float64{1e9, 1e9}, [2]float64{-1e9, -1e9}
	var at [2]float64
	_, printed, _ := bytes.Cut(file, []byte("\n;LAYER_CHANGE"))
	lastE := 0.0
	relative := bytes.Contains(file, []byte("\nM83"))
	for line := range strings.Lines(string(printed)) {
		line, _, _ = strings.Cut(line, ";")
		if strings.HasPrefix(line, "G92 E0") {
			lastE = 0
		}
		if !strings.HasPrefix(line, "G1 ") {
			continue
		}
		from, moved, pushed := at, false, 0.0
		for _, w := range word.FindAllStringSubmatch(line, -1) {
			v, err := strconv.ParseFloat(w[2], 64)
			if err != nil {
				t.Fatal(err)
			}
			switch w[1] {
			case "E":
				if pushed = v - lastE; relative {
					pushed = v
				}
				lastE = v
			default:
				at[w[1][0]-'X'], moved = v, true
			}
		}
		if !moved || pushed <= 0 {
			continue
		}
		for i := range 2 {
			low[i] = min(low[i], from[i], at[i])
			high[i] = max(high[i], from[i], at[i])
		}
	}
	for i := range 2 {
		if math.Abs(r.Bounds.Min[i]-low[i]) > 0.001 || math.Abs(r.Bounds.Max[i]-high[i]) > 0.001 {
			t.Errorf("axis %d: %g to %g, want %g to %g", i, r.Bounds.Min[i], r.Bounds.Max[i], low[i], high[i])
		}
	}
}

// CuraEngine alone leaves placeholders in its header: the time is its last TIME_ELAPSED, the length that of E.
func TestSamplesOfCuraEngine(t *testing.T) {
	lengths := map[string]float64{}
	for _, name := range []string{"cura-marlin", "cura-ultigcode"} {
		t.Run(name, func(t *testing.T) {
			file := own(t, name+".gcode")
			r := analyse(t, file)
			elapsed := regexp.MustCompile(`(?m)^;TIME_ELAPSED:(.*)$`).FindAllSubmatch(file, -1)
			want, err := strconv.ParseFloat(string(elapsed[len(elapsed)-1][1]), 64)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "print time", *r.PrintTime, want, 0.01)
			if r.Slicer != (Slicer{"Cura", "4.13.0"}) || r.TimeSource != BySlicer || r.LayerHeight != 0.3 {
				t.Errorf("%+v", r)
			}
			if want := bytes.Count(file, []byte("\n;LAYER:")); r.Layers != want {
				t.Errorf("%d layers, want %d", r.Layers, want)
			}
			lengths[name] = r.FilamentLength
		})
	}
	// The last E of the file with absolute E and one G92 before the first layer, and what the start code primes with.
	file := string(own(t, "cura-marlin.gcode"))
	pushes := regexp.MustCompile(`(?m)^G1 .*E([\d.]+)$`).FindAllStringSubmatch(file, -1)
	most := 0.0
	for _, p := range pushes {
		v, err := strconv.ParseFloat(p[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		most = math.Max(most, v)
	}
	near(t, "filament", lengths["cura-marlin"], most+3, 1)
	if r := analyse(t, own(t, "cura-marlin.gcode")); r.Tools[0].Temperature != (Temperature{210, 205}) {
		t.Errorf("temperatures %+v", r.Tools[0].Temperature)
	}
}

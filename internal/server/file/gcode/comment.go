package gcode

import (
	"bytes"
	"math"
	"strings"
)

// said is what a slicer's comments tell.
type said struct {
	slicer       Slicer
	model        string
	seconds      float64 // the slicer's estimate
	elapsed      float64 // Cura's TIME_ELAPSED: what its last layer ends at
	left         float64 // M73 at the beginning
	layers       int
	layerHeight  float64
	firstHeight  float64
	lengths      []float64 // mm, by tool
	weights      []float64 // g, by tool
	types        []string
	colours      []string
	diameters    []float64 // mm
	densities    []float64 // g/cm³
	nozzles      []float64 // mm
	first, other []float64 // °C of the nozzles
	bedFirst     []float64
	bedOther     []float64
	chamber      []float64

	volumetric         bool // E counts mm³
	volumetricDiameter float64

	opened, closed map[string]bool
}

// keys are the comments "key = value" and "key: value" that tell something, of all slicers together.
var keys = map[string]func(s *said, value []byte){
	// PrusaSlicer, SuperSlicer, OrcaSlicer
	"estimated printing time (normal mode)": func(s *said, v []byte) { s.seconds = duration(v) },
	"filament used [mm]":                    func(s *said, v []byte) { s.lengths = numbers(v) },
	"filament used [g]":                     func(s *said, v []byte) { s.weights = numbers(v) },
	"printer_model":                         func(s *said, v []byte) { s.model = text(v) },
	"filament_type":                         func(s *said, v []byte) { s.types = list(v) },
	"filament_colour":                       func(s *said, v []byte) { s.colours = colours(s.colours, v) },
	"extruder_colour":                       func(s *said, v []byte) { s.colours = colours(s.colours, v) },
	"filament_diameter":                     func(s *said, v []byte) { s.diameters = numbers(v) },
	"filament_density":                      func(s *said, v []byte) { s.densities = numbers(v) },
	"nozzle_diameter":                       func(s *said, v []byte) { s.nozzles = numbers(v) },
	"layer_height":                          func(s *said, v []byte) { s.layerHeight = positive(v) },
	"first_layer_height":                    func(s *said, v []byte) { s.firstHeight = positive(v) },
	"initial_layer_print_height":            func(s *said, v []byte) { s.firstHeight = positive(v) },
	"temperature":                           func(s *said, v []byte) { s.other = numbers(v) },
	"first_layer_temperature":               func(s *said, v []byte) { s.first = numbers(v) },
	"nozzle_temperature":                    func(s *said, v []byte) { s.other = numbers(v) },
	"nozzle_temperature_initial_layer":      func(s *said, v []byte) { s.first = numbers(v) },
	"bed_temperature":                       func(s *said, v []byte) { s.bedOther = numbers(v) },
	"first_layer_bed_temperature":           func(s *said, v []byte) { s.bedFirst = numbers(v) },
	"chamber_temperature":                   func(s *said, v []byte) { s.chamber = numbers(v) },
	"chamber_temperatures":                  func(s *said, v []byte) { s.chamber = numbers(v) },
	"use_volumetric_e":                      func(s *said, v []byte) { s.volumetric = s.volumetric || string(v) == "1" },

	// Slic3r
	"filament used": func(s *said, v []byte) { s.lengths = numbers(v) },

	// Bambu Studio
	"model printing time":        func(s *said, v []byte) { s.seconds = bambuTime(v) },
	"total estimated time":       func(s *said, v []byte) { s.seconds = duration(v) },
	"total filament length [mm]": func(s *said, v []byte) { s.lengths = numbers(v) },
	"total filament weight [g]":  func(s *said, v []byte) { s.weights = numbers(v) },
	"total layer number":         func(s *said, v []byte) { s.layers = count(v) },

	// Cura. Its TIME, Filament used and LAYER_COUNT are placeholders where CuraEngine ran alone.
	"TIME":                func(s *said, v []byte) { s.curaTime(v) },
	"PRINT.TIME":          func(s *said, v []byte) { s.curaTime(v) },
	"TIME_ELAPSED":        func(s *said, v []byte) { s.elapsed = math.Max(s.elapsed, positive(v)) },
	"Layer height":        func(s *said, v []byte) { s.layerHeight = positive(v) },
	"TARGET_MACHINE.NAME": func(s *said, v []byte) { s.model = text(v) },
	"FLAVOR":              func(s *said, v []byte) { s.flavour(v) },
	"GENERATOR.NAME":      func(s *said, v []byte) { s.slicer.Name = slicerName(text(v)) },
	"GENERATOR.VERSION":   func(s *said, v []byte) { s.slicer.Version = text(v) },

	// Simplify3D
	"Build time":      func(s *said, v []byte) { s.seconds = duration(v) },
	"Build Time":      func(s *said, v []byte) { s.seconds = duration(v) },
	"Filament length": func(s *said, v []byte) { s.lengths = first(v) },
	"Plastic weight":  func(s *said, v []byte) { s.weights = first(v) },

	// ideaMaker
	"Print Time": func(s *said, v []byte) { s.seconds = duration(v) },
}

// comment takes one comment.
func (a *analysis) comment(b []byte) error {
	if a.pictures.open || len(b) > 8 && (b[0]|0x20 == 't' || b[0] == 'p' || b[0] == 'j') {
		if taken, err := a.pictures.comment(a, b); taken || err != nil {
			return err
		}
	}
	s := &a.said
	if s.slicer.Name == "" {
		s.slicer = signature(b)
	}
	s.block(b)
	if key, value, ok := field(b); ok {
		if take := keys[string(key)]; take != nil {
			take(s, value)
		}
	}
	return nil
}

// curaPlaceholder is what CuraEngine writes for a time that only Cura would put in.
const curaPlaceholder = 6666

func (s *said) curaTime(v []byte) {
	if t := positive(v); t != curaPlaceholder {
		s.seconds = t
	}
}

// flavour: the firmware of the Ultimaker 2, where Cura writes UltiGCode, counts filament in mm³ of 2.85 mm.
func (s *said) flavour(v []byte) {
	if string(v) == "UltiGCode" {
		s.volumetric, s.volumetricDiameter = true, 2.85
	}
}

// remaining is M73 P0 R12: minutes left, which slicers write where they write nothing else.
func (s *said) remaining(c *command) {
	p, ok := c.word('P')
	r, has := c.word('R')
	if ok && has && p == 0 && s.left == 0 && r > 0 && r < maxSeconds/60 {
		s.left = r * 60
	}
}

// bambuTime: "model printing time: 6m 5s; total estimated time: 12m 5s". The total has what the printer does first, too.
func bambuTime(v []byte) float64 {
	if _, total, ok := bytes.Cut(v, []byte("total estimated time:")); ok {
		return duration(total)
	}
	return duration(v)
}

const maxSeconds = 366 * 24 * 3600 // longer is no print

// secondsOf a unit by its first letter.
var secondsOf = map[byte]float64{'d': 86400, 'h': 3600, 'm': 60, 's': 1}

// duration reads "1d 2h 3m 4s", "1 hour 10 minutes", "4505"; 0 if it is none.
func duration(v []byte) float64 {
	var sum float64
	for p := 0; p < len(v); {
		n, next, ok := number(v, p)
		if !ok {
			p = next + 1
			continue
		}
		for p = next; p < len(v) && v[p] == ' '; p++ {
		}
		unit := 1.0
		if p < len(v) {
			if u, named := secondsOf[v[p]|0x20]; named {
				unit = u
			}
		}
		for p < len(v) && !isDigit(v[p]) {
			p++
		}
		sum += n * unit
	}
	if sum < 0 || sum > maxSeconds {
		return 0
	}
	return sum
}

// numbers reads a list as slicers write one, "1.75,1.75"; units and percent signs are left out. It stops at MaxTools.
func numbers(v []byte) []float64 {
	var all []float64
	for part := range bytes.FieldsFuncSeq(v, func(r rune) bool { return r == ',' || r == ';' }) {
		n, _, ok := number(trim(part), 0)
		if !ok || len(all) == MaxTools {
			break
		}
		all = append(all, n)
	}
	return all
}

func first(v []byte) []float64 { return numbers(v)[:min(1, len(numbers(v)))] }

// positive reads one number, 0 if there is none or it is no length of time or space.
func positive(v []byte) float64 {
	n, _, _ := number(v, 0)
	if n < 0 || n > maxSeconds {
		return 0
	}
	return n
}

func count(v []byte) int {
	n, _ := digits(v, 0)
	return n
}

// longestList is more than MaxTools names need, bytes.
const longestList = 8 << 10

// list reads names, "PLA;PETG" or "PLA,PETG", quoted or not.
func list(v []byte) []string {
	var all []string
	v = v[:min(len(v), longestList)]
	for _, part := range strings.FieldsFunc(string(v), func(r rune) bool { return r == ',' || r == ';' }) {
		if len(all) == MaxTools {
			break
		}
		all = append(all, text([]byte(strings.Trim(part, `" `))))
	}
	return all
}

// colours are #rrggbb; a list without any does not replace one that has some.
func colours(before []string, v []byte) []string {
	all := list(v)
	any := false
	for i, c := range all {
		if !isColour(c) {
			all[i] = ""
			continue
		}
		all[i] = strings.ToLower(c[:7])
		any = true
	}
	if !any {
		return before
	}
	return all
}

// isColour: #rrggbb, or #rrggbbaa of Bambu Studio.
func isColour(s string) bool {
	if len(s) != 7 && len(s) != 9 || s[0] != '#' {
		return false
	}
	return strings.Trim(s[1:], "0123456789abcdefABCDEF") == ""
}

// text is what a person may be shown: valid UTF-8, one line, not long.
func text(v []byte) string { return clean(v[:min(len(v), 100)]) }

func clean(v []byte) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(v), "\ufffd"))
}

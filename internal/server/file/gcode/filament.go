package gcode

import (
	"math"
	"strings"
)

// usualDiameter is that of nearly every filament, mm.
const usualDiameter = 1.75

// densities of materials, g/cm³, where a slicer names one without its density: makers' usual figures.
var densities = map[string]float64{
	"PLA": 1.24, "PETG": 1.27, "PET": 1.27, "ABS": 1.04, "ASA": 1.07, "TPU": 1.21, "FLEX": 1.21, "PA": 1.12, "PC": 1.20,
	"PP": 0.90, "PVA": 1.23, "HIPS": 1.04, "PVB": 1.10,
}

// filament lists the tools with what they use.
func (a *analysis) filament() {
	r, s := a.report, &a.said
	var used []int
	for i := range a.tools {
		if a.tools[i].used {
			used = append(used, i)
		}
	}
	r.Tools = []Tool{}
	for n, i := range used {
		u := &a.tools[i]
		t := Tool{
			Tool:         i,
			FilamentType: at(s.types, i), Colour: at(s.colours, i), Nozzle: rounded(at(s.nozzles, i)),
			Temperature: u.heater.get(),
		}
		if u.heater.most == 0 {
			t.Temperature = Temperature{First: celsius(s.first, i), Other: celsius(s.other, i)}
			r.MaxTemperature = math.Max(r.MaxTemperature, math.Max(t.Temperature.First, t.Temperature.Other))
		}
		diameter := at(s.diameters, i)
		if diameter <= 0.5 || diameter > 10 {
			diameter = usualDiameter
			if s.volumetricDiameter > 0.5 {
				diameter = s.volumetricDiameter
			}
		} else {
			t.Diameter = diameter
		}
		area := math.Pi / 4 * diameter * diameter
		if t.Extruded = u.most; s.volumetric {
			t.Extruded /= area
		}
		t.FilamentLength = ofTool(s.lengths, used, n, t.Extruded)
		density := at(s.densities, i)
		if density <= 0.1 || density > 25 {
			density = densities[strings.ToUpper(t.FilamentType)]
		}
		t.FilamentWeight = ofTool(s.weights, used, n, t.FilamentLength*area*density/1000)
		r.FilamentLength += t.FilamentLength
		r.FilamentWeight += t.FilamentWeight
		t.FilamentLength, t.FilamentWeight = hundredths(t.FilamentLength), hundredths(t.FilamentWeight)
		t.Extruded = hundredths(t.Extruded)
		r.Tools = append(r.Tools, t)
	}
	r.FilamentLength, r.FilamentWeight = hundredths(r.FilamentLength), hundredths(r.FilamentWeight)
}

// ofTool finds a used tool's figure in a slicer's list, which has one for each tool of the printer, or for each that is
// used, or a single one for all together. Else it is what the moves say.
func ofTool(list []float64, used []int, n int, moved float64) float64 {
	v := 0.0
	switch {
	case used[len(used)-1] < len(list):
		v = list[used[n]]
	case len(list) == len(used):
		v = list[n]
	}
	if v <= 0 || v > 1e9 {
		return moved
	}
	return v
}

func hundredths(v float64) float64 { return math.Round(v*100) / 100 }

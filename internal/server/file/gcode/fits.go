package gcode

import "math"

// Printer is what a file has to fit. A zero means that nobody has said, and that nothing is held against it.
type Printer struct {
	Space Box  // where the nozzle can print, mm; see Volume
	Round bool // of a round bed: Space is the square around it

	Tools      int     // extruders
	MaxNozzle  float64 // °C, by its owner
	MaxBed     float64 // °C
	MaxChamber float64 // °C

	NoHeatedBed     bool
	NoHeatedChamber bool
}

// Volume is the space of a printer that is width × depth × height mm and has its zero in the front left corner, or in
// the middle of the bed.
func Volume(width, depth, height float64, centred bool) Box {
	b := Box{Max: [3]float64{width, depth, height}}
	if centred {
		b.Min[0], b.Max[0] = -width/2, width/2
		b.Min[1], b.Max[1] = -depth/2, depth/2
	}
	return b
}

// Misfit is one reason why a file should not be printed on a printer.
type Misfit struct {
	Code  MisfitCode `json:"code"`
	Axis  string     `json:"axis,omitzero" enum:"x,y,z" doc:"Of too_large and outside"`
	Tool  *int       `json:"tool,omitzero" doc:"Of tool_missing"`
	Value float64    `json:"value" doc:"What the file wants: mm, °C, or tools"`
	Limit float64    `json:"limit" doc:"What the printer has"`
}

// MisfitCode names a reason: stable, for translations.
type MisfitCode string

// The reasons.
const (
	TooLarge        MisfitCode = "too_large"         // along an axis
	Outside         MisfitCode = "outside"           // small enough, but placed beyond the bed's edge
	ToolMissing     MisfitCode = "tool_missing"      // fewer extruders than the file uses
	NozzleTooHot    MisfitCode = "nozzle_too_hot"    //
	BedTooHot       MisfitCode = "bed_too_hot"       //
	ChamberTooHot   MisfitCode = "chamber_too_hot"   //
	NoHeatedBed     MisfitCode = "no_heated_bed"     // the file heats one
	NoHeatedChamber MisfitCode = "no_heated_chamber" // the file heats one
)

// close enough: slicers write three digits.
const touching = 0.01 // mm

// Fits lists why the file should not be printed on p; none if it fits as far as anybody has said.
func (r *Report) Fits(p Printer) []Misfit {
	all := []Misfit{}
	if r.Bounds != nil {
		all = r.fitsSpace(all, p)
	}
	if p.Tools > 0 {
		for _, t := range r.Tools {
			if t.Tool >= p.Tools {
				all = append(all, Misfit{Code: ToolMissing, Tool: &t.Tool, Value: float64(t.Tool + 1), Limit: float64(p.Tools)})
			}
		}
	}
	for _, heat := range []struct {
		code, none MisfitCode
		want, most float64
		missing    bool
	}{
		{NozzleTooHot, "", r.MaxTemperature, p.MaxNozzle, false},
		{BedTooHot, NoHeatedBed, r.MaxBed, p.MaxBed, p.NoHeatedBed},
		{ChamberTooHot, NoHeatedChamber, r.Chamber, p.MaxChamber, p.NoHeatedChamber},
	} {
		switch {
		case heat.missing && heat.want > 0:
			all = append(all, Misfit{Code: heat.none, Value: heat.want})
		case heat.most > 0 && heat.want > heat.most:
			all = append(all, Misfit{Code: heat.code, Value: heat.want, Limit: heat.most})
		}
	}
	return all
}

func (r *Report) fitsSpace(all []Misfit, p Printer) []Misfit {
	size, space := r.Bounds.Size(), p.Space.Size()
	size[2] = r.Height // from the bed up, whatever the lowest layer is
	for i, axis := range []string{"x", "y", "z"} {
		low, high := p.Space.Min[i]-touching, p.Space.Max[i]+touching
		switch {
		case space[i] <= 0:
		case size[i] > space[i]+touching:
			all = append(all, Misfit{Code: TooLarge, Axis: axis, Value: rounded(size[i]), Limit: space[i]})
		case r.Bounds.Max[i] > high:
			all = append(all, Misfit{Code: Outside, Axis: axis, Value: rounded(r.Bounds.Max[i]), Limit: p.Space.Max[i]})
		case r.Bounds.Min[i] < low:
			all = append(all, Misfit{Code: Outside, Axis: axis, Value: rounded(r.Bounds.Min[i]), Limit: p.Space.Min[i]})
		}
	}
	// A round bed has its zero in the middle.
	if radius := math.Max(p.Space.Max[0], -p.Space.Min[0]); p.Round && len(all) == 0 && radius > 0 && r.Radius > radius+touching {
		all = append(all, Misfit{Code: Outside, Value: rounded(r.Radius), Limit: radius})
	}
	return all
}

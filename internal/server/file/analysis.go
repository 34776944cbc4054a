package file

import (
	"fmt"
	"strings"

	"github.com/kangbyounggwan/factor/internal/server/file/gcode"
)

// AnalysisState is how far the look into a file has come.
type AnalysisState string

// The states.
const (
	AnalysisWaiting AnalysisState = "waiting" // or under way
	AnalysisDone    AnalysisState = "done"
	AnalysisFailed  AnalysisState = "failed" // the file should not be printed
)

// Analysis is what was found in a file. What a file does not tell is missing.
type Analysis struct {
	State         AnalysisState     `json:"state" enum:"waiting,done,failed" doc:"failed: it should not be printed"`
	Code          string            `json:"code,omitempty" doc:"Why it failed: cut_off, damaged, hostile, not_gcode, …"`
	Message       string            `json:"message,omitempty" doc:"Why it failed, in English"`
	Slicer        string            `json:"slicer,omitempty" doc:"Name and version of the program that made it"`
	PrinterModel  string            `json:"printer_model,omitempty" doc:"What it was made for"`
	EstimatedTime *float64          `json:"estimated_time,omitempty" doc:"s"`
	TimeSource    gcode.TimeSource  `json:"time_source,omitempty" enum:"slicer,moves" doc:"Whose estimate that is"`
	Filament      []ToolFilament    `json:"filament,omitempty" doc:"By tool"`
	Layers        int               `json:"layers,omitempty"`
	LayerHeight   float64           `json:"layer_height,omitempty" doc:"mm"`
	Height        float64           `json:"height,omitempty" doc:"mm"`
	Bounds        *Bounds           `json:"bounds,omitempty" doc:"What is printed lies within, mm"`
	Temperatures  *FileTemperatures `json:"temperatures,omitempty" doc:"The highest that it asks for, °C"`
	Thumbnails    []Thumbnail       `json:"thumbnails,omitempty" doc:"Pictures in it, as the file has them in order"`
	Warnings      []gcode.Warning   `json:"warnings,omitempty" doc:"What a person should know before a print"`
}

// ToolFilament is what one tool needs.
type ToolFilament struct {
	Tool   int     `json:"tool"`
	Length float64 `json:"length,omitempty" doc:"mm"`
	Volume float64 `json:"volume,omitempty" doc:"cm³"`
	Weight float64 `json:"weight,omitempty" doc:"g, where the file tells"`
	Type   string  `json:"type,omitempty" doc:"Such as PLA"`
	Colour string  `json:"colour,omitempty" doc:"#rrggbb"`
	Nozzle float64 `json:"nozzle,omitempty" doc:"Its diameter, mm"`
}

// Bounds is a box, mm.
type Bounds struct {
	MinX float64 `json:"min_x"`
	MinY float64 `json:"min_y"`
	MinZ float64 `json:"min_z"`
	MaxX float64 `json:"max_x"`
	MaxY float64 `json:"max_y"`
	MaxZ float64 `json:"max_z"`
}

// FileTemperatures is the highest of each heater, °C; 0: it is not heated.
type FileTemperatures struct {
	Tools   []float64 `json:"tools" doc:"In the order of filament"`
	Bed     float64   `json:"bed"`
	Chamber float64   `json:"chamber,omitempty"`
}

// Thumbnail is a picture in a file. GET /files/{id}/thumbnails/{n} gives the n-th.
type Thumbnail struct {
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Type   string `json:"type" doc:"Such as image/png"`
}

// finding is what is kept of a look into a file.
type finding struct {
	Report  *gcode.Report `json:"report,omitempty"`
	Code    string        `json:"code,omitempty"`
	Message string        `json:"message,omitempty"`
}

const filamentDiameter = 1.75 // mm, where a file does not say

// analysis is a finding as the API shows it.
func (f *finding) analysis() Analysis {
	a := Analysis{Code: f.Code, Message: f.Message}
	r := f.Report
	if r == nil {
		return a
	}
	a.Slicer = strings.TrimSpace(fmt.Sprint(r.Slicer.Name, " ", r.Slicer.Version))
	a.PrinterModel, a.EstimatedTime, a.TimeSource = r.PrinterModel, r.PrintTime, r.TimeSource
	a.Layers, a.LayerHeight, a.Height, a.Warnings = r.Layers, r.LayerHeight, r.Height, r.Warnings
	temps := &FileTemperatures{Tools: []float64{}, Bed: r.MaxBed, Chamber: r.Chamber}
	for _, t := range r.Tools {
		d := t.Diameter
		if d == 0 {
			d = filamentDiameter
		}
		a.Filament = append(a.Filament, ToolFilament{Tool: t.Tool, Length: t.FilamentLength, Weight: t.FilamentWeight, Type: t.FilamentType,
			Colour: t.Colour, Nozzle: t.Nozzle, Volume: t.FilamentLength * d * d / 4 * 3.141592653589793 / 1000})
		temps.Tools = append(temps.Tools, max(t.Temperature.First, t.Temperature.Other))
	}
	if r.MaxTemperature > 0 || r.MaxBed > 0 || r.Chamber > 0 {
		a.Temperatures = temps
	}
	if b := r.Bounds; b != nil {
		a.Bounds = &Bounds{b.Min[0], b.Min[1], b.Min[2], b.Max[0], b.Max[1], b.Max[2]}
	}
	for _, t := range r.Thumbnails {
		a.Thumbnails = append(a.Thumbnails, Thumbnail{t.Width, t.Height, t.Type})
	}
	return a
}

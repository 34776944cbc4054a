package gcode

// Report is what a file holds. Lengths are mm, temperatures °C, times s, weights g. A pointer that is nil, a zero or an
// empty list means that the file does not say.
type Report struct {
	Format       Format `json:"format" enum:"gcode,bgcode"`
	Slicer       Slicer `json:"slicer"`
	PrinterModel string `json:"printer_model,omitzero" doc:"As the slicer names it"`
	Bytes        int64  `json:"bytes" doc:"Of the file as it was read"`
	Lines        int64  `json:"lines"`

	PrintTime  *float64   `json:"print_time,omitzero" doc:"Estimated, s"`
	TimeSource TimeSource `json:"time_source,omitzero" enum:"slicer,moves" doc:"Whose estimate print_time is"`

	FilamentLength float64 `json:"filament_length" doc:"All tools, mm"`
	FilamentWeight float64 `json:"filament_weight,omitzero" doc:"All tools, g"`
	Tools          []Tool  `json:"tools" doc:"Those that the file uses"`

	Layers           int     `json:"layers"`
	LayerHeight      float64 `json:"layer_height,omitzero" doc:"mm"`
	FirstLayerHeight float64 `json:"first_layer_height,omitzero" doc:"mm"`
	Height           float64 `json:"height" doc:"Top of the highest layer, mm"`
	Bounds           *Box    `json:"bounds,omitzero" doc:"Of everything that is printed after the start code"`
	Radius           float64 `json:"radius" doc:"How far from x = y = 0 it prints, mm: what a round bed has to have"`
	Reach            *Box    `json:"reach,omitzero" doc:"The same with lines that the start code prints to prime the nozzle"`

	Bed            Temperature `json:"bed" doc:"°C"`
	Chamber        float64     `json:"chamber,omitzero" doc:"Highest target, °C"`
	MaxTemperature float64     `json:"max_temperature,omitzero" doc:"Highest target of any nozzle, °C"`
	MaxBed         float64     `json:"max_bed,omitzero" doc:"Highest target of the bed, °C"`

	Thumbnails []Thumbnail `json:"thumbnails"`
	Warnings   []Warning   `json:"warnings"`
}

// Format is how a file is written.
type Format string

// The formats.
const (
	Text   Format = "gcode"
	Binary Format = "bgcode" // Prusa's
)

// Slicer is what made a file; both are empty when it does not say.
type Slicer struct {
	Name    string `json:"name,omitzero"`
	Version string `json:"version,omitzero"`
}

// TimeSource is whose estimate a time is.
type TimeSource string

// Whose estimate a time is.
const (
	BySlicer TimeSource = "slicer"
	ByMoves  TimeSource = "moves" // ours, from distances, speeds and a usual acceleration: within some 20 %
)

// Tool is an extruder as the file uses it.
type Tool struct {
	Tool           int         `json:"tool" doc:"Counted from 0, as in T0"`
	FilamentLength float64     `json:"filament_length" doc:"By the slicer, else from the moves, mm"`
	FilamentWeight float64     `json:"filament_weight,omitzero" doc:"g"`
	Extruded       float64     `json:"extruded" doc:"What the moves of the whole file push, start code included, mm"`
	FilamentType   string      `json:"filament_type,omitzero" doc:"Such as PLA"`
	Colour         string      `json:"colour,omitzero" doc:"#rrggbb"`
	Diameter       float64     `json:"diameter,omitzero" doc:"Of the filament, mm"`
	Nozzle         float64     `json:"nozzle,omitzero" doc:"Its diameter, mm"`
	Temperature    Temperature `json:"temperature" doc:"°C"`
}

// Temperature is a heater's targets.
type Temperature struct {
	First float64 `json:"first_layer,omitzero" doc:"In the first layer"`
	Other float64 `json:"other_layers,omitzero" doc:"Later; the highest if it changes"`
}

// Box is the corners of a space that holds something, in the printer's coordinates.
type Box struct {
	Min [3]float64 `json:"min" doc:"x, y, z in mm"`
	Max [3]float64 `json:"max" doc:"x, y, z in mm"`
}

// Size is its edges in mm.
func (b *Box) Size() [3]float64 {
	return [3]float64{b.Max[0] - b.Min[0], b.Max[1] - b.Min[1], b.Max[2] - b.Min[2]}
}

// Warning is something that a person should know before a print.
type Warning struct {
	Code WarningCode `json:"code"`
	Line int64       `json:"line,omitzero" doc:"Where it is first, counted from 1"`
	Text string      `json:"text,omitzero" doc:"The line, shortened; of ends_hot the heaters, such as bed, tool0"`
}

// WarningCode names a warning: stable, for translations.
type WarningCode string

// The warnings.
const (
	EndsHot         WarningCode = "ends_hot"         // a heater is still on when the file is over
	SavesSettings   WarningCode = "saves_settings"   // changes what the printer's firmware remembers
	UpdatesFirmware WarningCode = "updates_firmware" // starts the firmware's own update
	WritesCard      WarningCode = "writes_card"      // writes to or deletes from the printer's SD card
	ColdExtrusion   WarningCode = "cold_extrusion"   // switches off the guard against cold extrusion
	BadThumbnail    WarningCode = "bad_thumbnail"    // a picture that cannot be read was left out
	NothingPrinted  WarningCode = "nothing_printed"  // no move pushes filament
)

package file

// AnalysisState is how far the look into a file has come.
type AnalysisState string

// The states.
const (
	AnalysisWaiting AnalysisState = "waiting" // or under way
	AnalysisDone    AnalysisState = "done"
	AnalysisFailed  AnalysisState = "failed"
)

// Analysis is what was found in a file. What a file does not tell is missing.
type Analysis struct {
	State         AnalysisState     `json:"state" enum:"waiting,done,failed"`
	Code          string            `json:"code,omitempty" doc:"Why it failed"`
	Message       string            `json:"message,omitempty" doc:"Why it failed, in English"`
	Slicer        string            `json:"slicer,omitempty" doc:"Name and version of the program that made it"`
	PrinterModel  string            `json:"printer_model,omitempty" doc:"What it was made for"`
	EstimatedTime *float64          `json:"estimated_time,omitempty" doc:"s"`
	Filament      []ToolFilament    `json:"filament,omitempty" doc:"By tool"`
	Layers        int               `json:"layers,omitempty"`
	Height        float64           `json:"height,omitempty" doc:"mm"`
	Bounds        *Bounds           `json:"bounds,omitempty" doc:"What is printed lies within, mm"`
	Temperatures  *FileTemperatures `json:"temperatures,omitempty" doc:"The highest that it asks for, °C"`
	Thumbnails    []Thumbnail       `json:"thumbnails,omitempty" doc:"Pictures in it, the largest first"`
}

// ToolFilament is what one tool needs.
type ToolFilament struct {
	Tool   int     `json:"tool"`
	Length float64 `json:"length,omitempty" doc:"mm"`
	Volume float64 `json:"volume,omitempty" doc:"cm³"`
	Weight float64 `json:"weight,omitempty" doc:"g, where the file tells"`
	Type   string  `json:"type,omitempty" doc:"Such as PLA"`
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
	Tools   []float64 `json:"tools"`
	Bed     float64   `json:"bed"`
	Chamber float64   `json:"chamber,omitempty"`
}

// Thumbnail is a picture in a file. GET /files/{id}/thumbnails/{n} gives the n-th.
type Thumbnail struct {
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Type   string `json:"type" doc:"Such as image/png"`
}

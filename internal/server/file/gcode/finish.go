package gcode

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// finish makes the report of what was gathered, or says why the file is refused.
func (a *analysis) finish() error {
	half := len(a.lines.rest) > 0
	var lastLine []byte
	if half {
		lastLine = slices.Clone(a.lines.rest)
	}
	if err := a.lines.last(); err != nil {
		return err
	}
	k := a.machine
	if k.read == 0 || k.unread > k.read {
		return refuse(NotGCode, "hardly a line is G-code: slice the model and upload what the slicer saves")
	}
	if err := a.checkEnd(lastLine); err != nil {
		return err
	}
	a.planner.stop()
	r := a.report
	r.Slicer, r.PrinterModel = a.said.slicer, a.said.model
	r.Lines = a.lines.lines
	if err := a.space(); err != nil {
		return err
	}
	a.times()
	a.temperatures()
	a.filament()
	r.Thumbnails = append(r.Thumbnails, a.pictures.all...)
	if r.Bounds == nil {
		r.Warnings = append(r.Warnings, Warning{Code: NothingPrinted})
	}
	a.endsHot()
	return nil
}

// checkEnd tells whether the end is missing: a block of the slicer's that has none, or half a line.
func (a *analysis) checkEnd(last []byte) error {
	const again = "it was cut off while it was saved or copied: slice or copy it again"
	if a.pictures.open {
		return refuse(CutOff, "the file ends within a picture: %s", again)
	}
	if a.report.Format == Binary {
		return nil // its blocks say where it ends
	}
	if name := a.said.cutOff(); name != "" {
		return refuse(CutOff, "the slicer ends every file with %q, this one has no such end: %s", name, again)
	}
	if halfWord(last) {
		return &Error{Code: CutOff, Line: a.lines.lines, Detail: "the file ends within a line: " + again}
	}
	return nil
}

// halfWord says whether a last line without an end is a command whose last word lacks its number: "G1 X12 Y".
func halfWord(line []byte) bool {
	line = trim(line)
	if len(line) == 0 || slices.Contains(line, ';') {
		return false
	}
	letter := upper(line[0])
	if letter != 'G' && letter != 'M' && letter != 'T' || len(line) > 1 && !isDigit(line[1]) {
		return false
	}
	n, i := digits(line, 1)
	if letter == 'M' && (n == 117 || n == 118) {
		return false // text
	}
	switch tail := line[len(line)-1]; {
	case letter == 'G' && i < len(line) && n <= 3:
		return !isDigit(tail) && tail != '.' || len(line) == 1
	default:
		return len(line) == 1 || tail == '-' || tail == '.'
	}
}

// farthest is beyond any printer, mm: further away is no print, and its picture would have no scale.
const farthest = 100_000

func (a *analysis) space() error {
	r, k := a.report, a.machine
	object, all := a.object.get(), a.all.get()
	r.Reach = join(object, all)
	r.Bounds, r.Radius = object, a.object.radius2
	if object == nil {
		r.Bounds, r.Radius = all, a.all.radius2
	}
	r.Radius = rounded(math.Sqrt(r.Radius))
	if r.Reach != nil {
		for i := range 3 {
			if r.Reach.Min[i] < -farthest || r.Reach.Max[i] > farthest {
				return refuse(Hostile, "a move goes more than %d m away", farthest/1000)
			}
		}
		r.Height = math.Max(0, r.Bounds.Max[2])
	}
	r.Layers = a.byHeight
	if k.marker != nil {
		r.Layers = int(k.layers)
	}
	r.LayerHeight, r.FirstLayerHeight = a.said.layerHeight, a.said.firstHeight
	if r.FirstLayerHeight == 0 || r.FirstLayerHeight > 10 {
		r.FirstLayerHeight = a.heights[0]
	}
	if r.LayerHeight == 0 && a.firstSeen == 2 {
		r.LayerHeight = math.Max(0, a.heights[1]-a.heights[0])
	}
	r.LayerHeight, r.FirstLayerHeight = rounded(r.LayerHeight), rounded(r.FirstLayerHeight)
	return nil
}

func rounded(mm float64) float64 { return math.Round(mm*1000) / 1000 }

func (a *analysis) times() {
	s, r := &a.said, a.report
	for _, t := range []float64{s.elapsed, s.seconds, s.left} {
		if t > 0 {
			r.PrintTime, r.TimeSource = &t, BySlicer
			return
		}
	}
	if t := math.Round(a.planner.seconds); t > 0 && t < maxSeconds {
		r.PrintTime, r.TimeSource = &t, ByMoves
	}
}

func (a *analysis) temperatures() {
	r, s := a.report, &a.said
	for i := range a.tools {
		r.MaxTemperature = math.Max(r.MaxTemperature, a.tools[i].heater.most)
	}
	r.Bed, r.MaxBed = a.bed.get(), a.bed.most
	if r.MaxBed == 0 {
		r.Bed = Temperature{First: celsius(s.bedFirst, 0), Other: celsius(s.bedOther, 0)}
		r.MaxBed = math.Max(r.Bed.First, r.Bed.Other)
	}
	if r.Chamber = a.chamber.most; r.Chamber == 0 {
		r.Chamber = celsius(s.chamber, 0)
	}
}

// celsius is a setting of the slicer for a tool, where the file's own commands leave it to a macro of the printer.
func celsius(all []float64, tool int) float64 {
	if t := at(all, tool); t > 0 && t <= MaxCelsius {
		return t
	}
	return 0
}

// at is what a list says for a tool; a list of one is for all.
func at[T any](all []T, tool int) (v T) {
	switch {
	case tool < len(all):
		return all[tool]
	case len(all) == 1:
		return all[0]
	}
	return v
}

// endsHot warns when the end code leaves a heater on.
func (a *analysis) endsHot() {
	var hot []string
	if a.bed.target > 0 {
		hot = append(hot, "bed")
	}
	for i := range a.tools {
		if a.tools[i].heater.target > 0 {
			hot = append(hot, "tool"+strconv.Itoa(i))
		}
	}
	if len(hot) > 0 {
		a.report.Warnings = append(a.report.Warnings, Warning{Code: EndsHot, Text: strings.Join(hot, ", ")})
	}
}

package gcode

import (
	"bufio"
	"context"
	"io"
	"math"
)

// Analyse reads a file to its end and says what it holds. A file that should not be printed gives an *Error; other errors are
// r's or ctx's.
func Analyse(ctx context.Context, r io.Reader) (*Report, error) {
	in := &counter{r: r}
	buffered := bufio.NewReaderSize(in, 64<<10)
	head, err := buffered.Peek(sniffed)
	if err != nil && err != io.EOF {
		return nil, err
	}
	a := newAnalysis()
	lines := a.lines
	if isBinary(head) {
		a.report.Format = Binary
		err = ToText(ctx, buffered, lines)
	} else if err = sniff(head); err == nil {
		a.report.Format = Text
		_, err = pour(ctx, lines, buffered)
	}
	if err != nil {
		return nil, err
	}
	if err := a.finish(); err != nil {
		return nil, err
	}
	a.report.Bytes = in.n
	return a.report, nil
}

// counter counts what is read through it.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// analysis gathers a report while the machine reads.
type analysis struct {
	machine *machine
	report  *Report
	lines   *lineReader

	tools   [MaxTools]toolUse
	current *toolUse
	all     extent // what is printed in the whole file
	object  extent // the same after the first layer's beginning
	inside  bool   // a layer has begun
	planner planner

	// Layers of a file that has no comments for them.
	byHeight  int
	layerZ    float64
	heights   [2]float64 // z of the first and second layer
	firstSeen int

	bed, chamber heater
	said         said
	pictures     pictures
	warned       map[WarningCode]bool
}

// toolUse is what the moves do to a tool.
type toolUse struct {
	used    bool    // it pushed filament in a move
	pushed  float64 // sum of E
	most    float64 // the highest that sum was: what is pulled back and pushed again counts once
	heater  heater
	printed bool // it printed in the first layer
}

func newAnalysis() *analysis {
	a := &analysis{report: &Report{Thumbnails: []Thumbnail{}, Warnings: []Warning{}}, warned: map[WarningCode]bool{}}
	a.current = &a.tools[0]
	a.planner = newPlanner()
	a.machine = newMachine(a)
	a.lines = &lineReader{take: a.machine.line, moves: a.machine.moves}
	return a
}

func (a *analysis) move(m *move) {
	a.planner.add(m)
	if m.de == 0 {
		return
	}
	t := a.current
	if t.pushed += m.de; t.pushed > t.most {
		t.most = t.pushed
	}
	if !m.prints() {
		return
	}
	t.used = true
	if a.inside {
		a.object.add(m)
	} else {
		a.all.add(m)
	}
	if m.z1 != a.layerZ && m.z0 == m.z1 {
		a.layerByHeight(m.z1)
	}
	if !t.printed {
		t.printed = true
		t.heater.printsFirst()
		a.bed.printsFirst()
	}
}

func (a *analysis) layerByHeight(z float64) {
	if math.Abs(z-a.layerZ) < 0.001 {
		return
	}
	a.layerZ = z
	a.byHeight++
	if a.inside && a.firstSeen < len(a.heights) {
		a.heights[a.firstSeen] = z
		a.firstSeen++
	}
}

func (a *analysis) layerBegins() {
	if !a.inside {
		a.inside = true
		a.layerZ = 0
		for i := range a.tools {
			a.tools[i].printed = false // what was printed before was to prime the nozzle
		}
	}
	if a.machine.layers >= 2 {
		a.bed.layerBegins()
		for i := range a.tools {
			a.tools[i].heater.layerBegins()
		}
	}
}

func (a *analysis) toolChange(tool int) {
	a.planner.stop()
	a.current = &a.tools[tool]
}

// extent is the space that printing moves take.
type extent struct {
	box     Box
	any     bool
	radius2 float64 // square of how far from the zero of x and y
	last    [3]float64
}

func (e *extent) add(m *move) {
	if !e.any {
		e.any = true
		e.box = Box{Min: [3]float64{m.x0, m.y0, m.z0}, Max: [3]float64{m.x0, m.y0, m.z0}}
		e.point(m.x0, m.y0, m.z0)
	}
	if m.x0 != e.last[0] || m.y0 != e.last[1] || m.z0 != e.last[2] { // else it was the end of the move before
		e.point(m.x0, m.y0, m.z0)
	}
	e.last = [3]float64{m.x1, m.y1, m.z1}
	if m.arc != 0 {
		m.corners(func(x, y float64) { e.point(x, y, m.z1) })
		return
	}
	e.point(m.x1, m.y1, m.z1)
}

func (e *extent) point(x, y, z float64) {
	b := &e.box
	if x < b.Min[0] {
		b.Min[0] = x
	}
	if x > b.Max[0] {
		b.Max[0] = x
	}
	if y < b.Min[1] {
		b.Min[1] = y
	}
	if y > b.Max[1] {
		b.Max[1] = y
	}
	if z < b.Min[2] {
		b.Min[2] = z
	}
	if z > b.Max[2] {
		b.Max[2] = z
	}
	if r := x*x + y*y; r > e.radius2 {
		e.radius2 = r
	}
}

func (e *extent) get() *Box {
	if !e.any {
		return nil
	}
	b := e.box
	for i := range 3 {
		b.Min[i], b.Max[i] = rounded(b.Min[i]), rounded(b.Max[i])
	}
	return &b
}

// join is the smallest box that holds both.
func join(a, b *Box) *Box {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	c := *a
	for i := range 3 {
		c.Min[i] = math.Min(c.Min[i], b.Min[i])
		c.Max[i] = math.Max(c.Max[i], b.Max[i])
	}
	return &c
}

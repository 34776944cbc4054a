package gcode

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
)

// picture3D is a tool path as a reader that knows the format alone sees it.
type picture3D struct {
	bytes                   float64
	low, step               [3]float64
	tolerance               float64
	infillEvery, layerEvery int
	box                     [2][3]float64
	begin, end, z           []float64
	firstPath, firstPoint   []uint32
	offset                  []uint32
	points                  [][3]float64
	at                      []int
	kind, tool              []byte
}

func draw(t testing.TB, file []byte, points int) *picture3D {
	t.Helper()
	var out bytes.Buffer
	if err := Toolpath(context.Background(), bytes.NewReader(file), &out, points); err != nil {
		t.Fatal(err)
	}
	p, err := readToolpath(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// readToolpath decodes a drawing and checks that what it says is sound.
func readToolpath(b []byte) (*picture3D, error) {
	if len(b) < 80 || string(b[:4]) != "FTP2" {
		return nil, errors.New("no drawing")
	}
	le := binary.LittleEndian
	at := 4
	u32 := func() uint32 { at += 4; return le.Uint32(b[at-4:]) }
	f32 := func() float64 { return float64(math.Float32frombits(u32())) }
	f64 := func() float64 { at += 8; return math.Float64frombits(le.Uint64(b[at-8:])) }
	u16 := func() int { at += 2; return int(le.Uint16(b[at-2:])) }
	layers, paths, points := int(u32()), int(u32()), int(u32())
	if want := 80 + layers*24 + 4 + paths*10 + 4 + points*8; len(b) != want {
		return nil, fmt.Errorf("%d bytes, want %d", len(b), want)
	}
	p := &picture3D{bytes: f64()}
	for i := range 3 {
		p.low[i] = f32()
	}
	p.step[0] = f32()
	p.step[1], p.step[2] = p.step[0], f32()
	p.tolerance = f32()
	p.infillEvery, p.layerEvery = u16(), u16()
	at += 4
	for i := range 6 {
		p.box[i/3][i%3] = f32()
	}
	for range layers {
		p.begin = append(p.begin, f64())
	}
	for range layers {
		p.end = append(p.end, f64())
	}
	for range layers {
		p.z = append(p.z, f32())
	}
	for range layers + 1 {
		p.firstPath = append(p.firstPath, u32())
	}
	for range paths + 1 {
		p.firstPoint = append(p.firstPoint, u32())
	}
	for range paths {
		p.offset = append(p.offset, u32())
	}
	p.kind, p.tool = b[at:at+paths], b[at+paths:at+2*paths]
	at += 2 * paths
	for range points {
		var v [3]float64
		for i := range 3 {
			v[i] = p.low[i] + float64(u16())*p.step[i]
			if math.IsNaN(v[i]) || math.IsInf(v[i], 0) {
				return nil, fmt.Errorf("a point is at %g", v[i])
			}
		}
		p.points = append(p.points, v)
		p.at = append(p.at, u16())
	}
	return p, p.sound()
}

func (p *picture3D) sound() error {
	for i := range p.begin {
		if p.begin[i] < 0 || p.end[i] < p.begin[i] || p.end[i] > p.bytes || i > 0 && p.begin[i] < p.begin[i-1] || math.IsNaN(p.z[i]) {
			return fmt.Errorf("layer %d from %g to %g at %g", i, p.begin[i], p.end[i], p.z[i])
		}
		if p.firstPath[i] > p.firstPath[i+1] {
			return fmt.Errorf("layer %d has paths %d to %d", i, p.firstPath[i], p.firstPath[i+1])
		}
	}
	if last := p.firstPath[len(p.begin)]; int(last) != len(p.kind) && len(p.begin) > 0 {
		return fmt.Errorf("layers have %d of %d paths", last, len(p.kind))
	}
	first := len(p.points)
	if n := int(p.firstPath[0]); n < len(p.kind) {
		first = int(p.firstPoint[n])
	}
	for _, v := range p.points[first:] {
		for axis := range 3 {
			if near := p.step[axis]; v[axis] < p.box[0][axis]-near || v[axis] > p.box[1][axis]+near {
				return fmt.Errorf("%v is not in %v", v, p.box)
			}
		}
	}
	for i := range p.kind {
		if p.firstPoint[i]+2 > p.firstPoint[i+1] || int(p.firstPoint[i+1]) > len(p.points) {
			return fmt.Errorf("path %d has points %d to %d", i, p.firstPoint[i], p.firstPoint[i+1])
		}
		for j := p.firstPoint[i] + 1; j < p.firstPoint[i+1]; j++ {
			if p.at[j] < p.at[j-1] {
				return fmt.Errorf("path %d goes back to %d in the file", i, p.at[j])
			}
		}
		if Kind(p.kind[i]) > KindCustom || p.tool[i] >= MaxTools {
			return fmt.Errorf("path %d is of kind %d, tool %d", i, p.kind[i], p.tool[i])
		}
	}
	return nil
}

// place is where the nozzle is at a position in the text: what Toolpath's comment says, in code.
func (p *picture3D) place(position float64) (layer int, at [3]float64, ok bool) {
	layer = -1
	for i, begin := range p.begin {
		if begin <= position {
			layer = i
		}
	}
	first, last, begin := 0, int(p.firstPath[0]), 0.0
	if layer >= 0 {
		first, last, begin = int(p.firstPath[layer]), int(p.firstPath[layer+1]), p.begin[layer]
	}
	path := -1
	for i := first; i < last; i++ {
		if begin+float64(p.offset[i]) <= position {
			path = i
		}
	}
	if path < 0 {
		return layer, at, false
	}
	left := position - begin - float64(p.offset[path])
	for i := int(p.firstPoint[path]) + 1; i < int(p.firstPoint[path+1]); i++ {
		if from, to := float64(p.at[i-1]), float64(p.at[i]); left <= to {
			part := 0.0
			if to > from {
				part = (left - from) / (to - from)
			}
			for axis := range 3 {
				at[axis] = p.points[i-1][axis] + (p.points[i][axis]-p.points[i-1][axis])*part
			}
			return layer, at, true
		}
	}
	return layer, p.points[p.firstPoint[path+1]-1], true
}

func distance(a, b [3]float64) float64 {
	return math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
}

// printed is every printing move of a file with where its line begins.
type printed struct {
	moves   []move
	offsets []int64
	lines   *lineReader
	machine *machine
}

func (p *printed) move(m *move) {
	if m.prints() {
		p.moves = append(p.moves, *m)
		p.offsets = append(p.offsets, p.lines.begin)
	}
}
func (p *printed) toolChange(int)       {}
func (p *printed) layerBegins()         {}
func (p *printed) comment([]byte) error { return nil }
func (p *printed) command(*command)     {}
func (p *printed) macro([]byte)         {}

func movesOf(t testing.TB, file []byte) *printed {
	t.Helper()
	p := &printed{}
	p.machine = newMachine(p)
	p.lines = &lineReader{take: p.machine.line}
	if _, err := p.lines.Write(file); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestToolpathFollowsTheMoves(t *testing.T) {
	for _, name := range []string{"prusa-absolute.gcode", "prusa-raft.gcode", "prusa-two-tools.gcode", "prusa-vase.gcode", "cura-marlin.gcode"} {
		t.Run(name, func(t *testing.T) {
			file := own(t, name)
			p := draw(t, file, 0)
			r := analyse(t, file)
			if len(p.begin) != r.Layers || p.bytes != float64(len(file)) || p.infillEvery != 1 || p.layerEvery != 1 {
				t.Errorf("%d layers of %d, %g bytes, infill in every %d, layers %d", len(p.begin), r.Layers, p.bytes, p.infillEvery, p.layerEvery)
			}
			near(t, "tolerance", p.tolerance, firstTolerance, 0.01)
			for i, begin := range p.begin {
				if line, _, _ := bytes.Cut(file[int(begin):], []byte("\n")); !bytes.HasPrefix(line, []byte(";LAYER")) {
					t.Errorf("layer %d begins with %q", i, line)
				}
			}
			moves := movesOf(t, file)
			length := 0.0
			for _, m := range moves.moves {
				length += m.length()
			}
			drawn := 0.0
			for i := range p.kind {
				line := p.points[p.firstPoint[i]:p.firstPoint[i+1]]
				for j := 1; j < len(line); j++ {
					drawn += distance(line[j-1], line[j])
				}
			}
			near(t, "length", drawn, length, 0.5)
			if len(p.points) > len(moves.moves)+len(p.kind) {
				t.Errorf("%d points for %d moves in %d paths", len(p.points), len(moves.moves), len(p.kind))
			}
			// The place by the position is on the way of the move there, not further off than a path is long.
			far, sum := 0.0, 0.0
			for i, m := range moves.moves {
				_, at, ok := p.place(float64(moves.offsets[i]))
				if !ok {
					t.Fatalf("no place at %d", moves.offsets[i])
				}
				d := distance(at, [3]float64{m.x0, m.y0, m.z0})
				far, sum = max(far, d), sum+d
			}
			if mean := sum / float64(len(moves.moves)); mean > 0.1 || far > 15 {
				t.Errorf("the place is %.2f mm off, at most %.2f", mean, far)
			}
		})
	}
}

// Every end of every move is within the tolerance of the path that is drawn at its position.
func TestToolpathKeepsItsTolerance(t *testing.T) {
	file := sample(t, "sample.gcode")
	for _, points := range []int{0, 30_000} {
		p := draw(t, file, points)
		if points > 0 && len(p.points) > points {
			t.Errorf("%d points, want at most %d", len(p.points), points)
		}
		moves := movesOf(t, file)
		// What is left out of a layer is not there to compare with.
		if p.infillEvery > 1 || p.layerEvery > 1 {
			t.Fatalf("at %d points infill is in every %d layers: try more", points, p.infillEvery)
		}
		path := 0
		offset := func(i int) float64 {
			layer := 0
			for int(p.firstPath[layer+1]) <= i {
				layer++
			}
			return p.begin[layer] + float64(p.offset[i])
		}
		next := offset(1)
		worst := 0.0
		for i, m := range moves.moves {
			for path+1 < len(p.kind) && next <= float64(moves.offsets[i]) {
				if path++; path+1 < len(p.kind) {
					next = offset(path + 1)
				}
			}
			line := p.points[p.firstPoint[path]:p.firstPoint[path+1]]
			worst = max(worst, beside(line, m.x1, m.y1))
		}
		t.Logf("%d points, tolerance %g, worst %g", len(p.points), p.tolerance, worst)
		// Each doubling adds to the errors before it; a step of the grid is 1 µm here.
		if worst > 2*p.tolerance+0.005 {
			t.Errorf("at %d points a move ends %g mm beside its path, tolerance %g", points, worst, p.tolerance)
		}
	}
}

func beside(line [][3]float64, x, y float64) float64 {
	least := math.Inf(1)
	for i := 1; i < len(line); i++ {
		ax, ay := line[i-1][0], line[i-1][1]
		dx, dy := line[i][0]-ax, line[i][1]-ay
		part := 0.0
		if d := dx*dx + dy*dy; d > 0 {
			part = max(0, min(1, ((x-ax)*dx+(y-ay)*dy)/d))
		}
		least = min(least, math.Hypot(x-ax-dx*part, y-ay-dy*part))
	}
	return least
}

func TestToolpathIsBounded(t *testing.T) {
	file := sample(t, "sample.gcode")
	for _, points := range []int{20_000, 5_000, MinPoints} {
		p := draw(t, file, points)
		if len(p.points) > points || len(p.points) < points/4 {
			t.Errorf("%d points of %d", len(p.points), points)
		}
		if len(p.begin) != 118 {
			t.Errorf("%d layers", len(p.begin))
		}
		for i, k := range p.kind {
			layer := 0
			for int(p.firstPath[layer+1]) <= i {
				layer++
			}
			if layer%p.layerEvery != 0 || Kind(k).thins() && layer%p.infillEvery != 0 {
				t.Fatalf("kind %d is in layer %d; infill in every %d, all in every %d", k, layer, p.infillEvery, p.layerEvery)
			}
		}
	}
	// One layer of nothing but short lines that cannot be made simpler.
	var hatch strings.Builder
	hatch.WriteString("M83\nG1 Z0.2\n;LAYER_CHANGE\n")
	for i := range 20_000 {
		fmt.Fprintf(&hatch, "G0 X%d Y%d\nG1 X%d E1\n", i%200, i/200, i%200+1)
	}
	if p := draw(t, []byte(hatch.String()), MinPoints); len(p.points) > MinPoints || len(p.points) < MinPoints/4 {
		t.Errorf("%d points of the hatch", len(p.points))
	}
}

func TestToolpathKindsAndTools(t *testing.T) {
	p := draw(t, own(t, "prusa-two-tools.gcode"), 0)
	length := map[[2]byte]float64{}
	for i := range p.kind {
		line := p.points[p.firstPoint[i]:p.firstPoint[i+1]]
		for j := 1; j < len(line); j++ {
			length[[2]byte{p.kind[i], p.tool[i]}] += distance(line[j-1], line[j])
		}
	}
	// Perimeters are tool 0's, infill is tool 1's, as make.sh says.
	for _, want := range [][2]byte{{byte(KindOuterWall), 0}, {byte(KindInnerWall), 0}, {byte(KindSolid), 1}, {byte(KindSkirt), 0}} {
		if length[want] < 10 {
			t.Errorf("kind %d of tool %d is %g mm long: %v", want[0], want[1], length[want], length)
		}
	}
	if length[[2]byte{byte(KindOuterWall), 1}] > 0 {
		t.Errorf("tool 1 prints walls: %v", length)
	}
	for comment, want := range map[string]Kind{
		"TYPE:WALL-OUTER": KindOuterWall, "FEATURE: Sparse infill": KindInfill, "feature outer perimeter": KindOuterWall, "TYPE:Whatever": KindOther,
	} {
		if got, ok := kindOf([]byte(comment)); !ok || got != want {
			t.Errorf("%s is %d", comment, got)
		}
	}
}

func TestToolpathWithoutLayerComments(t *testing.T) {
	file := "M83\nG1 X0 Y0 Z0.2\nG1 X10 E1\nG1 Y10 E1\nG1 Z0.4\nG1 X0 E1\nG1 Z2\nG1 Z0.6\nG1 Y0 E1\n"
	p := draw(t, []byte(file), 0)
	if len(p.begin) != 3 || len(p.kind) != 3 || p.firstPath[0] != 0 {
		t.Fatalf("%+v", p)
	}
	for i, want := range []float64{0.2, 0.4, 0.6} {
		if math.Abs(p.z[i]-want) > 1e-6 {
			t.Errorf("layer %d is at %g", i, p.z[i])
		}
	}
	if line := file[int(p.begin[1]):]; !strings.HasPrefix(line, "G1 X0 E1\n") {
		t.Errorf("the second layer begins with %q", line)
	}
	if analyse(t, []byte(file)).Layers != 3 {
		t.Error("Analyse counts others")
	}
	// A comment after the start code: what was before is the start code's.
	file = "M83\nG1 Z0.3\nG1 X50 E9\n;LAYER:0\nG1 Z0.2\nG1 X60 E1\n"
	p = draw(t, []byte(file), 0)
	if len(p.begin) != 1 || p.firstPath[0] != 1 || len(p.kind) != 2 {
		t.Fatalf("%+v", p)
	}
	if line := file[p.offset[0]:]; !strings.HasPrefix(line, "G1 X50") {
		t.Errorf("the start code's path begins with %q", line)
	}
}

func TestToolpathArc(t *testing.T) {
	p := draw(t, []byte("M83\nG1 X20 Y10 Z0.2\nG3 X20 Y10 I-10 J0 E5\n"), 0)
	if len(p.points) < 30 {
		t.Fatalf("%d points of a circle", len(p.points))
	}
	for _, at := range p.points {
		if r := math.Hypot(at[0]-10, at[1]-10); math.Abs(r-10) > 0.002 {
			t.Errorf("%v is %g from the centre", at, r)
		}
	}
}

func TestToolpathOfBinary(t *testing.T) {
	var plain, packed bytes.Buffer
	file := own(t, "two-tools-C3E2.bgcode")
	if err := Toolpath(context.Background(), bytes.NewReader(toPlain(t, file)), &plain, 0); err != nil {
		t.Fatal(err)
	}
	if err := Toolpath(context.Background(), bytes.NewReader(file), &packed, 0); err != nil || !bytes.Equal(plain.Bytes(), packed.Bytes()) || plain.Len() < 1000 {
		t.Errorf("%v; %d and %d bytes", err, plain.Len(), packed.Len())
	}
}

func TestToolpathRefuses(t *testing.T) {
	if err := Toolpath(context.Background(), strings.NewReader("PK\x03\x04"), io.Discard, 0); CodeOf(err) != NotGCode {
		t.Errorf("a zip: %v", err)
	}
	if err := Toolpath(context.Background(), strings.NewReader("G28\n;\x1b\n"), io.Discard, 0); CodeOf(err) != Hostile {
		t.Errorf("control characters: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Toolpath(ctx, strings.NewReader("G28\n"), io.Discard, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

package gcode

import (
	"bufio"
	"context"
	"io"
	"math"
)

// Toolpath writes the way that a file's nozzle prints, for a picture of it by layers and for the place in it while it
// prints. It reads plain and binary G-code; offsets in the file are those of the plain text, which is what printers that
// report a position print. points bounds what it writes, 0 means DefaultPoints: a point takes 8 bytes, a path 10.
//
// All numbers are little-endian. The arrays follow each other without gaps, each at a multiple of its numbers' size, so that
// a reader can lay typed arrays on them. The points are the last and in the order of the layers: what has all before them can
// draw each layer as soon as its points have come.
//
//	offset  type     what
//	0       4 bytes  "FTP2"
//	4       uint32   L, layers
//	8       uint32   P, paths
//	12      uint32   N, points
//	16      float64  bytes of the plain text
//	24      float32  x of a point whose x is 0, mm; then those of y and z
//	36      float32  mm that one step of x and y is; then that of z
//	44      float32  how far a line may be from the real one, mm
//	48      uint16   infill is there in each layer that this divides (1: in all)
//	50      uint16   anything is there in each layer that this divides (1: in all)
//	52      4 bytes  0
//	56      float32  lowest x, y, z of what the layers print, mm; then the highest of each. All 0 if they print nothing
//	80      float64  [L] begin: where in the text the layer begins
//	        float64  [L] end: where its last printing move ends
//	        float32  [L] z of the layer, mm
//	        uint32   [L+1] first path of the layer; paths before the first layer's are the start code's
//	        uint32   [P+1] first point of the path
//	        uint32   [P] where in the text the path begins, from its layer's begin, or from 0 for the start code
//	        uint8    [P] kind of path, see Kind
//	        uint8    [P] tool
//	        uint16   [4N] x, y, z of the points, and where in the text the move to it ends, from its path's begin
//
// A path is a line through its points. The nozzle's place at a position in the text: the last layer whose begin is not
// beyond it, in that layer the last path that does not begin beyond it, and on that path the way between the two points
// that the position is between. It is approximate, as firmware reads ahead of what it does.
func Toolpath(ctx context.Context, r io.Reader, w io.Writer, points int) error {
	buffered := bufio.NewReaderSize(r, 64<<10)
	head, err := buffered.Peek(sniffed)
	if err != nil && err != io.EOF {
		return err
	}
	if points <= 0 {
		points = DefaultPoints
	}
	t := newDrawing(points)
	if isBinary(head) {
		err = ToText(ctx, buffered, t.lines)
	} else if err = sniff(head); err == nil {
		_, err = pour(ctx, t.lines, buffered)
	}
	if err == nil {
		err = t.lines.last()
	}
	if err != nil {
		return err
	}
	t.endPath()
	return t.write(w)
}

// DefaultPoints makes at most 5.4 MB, which a phone draws.
const DefaultPoints = 400_000

// MinPoints is the fewest that a picture is made of.
const MinPoints = 1000

// Kind is what a path is for.
type Kind uint8

// The kinds. Numbers are part of the format.
const (
	KindOther Kind = iota
	KindOuterWall
	KindInnerWall
	KindOverhang
	KindInfill
	KindSolid
	KindTop
	KindBridge
	KindGap
	KindSkirt
	KindSupport
	KindSupportInterface
	KindTower
	KindIroning
	KindCustom
)

// kinds by the words of the slicers' comments "TYPE:…", "FEATURE: …" and "feature …".
var kinds = map[string]Kind{
	// PrusaSlicer, SuperSlicer
	"External perimeter": KindOuterWall, "Perimeter": KindInnerWall, "Overhang perimeter": KindOverhang, "Thin wall": KindOuterWall,
	"Internal perimeter": KindInnerWall, "Internal infill": KindInfill, "Solid infill": KindSolid, "Top solid infill": KindTop,
	"Bridge infill": KindBridge, "Internal bridge infill": KindBridge, "Gap fill": KindGap, "Skirt": KindSkirt, "Skirt/Brim": KindSkirt,
	"Support material": KindSupport, "Support material interface": KindSupportInterface, "Wipe tower": KindTower, "Ironing": KindIroning,
	"Custom": KindCustom,
	// OrcaSlicer, Bambu Studio
	"Outer wall": KindOuterWall, "Inner wall": KindInnerWall, "Overhang wall": KindOverhang, "Sparse infill": KindInfill,
	"Internal solid infill": KindSolid, "Top surface": KindTop, "Bottom surface": KindSolid, "Bridge": KindBridge, "Internal Bridge": KindBridge,
	"Gap infill": KindGap, "Brim": KindSkirt, "Support": KindSupport, "Support transition": KindSupport, "Support interface": KindSupportInterface,
	"Prime tower": KindTower,
	// Cura, ideaMaker
	"WALL-OUTER": KindOuterWall, "WALL-INNER": KindInnerWall, "FILL": KindInfill, "SKIN": KindSolid, "SKIRT": KindSkirt,
	"SUPPORT": KindSupport, "SUPPORT-INTERFACE": KindSupportInterface, "PRIME-TOWER": KindTower, "SOLID-FILL": KindSolid,
	"BRIDGE": KindBridge, "GAP-FILL": KindGap, "RAFT": KindSupport,
	// Simplify3D
	"outer perimeter": KindOuterWall, "inner perimeter": KindInnerWall, "infill": KindInfill, "solid layer": KindSolid, "skirt": KindSkirt,
	"support": KindSupport, "dense support": KindSupportInterface, "bridge": KindBridge, "gap fill": KindGap, "prime pillar": KindTower,
	"raft": KindSupport,
}

// thins says whether a kind is thinned out first when there is too much: what is inside or not of the model.
func (k Kind) thins() bool {
	return k == KindInfill || k == KindSolid || k == KindGap || k == KindSupport || k == KindTower
}

// drawing gathers the paths of a file in memory, never more than its number of points.
type drawing struct {
	machine *machine
	lines   *lineReader
	most    int // points

	layers []drawnLayer
	paths  []drawnPath
	points []point

	tolerance   float64 // mm
	infillEvery int
	layerEvery  int

	kind   Kind
	tool   uint8
	layerZ float64
	byZ    bool // no comments tell the layers (so far)

	open       bool // a path is being drawn
	line       simplifier
	endX, endY float64 // where it is
	endsZ      float64 // z of its last move
}

type drawnLayer struct {
	begin, end int64
	z          float64
}

// startCode is the layer of what is printed before the first one.
const startCode = -1

type drawnPath struct {
	point  int    // its first
	offset uint32 // from its layer's begin
	layer  int32
	kind   Kind
	tool   uint8
}

// point is where a move ends, and where in the file: bytes from its path's begin.
type point struct {
	x, y, z float32
	at      uint16
}

const (
	firstTolerance = 0.01    // mm: a fortieth of a line's width
	lastTolerance  = 0.32    // mm: beyond it shapes suffer
	pathBytes      = 4 << 10 // of the file; a longer way is cut so that a place on it can be told
	steep          = 0.3     // mm that z may change in a path
)

func newDrawing(points int) *drawing {
	t := &drawing{most: max(points, MinPoints), tolerance: firstTolerance, infillEvery: 1, layerEvery: 1, byZ: true}
	t.machine = newMachine(t)
	t.lines = &lineReader{take: t.machine.line, moves: t.machine.moves}
	return t
}

func (t *drawing) command(*command) {}
func (t *drawing) macro([]byte)     {}

func (t *drawing) toolChange(tool int) {
	t.endPath()
	t.tool = uint8(tool)
}

func (t *drawing) layerBegins() {
	t.endPath()
	if t.byZ {
		// What was printed before the first comment is the start code.
		t.byZ = false
		for i := range t.paths {
			p := &t.paths[i]
			p.offset = offset32(t.layers[p.layer].begin + int64(p.offset))
			p.layer = startCode
		}
		t.layers = t.layers[:0]
	}
	t.layers = append(t.layers, drawnLayer{begin: t.lines.begin, end: t.lines.next, z: math.NaN()})
}

func offset32(offset int64) uint32 { return uint32(min(offset, math.MaxUint32)) }

func (t *drawing) comment(text []byte) error {
	if kind, ok := kindOf(text); ok && kind != t.kind {
		t.endPath()
		t.kind = kind
	}
	return nil
}

// kindOf reads the comment that tells what the next moves are for.
func kindOf(text []byte) (Kind, bool) {
	for _, before := range []string{"TYPE:", "FEATURE: ", "feature "} {
		if len(text) > len(before) && string(text[:len(before)]) == before {
			return kinds[string(trim(text[len(before):]))], true
		}
	}
	return 0, false
}

func (t *drawing) move(m *move) {
	if !m.prints() || math.Abs(m.x1)+math.Abs(m.y1)+math.Abs(m.z1) > farthest || math.Abs(m.x0)+math.Abs(m.y0)+math.Abs(m.z0) > farthest {
		if m.x0 != m.x1 || m.y0 != m.y1 || m.z0 != m.z1 {
			t.endPath()
		}
		return
	}
	if t.byZ && len(t.layers) < MaxLayers && m.z0 == m.z1 && math.Abs(m.z1-t.layerZ) >= 0.001 {
		t.endPath()
		t.layerZ = m.z1
		t.layers = append(t.layers, drawnLayer{begin: t.lines.begin, z: m.z1})
	}
	if n := len(t.layers); n > 0 {
		l := &t.layers[n-1]
		l.end = t.lines.next
		if math.IsNaN(l.z) {
			l.z = m.z1
		}
	}
	if !t.draws(len(t.layers)-1, t.kind) {
		return
	}
	if t.open && (m.x0 != t.endX || m.y0 != t.endY || math.Abs(m.z1-t.endsZ) > steep || t.lines.begin-t.begun() > pathBytes) {
		t.endPath()
	}
	if !t.open {
		t.beginPath(m)
		t.endsZ = m.z1
	}
	if m.arc != 0 {
		t.arc(m)
	}
	t.endX, t.endY = m.x1, m.y1
	t.line.to(t, t.pointAt(m.x1, m.y1, m.z1, 1))
}

// pointAt is a point that a part of the present line leads to.
func (t *drawing) pointAt(x, y, z, part float64) point {
	at := float64(t.lines.begin-t.begun()) + part*float64(t.lines.next-t.lines.begin)
	return point{float32(x), float32(y), float32(z), uint16(math.Min(at, math.MaxUint16))}
}

// arc draws a bend as short lines, but for its end.
func (t *drawing) arc(m *move) {
	cx, cy, r, from, turn := m.sweep()
	if !(r < farthest) {
		return
	}
	step := 2 * math.Acos(math.Max(0, 1-t.tolerance/math.Max(r, t.tolerance)))
	n := int(math.Min(128, math.Ceil(math.Abs(turn)/step)))
	for i := 1; i < n; i++ {
		part := float64(i) / float64(n)
		angle := from + turn*part
		t.line.to(t, t.pointAt(cx+r*math.Cos(angle), cy+r*math.Sin(angle), m.z0+(m.z1-m.z0)*part, part))
	}
}

// draws says whether a kind of path in a layer is kept.
func (t *drawing) draws(layer int, kind Kind) bool {
	if layer == startCode || t.layerEvery == 1 && t.infillEvery == 1 {
		return true
	}
	return layer%t.layerEvery == 0 && (!kind.thins() || layer%t.infillEvery == 0)
}

// begun is where in the file the open path begins.
func (t *drawing) begun() int64 {
	p := &t.paths[len(t.paths)-1]
	if p.layer == startCode {
		return int64(p.offset)
	}
	return t.layers[p.layer].begin + int64(p.offset)
}

func (t *drawing) beginPath(m *move) {
	layer, begin := len(t.layers)-1, int64(0)
	if layer != startCode {
		begin = t.layers[layer].begin
	}
	t.paths = append(t.paths, drawnPath{point: len(t.points), offset: offset32(t.lines.begin - begin), layer: int32(layer), kind: t.kind, tool: t.tool})
	t.open = true
	at := t.pointAt(m.x0, m.y0, m.z0, 0)
	t.points = append(t.points, at)
	t.line.begin(at, t.tolerance)
}

// put adds a point to the open path.
func (t *drawing) put(p point) {
	t.points = append(t.points, p)
}

func (t *drawing) endPath() {
	if !t.open {
		return
	}
	t.open = false
	t.line.finish(t)
	if len(t.points) > t.most {
		t.shrink()
	}
}

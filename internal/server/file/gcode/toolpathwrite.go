package gcode

import (
	"encoding/binary"
	"io"
	"math"
)

// ToolpathMagic is what a tool path begins with; another is of another version of the form.
const ToolpathMagic = "FTP2"

const toolpathHead = 80 // bytes

// write puts the drawing into the format that Toolpath describes.
func (t *drawing) write(w io.Writer) error {
	low, step := t.scale()
	b := make([]byte, 0, toolpathHead+len(t.layers)*24+len(t.paths)*10+len(t.points)*8+64)
	le := binary.LittleEndian
	real32 := func(v float64) { b = le.AppendUint32(b, math.Float32bits(float32(v))) }
	real64 := func(v int64) { b = le.AppendUint64(b, math.Float64bits(float64(v))) }

	b = append(b, ToolpathMagic...)
	for _, n := range []int{len(t.layers), len(t.paths), len(t.points)} {
		b = le.AppendUint32(b, uint32(n))
	}
	real64(t.lines.next)
	for _, v := range low {
		real32(v)
	}
	real32(step[0])
	real32(step[2])
	real32(t.tolerance)
	b = le.AppendUint16(b, uint16(t.infillEvery))
	b = le.AppendUint16(b, uint16(t.layerEvery))
	b = append(b, 0, 0, 0, 0)
	for _, corner := range t.box() {
		for _, v := range corner {
			real32(v)
		}
	}

	for _, l := range t.layers {
		real64(l.begin)
	}
	for _, l := range t.layers {
		real64(max(l.begin, l.end))
	}
	z := 0.0
	for _, l := range t.layers {
		if !math.IsNaN(l.z) { // a layer without anything is where the one below is
			z = l.z
		}
		real32(z)
	}
	path := 0
	for layer := range len(t.layers) + 1 {
		for path < len(t.paths) && int(t.paths[path].layer) < layer {
			path++
		}
		b = le.AppendUint32(b, uint32(path))
	}
	for _, p := range t.paths {
		b = le.AppendUint32(b, uint32(p.point))
	}
	b = le.AppendUint32(b, uint32(len(t.points)))
	for _, p := range t.paths {
		b = le.AppendUint32(b, p.offset)
	}
	for _, p := range t.paths {
		b = append(b, byte(p.kind))
	}
	for _, p := range t.paths {
		b = append(b, p.tool)
	}
	for _, p := range t.points {
		for axis, v := range [3]float32{p.x, p.y, p.z} {
			b = le.AppendUint16(b, uint16(math.Round((float64(v)-low[axis])/step[axis])))
		}
		b = le.AppendUint16(b, p.at)
	}
	_, err := w.Write(b)
	return err
}

// scale is where the points begin and how long a step is, so that the farthest has 65535 of them.
func (t *drawing) scale() (low, step [3]float64) {
	var high [3]float64
	for i, p := range t.points {
		for axis, v := range [3]float32{p.x, p.y, p.z} {
			if i == 0 || float64(v) < low[axis] {
				low[axis] = float64(v)
			}
			if i == 0 || float64(v) > high[axis] {
				high[axis] = float64(v)
			}
		}
	}
	plane := math.Max(high[0]-low[0], high[1]-low[1])
	for axis, size := range [3]float64{plane, plane, high[2] - low[2]} {
		if step[axis] = size / math.MaxUint16; size == 0 {
			step[axis] = 1
		}
	}
	return low, step
}

// box is what the layers take, without the start code's; all 0 if they have nothing.
func (t *drawing) box() (box [2][3]float64) {
	first := 0 // point of the layers
	for i := range t.paths {
		if t.paths[i].layer != startCode {
			first = t.paths[i].point
			break
		}
		first = len(t.points)
	}
	for i, p := range t.points[first:] {
		for axis, v := range [3]float32{p.x, p.y, p.z} {
			if i == 0 || float64(v) < box[0][axis] {
				box[0][axis] = float64(v)
			}
			if i == 0 || float64(v) > box[1][axis] {
				box[1][axis] = float64(v)
			}
		}
	}
	return box
}

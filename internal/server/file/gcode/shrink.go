package gcode

// shrink makes room in a drawing that has too many points: the tolerance doubles, then infill and then everything is left
// out of every other layer, and at last every other path goes. No path is open. It frees a quarter, so that the time for
// a file stays in proportion to its size.
func (t *drawing) shrink() {
	for room := t.most * 3 / 4; len(t.points) > room; {
		every := 1
		switch {
		case t.tolerance < lastTolerance:
			t.tolerance *= 2
		case t.infillEvery < 1<<6:
			t.infillEvery *= 2
		case t.layerEvery < 1<<12:
			t.layerEvery *= 2
		default:
			every = 2
		}
		t.redraw(every)
	}
}

// redraw goes over all paths once more, by the limits as they are now, and keeps those that every divides.
func (t *drawing) redraw(every int) {
	out := &rewriter{points: t.points}
	kept := t.paths[:0]
	for i, p := range t.paths {
		end := len(t.points)
		if i+1 < len(t.paths) {
			end = t.paths[i+1].point
		}
		if i%every != 0 || !t.draws(int(p.layer), p.kind) {
			continue
		}
		// Writing never overtakes reading: a path becomes no longer.
		points := t.points[p.point:end]
		p.point = out.n
		var line simplifier
		line.begin(points[0], t.tolerance)
		out.put(points[0])
		for _, at := range points[1:] {
			line.to(out, at)
		}
		line.finish(out)
		kept = append(kept, p)
	}
	t.paths, t.points = kept, t.points[:out.n]
}

// rewriter puts points in front of those that are read.
type rewriter struct {
	points []point
	n      int
}

func (r *rewriter) put(p point) {
	r.points[r.n] = p
	r.n++
}

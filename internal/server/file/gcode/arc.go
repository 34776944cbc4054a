package gcode

import "math"

// bend makes an arc of the move whose words were read. An arc by radius takes the shorter way for a positive radius, the
// longer for a negative one; one by its centre that comes back to its beginning is a full circle.
func (k *machine) bend(g int, radius float64) {
	m := &k.m
	m.arc = 1
	if g == 3 {
		m.arc = -1
	}
	if radius != 0 {
		dx, dy := m.x1-m.x0, m.y1-m.y0
		d2 := dx*dx + dy*dy
		if d2 == 0 {
			m.arc = 0
			return
		}
		// From the middle of the chord to the centre.
		h := math.Sqrt(math.Max(0, 4*radius*radius-d2)/d2) / 2
		if (m.arc > 0) != (radius < 0) {
			h = -h
		}
		m.i, m.j = dx/2-dy*h, dy/2+dx*h
	}
	if m.i == 0 && m.j == 0 {
		m.arc = 0
	}
}

// sweep is an arc as angles: from its beginning, counter-clockwise if turn is positive.
func (m *move) sweep() (cx, cy, r, from, turn float64) {
	cx, cy = m.x0+m.i, m.y0+m.j
	r = math.Hypot(m.i, m.j)
	from = math.Atan2(-m.j, -m.i)
	to := math.Atan2(m.y1-cy, m.x1-cx)
	turn = to - from
	if m.arc > 0 {
		if turn >= -1e-9 {
			turn -= 2 * math.Pi
		}
	} else if turn <= 1e-9 {
		turn += 2 * math.Pi
	}
	return cx, cy, r, from, turn
}

// corners calls at with the points where an arc is farthest to each side, its end included.
func (m *move) corners(at func(x, y float64)) {
	cx, cy, r, from, turn := m.sweep()
	for quarter := range 4 {
		angle := float64(quarter) * math.Pi / 2
		ahead := math.Mod(angle-from, 2*math.Pi)
		if turn > 0 && ahead < 0 {
			ahead += 2 * math.Pi
		}
		if turn < 0 && ahead > 0 {
			ahead -= 2 * math.Pi
		}
		if math.Abs(ahead) < math.Abs(turn) {
			at(cx+r*math.Cos(angle), cy+r*math.Sin(angle))
		}
	}
	at(m.x1, m.y1)
}

// length is the way of the move, mm.
func (m *move) length() float64 {
	dx, dy, dz := m.x1-m.x0, m.y1-m.y0, m.z1-m.z0
	if m.arc != 0 {
		_, _, r, _, turn := m.sweep()
		return math.Hypot(r*turn, dz)
	}
	return math.Sqrt(dx*dx + dy*dy + dz*dz)
}

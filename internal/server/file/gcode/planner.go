package gcode

import "math"

// planner guesses how long the moves take, for files whose slicer does not say. A printer's firmware slows down at each
// corner to what its jerk allows and speeds up again; so does this, one corner at a time, without looking further ahead.
type planner struct {
	seconds float64
	accel   float64 // mm/s²
	retract float64 // mm/s², of moves of the filament alone
	jerk    float64 // mm/s that the speed may change at once

	slowing float64 // 1 / (2 accel)

	// The last move, whose end's speed the next one decides.
	length, speed, entry float64
	pace                 float64 // 1 / speed
	ux, uy, uz           float64
}

// What a usual printer is set to; M204 and M205 of the file replace it.
const (
	usualAcceleration = 1250 // mm/s²: PrusaSlicer's own default profile has 1500 and 1250
	usualJerk         = 9    // mm/s
)

func newPlanner() planner {
	return planner{accel: usualAcceleration, retract: usualAcceleration, jerk: usualJerk, slowing: 0.5 / usualAcceleration}
}

func (p *planner) add(m *move) {
	dx, dy, dz := m.x1-m.x0, m.y1-m.y0, m.z1-m.z0
	length := math.Sqrt(dx*dx + dy*dy + dz*dz)
	if m.arc != 0 {
		length = m.length()
	}
	if length == 0 {
		if m.de != 0 {
			p.stop()
			p.seconds += ramp(math.Abs(m.de), m.feed, 1/m.feed, 0, 0, p.retract, 0.5/p.retract)
		}
		return
	}
	share := 1 / length
	ux, uy, uz := dx*share, dy*share, dz*share
	corner := 0.0
	if p.speed > 0 {
		cx, cy, cz := m.feed*ux-p.speed*p.ux, m.feed*uy-p.speed*p.uy, m.feed*uz-p.speed*p.uz
		corner = min(m.feed, p.speed)
		if change := cx*cx + cy*cy + cz*cz; change > p.jerk*p.jerk {
			corner *= p.jerk / math.Sqrt(change)
		}
		p.seconds += ramp(p.length, p.speed, p.pace, p.entry, corner, p.accel, p.slowing)
	}
	if m.feed != p.speed {
		p.pace = 1 / m.feed
	}
	p.length, p.speed, p.entry = length, m.feed, corner
	p.ux, p.uy, p.uz = ux, uy, uz
}

// stop ends the last move at rest.
func (p *planner) stop() {
	if p.speed > 0 {
		p.seconds += ramp(p.length, p.speed, p.pace, p.entry, 0, p.accel, p.slowing)
		p.speed = 0
	}
}

// ramp is the time for a way that begins and ends at the given speeds. pace is 1 / speed and slowing 1 / (2 accel): a file
// has many moves and few of these, and dividing is slow.
func ramp(length, speed, pace, entry, exit, accel, slowing float64) float64 {
	up, down := speed-entry, speed-exit
	if up == 0 && down == 0 {
		return length * pace
	}
	if (up*(speed+entry)+down*(speed+exit))*slowing <= length {
		return (length + (up*up+down*down)*slowing) * pace
	}
	// Too short to come to its speed.
	peak := math.Sqrt((entry*entry+exit*exit)/2 + accel*length)
	if peak < entry || peak < exit {
		return 2 * length / (entry + exit)
	}
	return (2*peak - entry - exit) / accel
}

// dwell is G4.
func (p *planner) dwell(c *command) {
	p.stop()
	s, ok := c.word('S')
	if ms, has := c.word('P'); has && !ok {
		s = ms / 1000
	}
	if s > 0 && s < 24*3600 {
		p.seconds += s
	}
}

// limits is M204 (accelerations) and M205 (jerk).
func (p *planner) limits(c *command) {
	set := func(to *float64, letter byte, low, high float64) {
		if v, ok := c.word(letter); ok && v > 0 {
			*to = math.Max(low, math.Min(high, v))
		}
	}
	if c.number == 205 {
		set(&p.jerk, 'X', 0.1, 100)
		return
	}
	set(&p.accel, 'S', 10, 100000)
	set(&p.accel, 'P', 10, 100000)
	p.slowing = 0.5 / p.accel
	set(&p.retract, 'R', 10, 100000)
}

package gcode

import "math"

// simplifier leaves out the points of a line that are hardly beside it. From the last point that was kept, each further
// one narrows the directions in which all of them are within the tolerance; one that is outside of these, or that turns
// back, begins anew (a sleeve, as by Reumann and Witkam, that narrows). It takes the same time for each point.
type simplifier struct {
	tolerance   float64
	from        point // kept
	last        point // seen
	seen        bool
	bound       bool       // left and right are set
	left, right [2]float64 // the directions
	farthest2   float64
}

// pen takes the points that stay.
type pen interface{ put(p point) }

func (s *simplifier) begin(at point, tolerance float64) {
	*s = simplifier{tolerance: tolerance, from: at, last: at}
}

func (s *simplifier) to(w pen, p point) {
	if s.seen && !s.inside(p) {
		w.put(s.last)
		*s = simplifier{tolerance: s.tolerance, from: s.last}
	}
	s.narrow(p)
	s.last, s.seen = p, true
}

func (s *simplifier) finish(w pen) {
	if s.seen {
		w.put(s.last)
		s.seen = false
	}
}

// inside says whether what was seen so far is near the line to p.
func (s *simplifier) inside(p point) bool {
	dx, dy := float64(p.x-s.from.x), float64(p.y-s.from.y)
	d2 := dx*dx + dy*dy
	if d2 < s.farthest2 {
		return false // back
	}
	if !s.bound {
		return true
	}
	return s.right[0]*dy-s.right[1]*dx >= 0 && dx*s.left[1]-dy*s.left[0] >= 0 && dx*s.left[0]+dy*s.left[1] >= 0
}

func (s *simplifier) narrow(p point) {
	dx, dy := float64(p.x-s.from.x), float64(p.y-s.from.y)
	d2 := dx*dx + dy*dy
	s.farthest2 = math.Max(s.farthest2, d2)
	if d2 <= s.tolerance*s.tolerance {
		return
	}
	sine := s.tolerance / math.Sqrt(d2)
	cosine := math.Sqrt(1 - sine*sine)
	left := [2]float64{dx*cosine - dy*sine, dx*sine + dy*cosine}
	right := [2]float64{dx*cosine + dy*sine, dy*cosine - dx*sine}
	if !s.bound {
		s.left, s.right, s.bound = left, right, true
		return
	}
	if left[0]*s.left[1]-left[1]*s.left[0] > 0 {
		s.left = left
	}
	if s.right[0]*right[1]-s.right[1]*right[0] > 0 {
		s.right = right
	}
}

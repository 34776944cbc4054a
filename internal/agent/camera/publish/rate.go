package publish

import "time"

// rate measures how often and how much comes, over windows of two seconds. The first one is said as soon as it is known.
type rate struct {
	began    time.Time
	frames   int
	bytes    int
	lastFPS  float64
	lastKbps float64
	known    bool
}

func (r *rate) add(at time.Time, bytes int) {
	if r.began.IsZero() || at.Before(r.began) {
		r.began, r.frames, r.bytes = at, 0, 0
		return
	}
	r.frames++
	r.bytes += bytes
	span := at.Sub(r.began)
	enough := span >= measured || (!r.known && r.frames >= 15 && span >= measured/4)
	if !enough {
		return
	}
	r.lastFPS, r.lastKbps, r.known = round(float64(r.frames)/span.Seconds()), float64(r.bytes)*8/1000/span.Seconds(), true
	r.began, r.frames, r.bytes = at, 0, 0
}

// round keeps a rate to what can be measured.
func round(fps float64) float64 {
	if fps > 5 {
		return float64(int(fps*2+0.5)) / 2
	}
	return float64(int(fps*100+0.5)) / 100
}

func (r *rate) fps() (float64, bool)  { return r.lastFPS, r.known }
func (r *rate) kbps() (float64, bool) { return r.lastKbps, r.known }

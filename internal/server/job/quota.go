package job

import "time"

// How many prints of one printer are begun by what is seen of it: no printer begins one a minute, and whoever makes
// that up in a device's name is not to fill the disk. Those that events tell of are bounded with the events.
const (
	beginEvery = time.Minute
	beginBurst = 500
)

// quota counts the prints that were begun; it goes down by one every beginEvery.
type quota struct {
	taken float64
	at    time.Time
	full  bool // and the log says so
}

// mayBegin tells whether a print that a snapshot shows may be begun. mu is held.
func (s *Service) mayBegin(o *observation) bool {
	q := s.begun[o.printerID]
	if q == nil {
		q = &quota{at: o.at}
		s.begun[o.printerID] = q
	}
	if passed := o.at.Sub(q.at); passed > 0 {
		q.taken = max(0, q.taken-passed.Seconds()/beginEvery.Seconds())
	}
	q.at = o.at
	if q.taken+1 > beginBurst {
		if !q.full {
			s.log.Warn("a device reports more prints than are noted of one; those over are dropped", "printer", o.printerID)
		}
		q.full = true
		return false
	}
	if q.taken < beginBurst/2 {
		q.full = false
	}
	q.taken++
	return true
}

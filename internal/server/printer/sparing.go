package printer

import (
	"log/slog"
	"sync"
	"time"
)

// loggedComplaints is how many lines a minute that others cause are worth the operator's attention. Devices can cause
// thousands a second, which must not fill his disk; all are counted in the metrics.
const loggedComplaints = 60

// sparing counts the lines of a minute. The zero one is ready.
type sparing struct {
	mu    sync.Mutex
	begun time.Time
	n     int
}

// level gives what such a line is logged at: as wanted, or debug once there were enough.
func (s *sparing) level(wanted slog.Level, now time.Time) slog.Level {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.begun).Abs() >= time.Minute {
		s.begun, s.n = now, 0
	}
	if s.n++; s.n > loggedComplaints {
		return slog.LevelDebug
	}
	return wanted
}

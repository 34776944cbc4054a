// Package loglimit bounds what others can write into the operator's log.
package loglimit

import (
	"log/slog"
	"sync"
	"time"
)

// PerMinute is how many lines a minute that others cause are worth the operator's attention. Devices and strangers can
// cause thousands a second, which must not fill his disk; all are counted in the metrics.
const PerMinute = 60

// Limiter counts the lines of a minute. The zero one is ready; it is safe for use by several goroutines.
type Limiter struct {
	mu    sync.Mutex
	begun time.Time
	n     int
}

// Level gives what such a line is logged at: as wanted, or debug once there were PerMinute of them.
func (l *Limiter) Level(wanted slog.Level, now time.Time) slog.Level {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.begun).Abs() >= time.Minute {
		l.begun, l.n = now, 0
	}
	if l.n++; l.n > PerMinute {
		return slog.LevelDebug
	}
	return wanted
}

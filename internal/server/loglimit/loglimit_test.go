package loglimit

import (
	"log/slog"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	var l Limiter
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	for i := range 3 * PerMinute {
		want := slog.LevelInfo
		if i >= PerMinute {
			want = slog.LevelDebug
		}
		if got := l.Level(slog.LevelInfo, now); got != want {
			t.Fatalf("line %d at %v", i, got)
		}
	}
	if l.Level(slog.LevelInfo, now.Add(time.Minute)) != slog.LevelInfo {
		t.Error("those of another minute are not logged")
	}
}

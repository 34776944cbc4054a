package gateway

import (
	"log/slog"
	"testing"
	"time"
)

func TestRefusals_Level(t *testing.T) {
	var r refusals
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	shown := 0
	for i := range 5000 {
		if r.level(now.Add(time.Duration(i)*time.Millisecond)) == slog.LevelInfo {
			shown++
		}
	}
	if shown != loggedRefusals {
		t.Errorf("%d of 5,000 refusals in 5 s are logged", shown)
	}
	if r.level(now.Add(2*time.Minute)) != slog.LevelInfo {
		t.Error("those of another minute are not")
	}
}

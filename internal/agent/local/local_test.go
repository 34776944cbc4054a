package local

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestServe(t *testing.T) {
	for _, name := range []string{"short", strings.Repeat("a-path-longer-than-the-kernel-takes/", 4)} {
		dir := filepath.Join(t.TempDir(), name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := Ask(dir); !errors.Is(err, ErrNotRunning) {
			t.Errorf("before: %v", err)
		}
		os.WriteFile(filepath.Join(dir, socketName), nil, 0o600) // what a killed agent left
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() {
			done <- Serve(ctx, dir, func() Status { return Status{Version: "1.2.3", Errors: []Complaint{}} })
		}()
		var s *Status
		for end := time.Now().Add(30 * time.Second); s == nil && time.Now().Before(end); time.Sleep(time.Millisecond) {
			s, _ = Ask(dir)
		}
		if s == nil || s.Version != "1.2.3" {
			t.Fatalf("%+v", s)
		}
		if info, err := os.Stat(filepath.Join(dir, socketName)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info, err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if _, err := Ask(dir); !errors.Is(err, ErrNotRunning) {
			t.Errorf("after: %v", err)
		}
	}
}

func TestComplaints(t *testing.T) {
	c := NewComplaints(slog.DiscardHandler)
	if c.Enabled(context.Background(), slog.LevelInfo) {
		t.Fatal("asks for what nobody logs")
	}
	log := slog.New(c)
	log.Info("nothing")
	for range 3 {
		log.With("part", "x").Warn("bad", "error", errors.New("why"))
	}
	for i := range keep + 5 {
		log.Error("worse", "error", strings.Repeat("!", i))
	}
	last := c.Last()
	if len(last) != keep || !strings.HasSuffix(last[keep-1].Text, "!!!!") {
		t.Errorf("%+v", last)
	}
	c = NewComplaints(slog.DiscardHandler)
	log = slog.New(c)
	for range 3 {
		log.Warn("bad", "error", errors.New("why"))
	}
	if last := c.Last(); len(last) != 1 || last[0].Count != 3 || last[0].Text != "bad: why" {
		t.Errorf("%+v", last)
	}
}

package local

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
)

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
		log.Warn("bad", "error", &net.DNSError{Err: "no such host", Name: "x"})
	}
	if last := c.Last(); len(last) != 1 || last[0].Count != 3 || last[0].Code != "name_not_found" {
		t.Errorf("%+v", last)
	}
}

package work

import (
	"context"
	"errors"
	"testing"
)

func TestGroup_CloseWaitsAndLetsNothingBegin(t *testing.T) {
	g := New()
	seen, leave := make(chan struct{}), make(chan struct{})
	if !g.Go(func(ctx context.Context) { <-ctx.Done(); close(seen); <-leave }) {
		t.Fatal("nothing may begin")
	}
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.Close(impatient); !errors.Is(err, context.Canceled) {
		t.Errorf("closed with work under way: %v", err)
	}
	<-seen
	if g.Go(func(context.Context) { t.Error("begun after Close") }) {
		t.Error("something began after Close")
	}
	if _, ok := g.Begin(); ok {
		t.Error("something began after Close")
	}
	close(leave)
	if err := g.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

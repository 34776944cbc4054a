// Package work keeps count of what a service does on its own, beside the calls to it, so that it can be ended in order.
package work

import (
	"context"
	"sync"
)

// Group is a service's work that is under way. It is begun by New and safe for use by several goroutines.
type Group struct {
	// Context ends when the group is closed.
	Context context.Context

	cancel  context.CancelFunc
	running sync.WaitGroup
	mu      sync.Mutex // guards closed, and that nothing is added while it is waited
	closed  bool
}

// New gives a group with nothing under way.
func New() *Group {
	g := &Group{}
	g.Context, g.cancel = context.WithCancel(context.Background())
	return g
}

// Begin counts a piece of work until done is called. Of a closed group it gives false: begin nothing more.
func (g *Group) Begin() (done func(), ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, false
	}
	g.running.Add(1)
	return g.running.Done, true
}

// Go does something in a goroutine of its own, unless the group is closed.
func (g *Group) Go(do func(ctx context.Context)) bool {
	done, ok := g.Begin()
	if ok {
		go func() { defer done(); do(g.Context) }()
	}
	return ok
}

// Close lets nothing more begin, ends Context, and waits until what was under way has seen that, or until ctx ends.
func (g *Group) Close(ctx context.Context) error {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.cancel()
	ended := make(chan struct{})
	go func() { g.running.Wait(); close(ended) }()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

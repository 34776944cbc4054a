package file

import (
	"context"
	"sync"

	"github.com/tus/tusd/v2/pkg/handler"
	"github.com/tus/tusd/v2/pkg/memorylocker"
)

// locks have one call at a time work on an upload. Another one that comes has the first one's body closed, for its
// browser has most likely given it up. tusd 2.8.0 looks for that body without a lock of its own, and finds none between
// the begin of a call and of its body; so here the word goes on only once the body is being read. mu guards held.
type locks struct {
	memory *memorylocker.MemoryLocker

	mu   sync.Mutex
	held map[string]*gate
}

func newLocks() *locks { return &locks{memory: memorylocker.New(), held: map[string]*gate{}} }

// NewLock is handler.Locker's.
func (l *locks) NewLock(id string) (handler.Lock, error) {
	inner, err := l.memory.NewLock(id)
	return &lock{inner: inner, locks: l, id: id}, err
}

// reads says that the body of the call that has an upload's lock is being read.
func (l *locks) reads(id string) {
	l.mu.Lock()
	g := l.held[id]
	l.mu.Unlock()
	if g != nil {
		g.open()
	}
}

type lock struct {
	inner handler.Lock
	locks *locks
	id    string
}

// Lock is handler.Lock's.
func (l *lock) Lock(ctx context.Context, release func()) error {
	g := &gate{release: release}
	if err := l.inner.Lock(ctx, g.ask); err != nil {
		return err
	}
	l.locks.mu.Lock()
	defer l.locks.mu.Unlock()
	l.locks.held[l.id] = g
	return nil
}

// Unlock is handler.Lock's.
func (l *lock) Unlock() error {
	l.locks.mu.Lock()
	delete(l.locks.held, l.id)
	l.locks.mu.Unlock()
	return l.inner.Unlock()
}

// gate keeps back that somebody else wants the lock. mu guards both flags.
type gate struct {
	release func()

	mu           sync.Mutex
	opened, told bool
}

func (g *gate) ask() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.told = true; g.opened {
		g.release()
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened = true; g.told {
		g.release()
	}
}

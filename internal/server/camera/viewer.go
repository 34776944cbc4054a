package camera

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// Bounds of a viewer's queue. What is beyond is too old to be worth sending.
const (
	maxQueued      = 90 // frames: three seconds
	maxQueuedBytes = 8 << 20
)

// viewer is somebody who looks at a stream. mu guards the queue.
type viewer struct {
	id     string
	rung   Rung
	actor  workspace.Actor
	check  workspace.Check // nil: nothing to ask
	stream *stream         // set once, under Service.mu
	begun  time.Time

	leaving func()    // tells the service
	once    sync.Once // of leaving

	ended context.Context // is done when he may not look any more, or the stream ends for good
	end   context.CancelCauseFunc

	out atomic.Int64 // bytes sent to him

	mu       sync.Mutex
	queue    []*frame
	since    int // frames and bytes that were offered since the last call of next
	bytes    int
	lost     bool // waits for a key frame
	wake     chan struct{}
	drops    int
	newest   bool // a queue of one: the newest frame replaces the one before
	filledAt time.Time
}

// Causes for a viewer's end.
var (
	errLeft         = errors.New("the viewer left")
	errRightEnded   = errors.New("the viewer may not look any more")
	errCameraGone   = errors.New("the camera is not there any more")
	errServerStops  = errors.New("the server stops")
	errCodecChanged = errors.New("the stream is another one now")
)

func newViewer(rung Rung, actor workspace.Actor, check workspace.Check) *viewer {
	v := &viewer{id: newSecret(), rung: rung, actor: actor, check: check, begun: time.Now(), wake: make(chan struct{}, 1),
		newest: !rung.video(), lost: rung.video()}
	v.ended, v.end = context.WithCancelCause(context.Background())
	return v
}

// offer hands a frame over and never waits. A viewer who cannot keep up misses what comes until the next key frame:
// half a picture is worth nothing to a decoder.
func (v *viewer) offer(f *frame) {
	if (f.kind == frameH264) != v.rung.video() || v.rung == RungHLS {
		return
	}
	v.mu.Lock()
	switch {
	case v.newest:
		if len(v.queue) > 0 {
			v.drops++
		}
		v.queue = append(v.queue[:0], f)
	case v.lost && !f.key:
		v.drops++
		v.mu.Unlock()
		return
	case v.since >= maxQueued || v.bytes+len(f.data) > maxQueuedBytes:
		v.drops += len(v.queue)
		v.empty()
		if v.lost = !f.key; f.key {
			v.push(f)
		}
	default:
		v.lost = false
		v.push(f)
	}
	v.mu.Unlock()
	v.nudge()
}

func (v *viewer) push(f *frame) {
	v.queue, v.since, v.bytes = append(v.queue, f), v.since+1, v.bytes+len(f.data)
}

func (v *viewer) empty() {
	clear(v.queue)
	v.queue, v.since, v.bytes = v.queue[:0], 0, 0
}

func (v *viewer) nudge() {
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// fill has the viewer begin with what is kept of the stream, in place of whatever waits for him.
func (v *viewer) fill(kept []*frame) {
	v.mu.Lock()
	v.empty()
	v.queue = append(v.queue, kept...)
	v.lost, v.filledAt = len(kept) == 0, time.Now()
	v.mu.Unlock()
	v.nudge()
}

// catchUp has the viewer begin again with the last key frame: he is ready only now.
func (v *viewer) catchUp() {
	v.stream.mu.Lock()
	v.fill(v.stream.kept)
	v.stream.mu.Unlock()
}

// startOver is for a viewer whose decoder is at a loss. More often than every two seconds would only make it worse.
func (v *viewer) startOver() {
	v.mu.Lock()
	soon := time.Since(v.filledAt) < 2*time.Second
	v.mu.Unlock()
	if !soon {
		v.catchUp()
	}
}

// sent takes note of a frame that went out.
func (v *viewer) sent(f *frame) {
	v.out.Add(int64(len(f.data)))
	v.stream.s.count.sent(v.rung, len(f.data))
}

// next gives what has come since the last call, and waits for it. Errors: why the viewer has ended, or ctx's.
func (v *viewer) next(ctx context.Context, into []*frame) ([]*frame, error) {
	for {
		if v.ended.Err() != nil {
			return nil, context.Cause(v.ended)
		}
		v.mu.Lock()
		if len(v.queue) > 0 {
			into = append(into[:0], v.queue...)
			v.empty()
			v.mu.Unlock()
			return into, nil
		}
		v.mu.Unlock()
		select {
		case <-v.wake:
		case <-v.ended.Done():
			return nil, context.Cause(v.ended)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// lose has the viewer miss what comes until the next key frame, as one whose decoder is at a loss.
func (v *viewer) lose() {
	v.mu.Lock()
	v.lost = true
	v.empty()
	v.mu.Unlock()
}

// leave takes the viewer out of the stream and of every count. It may be called more than once.
func (v *viewer) leave() {
	v.once.Do(func() {
		v.end(errLeft)
		if v.stream != nil {
			v.stream.leave(v)
		}
		v.leaving()
	})
}

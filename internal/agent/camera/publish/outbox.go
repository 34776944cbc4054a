package publish

import (
	"sync"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// frame is what goes out as one message of the media link.
type frame struct {
	kind   wire.MediaKind // MediaH264, MediaJPEG
	key    bool
	at     time.Time // when it was filmed
	data   []byte
	info   *wire.MediaInfo // what this frame is one of; sent when it is another one than before
	queued time.Time
}

const (
	maxQueued = 2 << 20                // bytes of H.264 that wait
	maxWait   = 700 * time.Millisecond // of the oldest of them; what has waited longer is stale
)

// outbox holds what waits for the uplink, so little that it never gets stale: of JPEGs the newest, of H.264 what can
// still be in time, else nothing up to the next key frame. It never makes its callers wait.
type outbox struct {
	ready chan struct{} // something waits

	mu       sync.Mutex // holds what follows
	picture  *frame
	latest   *frame // the last picture, for a link that comes later
	video    []*frame
	bytes    int
	dropping bool // until the next key frame
	report   *wire.CameraReport
	drops    int // frames left out since the last count
}

func newOutbox() *outbox { return &outbox{ready: make(chan struct{}, 1)} }

func (o *outbox) wake() {
	select {
	case o.ready <- struct{}{}:
	default:
	}
}

// put takes a frame.
func (o *outbox) put(f *frame) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f.queued = time.Now()
	if f.kind == wire.MediaJPEG {
		if o.picture != nil {
			o.drops++
		}
		o.picture, o.latest = f, f
		o.clear()
		o.wake()
		return
	}
	o.picture, o.latest = nil, nil
	stale := len(o.video) > 0 && (f.queued.Sub(o.video[0].queued) > maxWait || o.bytes+len(f.data) > maxQueued)
	switch {
	case stale:
		o.drops += len(o.video)
		o.clear()
		if o.dropping = !f.key; o.dropping {
			o.drops++
			return
		}
	case o.dropping && !f.key:
		o.drops++
		return
	}
	o.dropping = false
	o.video = append(o.video, f)
	o.bytes += len(f.data)
	o.wake()
}

// clear throws away the video that waits. The caller holds mu.
func (o *outbox) clear() {
	clear(o.video)
	o.video, o.bytes = o.video[:0], 0
}

// say puts a report before the next frame. Of several only the last is sent.
func (o *outbox) say(r wire.CameraReport) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.report = &r
	o.wake()
}

// take gives what is to be sent next: a report, or else a frame, or neither.
func (o *outbox) take() (*wire.CameraReport, *frame) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r := o.report; r != nil {
		o.report = nil
		return r, nil
	}
	if f := o.picture; f != nil {
		o.picture = nil
		return nil, f
	}
	if len(o.video) == 0 {
		return nil, nil
	}
	f := o.video[0]
	o.video = o.video[:copy(o.video, o.video[1:])]
	o.bytes -= len(f.data)
	return nil, f
}

// restart readies for a new link: it begins with the newest picture, or with a key frame.
func (o *outbox) restart() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.report, o.drops = nil, 0
	o.picture = o.latest
	if len(o.video) == 0 || !o.video[0].key {
		o.clear()
		o.dropping = true
	}
	o.wake()
}

// dropped counts the frames left out since it was last asked.
func (o *outbox) dropped() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := o.drops
	o.drops = 0
	return n
}

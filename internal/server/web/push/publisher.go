package push

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge"
)

// spacing is the least time between two messages about one printer: a device that talks faster than people can look
// costs no more than this. The first change goes out at once.
const spacing = 50 * time.Millisecond

// publisher sends printers that changed. Any number of changes before it gets to a printer are one message.
// mu guards everything but what run alone uses.
type publisher struct {
	server *Server
	wake   chan struct{} // capacity 1

	mu      sync.Mutex
	pending map[string]bool // by UUID; true: send it even if it looks like the last time
	last    map[string]sent
}

type sent struct {
	at   time.Time
	data []byte
}

func (p *publisher) init(s *Server) {
	p.server, p.wake = s, make(chan struct{}, 1)
	p.pending, p.last = map[string]bool{}, map[string]sent{}
}

// changed notes that a printer is another one than before. It never waits.
func (p *publisher) changed(uuid string, force bool) {
	if !p.server.watch.watched(uuid) {
		return
	}
	p.mu.Lock()
	p.pending[uuid] = p.pending[uuid] || force
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *publisher) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		case <-timer.C:
		}
		if wait := p.send(time.Now()); wait > 0 {
			timer.Reset(wait)
		}
	}
}

// send sends what may go now and tells how long the next one has to wait; 0: nothing waits.
func (p *publisher) send(now time.Time) (wait time.Duration) {
	p.mu.Lock()
	ready := map[string]bool{}
	for uuid, force := range p.pending {
		if left := spacing - now.Sub(p.last[uuid].at); left > 0 {
			if wait == 0 || left < wait {
				wait = left
			}
			continue
		}
		ready[uuid] = force
		delete(p.pending, uuid)
	}
	p.mu.Unlock()
	for uuid, force := range ready {
		p.sendOne(uuid, force, now)
	}
	return wait
}

func (p *publisher) sendOne(uuid string, force bool, now time.Time) {
	data, ok := p.server.Printers.Live(uuid)
	if !ok {
		return // it is gone: access.go ends the subscriptions
	}
	p.mu.Lock()
	same := bytes.Equal(p.last[uuid].data, data)
	p.last[uuid] = sent{at: now, data: data}
	p.mu.Unlock()
	if same && !force {
		return
	}
	if _, err := p.server.node.Publish(printerPrefix+uuid, data, centrifuge.WithDelta(true)); err != nil {
		p.server.Log.Error("a change of a printer could not be pushed", "uuid", uuid, "error", err)
	}
}

// given notes what a new subscriber was given. If that is not what was sent last, the next message goes out even if
// it is: the subscriber has not seen it.
func (p *publisher) given(uuid string, data []byte) {
	p.mu.Lock()
	if l, ok := p.last[uuid]; ok && !bytes.Equal(l.data, data) {
		p.last[uuid] = sent{at: l.at}
	}
	p.mu.Unlock()
}

// forget drops what is kept of a printer at which nobody looks any more.
func (p *publisher) forget(uuid string) {
	p.mu.Lock()
	delete(p.pending, uuid)
	delete(p.last, uuid)
	p.mu.Unlock()
}

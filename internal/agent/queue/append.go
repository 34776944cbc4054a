package queue

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// maxWaiting bounds the events kept in memory while the disk takes none.
const maxWaiting = 256

// Append queues an event; Epoch and Seq are given here. With nil it is on the disk. With an error (disk full, card
// worn out) it is kept in memory and tried again with the next Append or Retry, as long as there are not too many.
func (q *Queue) Append(e wire.Event) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(e.Data) > maxRecord/2 {
		e.Data = json.RawMessage(`{"trimmed":true}`)
	}
	if len(q.waiting) == maxWaiting {
		q.waiting = q.waiting[1:]
		q.dropped++
	}
	q.waiting = append(q.waiting, e)
	return q.flush()
}

// Retry tries to write what the disk would not take before.
func (q *Queue) Retry() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.flush()
}

// flush writes what waits, the oldest first.
func (q *Queue) flush() (err error) {
	defer func() { q.fault = err }()
	if q.dropped > 0 {
		if err := q.write(gapEvent(q.dropped, now())); err != nil {
			return err
		}
		q.dropped = 0
	}
	for len(q.waiting) > 0 {
		if err := q.write(q.waiting[0]); err != nil {
			return err
		}
		q.waiting = q.waiting[1:]
	}
	q.waiting = nil
	return nil
}

// write names an event and puts it on the disk.
func (q *Queue) write(e wire.Event) error {
	if q.file == nil || q.segments[len(q.segments)-1].size >= segmentSize {
		if err := q.create(); err != nil {
			return fmt.Errorf("event queue: %w", err)
		}
	}
	s := &q.segments[len(q.segments)-1]
	e.Epoch, e.Seq = q.epoch, q.last+1
	b, err := record(e)
	if err != nil {
		q.log.Error("event queue: an event could not be kept", "trouble", "event_lost", "type", e.Type, "error", err)
		return nil // trying again would not help
	}
	if _, err = q.file.Write(b); err == nil {
		err = q.file.Sync()
	}
	if err != nil {
		// What of it is on the disk is not known: a name that may be on it is not given again.
		os.Truncate(s.path, s.size)
		q.begin()
		return fmt.Errorf("event queue: %w", err)
	}
	q.last++
	s.last, s.size = q.last, s.size+int64(len(b))
	q.overflow()
	q.signal()
	return nil
}

// overflow drops the oldest segments while all together are too big.
func (q *Queue) overflow() {
	for len(q.segments) > 1 && q.bytes() > q.limit {
		s := q.segments[0]
		lost := s.last - s.first + 1
		if s.epoch == q.done.Epoch {
			lost -= min(max(q.done.Seq-s.first+1, 0), lost)
		}
		before := q.done
		q.done = position{Epoch: s.epoch, Seq: s.last, Lost: q.done.Lost + lost, At: now()}
		if err := q.book.save(q.done); err != nil {
			q.done, q.fault = before, err
			return // tried again with the next event
		}
		q.log.Warn("event queue: full, the oldest events are dropped", "trouble", "queue_full", "events", lost)
		os.Remove(s.path)
		q.segments = q.segments[1:]
	}
}

func (q *Queue) bytes() (n int64) {
	for _, s := range q.segments {
		n += s.size
	}
	return n
}

func gapEvent(count int64, at float64) wire.Event {
	return wire.Event{Type: wire.EventGap, At: at, Data: fmt.Appendf(nil, `{"count":%d}`, count)}
}

// Stats is what status shows of a queue.
type Stats struct {
	Epoch   string `json:"epoch"`
	Length  int64  `json:"length"`  // events the server has not acknowledged
	Bytes   int64  `json:"bytes"`   // on disk
	Waiting int    `json:"waiting"` // of Length: in memory only, because the disk takes none
	Error   string `json:"error,omitzero"`
}

// Stats tells how full the queue is.
func (q *Queue) Stats() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := Stats{Epoch: q.epoch, Bytes: q.bytes(), Waiting: len(q.waiting), Length: int64(len(q.waiting))}
	if q.done.Lost > 0 {
		s.Length++
	}
	for _, seg := range q.segments {
		s.Length += seg.last - seg.first + 1
		if seg.epoch == q.done.Epoch {
			s.Length -= min(max(q.done.Seq-seg.first+1, 0), seg.last-seg.first+1)
		}
	}
	if q.fault != nil {
		s.Error = q.fault.Error()
	}
	return s
}

func now() float64 { return float64(time.Now().UnixMilli()) / 1000 }

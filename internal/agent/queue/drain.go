package queue

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// maxBatch bounds what Pending reads at once, in bytes on disk.
const maxBatch = 128 << 10

// Pending gives the oldest events that are not acknowledged, at most max of them, in order. It is empty when there are none.
func (q *Queue) Pending(max int) ([]wire.Event, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var out []wire.Event
	if q.done.Lost > 0 {
		gap := gapEvent(q.done.Lost, q.done.At)
		gap.Epoch, gap.Seq = q.done.Epoch, q.done.Seq
		out = append(out, gap)
	}
	epoch, last := q.done.Epoch, q.done.Seq
	read := int64(0)
	for i := q.head(); i < len(q.segments); i++ {
		s := &q.segments[i]
		if missing := s.first - 1 - last; s.epoch == epoch && missing > 0 {
			gap := gapEvent(missing, 0) // a file between was lost
			gap.Epoch, gap.Seq = epoch, s.first-1
			out = append(out, gap)
		}
		n, err := q.read(i, func(e wire.Event) bool {
			if e.Epoch != q.done.Epoch || e.Seq > q.done.Seq {
				out = append(out, e)
			}
			return len(out) < max
		})
		if err != nil {
			return out, fmt.Errorf("event queue: %w", err)
		}
		read += n
		epoch, last = s.epoch, s.last
		if len(out) >= max || read > maxBatch {
			break
		}
	}
	return out, nil
}

// read reads a segment. When it ends before it should, the file was damaged while
// we ran: what is lost shows as a gap before the next segment.
func (q *Queue) read(i int, each func(wire.Event) bool) (int64, error) {
	s := &q.segments[i]
	f, err := os.Open(s.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, err
	}
	at := segment{epoch: s.epoch, first: s.first, last: s.first - 1}
	stopped := false
	if err == nil {
		defer f.Close()
		in := buffered(io.LimitReader(f, s.size), 0)
		var h segment
		if h, err = readHeader(in); err == nil && (h.epoch != s.epoch || h.first != s.first) {
			err = errDamaged
		}
		if err == nil {
			at.size = h.size
			err = readRecords(in, &at, func(e wire.Event) bool {
				stopped = !each(e)
				return !stopped
			})
			if err == nil && (stopped || at.last == s.last) {
				return at.size, nil
			}
		}
		if err != nil && !errors.Is(err, errDamaged) {
			return 0, err
		}
	}
	q.log.Warn("event queue: a file was damaged while in use", "trouble", "queue_damaged", "lost", s.last-at.last)
	if i == len(q.segments)-1 {
		q.dropped += s.last - at.last
		q.begin()
	}
	s.last = at.last
	return 0, nil
}

// Ack says that the server has stored everything up to and with e, which Pending gave. It returns when that is on the
// disk; with an error, the events may be sent again after a restart, which does no harm.
func (q *Queue) Ack(e wire.Event) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if e.Epoch == q.done.Epoch && (e.Seq < q.done.Seq || e.Seq == q.done.Seq && q.done.Lost == 0) {
		return nil
	}
	if e.Epoch != q.done.Epoch && !q.holds(e.Epoch) {
		return nil // an overflow took it in the meantime
	}
	q.done = position{Epoch: e.Epoch, Seq: e.Seq}
	if err := q.book.save(q.done); err != nil {
		q.fault = err
		return fmt.Errorf("event queue: %w", err)
	}
	q.tidy()
	if len(q.waiting) > 0 {
		return q.flush() // there may be room now
	}
	return nil
}

func (q *Queue) holds(epoch string) bool {
	for _, s := range q.segments {
		if s.epoch == epoch {
			return true
		}
	}
	return false
}

// head is the segment in which the position lies, or the first.
func (q *Queue) head() int {
	for i := len(q.segments) - 1; i > 0; i-- {
		if s := q.segments[i]; s.epoch == q.done.Epoch && s.first-1 <= q.done.Seq {
			return i
		}
	}
	return 0
}

// tidy removes the segments in front of the position.
func (q *Queue) tidy() {
	if len(q.segments) == 0 {
		return
	}
	at := q.head()
	if s := q.segments[at]; s.epoch == q.done.Epoch && s.last <= q.done.Seq {
		if at < len(q.segments)-1 {
			at++
		} else if s.size > tidySize && q.file != nil && q.create() == nil {
			at++
		}
	}
	for _, old := range q.segments[:at] {
		os.Remove(old.path)
	}
	q.segments = q.segments[at:]
}

// Has tells whether the event of this name was ever queued, as far as that is known: an epoch of which nothing is left
// counts as queued.
func (q *Queue) Has(epoch string, seq int64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if epoch == q.epoch {
		return seq <= q.last
	}
	if epoch == q.done.Epoch && seq <= q.done.Seq {
		return true
	}
	last, known := int64(0), false
	for _, s := range q.segments {
		if s.epoch == epoch {
			last, known = s.last, true
		}
	}
	if known {
		return seq <= last
	}
	return epoch != q.done.Epoch
}

// Next is the name that the next event will get, if the disk takes it.
func (q *Queue) Next() (epoch string, seq int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.epoch, q.last + 1
}

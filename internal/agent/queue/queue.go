// Package queue keeps events on disk until the server has stored them: none is lost by a kill or a power cut once
// Append has returned nil, and none gets a second name (epoch, seq), so the server can tell a repeat from a new one.
package queue

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/kangbyounggwan/factor/internal/agent/durable"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// Sizes in bytes.
const (
	DefaultLimit = 20 << 20
	segmentSize  = 128 << 10 // small, because reading starts at the front of one
	tidySize     = 32 << 10  // a segment that is all acknowledged is left for a new one from here on
)

// Queue is a queue of events in a folder. Its methods may be called from several goroutines; one mutex holds all.
//
// Sequence numbers are never used twice within an epoch. Whenever the files leave a doubt about the last one (they are
// gone, torn or damaged), a new epoch begins; what is still readable of the old one is sent as it was.
type Queue struct {
	dir   string
	limit int64
	log   *slog.Logger

	mu       sync.Mutex
	segments []segment // oldest first; file writes the last one
	file     *os.File  // nil until the disk takes a new segment
	epoch    string
	last     int64 // sequence number given last in epoch
	order    uint64
	done     position
	book     book         // keeps done
	waiting  []wire.Event // what the disk would not take
	dropped  int64        // events lost from memory or by damage, to be said by a gap
	fault    error        // of the last write
	more     chan struct{}
}

// Open reads what an earlier process left in dir, or begins. It fails only when the folder cannot be read or made.
func Open(dir string, limit int64, log *slog.Logger) (*Queue, error) {
	q := &Queue{dir: dir, limit: limit, log: log, more: make(chan struct{}, 1)}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("event queue: %w", err)
	}
	q.book.path = q.join("position")
	var err error
	if q.done, err = q.book.open(); err != nil {
		return nil, fmt.Errorf("event queue: %w", err)
	}
	sound, err := q.load()
	if err != nil {
		return nil, fmt.Errorf("event queue: %w", err)
	}
	q.tidy()
	q.mu.Lock()
	defer q.mu.Unlock()
	if sound {
		s := q.segments[len(q.segments)-1]
		q.epoch, q.last = s.epoch, s.last
		if q.file, err = os.OpenFile(s.path, os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
			sound = false
		}
	}
	if !sound {
		q.begin()
		q.fault = q.create()
	}
	if q.fault == nil && q.book.file == nil {
		q.fault = q.book.create() // now, while there is room
	}
	q.signal()
	return q, nil
}

// load scans the segments. sound tells whether the last one can be continued.
func (q *Queue) load() (sound bool, err error) {
	found, err := segmentPaths(q.dir)
	if err != nil {
		return false, err
	}
	for _, known := range found {
		f, err := os.Open(known.path)
		if err != nil {
			return false, err
		}
		in := buffered(f, 0)
		s, err := readHeader(in)
		if err == nil {
			err = readRecords(in, &s, nil)
		}
		f.Close()
		q.order = known.order
		if err != nil && err != errDamaged {
			return false, err
		}
		sound = err == nil
		if err == errDamaged {
			if s.epoch == "" || moreThanTorn(known.path, s.size) {
				q.dropped = 1 // at least; a number in the middle shows as a hole besides
			}
			q.log.Warn("event queue: a file is torn or damaged, what is readable is kept", "trouble", "queue_damaged", "file", filepath.Base(known.path))
		}
		if s.epoch == "" {
			os.Remove(known.path)
			continue
		}
		s.path, s.order = known.path, known.order
		q.segments = append(q.segments, s)
	}
	if n := len(q.segments); sound && n > 0 {
		s := q.segments[n-1]
		sound = s.epoch != q.done.Epoch || s.last >= q.done.Seq // else the file is older than what it lost
	}
	return sound && len(q.segments) > 0, nil
}

// begin starts a new epoch.
func (q *Queue) begin() {
	q.epoch, q.last = rand.Text(), 0
	if q.file != nil {
		q.file.Close()
		q.file = nil
	}
}

// create makes the next segment file, which becomes the one that is written.
func (q *Queue) create() error {
	s := segment{order: q.order + 1, epoch: q.epoch, first: q.last + 1, last: q.last}
	s.path = q.join(segmentName(s.order))
	h := header(s.epoch, s.first)
	s.size = int64(len(h))
	f, err := os.OpenFile(s.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.Write(h); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = durable.SyncDir(q.dir)
	}
	if err != nil {
		f.Close()
		os.Remove(s.path)
		return err
	}
	if q.file != nil {
		q.file.Close()
	}
	q.file, q.order = f, s.order
	q.segments = append(q.segments, s)
	return nil
}

func (q *Queue) join(name string) string { return filepath.Join(q.dir, name) }

func (q *Queue) signal() {
	select {
	case q.more <- struct{}{}:
	default:
	}
}

// More receives after events came in, at least once for any number of them.
func (q *Queue) More() <-chan struct{} { return q.more }

// Epoch is the epoch under which the next event will be named.
func (q *Queue) Epoch() string {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.epoch
}

// Close lets go of the files. What was appended is on the disk already.
func (q *Queue) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	err := q.book.close()
	if q.file != nil {
		err = errors.Join(err, q.file.Close())
		q.file = nil
	}
	return err
}

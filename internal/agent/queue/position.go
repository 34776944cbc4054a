package queue

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"os"

	"github.com/kangbyounggwan/factor/internal/agent/durable"
)

// position is how far the server has acknowledged. Lost events are those that an overflow took right before it: while
// that is not 0, a gap event named by the position itself is still to be sent.
type position struct {
	Epoch string  `json:"epoch"`
	Seq   int64   `json:"seq"`
	Lost  int64   `json:"lost,omitzero"`
	At    float64 `json:"at,omitzero"` // of the last lost event
}

// book is the file "position". It has two places that are written in turn, so that a torn write leaves the other one,
// and they lie where they lie: a disk filled by our own events can still take the acknowledgement that frees it.
// A place is: turn (uint64), length (uint32), CRC-32C of turn, length and payload (uint32), payload as JSON.
type book struct {
	path string
	file *os.File
	turn uint64
}

const (
	placeSize = 4 << 10 // a page of its own, so that one write does not touch the other
	placeHead = 16
	maxPlace  = 512 // bytes of payload; the longest has 150
)

// open reads the newest whole position; a missing or damaged file gives the zero one, which sends everything again.
func (b *book) open() (p position, err error) {
	b.file, err = os.OpenFile(b.path, os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrNotExist) {
		b.file = nil
		return p, nil
	}
	if err != nil {
		b.file = nil
		return p, err
	}
	place := make([]byte, placeHead+maxPlace)
	for i := range int64(2) {
		n, _ := b.file.ReadAt(place, i*placeSize) // a short file has fewer places
		turn, q, ok := readPlace(place[:n])
		if ok && turn > b.turn {
			b.turn, p = turn, q
		}
	}
	return p, nil
}

func readPlace(place []byte) (turn uint64, p position, ok bool) {
	if len(place) < placeHead {
		return 0, p, false
	}
	length := binary.BigEndian.Uint32(place[8:])
	if length > maxPlace || int(length) > len(place)-placeHead {
		return 0, p, false
	}
	payload := place[placeHead : placeHead+length]
	sum := crc32.Update(crc32.Checksum(place[:12], castagnoli), castagnoli, payload)
	if sum != binary.BigEndian.Uint32(place[12:]) || json.Unmarshal(payload, &p) != nil || !validEpoch(p.Epoch) || p.Seq < 0 || p.Lost < 0 {
		return 0, position{}, false
	}
	return binary.BigEndian.Uint64(place), p, true
}

// save makes a position durable.
func (b *book) save(p position) error {
	if b.file == nil {
		if err := b.create(); err != nil {
			return err
		}
	}
	payload, err := json.Marshal(p)
	if err != nil {
		return err
	}
	turn := b.turn + 1
	place := make([]byte, placeHead, placeHead+len(payload))
	binary.BigEndian.PutUint64(place, turn)
	binary.BigEndian.PutUint32(place[8:], uint32(len(payload)))
	sum := crc32.Update(crc32.Checksum(place[:12], castagnoli), castagnoli, payload)
	binary.BigEndian.PutUint32(place[12:], sum)
	if _, err := b.file.WriteAt(append(place, payload...), int64(turn%2)*placeSize); err != nil {
		return err
	}
	if err := b.file.Sync(); err != nil {
		return err
	}
	b.turn = turn
	return nil
}

// create makes the file with both places taken on the disk.
func (b *book) create() error {
	if err := durable.WriteFile(b.path, make([]byte, 2*placeSize)); err != nil {
		return err
	}
	f, err := os.OpenFile(b.path, os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	b.file = f
	return nil
}

func (b *book) close() error {
	if b.file == nil {
		return nil
	}
	f := b.file
	b.file = nil
	return f.Close()
}

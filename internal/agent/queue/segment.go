package queue

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// A segment file is a header line "FQ1 <epoch> <first seq>\n" and records: length of the payload (uint32), CRC-32C of
// the payload (uint32), both big-endian, and the payload, an event as JSON. Its name is its place in the order.
const (
	magic      = "FQ1"
	recordHead = 8
	maxRecord  = wire.MaxEvent
	suffix     = ".events"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// segment is what is known of a segment file.
type segment struct {
	path  string
	order uint64
	epoch string
	first int64 // sequence number of its first record
	last  int64 // of its last good one; first-1 when there is none
	size  int64 // bytes up to the end of its last good record
}

// errDamaged says that a segment has something else than records after its last good one: a torn write, or worse.
var errDamaged = errors.New("damaged")

func header(epoch string, first int64) []byte {
	return []byte(magic + " " + epoch + " " + strconv.FormatInt(first, 10) + "\n")
}

// record encodes an event as it lies in a segment.
func record(e wire.Event) ([]byte, error) {
	payload, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	if len(payload) > maxRecord {
		return nil, fmt.Errorf("an event of %d bytes is too long", len(payload))
	}
	b := make([]byte, recordHead, recordHead+len(payload))
	binary.BigEndian.PutUint32(b, uint32(len(payload)))
	binary.BigEndian.PutUint32(b[4:], crc32.Checksum(payload, castagnoli))
	return append(b, payload...), nil
}

// readHeader reads the first line of a segment.
func readHeader(in *counting) (s segment, err error) {
	line := make([]byte, 0, 128)
	for len(line) == 0 || line[len(line)-1] != '\n' {
		if len(line) == cap(line) {
			return s, errDamaged
		}
		line = line[:len(line)+1]
		if _, err := io.ReadFull(in, line[len(line)-1:]); err != nil {
			return s, readError(err)
		}
	}
	words := strings.Fields(string(line))
	if len(words) != 3 || words[0] != magic || !validEpoch(words[1]) {
		return s, errDamaged
	}
	first, err := strconv.ParseInt(words[2], 10, 64)
	if err != nil || first < 1 || first > 1<<53 { // beyond, JSON readers elsewhere lose digits
		return s, errDamaged
	}
	return segment{epoch: words[1], first: first, last: first - 1, size: in.n}, nil
}

// readRecords reads on from where s ends and extends s by every good record, until each says stop. It returns
// errDamaged when something follows that is no record. A nil each only counts.
func readRecords(in *counting, s *segment, each func(e wire.Event) (more bool)) error {
	var head [recordHead]byte
	var payload []byte
	for {
		if _, err := io.ReadFull(in, head[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return readError(err)
		}
		length := binary.BigEndian.Uint32(head[:])
		if length == 0 || length > maxRecord {
			return errDamaged
		}
		payload = slices.Grow(payload[:0], int(length))[:length]
		if _, err := io.ReadFull(in, payload); err != nil {
			return readError(err)
		}
		var e wire.Event
		if crc32.Checksum(payload, castagnoli) != binary.BigEndian.Uint32(head[4:]) ||
			json.Unmarshal(payload, &e) != nil || e.Epoch != s.epoch || e.Seq != s.last+1 {
			return errDamaged
		}
		s.last, s.size = e.Seq, in.n
		if each != nil && !each(e) {
			return nil
		}
	}
}

// readError tells a file that ends too early from one that cannot be read.
func readError(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errDamaged
	}
	return err
}

// counting counts the bytes read; n starts at the place in the file.
type counting struct {
	r io.Reader
	n int64
}

func buffered(r io.Reader, at int64) *counting {
	return &counting{r: bufio.NewReaderSize(r, 4<<10), n: at}
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// validEpoch tells whether s can stand for an epoch: see wire.Event.
func validEpoch(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// segmentPaths lists the segment files of a folder in order.
func segmentPaths(dir string) ([]segment, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var found []segment
	for _, entry := range entries {
		name, ok := strings.CutSuffix(entry.Name(), suffix)
		if !ok {
			continue
		}
		order, err := strconv.ParseUint(name, 10, 64)
		if err != nil {
			continue
		}
		found = append(found, segment{path: filepath.Join(dir, entry.Name()), order: order})
	}
	slices.SortFunc(found, func(a, b segment) int {
		if a.order < b.order {
			return -1
		}
		return 1
	})
	return found, nil
}

func segmentName(order uint64) string { return fmt.Sprintf("%012d%s", order, suffix) }

// moreThanTorn tells whether what follows the last good record, at an offset, is more than the one record that a power
// cut can tear: then something that was safe on the disk has been damaged.
func moreThanTorn(path string, offset int64) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	rest := make([]byte, recordHead+maxRecord+1)
	n, _ := f.ReadAt(rest, offset)
	rest = rest[:n]
	if len(bytes.Trim(rest, "\x00")) == 0 || n < recordHead { // some file systems leave zeros behind a torn write
		return false
	}
	length := binary.BigEndian.Uint32(rest)
	return length == 0 || length > maxRecord || int64(n) > recordHead+int64(length)
}

package printer

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
)

// A block is the samples of one printer in one span of time, column by column. In the database it is:
//
//	byte     version, 1
//	uvarint  places: samples that the block has room for, present or not
//	uvarint  columns
//	then each column:
//	  uvarint, bytes  length and text of its name, such as "tool0"
//	  byte            kind of its values
//	  places bits     which places have a value, lowest bit first, filled up to bytes
//	  varint…         each present value as its difference to the present one before (the first: to 0)
//
// Temperatures are tenths of a degree, percentages hundredths, statuses their number: all fit 16 bits.
type block struct {
	step    int64 // s between two places
	start   int64 // Unix seconds of the first place
	places  int
	columns []column

	dirty bool // the database does not have all of it
}

type column struct {
	name   string
	kind   kind
	values []int16 // one a place; absent where there is none
}

type kind byte

// The kinds of values. Their numbers are in the database.
const (
	kindActual     kind = 1 // 0.1 °C
	kindTarget     kind = 2 // 0.1 °C
	kindCompletion kind = 3 // 0.01 %
	kindStatus     kind = 4 // number of a status
)

const absent = math.MinInt16

// The tiers of history: s between samples, places of a block, and how long it is kept.
type tier struct {
	step   int64
	places int
	keep   int64 // s
}

var tiers = [...]tier{
	{step: 10, places: 60, keep: 48 * 3600},
	{step: 60, places: 60, keep: 30 * 86400},
	{step: 600, places: 144, keep: 366 * 86400},
}

func (t tier) span() int64 { return t.step * int64(t.places) }

// startOf gives the start of the block that a time belongs to.
func (t tier) startOf(unix int64) int64 { return unix - unix%t.span() }

const (
	blockVersion     = 1
	maxBlockPlaces   = 144
	maxBlockColumns  = 40 // 16 heaters twice, and room for what is to come
	maxColumnName    = 40 // bytes, as wire allows for a heater
	fewestBlockBytes = 3
)

var errBlock = errors.New("no block of history")

// column gives a column, making it where it is missing; nil when there are too many.
func (b *block) column(name string, k kind) *column {
	for i := range b.columns {
		if c := &b.columns[i]; c.kind == k && c.name == name {
			return c
		}
	}
	if len(b.columns) >= maxBlockColumns {
		return nil
	}
	values := make([]int16, b.places)
	for i := range values {
		values[i] = absent
	}
	b.columns = append(b.columns, column{name: name, kind: k, values: values})
	return &b.columns[len(b.columns)-1]
}

// set puts a value into its place.
func (b *block) set(place int, name string, k kind, v int16) {
	if c := b.column(name, k); c != nil {
		c.values[place] = v
		b.dirty = true
	}
}

// merge takes what other has where b has nothing. The two are of the same span.
func (b *block) merge(other *block) {
	for _, o := range other.columns {
		c := b.column(o.name, o.kind)
		if c == nil {
			continue
		}
		for i, v := range o.values {
			if i < len(c.values) && c.values[i] == absent && v != absent {
				c.values[i] = v
				b.dirty = true
			}
		}
	}
}

func (b *block) clone() *block {
	c := *b
	c.columns = make([]column, len(b.columns))
	for i, col := range b.columns {
		c.columns[i] = column{name: col.name, kind: col.kind, values: append([]int16(nil), col.values...)}
	}
	return &c
}

// encode appends the block's database form to to.
func (b *block) encode(to []byte) []byte {
	to = append(to, blockVersion)
	to = binary.AppendUvarint(to, uint64(b.places))
	to = binary.AppendUvarint(to, uint64(len(b.columns)))
	for _, c := range b.columns {
		to = binary.AppendUvarint(to, uint64(len(c.name)))
		to = append(to, c.name...)
		to = append(to, byte(c.kind))
		present := len(to)
		for range (b.places + 7) / 8 {
			to = append(to, 0)
		}
		last := int64(0)
		for i, v := range c.values {
			if v == absent {
				continue
			}
			to[present+i/8] |= 1 << (i % 8)
			to = binary.AppendVarint(to, int64(v)-last)
			last = int64(v)
		}
	}
	return to
}

// decodeBlock reads a block's database form. It allocates no more than the form itself justifies.
func decodeBlock(data []byte, step, start int64) (*block, error) {
	if len(data) < fewestBlockBytes || data[0] != blockVersion {
		return nil, errBlock
	}
	r := reader{rest: data[1:]}
	places, columns := r.uvarint(maxBlockPlaces), r.uvarint(maxBlockColumns)
	b := &block{step: step, start: start, places: places}
	for range columns {
		name := string(r.bytes(r.uvarint(maxColumnName)))
		k := kind(r.byte())
		present := r.bytes((places + 7) / 8)
		if r.bad || k < kindActual || k > kindStatus {
			return nil, errBlock
		}
		n := 0
		for _, p := range present {
			n += bits.OnesCount8(p)
		}
		if n > len(r.rest) { // each value is a byte at least
			return nil, errBlock
		}
		values := make([]int16, places)
		last := int64(0)
		for i := range values {
			values[i] = absent
			if present[i/8]&(1<<(i%8)) == 0 {
				continue
			}
			last += r.varint()
			if last <= absent || last > math.MaxInt16 {
				return nil, errBlock
			}
			values[i] = int16(last)
		}
		b.columns = append(b.columns, column{name: name, kind: k, values: values})
	}
	if r.bad || len(r.rest) > 0 {
		return nil, errBlock
	}
	return b, nil
}

// reader reads numbers until something does not fit, and then only zeros.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) uvarint(limit uint64) int {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || v > limit {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return int(v)
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 || v > 1<<17 || v < -1<<17 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) bytes(n int) []byte {
	if n > len(r.rest) {
		r.bad, r.rest = true, nil
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.bytes(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

// shrink folds places from…to of b into one value a column: readings become their mean, of a
// target, a status or a completion the last one stays. absent: there was none.
func (c *column) shrink(from, to int) int16 {
	sum, n, last := 0, 0, int16(absent)
	for _, v := range c.values[from:min(to, len(c.values))] {
		if v != absent {
			sum, n, last = sum+int(v), n+1, v
		}
	}
	if n == 0 || c.kind == kindTarget || c.kind == kindStatus || c.kind == kindCompletion {
		return last
	}
	return int16(math.Round(float64(sum) / float64(n)))
}

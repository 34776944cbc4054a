package gcode

import (
	"encoding/binary"
	"math/bits"
)

// longestMove is more than a slicer writes for one, bytes with its end: so much is left of a piece of the file when its
// moves are no longer read at once, which lets the loop look at 8 bytes wherever it is.
const longestMove = 128

// moves reads the plainly written moves that a piece of the file begins with, in the one pass that also finds their ends,
// and returns how many bytes those took: nearly all of a file passes here. A line that has anything else in it, if only
// a number longer than usual, ends it before that line and is left to line, which does the same by the letter.
func (k *machine) moves(p []byte, l *lineReader) int {
	at := 0
	for at+longestMove <= len(p) && l.lines < MaxLines {
		line := p[at : at+longestMove : at+longestMove]
		if line[0] != 'G' || line[1]-'0' > 1 || line[2] != ' ' {
			return at
		}
		var value [8]float64 // by word
		var seen uint
		i := 3
		for {
			c := line[i]
			if i++; i > longestMove-12 {
				return at
			}
			if c == ' ' {
				continue
			}
			if c == '\n' {
				break
			}
			if c == '\r' && line[i] == '\n' {
				continue
			}
			word := wordOf[c]
			if word == 0 || seen&(1<<word) != 0 {
				return at
			}
			seen |= 1 << word
			negative := line[i] == '-'
			if negative {
				i++
			}
			v, length := short(binary.LittleEndian.Uint64(line[i:]))
			if length == 0 {
				return at
			}
			if i += length; negative {
				v = -v
			}
			value[word&7] = v
		}
		l.lines++
		l.begin = l.next
		l.next += int64(i)
		at += i
		k.read++
		m := &k.m
		m.x0, m.y0, m.z0 = m.x1, m.y1, m.z1
		m.de, m.i, m.j, m.arc = 0, 0, 0, 0
		if seen&(1<<wordX) != 0 {
			m.x1 = k.absolute(m.x0, value[wordX], 0)
		}
		if seen&(1<<wordY) != 0 {
			m.y1 = k.absolute(m.y0, value[wordY], 1)
		}
		if seen&(1<<wordZ) != 0 {
			m.z1 = k.absolute(m.z0, value[wordZ], 2)
		}
		if seen&(1<<wordE) != 0 {
			k.push(value[wordE])
		}
		if v := value[wordF]; v > 0 {
			k.feed = v * k.unit / 60
		}
		m.feed = k.feed
		k.sink.move(m)
	}
	return at
}

const (
	wordX = 1 + iota
	wordY
	wordZ
	wordE
	wordF
)

// wordOf are the letters that moves has a number for.
var wordOf = [256]uint8{'X': wordX, 'Y': wordY, 'Z': wordZ, 'E': wordE, 'F': wordF}

// short reads a number without a sign that begins 8 bytes and ends within them, and says how many bytes it takes: 0 if it
// is none, or longer. The digits on both sides of a point are moved together and read as one whole number.
func short(x uint64) (v float64, length int) {
	x ^= 0x3030303030303030                                      // digits become 0 to 9, a point 0x1e
	other := (x | (x + 0x7676767676767676)) & 0x8080808080808080 // right up to the first byte that is neither
	point := uint(bits.TrailingZeros64(other)) &^ 7              // where a point is or may be, in bits
	end, taken := point+8, point
	if byte(x>>(point&63)) == '.'^'0' {
		other &= other - 1
		end = uint(bits.TrailingZeros64(other)) &^ 7
		taken = end
	}
	if other == 0 || taken == 0 {
		return 0, 0
	}
	below := uint64(1)<<(point&63) - 1
	n := x&below<<8 | x&^(below<<8|0xff)
	n <<= (64 - end) & 63                  // zeros in front; what is behind goes
	n = (n*10 + n>>8) & 0x00ff00ff00ff00ff // 4 of 2 digits
	n = (n*100 + n>>16) & 0x0000ffff0000ffff
	n = (n*10000 + n>>32) & 0x00000000ffffffff
	return float64(int64(n)) * tenth[((end-point)/8-1)&7], int(taken / 8)
}

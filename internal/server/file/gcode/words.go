package gcode

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// tenth[n] is 10 to the power of -n.
var tenth = [19]float64{1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9,
	1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15, 1e-16, 1e-17, 1e-18}

// motion reads the words of a G0 to G3 and makes the move. Nearly all of a file passes here: it looks at each byte once.
func (k *machine) motion(g int, b []byte) error {
	m := &k.m
	m.x0, m.y0, m.z0 = m.x1, m.y1, m.z1
	m.de, m.i, m.j, m.arc = 0, 0, 0, 0
	var radius float64
	for p := 0; p < len(b); {
		c := b[p]
		p++
		if c <= ' ' {
			if c != ' ' && c != '\t' && c != '\r' {
				return refuse(controlCode(c), "%s", controlText(c))
			}
			continue
		}
		if c == ';' {
			if err := checkBytes(b[p:]); err != nil {
				return err
			}
			break
		}
		if c == '*' || c == '(' {
			break
		}
		var v float64
		v, p = decimal(b, p)
		switch c | 0x20 {
		case 'x':
			m.x1 = k.absolute(m.x0, v, 0)
		case 'y':
			m.y1 = k.absolute(m.y0, v, 1)
		case 'z':
			m.z1 = k.absolute(m.z0, v, 2)
		case 'e':
			k.push(v)
		case 'f':
			if v > 0 {
				k.feed = v * k.unit / 60
			}
		case 'i':
			m.i = v * k.unit
		case 'j':
			m.j = v * k.unit
		case 'r':
			radius = v * k.unit
		}
	}
	m.feed = k.feed
	if g >= 2 {
		k.bend(g, radius)
	}
	k.sink.move(m)
	return nil
}

// decimal reads a decimal number at b[p], 0 if there is none, and returns the index after it. What follows a line in
// memory is its end, so up to 8 bytes behind it may be looked at and are not taken for digits.
func decimal(b []byte, p int) (float64, int) {
	negative := false
	begin := p
	if p < len(b) && (b[p] == '-' || b[p] == '+') {
		negative = b[p] == '-'
		p++
	}
	beyond := b[:cap(b)]
	if p+8 > len(beyond) {
		v, next, _ := number(b, begin)
		return v, next
	}
	n, count := digits8(binary.LittleEndian.Uint64(beyond[p:]))
	p += int(count)
	v := float64(n)
	switch {
	case count == 8: // or more
		v, next, _ := number(b, begin)
		return v, next
	case beyond[p] == '.':
		p++
		if p+8 > len(beyond) {
			v, next, _ := number(b, begin)
			return v, next
		}
		part, places := digits8(binary.LittleEndian.Uint64(beyond[p:]))
		if places == 8 {
			v, next, _ := number(b, begin)
			return v, next
		}
		p += int(places)
		v = float64(n*ten[places]+part) * tenth[places]
	}
	if negative {
		v = -v
	}
	return v, p
}

// ten[n] is 10 to the power of n.
var ten = [8]uint64{1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000}

// digits8 reads the digits at the beginning of 8 bytes, all at once: numbers of differing length would have a processor
// guess wrong at the end of nearly each. x is little-endian: the first byte is the lowest.
func digits8(x uint64) (value uint64, count uint) {
	x ^= 0x3030303030303030                                      // digits become 0 to 9
	other := (x | (x + 0x7676767676767676)) & 0x8080808080808080 // up to the first byte that is more than 9
	count = uint(bits.TrailingZeros64(other)) / 8
	x <<= 64 - 8*count                     // zeros in front
	x = (x*10 + x>>8) & 0x00ff00ff00ff00ff // 4 of 2 digits
	x = (x*100 + x>>16) & 0x0000ffff0000ffff
	return (x*10000 + x>>32) & 0x00000000ffffffff, count
}

// read takes the words of a command. Text, as of M117, gives nonsense that nobody asks for.
func (c *command) read(b []byte) {
	for p := 0; p < len(b); {
		letter := upper(b[p])
		p++
		if letter == ';' || letter == '*' || letter == '(' {
			return
		}
		if letter < 'A' || letter > 'Z' {
			continue
		}
		v, next, _ := number(b, p)
		p = next
		c.has |= 1 << (letter - 'A')
		c.value[letter-'A'] = v
	}
}

// number reads a decimal number at b[p], after which the returned index is. ok is false if there is none.
func number(b []byte, p int) (v float64, next int, ok bool) {
	negative := false
	if p < len(b) && (b[p] == '-' || b[p] == '+') {
		negative = b[p] == '-'
		p++
	}
	var n uint64
	places, count, point := 0, 0, false
	for ; p < len(b); p++ {
		if b[p] == '.' && !point {
			point = true
			continue
		}
		if !isDigit(b[p]) {
			break
		}
		ok = true
		if count < 18 { // what fits in 64 bits; no printer has an axis of 10^18
			n = n*10 + uint64(b[p]-'0')
			count++
			if point {
				places++
			}
		}
	}
	v = float64(n) * tenth[places]
	if negative {
		v = -v
	}
	return v, p, ok
}

// digits reads an unsigned whole number at b[p]; the index after it is p if there is none. It stops counting at 99999.
func digits(b []byte, p int) (int, int) {
	n := 0
	for ; p < len(b) && isDigit(b[p]); p++ {
		n = min(n*10+int(b[p]-'0'), 99999)
	}
	return n, p
}

func isDigit(c byte) bool { return c-'0' <= 9 }

func isName(c byte) bool {
	return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' || isDigit(c)
}

// isWord says whether b begins with a letter and a number: G1X10 is a move, G1FOO is a name.
func isWord(b []byte) bool {
	return len(b) > 1 && isName(b[0]) && (isDigit(b[1]) || b[1] == '-' || b[1] == '.' || b[1] == '+')
}

// isMacro says whether a line is a named command: SET_FAN_SPEED FAN=x, or OctoPrint's @pause.
func isMacro(b []byte) bool {
	if b[0] == '@' {
		return len(b) > 1 && isName(b[1])
	}
	for i, c := range b {
		if c == ' ' || c == '\t' || c == ';' {
			return i > 1
		}
		if c != '_' && (c < 'A' || c > 'Z') && (i == 0 || !isDigit(c)) {
			return false
		}
	}
	return len(b) > 1
}

func upper(c byte) byte {
	if c >= 'a' && c <= 'z' {
		return c - 0x20
	}
	return c
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' }

func trim(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// checkBytes refuses control characters: a terminal or a printer's firmware may act on them.
func checkBytes(b []byte) error {
	for _, c := range b {
		if c < ' ' && c != '\t' && c != '\r' || c == 0x7f {
			return refuse(controlCode(c), "%s", controlText(c))
		}
	}
	return nil
}

func controlCode(c byte) Code {
	if c == 0 {
		return Damaged
	}
	return Hostile
}

func controlText(c byte) string {
	if c == 0 {
		return "there are zero bytes in the file, as an interrupted copy leaves them: copy or slice it again"
	}
	return "there is a control character in the file, which no slicer writes"
}

// field cuts "key = value" or "key: value" at whichever sign comes first.
func field(text []byte) (key, value []byte, ok bool) {
	i := bytes.IndexAny(text, "=:")
	if i <= 0 {
		return nil, nil, false
	}
	return trim(text[:i]), trim(text[i+1:]), true
}

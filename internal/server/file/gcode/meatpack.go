package gcode

import (
	"bufio"
	"io"
	"strings"
)

// meatpack unpacks Scott Mudge's MeatPack as Prusa's binary G-code has it: the 15 characters that G-code is mostly made
// of take half a byte, the first in the lower half; 1111 says that a whole byte follows. 0xff 0xff and a byte is a
// command. The packer left the spaces out of G lines; they are put back before each word.
type meatpack struct {
	w *bufio.Writer

	packing bool
	noSpace bool // 1011 is an E instead of a space
	signals int  // 0xff seen
	whole   int  // whole bytes to come
	second  byte // a character that waits for the whole byte before it
	last    byte // written last; 0 at the beginning
	words   bool // in a G line, whose words get spaces
}

func newMeatpack(w io.Writer) *meatpack { return &meatpack{w: bufio.NewWriterSize(w, 16<<10)} }

// The commands.
const (
	meatpackSignal    = 0xff
	meatpackOn        = 251
	meatpackOff       = 250
	meatpackReset     = 249
	meatpackNoSpaces  = 247
	meatpackAllSpaces = 246
)

const (
	meatpackCharacters = "0123456789. \nGX"
	meatpackWhole      = 0xf
	// meatpackWords are the words of G0 to G4 and G29 that libbgcode puts a space before.
	meatpackWords = "XYZEFIJRSGPWHCA"
)

func (m *meatpack) Write(p []byte) (int, error) {
	for _, c := range p {
		switch {
		case c == meatpackSignal && m.signals < 2:
			m.signals++
			continue
		case m.signals == 2:
			m.signals = 0
			m.command(c)
			continue
		case m.signals == 1:
			m.signals = 0
			m.take(meatpackSignal)
		}
		m.take(c)
	}
	if _, err := m.w.Write(nil); err != nil { // what went wrong before
		return 0, err
	}
	return len(p), nil
}

func (m *meatpack) command(c byte) {
	switch c {
	case meatpackOn:
		m.packing = true
	case meatpackOff, meatpackReset:
		m.packing = false
	case meatpackNoSpaces:
		m.noSpace = true
	case meatpackAllSpaces:
		m.noSpace = false
	}
}

func (m *meatpack) take(c byte) {
	switch {
	case !m.packing:
		m.out(c)
	case m.whole > 0:
		m.whole--
		m.out(c)
		if m.second != 0 {
			m.out(m.second)
			m.second = 0
		}
	default:
		m.pair(c&0xf, c>>4)
	}
}

func (m *meatpack) pair(first, second byte) {
	if first == meatpackWhole {
		m.whole = 1
		if second == meatpackWhole {
			m.whole = 2
		} else {
			m.second = m.character(second)
		}
		return
	}
	c := m.character(first)
	m.out(c)
	if c == '\n' {
		return // what follows only fills the byte
	}
	if second == meatpackWhole {
		m.whole = 1
	} else {
		m.out(m.character(second))
	}
}

func (m *meatpack) character(half byte) byte {
	c := meatpackCharacters[half]
	if c == ' ' && m.noSpace {
		return 'E'
	}
	return c
}

// out writes a character; w keeps its errors.
func (m *meatpack) out(c byte) {
	begins := m.last == 0 || m.last == '\n'
	switch {
	case c == '\n':
		if begins {
			return // the packer leaves no empty lines, but fills with them
		}
		m.words = false
	case c == 'G' && begins:
		m.words = true
	case m.words && m.last != ' ' && strings.IndexByte(meatpackWords, c) >= 0:
		m.w.WriteByte(' ')
	}
	m.w.WriteByte(c)
	m.last = c
}

package gcode

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

// by reads a file with its moves at once or line by line, and says what it made of each move and where.
func by(t *testing.T, file []byte, atOnce bool) (all []noted, lines lineReader, err error) {
	t.Helper()
	n := &notes{}
	k := newMachine(n)
	l := &lineReader{take: k.line}
	if atOnce {
		l.moves = k.moves
	}
	n.lines = l
	if _, err = l.Write(file); err == nil {
		err = l.last()
	}
	return n.all, lineReader{begin: l.begin, next: l.next, lines: l.lines}, err
}

type noted struct {
	move        move
	begin, next int64
	line        int64
}

type notes struct {
	lines *lineReader
	all   []noted
}

func (n *notes) move(m *move) {
	n.all = append(n.all, noted{*m, n.lines.begin, n.lines.next, n.lines.lines})
}
func (n *notes) toolChange(int)       {}
func (n *notes) layerBegins()         {}
func (n *notes) comment([]byte) error { return nil }
func (n *notes) command(*command)     {}
func (n *notes) macro([]byte)         {}

func compare(t *testing.T, file []byte) {
	t.Helper()
	fast, fastEnd, fastErr := by(t, file, true)
	slow, slowEnd, slowErr := by(t, file, false)
	if (fastErr == nil) != (slowErr == nil) || fastErr != nil && fastErr.Error() != slowErr.Error() {
		t.Fatalf("at once %v, by the line %v", fastErr, slowErr)
	}
	if len(fast) != len(slow) || fastEnd.next != slowEnd.next || fastEnd.begin != slowEnd.begin || fastEnd.lines != slowEnd.lines {
		t.Fatalf("%d moves to %d at once, %d to %d by the line", len(fast), fastEnd.next, len(slow), slowEnd.next)
	}
	for i := range fast {
		if fast[i] != slow[i] {
			t.Fatalf("move %d: at once %+v, by the line %+v", i, fast[i], slow[i])
		}
	}
}

// Behind each line is enough for it to be read at once.
var behind = strings.Repeat(";\n", longestMove)

func TestMovesAtOnceAreThoseByTheLine(t *testing.T) {
	for _, line := range []string{
		"G1 X134.107 Y106.784 E.07703", "G0 X1", "G1 X-0.5 Y-.5 E-.8 F2100", "G1 X10. Y. Z0", "G1 F1800", "G1 X1  Y2 ", "G1 X1 Y2\r", "G1",
		"G1 ", "G1 X1 X2", "G1 X1 E1 E2", "G1 X1.2.3", "G1 X123456.7", "G1 X1234567 Y1", "G1 X12345678 Y1", "G1 X1.23456789", "G1 X+3", "G1 X--3",
		"G1 X 10", "G1 x1 y2", "G1 X1 ; why", "G1 X1;why", "G1 X1*33", "G1 X1 P3", "G1 X1Y2E3", "G2 X1 Y2 I3 J4", "G3 X1 R4", "G4 P1", "G1 X1\tY2",
		"G1 X1\x1b", "G1 X1\x00", "G1 X" + strings.Repeat("9", 200), "G1 " + strings.Repeat(" ", 200) + "X1", "G1 X1 Y", "G1 X1 F-3", "G1 X1 F0", "G1 X1e5",
		"G1 X0.00000 Y000.100", "G1 X9999999", "G1 X1\xc3\xa9", "G1 X1.5\xff\xff", "G91\nG1 X1 Y2 E3\nG1 X1", "G20\nG1 X1 E1 F60", "M83\nG1 X1 E1\nG1 E1\nG92 E0\nG1 E2",
		"G92 X3\nG1 X1 Y1",
	} {
		compare(t, []byte("G1 X5 Y6 Z7 E8 F900\n"+line+"\nG1 X2 Y3\n"+behind))
		compare(t, []byte(line+"\nG1 X1"))
		compare(t, []byte(line))
	}
	for _, name := range []string{"prusa-absolute.gcode", "prusa-macros.gcode", "cura-marlin.gcode"} {
		compare(t, own(t, name))
	}
}

// A number that is read in one go is the one that is read digit by digit.
func TestShortNumbers(t *testing.T) {
	for _, c := range []string{"0 ", "1 ", "12 ", "1.5 ", ".5 ", "134.107\n", "1234567 ", "0.00921X", ".07703\n", "9.87654 ", "000.100 ", "1.\n"} {
		padded := append([]byte(c), "99999999"...)
		v, length := short(le64(padded))
		want, next, ok := number([]byte(c), 0)
		if !ok || v != want || length != next {
			t.Errorf("%q: %v in %d bytes, should be %v in %d", c, v, length, want, next)
		}
	}
	for _, c := range []string{"", " ", "X1", "12345678", "1.234567", "-1 ", "+1 "} {
		if v, length := short(le64(append([]byte(c), "        "...)[:max(8, len(c))])); length != 0 {
			if want, next, _ := number([]byte(c+" "), 0); v != want || length != next || math.IsNaN(v) {
				t.Errorf("%q: %v in %d bytes", c, v, length)
			}
		}
	}
}

func le64(b []byte) (x uint64) {
	for i := range 8 {
		x |= uint64(b[i]) << (8 * i)
	}
	return x
}

func FuzzMoves(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, file []byte) {
		compare(t, file)
		compare(t, append(bytes.Clone(file), "\n"+behind...))
	})
}

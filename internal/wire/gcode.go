package wire

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Line is one line of G-code, normalised as OctoPrint does before it sends one: without comment, line number and checksum,
// with its command in capitals.
type Line struct {
	Text string // as it goes to the printer
	Code string // its command: G1, M104, T0, G29.1, @pause; "" for what is none, as firmwares have texts of their own
}

// DefaultTerminal is what operators may send in the terminal while a printer's owner has not said otherwise: lines that
// ask and change nothing.
var DefaultTerminal = []string{"M20", "M27", "M31", "M105", "M114", "M115", "M119", "M122", "M155", "M503"}

// ErrEmptyLine says that a line is empty, or nothing but a comment.
var ErrEmptyLine = errors.New("has no command in it")

var (
	errLineASCII = errors.New("has a character in it that is no ASCII: OctoPrint sends nothing more after one")
	errTwoLines  = errors.New("is one line")
	errLongLine  = errors.New("has at most 250 bytes")
	errLineText  = errors.New("has a control character in it")
)

// ParseLine reads a line as a person types it. Errors are words for people.
func ParseLine(s string) (Line, error) {
	s = strings.TrimRight(s, "\r\n")
	switch {
	case len(s) > MaxLine:
		return Line{}, errLongLine
	case strings.ContainsAny(s, "\r\n"):
		return Line{}, errTwoLines
	}
	s = strings.TrimSpace(strings.ReplaceAll(stripComment(s), "\t", " "))
	if !plainText(s) {
		return Line{}, errLineText
	}
	s = stripNumber(s)
	if s == "" {
		return Line{}, ErrEmptyLine
	}
	if strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0 {
		return Line{}, errLineASCII
	}
	if s[0] == '@' {
		name, rest, _ := strings.Cut(s[1:], " ")
		if name == "" {
			return Line{}, ErrEmptyLine
		}
		return Line{Text: strings.TrimSpace("@" + name + " " + rest), Code: "@" + strings.ToLower(name)}, nil
	}
	code, rest := cutCode(s)
	if code != "" && !texts[code] {
		rest = strings.ToUpper(rest) // as OctoPrint's own terminal does: some firmwares know capitals only
	}
	return Line{Text: code + rest, Code: code}, nil
}

// stripComment takes away what stands behind the first semicolon that no backslash escapes.
func stripComment(s string) string {
	escaped := false
	for i := 0; i < len(s); i++ {
		if s[i] == ';' && !escaped {
			return s[:i]
		}
		escaped = s[i] == '\\' && !escaped
	}
	return s
}

// stripNumber takes away N123 in front, and with it the checksum *45 behind: OctoPrint counts lines itself, and a wrong
// number makes a printer ask for lines that nobody has. M110 sets the number, so its N is a parameter and stays.
func stripNumber(s string) string {
	if s != "" && (s[0] == 'N' || s[0] == 'n') {
		n := digits(s[1:])
		if n == 0 {
			return s
		}
		s = strings.TrimSpace(s[1+n:])
	}
	if code, _ := cutCode(s + " "); texts[code] {
		return s
	}
	if i := strings.LastIndexByte(s, '*'); i >= 0 {
		sum := strings.TrimSpace(s[i+1:])
		if sum != "" && digits(sum) == len(sum) {
			s = strings.TrimSpace(s[:i])
		}
	}
	return s
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// cutCode splits a line behind its command, G28 or M204.1 or T0, which it gives as lists name it: in capitals, without
// spaces and leading zeros. It is "" where the line begins otherwise.
func cutCode(s string) (code, rest string) {
	switch s[0] {
	case 'G', 'g', 'M', 'm', 'T', 't', 'F', 'f':
	default:
		return "", s
	}
	n := 1
	for n < len(s) && s[n] == ' ' { // "G 28" is G28 to most firmwares
		n++
	}
	d := digits(s[n:])
	if d == 0 {
		return "", s
	}
	end := n + d
	if end < len(s) && s[end] == '.' {
		if sub := digits(s[end+1:]); sub > 0 {
			end += 1 + sub
		}
	}
	number := strings.TrimLeft(s[n:end], "0")
	if number == "" || number[0] == '.' {
		number = "0" + number
	}
	return strings.ToUpper(s[:1]) + number, s[end:]
}

// texts are commands whose parameter is a text or a file's name: letters in it mean nothing.
var texts = map[string]bool{"M16": true, "M23": true, "M28": true, "M30": true, "M32": true, "M117": true, "M118": true, "M928": true}

// Within tells whether a list allows the line. A firmware that takes several commands in one line must not get past it:
// a line whose parameters hold another command is allowed by no list.
func (l Line) Within(allowed []string) bool {
	if l.Code == "" {
		return false
	}
	found := false
	for _, a := range allowed {
		found = found || a == l.Code
	}
	if !found || l.Code[0] == '@' || texts[l.Code] {
		return found
	}
	_, rest := cutCode(l.Text)
	for i := 0; i < len(rest); i++ {
		switch rest[i] {
		case 'G', 'g', 'M', 'm':
			return false
		}
	}
	return true
}

// heaters are the commands that set a temperature.
var heaters = map[string]int{"M104": 0, "M109": 0, "M140": ToolBed, "M190": ToolBed, "M141": ToolChamber, "M191": ToolChamber,
	"M568": 0, "G10": 0}

// Heats gives the highest temperature that a line asks a heater for: by S, or R as M109 R200 waits for cooling, too.
// A number that cannot be read is one that is beyond all bounds.
func (l Line) Heats() (tool int, celsius float64, ok bool) {
	tool, ok = heaters[l.Code]
	if !ok {
		return 0, 0, false
	}
	_, rest := cutCode(l.Text)
	ok = false
	for i := 0; i < len(rest); i++ {
		if c := rest[i] &^ 0x20; c != 'S' && c != 'R' {
			continue
		}
		ok = true
		end := i + 1
		for end < len(rest) && strings.IndexByte(" +-.0123456789eE", rest[end]) >= 0 {
			end++
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(rest[i+1:end]), 64)
		if err != nil {
			if strings.TrimSpace(rest[i+1:end]) == "" {
				v = 0 // "M104 S" is off
			} else {
				v = math.Inf(1)
			}
		}
		celsius = max(celsius, v)
	}
	return tool, celsius, ok
}

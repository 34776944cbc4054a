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

// lineFaults are stable names of what is wrong with a line, for translations.
var lineFaults = map[error]string{
	ErrEmptyLine: "no_command", errLineASCII: "not_ascii", errTwoLines: "two_lines", errLongLine: "too_long", errLineText: "control_character",
}

// LineFault is the stable name of an error of ParseLine's.
func LineFault(err error) string { return lineFaults[err] }

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
	for before := ""; s != before; { // a line numbered twice must not keep the second one
		before, s = s, stripNumber(s)
	}
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
	for s != "" && (s[0] == 'N' || s[0] == 'n') { // N1 N2 M104 would hide the command from those who look for it
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

// heating is a parameter of a command that asks a heater for a temperature: any of some letters.
type heating struct {
	letters string
	tool    int
}

// heaters are the commands that set a temperature, or heat by themselves as M303 does to find out how a heater behaves.
// B of M104 and M109 is the most that Marlin's AUTOTEMP may heat to, M145 sets what M104 I means.
var heaters = map[string][]heating{
	"M104": {{"SRB", 0}}, "M109": {{"SRB", 0}}, "M303": {{"SR", 0}}, "M568": {{"SR", 0}}, "G10": {{"SR", 0}},
	"M140": {{"SR", ToolBed}}, "M190": {{"SR", ToolBed}}, "M141": {{"SR", ToolChamber}}, "M191": {{"SR", ToolChamber}},
	"G26": {{"H", 0}, {"B", ToolBed}}, "M145": {{"H", 0}, {"B", ToolBed}},
}

// named are Klipper's own, which name heater and temperature: SET_HEATER_TEMPERATURE HEATER=extruder TARGET=210.
var named = map[string]bool{"SET_HEATER_TEMPERATURE": true, "PID_CALIBRATE": true, "MPC_CALIBRATE": true}

// Heat is a temperature that a line asks a heater for.
type Heat struct {
	Tool    int // ToolBed, ToolChamber or an extruder's number
	Celsius float64
}

// Heats gives the highest temperature that each command of a line asks a heater for: by S, or R as M109 R200 waits for
// cooling, too. Some firmwares take several commands in a line, and M104.1 for M104. A number that cannot be read is one
// that is beyond all bounds.
func (l Line) Heats() []Heat {
	if l.Code != "" && (l.Code[0] == '@' || texts[l.Code]) {
		return nil
	}
	if h, ok := namedHeat(l.Text); ok {
		return []Heat{h}
	}
	var list []Heat
	for text := l.Text; text != ""; {
		code, rest := cutCode(text)
		if code == "" {
			text = text[1:]
			continue
		}
		end := len(rest) // where the next command begins
		for i := range len(rest) {
			if c := rest[i] &^ 0x20; c == 'G' || c == 'M' {
				if next, _ := cutCode(rest[i:]); next != "" {
					end = i
					break
				}
			}
		}
		code, _, _ = strings.Cut(code, ".")
		for _, h := range heaters[code] {
			if v, ok := highest(rest[:end], h.letters); ok {
				list = append(list, Heat{toolOf(code, rest[:end], h.tool), v})
			}
		}
		text = rest[end:]
	}
	return list
}

// highest gives the highest number behind one of some letters.
func highest(parameters, letters string) (celsius float64, ok bool) {
	for i := 0; i < len(parameters); i++ {
		if strings.IndexByte(letters, parameters[i]&^0x20) < 0 {
			continue
		}
		ok = true
		celsius = max(celsius, number(parameters[i+1:]))
	}
	return celsius, ok
}

// number reads what a text begins with; nothing is 0, as "M104 S" is off. Firmwares do not read alike: what is a number to
// one of them only (4_00, "400", {200+200}, 0x190) is beyond all bounds, and of S400E-1, which is 400 to Marlin and 40 to
// others, the higher one counts.
func number(text string) float64 {
	end := 0
	for end < len(text) && strings.IndexByte(" +-.0123456789", text[end]) >= 0 {
		end++
	}
	digits, rest := strings.TrimSpace(text[:end]), text[end:]
	apart := rest == "" || (end > 0 && text[end-1] == ' ')
	switch letter := rest != "" && 'A' <= rest[0]&^0x20 && rest[0]&^0x20 <= 'Z'; {
	case digits == "" && (rest == "" || letter):
		return 0
	case digits == "":
		return math.Inf(1)
	case apart && (rest == "" || letter || rest[0] == '('):
		return float(digits)
	case rest[0]&^0x20 == 'E':
		n := 1
		for n < len(rest) && strings.IndexByte("+-0123456789", rest[n]) >= 0 {
			n++
		}
		if n == 1 { // the letter of a parameter
			return float(digits)
		}
		return max(float(digits), float(digits+rest[:n]))
	case letter && rest[0]&^0x20 != 'X':
		return float(digits)
	}
	return math.Inf(1)
}

func float(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.Inf(1)
	}
	return v
}

// toolOf tells which heater M303 is about: E-1 is the bed, E-2 the chamber (Marlin, M303).
func toolOf(code, parameters string, tool int) int {
	if code != "M303" {
		return tool
	}
	parameters = strings.ToUpper(parameters)
	if i := strings.IndexByte(parameters, 'E'); i >= 0 && i+2 < len(parameters) {
		switch parameters[i+1 : i+3] {
		case "-1":
			return ToolBed
		case "-2":
			return ToolChamber
		}
	}
	return tool
}

func namedHeat(text string) (h Heat, ok bool) {
	// Klipper takes quotes and backslashes away as a shell does.
	words := strings.Fields(strings.NewReplacer(`"`, "", "'", "", `\`, "").Replace(strings.ToUpper(text)))
	if len(words) == 0 || !named[words[0]] {
		return h, false
	}
	for _, w := range words[1:] {
		name, v, _ := strings.Cut(w, "=")
		switch {
		case name == "TARGET" && v != "":
			h.Celsius, ok = max(h.Celsius, float(v)), true
		case name == "HEATER" && strings.Contains(v, "BED"):
			h.Tool = ToolBed
		case name == "HEATER" && strings.Contains(v, "CHAMBER"):
			h.Tool = ToolChamber
		}
	}
	return h, ok
}

package wire

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// FieldError says which field of a command is at fault. Its text is for people, in English.
type FieldError struct {
	Code  string // invalid: no such field, wrong type, missing; out_of_range: beyond what the printer may be asked for
	Field string
	Text  string
	Line  string // what is wrong with a line of G-code, for translations: as of LineFault, or too_hot
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Text }

// Codes of a FieldError.
const (
	FieldInvalid    = "invalid"
	FieldOutOfRange = "out_of_range"
)

func invalid(field, text string) error {
	return &FieldError{Code: FieldInvalid, Field: field, Text: text}
}

// MaxCommand bounds a command in bytes of JSON: a macro of the longest lines fits.
const MaxCommand = 64 << 10

// DecodeCommand reads a command strictly: a field that is not known might mean that something else is wanted than what
// would be done. It says nothing about whether the values are sensible, see Check. Errors: *FieldError.
func DecodeCommand(b []byte) (Command, error) {
	var c Command
	if len(b) > MaxCommand {
		return c, invalid("", "a command has at most 64 KB")
	}
	if text := bytes.TrimLeft(b, " \t\r\n"); len(text) == 0 || text[0] != '{' {
		return c, invalid("", "a command is a JSON object")
	}
	err := json.Unmarshal(b, &c, json.RejectUnknownMembers(true))
	var sem *json.SemanticError
	var syn *jsontext.SyntacticError
	switch {
	case err == nil:
		return c, nil
	case errors.As(err, &sem):
		field := fieldName(string(sem.JSONPointer))
		if errors.Is(err, json.ErrUnknownName) {
			return Command{}, invalid(field, "is no field of a command")
		}
		return Command{}, invalid(field, "has the wrong type, or is a number beyond all bounds")
	case errors.As(err, &syn):
		if field := fieldName(string(syn.JSONPointer)); errors.Is(err, jsontext.ErrDuplicateName) && field != "" {
			return Command{}, invalid(field, "is there twice")
		}
		return Command{}, invalid("", fmt.Sprintf("not JSON at byte %d", syn.ByteOffset))
	}
	return Command{}, invalid("", "not JSON")
}

// fieldName turns a JSON pointer into a field's name: /fetch/size → fetch.size, /lines/3 → lines[3].
func fieldName(pointer string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		switch {
		case part != "" && digits(part) == len(part):
			b.WriteString("[" + part + "]")
		case b.Len() > 0:
			b.WriteString("." + part)
		default:
			b.WriteString(part)
		}
	}
	name, _ := CleanText(b.String(), 100)
	return name
}

// value is what a command has in one field.
type value struct {
	number *float64
	text   string
	list   []string
	other  bool // is set, and is no text or number
}

func (v value) set() bool { return v.number != nil || v.text != "" || v.list != nil || v.other }

// fields are a command's, but for its type, id and end. The order is that in which faults are told.
var fields = []struct {
	name string
	of   func(*Command) value
}{
	{"axes", func(c *Command) value { return value{text: c.Axes} }},
	{"mode", func(c *Command) value { return value{text: c.Mode} }},
	{"x", func(c *Command) value { return value{number: c.X} }},
	{"y", func(c *Command) value { return value{number: c.Y} }},
	{"z", func(c *Command) value { return value{number: c.Z} }},
	{"e", func(c *Command) value { return value{number: c.E} }},
	{"feedrate", func(c *Command) value { return value{number: c.FeedRate} }},
	{"tool", func(c *Command) value {
		if c.Tool == nil {
			return value{}
		}
		n := float64(*c.Tool)
		return value{number: &n}
	}},
	{"temperature", func(c *Command) value { return value{number: c.Temperature} }},
	{"wait", func(c *Command) value { return value{other: c.Wait} }},
	{"factor", func(c *Command) value { return value{number: c.Factor} }},
	{"speed", func(c *Command) value { return value{number: c.Speed} }},
	{"amount", func(c *Command) value { return value{number: c.Amount} }},
	{"line", func(c *Command) value { return value{text: c.Line} }},
	{"lines", func(c *Command) value { return value{list: c.Lines} }},
	{"macro", func(c *Command) value { return value{text: c.Macro} }},
	{"action", func(c *Command) value { return value{text: c.Action} }},
	{"origin", func(c *Command) value { return value{text: c.Origin} }},
	{"path", func(c *Command) value { return value{text: c.Path} }},
	{"fetch", func(c *Command) value { return value{other: c.Fetch != nil} }},
	{"send", func(c *Command) value { return value{other: c.Send != nil} }},
}

// Check tells whether a command's type is one and its fields are those of the type, each within its bounds and those of
// the printer. Errors: *FieldError.
func (c *Command) Check(l Limits) error {
	r, ok := RuleOf(c.Type)
	if !ok {
		return invalid("type", "is no command")
	}
	for _, f := range fields {
		v := f.of(c)
		rule := r.field(f.name)
		switch {
		case rule == nil && v.set():
			return invalid(f.name, "is no field of the command "+string(c.Type))
		case rule == nil:
		case !v.set() && rule.Required:
			return invalid(f.name, "is missing")
		case v.set():
			if err := rule.check(v); err != nil {
				return err
			}
		}
	}
	if more := checks[c.Type]; more != nil {
		return more(c, l)
	}
	return nil
}

func (r *CommandRule) field(name string) *FieldRule {
	for i := range r.Fields {
		if r.Fields[i].Name == name {
			return &r.Fields[i]
		}
	}
	return nil
}

func (f *FieldRule) check(v value) error {
	if n := v.number; n != nil {
		switch {
		case math.IsNaN(*n) || math.IsInf(*n, 0):
			return invalid(f.Name, "is no number")
		case f.Whole && *n != math.Trunc(*n):
			return invalid(f.Name, "is a whole number")
		case f.Name != "temperature" && (*n < f.Min || *n > f.Max): // a temperature's end is the printer's
			return outOfRange(f.Name, f.Min, f.Max, f.Unit)
		}
	}
	for _, text := range append(v.list[:len(v.list):len(v.list)], v.text) {
		if f.Longest > 0 && len(text) > f.Longest {
			return invalid(f.Name, fmt.Sprintf("has at most %d bytes", f.Longest))
		}
		if !plainText(text) {
			return invalid(f.Name, "has a control character in it")
		}
	}
	if v.list != nil && (len(v.list) == 0 || len(v.list) > f.Lines) {
		return invalid(f.Name, fmt.Sprintf("has 1 to %d lines", f.Lines))
	}
	if len(f.OneOf) > 0 && v.text != "" {
		for _, one := range f.OneOf {
			if v.text == one {
				return nil
			}
		}
		return invalid(f.Name, "is one of "+strings.Join(f.OneOf, ", "))
	}
	return nil
}

func outOfRange(field string, low, high float64, unit string) error {
	return &FieldError{Code: FieldOutOfRange, Field: field, Text: strings.TrimSpace(fmt.Sprintf("is from %g to %g %s", low, high, unit))}
}

// checks are what single fields do not tell.
var checks = map[CommandType]func(*Command, Limits) error{
	CommandHome:           checkHome,
	CommandMove:           checkMove,
	CommandSetTemperature: checkTemperature,
	CommandExtrude:        checkExtrude,
	CommandGCode:          checkGCode,
	CommandSystem:         checkSystem,
	CommandPrint:          checkPath,
	CommandDeleteFile:     checkPath,
	CommandSendFile:       checkSend,
	CommandFetchFile:      checkFetch,
}

func checkHome(c *Command, _ Limits) error {
	seen := ""
	for _, r := range c.Axes {
		if !strings.ContainsRune("XYZ", r) || strings.ContainsRune(seen, r) {
			return invalid("axes", "is made of the letters X, Y and Z, each once at most")
		}
		seen += string(r)
	}
	return nil
}

// checkMove holds an absolute move within the bed, and a relative one within the bed's size: where the nozzle is now is
// not known, the printer's own end stops have the last word.
func checkMove(c *Command, l Limits) error {
	moves := false
	for _, a := range []struct {
		name string
		to   *float64
		size float64
	}{{"x", c.X, l.Volume.Width}, {"y", c.Y, l.Volume.Depth}, {"z", c.Z, l.Volume.Height}} {
		if a.to == nil {
			continue
		}
		moves = true
		low := -a.size
		if c.Mode == MoveAbsolute {
			low = 0
		}
		if a.size > 0 && (*a.to < low || *a.to > a.size) {
			return outOfRange(a.name, low, a.size, "mm")
		}
	}
	if c.E != nil && c.Mode == MoveAbsolute {
		return invalid("e", "goes with a relative move only")
	}
	if !moves && c.E == nil {
		return invalid("x", "is missing: a move needs x, y, z or e")
	}
	return nil
}

func checkTemperature(c *Command, l Limits) error {
	if high := l.Highest(*c.Tool); *c.Temperature < 0 || *c.Temperature > high {
		return outOfRange("temperature", 0, high, "°C")
	}
	return nil
}

func checkExtrude(c *Command, _ Limits) error {
	if *c.Amount == 0 {
		return invalid("amount", "is not 0")
	}
	return nil
}

func checkSystem(c *Command, _ Limits) error {
	source, action, ok := strings.Cut(c.Action, "/")
	if !ok || !plainAction(source) || !plainAction(action) {
		return invalid("action", "is a source and an action as OctoPrint names them, such as core/restart")
	}
	return nil
}

// plainAction keeps an action from reaching beyond its place in OctoPrint's URL.
func plainAction(s string) bool {
	if s == "" || s == "." || s == ".." {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-:.", r)
	}) < 0
}

func checkPath(c *Command, _ Limits) error {
	if !ValidPath(c.Path) {
		return invalid("path", "is a path as in the device's file list")
	}
	return nil
}

func checkSend(c *Command, l Limits) error {
	if c.Send.Transfer == "" || c.Send.Token == "" || !identifier(c.Send.Transfer) || !identifier(c.Send.Token) {
		return invalid("send", "needs a transfer and a token")
	}
	return checkPath(c, l)
}

func checkFetch(c *Command, _ Limits) error {
	f := c.Fetch
	switch {
	case !identifier(f.Transfer) || !identifier(f.Token):
		return invalid("fetch", "needs a transfer and a token")
	case f.Name == "" || len(f.Name) > MaxFileName || !plainText(f.Name) || strings.ContainsAny(f.Name, `/\`):
		return invalid("fetch.name", "is a file name")
	case f.Size <= 0 || f.Size > maxSize:
		return invalid("fetch.size", "is the file's size")
	case len(f.SHA256) != 64 || strings.Trim(f.SHA256, "0123456789abcdef") != "":
		return invalid("fetch.sha256", "is 64 hex digits in lower case")
	case f.Target != OriginLocal && f.Target != OriginSDCard:
		return invalid("fetch.target", "is local or sdcard")
	}
	return nil
}

// identifier tells whether s is fit for a URL's path and a file's name.
func identifier(s string) bool {
	return s != "" && len(s) <= 200 && strings.IndexFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", r)
	}) < 0
}

func checkGCode(c *Command, l Limits) error {
	if (c.Line == "") == (c.Lines == nil) {
		return invalid("line", "is needed, or lines: one of them, and not both")
	}
	if c.Lines == nil {
		return checkLine("line", c.Line, l)
	}
	for i, line := range c.Lines {
		if err := checkLine(fmt.Sprintf("lines[%d]", i), line, l); err != nil {
			return err
		}
	}
	return nil
}

func checkLine(field, text string, l Limits) error {
	line, err := ParseLine(text)
	if err != nil {
		return &FieldError{Code: FieldInvalid, Field: field, Text: err.Error(), Line: LineFault(err)}
	}
	for _, h := range line.Heats() {
		if high := l.Highest(h.Tool); !(h.Celsius <= high) {
			return &FieldError{Code: FieldOutOfRange, Field: field, Line: "too_hot",
				Text: fmt.Sprintf("asks for a temperature that is not from 0 to %g °C", high)}
		}
	}
	return nil
}

package wire

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ErrTooLarge says that a message is over the limit of its kind. It was not looked at.
var ErrTooLarge = errors.New("the message is too large")

// Trimmed counts the values of a message that were left out or cut because they are out of bounds.
type Trimmed int

// Decoding takes what the field sends: Python writes a name twice only by mistake and its last value wins there too,
// and a text cut in the middle of a character is still worth showing.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// DecodeSnapshot reads a status message into s, which is emptied first; its maps are used again. Texts are cut to
// their limits and freed of control characters, readings that no printer has are left out, and both are counted.
// What is not JSON, has a field of another type or is larger than MaxStatus is an error, and s is then undefined.
// Fields that a Snapshot does not have, such as the file tree, are skipped without being kept.
func DecodeSnapshot(b []byte, s *Snapshot) (Trimmed, error) {
	if len(b) > MaxStatus {
		return 0, ErrTooLarge
	}
	if text := bytes.TrimLeft(b, " \t\r\n"); len(text) == 0 || text[0] != '{' {
		return 0, errors.New("status: not a JSON object")
	}
	flags, temperatures, filament := s.State.Flags, s.Temperatures, s.Job.Filament
	clear(flags)
	clear(temperatures)
	clear(filament)
	*s = Snapshot{Attention: s.Attention[:0], Axes: s.Axes[:0], Temperatures: temperatures}
	s.State.Flags, s.Job.Filament = flags, filament
	if err := json.Unmarshal(b, s, lenient); err != nil {
		return 0, fmt.Errorf("status: %w", shorten(err))
	}
	var t Trimmed
	s.trim(&t)
	return t, nil
}

// shorten keeps a decoder's error from carrying the message into a log.
func shorten(err error) error {
	var sem *json.SemanticError
	if errors.As(err, &sem) {
		return fmt.Errorf("field %.100q has the wrong type", string(sem.JSONPointer))
	}
	var syn *jsontext.SyntacticError
	if errors.As(err, &syn) {
		return fmt.Errorf("not JSON at byte %d", syn.ByteOffset)
	}
	return errors.New("not JSON")
}

func (s *Snapshot) trim(t *Trimmed) {
	s.TS = t.number(s.TS, 0, maxUnix)
	s.Interval = t.number(s.Interval, 0, 86400)
	if s.Status != "" && !s.Status.Valid() {
		s.Status = ""
		*t++
	}
	s.Attention = t.attention(s.Attention)
	s.State.Text = t.text(s.State.Text, MaxText)
	s.StateID, s.StateString = t.text(s.StateID, MaxText), t.text(s.StateString, MaxText)
	trimMap(t, s.State.Flags, MaxFlags, func(v *bool) {})
	trimMap(t, s.Temperatures, MaxHeaters, func(v *Temperature) {
		t.pointer(&v.Actual, MinTemperature, MaxTemperature)
		t.pointer(&v.Target, MinTemperature, MaxTemperature)
		t.pointer(&v.Offset, -MaxTemperature, MaxTemperature)
	})
	s.Progress.trim(t)
	s.Job.trim(t)
	t.pointer(&s.CurrentZ, -maxLength, maxLength)
	t.pointer(&s.Overrides.Feedrate, 0, 1e4)
	t.pointer(&s.Overrides.Flowrate, 0, 1e4)
	s.Connection.trim(t)
	if len(s.Axes) > maxAxes || TooDeep(s.Axes) {
		s.Axes = s.Axes[:0]
		*t++
	}
}

// Bounds of what a printer can report; beyond them a number is a mistake.
const (
	maxUnix     = 1e11 // s: the year 5138
	maxDuration = 10 * 365 * 86400.0
	maxLength   = 1e9            // mm
	maxSize     = int64(1) << 50 // bytes of a file
	maxAxes     = 2048           // bytes of JSON
)

func (p *Progress) trim(t *Trimmed) {
	t.pointer(&p.Completion, 0, 100)
	t.pointer(&p.PrintTime, 0, maxDuration)
	t.pointer(&p.TimeLeft, 0, maxDuration)
	t.size(&p.FilePos)
	t.size(&p.FileSize)
	p.TimeLeftOrigin = t.text(p.TimeLeftOrigin, 40)
}

func (j *Job) trim(t *Trimmed) {
	j.ID = t.text(j.ID, 64)
	j.File.Name = t.text(j.File.Name, MaxFileName)
	j.File.Origin = t.text(j.File.Origin, 40)
	j.File.Path = t.text(j.File.Path, MaxPath)
	t.size(&j.File.Size)
	t.pointer(&j.File.Date, 0, maxUnix)
	t.pointer(&j.EstimatedTime, 0, maxDuration)
	t.pointer(&j.LastTime, 0, maxDuration)
	trimMap(t, j.Filament, MaxHeaters, func(v *Filament) {
		t.pointer(&v.Length, -maxLength, maxLength)
		t.pointer(&v.Volume, -maxLength, maxLength)
	})
}

func (c *Connection) trim(t *Trimmed) {
	c.State, c.Port = t.text(c.State, MaxText), t.text(c.Port, MaxText)
	p := &c.Profile
	p.ID, p.Name, p.Model = t.text(p.ID, MaxText), t.text(p.Name, MaxText), t.text(p.Model, MaxText)
	p.Extruders = min(max(p.Extruders, 0), MaxTools)
	v := &p.Volume
	v.Origin, v.Form = t.text(v.Origin, 20), t.text(v.Form, 20)
	v.Width, v.Depth, v.Height = t.number(v.Width, 0, maxLength), t.number(v.Depth, 0, maxLength), t.number(v.Height, 0, maxLength)
}

// trimMap keeps at most limit entries with plain, short names, and has each value looked at. Which ones stay of too
// many is not defined: no printer has so many.
func trimMap[V any](t *Trimmed, m map[string]V, limit int, value func(*V)) {
	for k, v := range m {
		if len(m) > limit || !plainName(k) {
			delete(m, k)
			*t++
			continue
		}
		value(&v)
		m[k] = v
	}
}

// plainName tells whether a heater's, tool's or flag's name is one: tool0, bed, chamber, closedOrError, "W" …
func plainName(s string) bool {
	if s == "" || len(s) > 40 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' && c != ' ' {
			return false
		}
	}
	return true
}

func (t *Trimmed) attention(list []Attention) []Attention {
	kept := list[:0]
	for _, a := range list {
		known := false
		for _, k := range Attentions {
			known = known || a == k
		}
		if known && len(kept) < len(Attentions) {
			kept = append(kept, a)
		} else {
			*t++
		}
	}
	return kept
}

func (t *Trimmed) number(v, low, high float64) float64 {
	if v == 0 || (v >= low && v <= high) {
		return v
	}
	*t++
	return 0
}

func (t *Trimmed) pointer(v **float64, low, high float64) {
	if *v == nil || (!math.IsNaN(**v) && **v >= low && **v <= high) {
		return
	}
	*v = nil
	*t++
}

func (t *Trimmed) size(v **int64) {
	if *v == nil || (**v >= 0 && **v <= maxSize) {
		return
	}
	*v = nil
	*t++
}

// text cuts s to limit bytes at a character's border and takes out what cannot be shown.
func (t *Trimmed) text(s string, limit int) string {
	clean, changed := CleanText(s, limit)
	if changed {
		*t++
	}
	return clean
}

// CleanText makes a text from outside fit to be kept and shown: valid UTF-8, no control characters, no direction
// overrides, at most limit bytes cut at a character's border. It tells whether anything was changed.
func CleanText(s string, limit int) (string, bool) {
	if len(s) <= limit && plainText(s) {
		return s, false
	}
	s = strings.Map(func(r rune) rune {
		if unprintable(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if len(s) > limit {
		s = s[:limit]
		for len(s) > 0 {
			if r, n := utf8.DecodeLastRuneInString(s); r != utf8.RuneError || n > 1 {
				break
			}
			s = s[:len(s)-1]
		}
	}
	return s, true
}

func plainText(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == 0x7f {
			return false
		} else if c >= utf8.RuneSelf {
			return utf8.ValidString(s) && strings.IndexFunc(s, unprintable) < 0
		}
	}
	return true
}

// unprintable tells of characters that hide or turn round what stands beside them (Unicode TR 36, 2.10 and 3.5).
func unprintable(r rune) bool {
	return unicode.IsControl(r) || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) || r == 0x2028 || r == 0x2029
}

// UnmarshalJSONFrom reads both forms of a connection: the object, and the list [state, port, baudrate, profile].
// A part of another type, such as the baud rate "AUTO", is left empty.
func (c *Connection) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*c = Connection{}
	switch dec.PeekKind() {
	case '[':
		if _, err := dec.ReadToken(); err != nil {
			return err
		}
		for i := 0; dec.PeekKind() != ']'; i++ {
			v, err := dec.ReadValue()
			if err != nil {
				return err
			}
			if i < len(connectionNames) {
				c.part(connectionNames[i], v)
			}
		}
		_, err := dec.ReadToken()
		return err
	case '{':
		if _, err := dec.ReadToken(); err != nil {
			return err
		}
		for dec.PeekKind() != '}' {
			name, err := dec.ReadToken()
			if err != nil {
				return err
			}
			key := name.String()
			v, err := dec.ReadValue()
			if err != nil {
				return err
			}
			c.part(key, v)
		}
		_, err := dec.ReadToken()
		return err
	}
	return dec.SkipValue()
}

var connectionNames = [...]string{"state", "port", "baudrate", "profile"}

func (c *Connection) part(name string, v jsontext.Value) {
	switch name {
	case "state":
		partly(v, &c.State)
	case "port":
		partly(v, &c.Port)
	case "baudrate":
		partly(v, &c.Baudrate)
	case "profile":
		partly(v, &c.Profile)
	}
}

// partly fills to from v, or empties it where v is of another type.
func partly[T any](v jsontext.Value, to *T) {
	var got T
	if json.Unmarshal(v, &got, lenient) != nil {
		var none T
		got = none
	}
	*to = got
}

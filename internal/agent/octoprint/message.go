package octoprint

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// maxMessage bounds a push message in bytes. The longest real one, history after hours with five heaters, has 60 KB.
const maxMessage = 2 << 20

// message is one push message; the fields of kinds that it is not are nil. Kinds we have no use for leave all nil.
type message struct {
	Connected *connectedMessage
	Current   *currentMessage
	History   *currentMessage // the first state after a log-in
	Event     *eventMessage
	Reauth    bool // our session has ended
}

type connectedMessage struct {
	Version text `json:"version"`
	Python  text `json:"python_version"`
}

type currentMessage struct {
	State    *stateMessage     `json:"state"`
	Job      *jobMessage       `json:"job"`
	Progress *progressMessage  `json:"progress"`
	CurrentZ number            `json:"currentZ"`
	Temps    readings          `json:"temps"`
	Offsets  map[string]number `json:"offsets"`
	Logs     logLines          `json:"logs"`
}

type stateMessage struct {
	Text  text  `json:"text"`
	Error text  `json:"error"` // since 1.9
	Flags flags `json:"flags"`
}

type jobMessage struct {
	File struct {
		Name   text   `json:"name"`
		Path   text   `json:"path"`
		Origin text   `json:"origin"`
		Size   number `json:"size"`
		Date   number `json:"date"`
	} `json:"file"`
	Estimated number              `json:"estimatedPrintTime"`
	Last      number              `json:"lastPrintTime"`
	Filament  map[string]filament `json:"filament"`
}

type progressMessage struct {
	Completion number `json:"completion"`
	FilePos    number `json:"filepos"`
	PrintTime  number `json:"printTime"`
	Left       number `json:"printTimeLeft"`
	LeftOrigin text   `json:"printTimeLeftOrigin"`
}

type eventMessage struct {
	Type    text           `json:"type"`
	Payload jsontext.Value `json:"payload"`
}

// readMessage decodes one push message from a stream, without holding more of it than its longest part that is wanted.
// logs says whether the terminal's lines are.
func readMessage(r io.Reader, logs bool) (m message, err error) {
	d := jsontext.NewDecoder(io.LimitReader(r, maxMessage), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return m, fmt.Errorf("push message: %w", errNoObject)
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return m, fmt.Errorf("push message: %w", err)
		}
		kind := name.String()
		switch kind {
		case "connected":
			err = json.UnmarshalDecode(d, &m.Connected)
		case "current":
			m.Current = &currentMessage{Logs: logLines{wanted: logs}}
			err = json.UnmarshalDecode(d, &m.Current)
		case "history":
			err = json.UnmarshalDecode(d, &m.History)
		case "event":
			err = json.UnmarshalDecode(d, &m.Event)
		case "reauthRequired":
			m.Reauth = true
			err = d.SkipValue()
		default:
			err = d.SkipValue()
		}
		if err != nil {
			return message{}, fmt.Errorf("push message %q: %w", clip(kind, 20), err)
		}
	}
	return m, nil
}

var errNoObject = errors.New("not a JSON object")

// number is a JSON number, or nothing for null and whatever else stands in its place: other plugins put things there.
type number struct {
	value float64
	known bool
}

func (n *number) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*n = number{}
	if d.PeekKind() != '0' {
		return d.SkipValue()
	}
	t, err := d.ReadToken()
	if err != nil {
		return err
	}
	v, err := t.Float()
	*n = number{v, err == nil && !math.IsInf(v, 0) && !math.IsNaN(v)}
	return nil // a number beyond float64 is none to us, not a broken message
}

// between gives the number if it lies within the bounds.
func (n number) between(low, high float64) *float64 {
	if !n.known || n.value < low || n.value > high {
		return nil
	}
	return &n.value
}

// count gives the number as a size or position in bytes.
func (n number) count() *int64 {
	if !n.known || n.value < 0 || n.value > 1<<53 {
		return nil
	}
	v := int64(n.value)
	return &v
}

// text is a JSON string, or "" for whatever else stands in its place.
type text string

func (s *text) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*s = ""
	if d.PeekKind() != '"' {
		return d.SkipValue()
	}
	t, err := d.ReadToken()
	if err != nil {
		return err
	}
	*s = text(clip(t.String(), wire.MaxPath))
	return nil
}

// clip cuts s to at most n bytes at the border of a rune, and makes it valid UTF-8.
func clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return strings.Clone(s[:n])
}

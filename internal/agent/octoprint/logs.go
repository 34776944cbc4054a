package octoprint

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// Limits of the terminal's lines in one message.
const (
	maxLogLines = 200
	maxLogLine  = 300 // bytes; the longest that a printer sends are settings and M503's comments
)

// logLines are the newest lines of OctoPrint's terminal, kept only if they are wanted: a printing printer has hundreds a
// second.
type logLines struct {
	wanted  bool
	lines   []string
	skipped int // older ones of the same message
}

func (l *logLines) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if !l.wanted || d.PeekKind() != '[' {
		return d.SkipValue()
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != ']' {
		if d.PeekKind() != '"' {
			if err := d.SkipValue(); err != nil {
				return err
			}
			continue
		}
		t, err := d.ReadToken()
		if err != nil {
			return err
		}
		line, _ := wire.CleanText(t.String(), maxLogLine)
		if len(l.lines) == maxLogLines {
			copy(l.lines, l.lines[1:])
			l.lines = l.lines[:maxLogLines-1]
			l.skipped++
		}
		l.lines = append(l.lines, line)
	}
	_, err := d.ReadToken()
	return err
}

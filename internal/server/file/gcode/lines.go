package gcode

import (
	"bytes"
	"context"
	"errors"
	"io"
)

// lineReader cuts what is written to it into lines and hands each, without its end, to take. It holds no more than one
// line, which stays valid only during the call. Behind the line, within its capacity, is its end.
type lineReader struct {
	take  func(line []byte) error
	moves func(p []byte, l *lineReader) int // takes lines that p begins with at once: how many bytes; as take would

	rest  []byte // a line whose end has not come yet
	begin int64  // offset of the line that take has
	next  int64  // offset of the line after it
	lines int64  // so far, that one included
}

func (l *lineReader) Write(p []byte) (int, error) {
	n := len(p)
	if len(l.rest) > 0 {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			return n, l.keep(p)
		}
		if err := l.keep(p[:end+1]); err != nil {
			return 0, err
		}
		if err := l.line(l.rest[:len(l.rest)-1], 1); err != nil {
			return 0, err
		}
		l.rest = l.rest[:0]
		p = p[end+1:]
	}
	for {
		if l.moves != nil {
			p = p[l.moves(p, l):]
		}
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			return n, l.keep(p)
		}
		if err := l.line(p[:end], 1); err != nil {
			return 0, err
		}
		p = p[end+1:]
	}
}

// last hands over a last line that has no end.
func (l *lineReader) last() error {
	if len(l.rest) == 0 {
		return nil
	}
	n := len(l.rest)
	l.rest = append(l.rest, '\n') // as decimal has it
	l.rest = l.rest[:n]
	return l.line(l.rest, 0)
}

func (l *lineReader) keep(p []byte) error {
	if len(l.rest)+len(p) > MaxLine+1 {
		if bytes.IndexByte(l.rest, 0) >= 0 {
			return &Error{Code: Damaged, Line: l.lines + 1, Detail: controlText(0)}
		}
		return &Error{Code: NotGCode, Line: l.lines + 1,
			Detail: "a line is longer than any printer or slicer writes: this is not G-code"}
	}
	l.rest = append(l.rest, p...)
	return nil
}

func (l *lineReader) line(line []byte, end int) error {
	if l.lines++; l.lines > MaxLines {
		return refuse(TooManyLines, "more than %d lines", MaxLines)
	}
	l.begin = l.next
	l.next += int64(len(line) + end)
	if err := l.take(line); err != nil {
		// The line is known here only.
		if e, ok := errors.AsType[*Error](err); ok && e.Line == 0 {
			e.Line = l.lines
		}
		return err
	}
	return nil
}

// pour reads r to its end into w, looking at ctx between the pieces.
func pour(ctx context.Context, w io.Writer, r io.Reader) (int64, error) {
	buffer := make([]byte, 256<<10)
	var total int64
	for {
		if err := ctx.Err(); err != nil {
			return total, err
		}
		n, err := r.Read(buffer)
		total += int64(n)
		if n > 0 {
			if _, err := w.Write(buffer[:n]); err != nil {
				return total, err
			}
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

// Package gcode reads what slicers write: plain G-code and Prusa's binary G-code. It says what a file holds (Analyse),
// turns binary into plain (ToText) and draws the tool path (Toolpath), each in one pass and never with the whole file in
// memory. It trusts nothing in a file: every size that one claims has a limit here.
package gcode

import (
	"errors"
	"fmt"
)

// Code is why a file was refused: stable, for programs and translations.
type Code string

// The codes.
const (
	NotGCode          Code = "not_gcode"           // something else, whatever its name says
	CutOff            Code = "cut_off"             // its end is missing
	Damaged           Code = "damaged"             // a checksum or a structure is wrong
	Hostile           Code = "hostile"             // made to harm: control characters, bombs
	Unsupported       Code = "unsupported"         // a binary format newer than this program
	TooManyLines      Code = "too_many_lines"      // more than MaxLines
	TooManyLayers     Code = "too_many_layers"     // more than MaxLayers
	TooManyThumbnails Code = "too_many_thumbnails" // more than MaxThumbnails
)

// What a file may have. Slicers stay far below: a 2 GB file has some 70 million lines.
const (
	MaxLines      = 500_000_000
	MaxLayers     = 100_000
	MaxThumbnails = 32
	MaxTools      = 64
	MaxLine       = 1 << 20 // bytes of one line; PrusaSlicer's objects_info and Klipper's polygons are the longest
)

// Error is why a file was refused.
type Error struct {
	Code   Code
	Detail string // what happened and what to do next, in English
	Line   int64  // where, counted from 1; 0: not at one line
}

func (e *Error) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s: line %d: %s", e.Code, e.Line, e.Detail)
	}
	return string(e.Code) + ": " + e.Detail
}

// CodeOf returns why a file was refused, and "" for an error that is not the file's fault, such as a failing disk.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}

func refuse(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

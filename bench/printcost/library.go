//go:build linux

package main

import (
	"bufio"
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

const (
	sample    = "testdata/sample.gcode"
	printName = "printcost.gcode"
	feedRate  = 30000 // mm/min: half of the moves take the virtual printer less than OctoPrint needs for the next line
)

//go:embed probe.py
var probe []byte

var feedWord = regexp.MustCompile(` F[0-9.]+`)

// fill makes an OctoPrint's folder: the probe, the file to print, and a library of others.
func fill(folder string, files, moves int) error {
	uploads := filepath.Join(folder, "uploads")
	plugins := filepath.Join(folder, "plugins")
	for _, dir := range []string{uploads, plugins} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(plugins, "printcost.py"), probe, 0o600); err != nil {
		return err
	}
	content, err := takeMoves(moves)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(uploads, printName), content, 0o600); err != nil {
		return err
	}
	for i := range files {
		name := fmt.Sprintf("part-%04d.gcode", i)
		if err := os.WriteFile(filepath.Join(uploads, name), content[:min(len(content), 2000)], 0o600); err != nil {
			return err
		}
	}
	return nil
}

// takeMoves gives the first moves of the sample in the plane, without heating and at one feed rate.
func takeMoves(moves int) ([]byte, error) {
	f, err := os.Open(sample)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out bytes.Buffer
	fmt.Fprintf(&out, "G21\nG90\nM83\nG28\nG1 F%d\n", feedRate)
	lines := bufio.NewScanner(f)
	taken := 0
	for taken < moves && lines.Scan() {
		if line := lines.Text(); strings.HasPrefix(line, "G1 X") {
			fmt.Fprintln(&out, feedWord.ReplaceAllString(line, ""))
			taken++
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if taken < moves {
		return nil, fmt.Errorf("%s has %d moves only: %w", sample, taken, io.ErrUnexpectedEOF)
	}
	return out.Bytes(), nil
}

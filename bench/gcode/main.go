// The bench of reading G-code: how fast one core reads a large file, and how much memory that takes. The file is
// testdata/sample.gcode, whose layers are repeated until it has its size; nothing is written to the disk.
//
//	go run ./bench/gcode
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/file/gcode"
)

func main() {
	sample := flag.String("sample", "testdata/sample.gcode", "what is repeated: a file of PrusaSlicer's")
	size := flag.Int64("size", 500, "MB of the file")
	flag.Parse()
	if err := run(*sample, *size*1e6); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(sample string, size int64) error {
	text, err := os.ReadFile(sample)
	if err != nil {
		return fmt.Errorf("read the sample: %w", err)
	}
	layers := bytes.Index(text, []byte(";LAYER_CHANGE"))
	settings := bytes.Index(text, []byte("; filament used"))
	if layers < 0 || settings < layers {
		return errors.New("the sample is not PrusaSlicer's: it has no layers or no settings")
	}
	runtime.GOMAXPROCS(1)
	fmt.Printf("%d MB of G-code, one core\n", size/1e6)
	file := func() *repeated {
		return &repeated{parts: [3][]byte{text[:layers], text[layers:settings], text[settings:]}, size: size}
	}
	err = measure("analyse", file(), func(r io.Reader) error {
		report, err := gcode.Analyse(context.Background(), r)
		if err == nil {
			fmt.Printf("  %d layers, %.1f m of filament, %d lines\n", report.Layers, report.Tools[0].Extruded/1000, report.Lines)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, part := range []int64{size, 50e6} {
		var drawn counter
		f := file()
		f.size = part
		err = measure(fmt.Sprintf("tool path of %d MB", part/1e6), f, func(r io.Reader) error {
			return gcode.Toolpath(context.Background(), r, &drawn, 0)
		})
		if err != nil {
			return err
		}
		fmt.Printf("  %.1f MB to draw\n", float64(drawn)/1e6)
	}
	return nil
}

// processorTime is what the process has had of the processors: other work on the machine does not count.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // it cannot fail with these arguments
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// measure says how fast work reads and what memory the process comes to while it does.
func measure(name string, r *repeated, work func(io.Reader) error) error {
	debug.FreeOSMemory()
	if err := forgetPeak(); err != nil {
		return err
	}
	begin, used := time.Now(), processorTime()
	if err := work(r); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	took := time.Since(begin)
	used = processorTime() - used
	peak, err := peakMemory()
	if err != nil {
		return err
	}
	fmt.Printf("%s: %.0f MB per second of a core, %.1f s of it in %.1f s, at most %.0f MB of memory\n",
		name, float64(r.given)/1e6/used.Seconds(), used.Seconds(), took.Seconds(), peak)
	return nil
}

// repeated is a beginning, a middle as often as it takes, and an end.
type repeated struct {
	parts [3][]byte
	size  int64
	given int64
	part  int
	at    int
}

func (r *repeated) Read(p []byte) (int, error) {
	for r.at == len(r.parts[r.part]) {
		switch {
		case r.part == 1 && r.given < r.size:
		case r.part == 2:
			return 0, io.EOF
		default:
			r.part++
		}
		r.at = 0
	}
	n := copy(p, r.parts[r.part][r.at:])
	r.at += n
	r.given += int64(n)
	return n, nil
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// forgetPeak has Linux count the process's highest memory from now on.
func forgetPeak() error {
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o200); err != nil {
		return fmt.Errorf("reset the highest memory, which needs Linux: %w", err)
	}
	return nil
}

// peakMemory is the highest resident memory of the process, MB.
func peakMemory() (float64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
			return kb / 1000, err
		}
	}
	return 0, errors.New("the kernel does not say how much memory was used")
}

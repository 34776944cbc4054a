// Command factor-agent runs beside a 3D printer: it follows its OctoPrint and tells a FACTOR server.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/kangbyounggwan/factor/internal/line"
)

// Memory: with these and settle the resident size stays below 20 MB, which a Pi Zero can spare (TestMemory: at most 17
// MB). The live heap is 2 to 3 MB; the limit only makes the collector run oftener during a long file list.
const (
	memoryLimit = 10 << 20 // bytes
	gcPercent   = 50
)

// commandLine is what the program can be told. Each command's options are its struct.
func commandLine(ctx context.Context, s *streams) *line.Line {
	return &line.Line{
		Name: "factor-agent", Help: "Follows an OctoPrint and tells a FACTOR server.",
		Commands: []*line.Command{enrolLine(ctx, s), runLine(ctx, s), statusLine(s), versionLine(s), lookLine(ctx, s), publishLine(ctx, s), findLine(ctx, s)},
	}
}

// streams are the program's standard streams; tests give others.
type streams struct {
	in       io.Reader
	out, err io.Writer
	words    *words
}

const (
	exitFailed     = 1
	exitUsage      = 2 // the command line is wrong
	exitNotRunning = 3 // status: nothing runs there, as systemctl has it
)

// exit ends the program with a code, after everything has been said.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

func main() {
	debug.SetMemoryLimit(memoryLimit)
	debug.SetGCPercent(gcPercent)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], &streams{os.Stdin, os.Stdout, os.Stderr, wordsFor(os.Getenv)}))
}

// run is the program without the process around it.
func run(ctx context.Context, args []string, s *streams) int {
	command, err := commandLine(ctx, s).Parse(args)
	if help, ok := errors.AsType[line.Help](err); ok {
		fmt.Fprint(s.out, string(help))
		return 0
	}
	if err != nil {
		said := err.Error()
		if s.words == &korean {
			said = line.InKorean(err)
		}
		fmt.Fprintf(s.err, "factor-agent: %s\n", said)
		return exitUsage
	}
	if err := command.Run(); err != nil {
		var e exit
		if errors.As(err, &e) {
			return int(e)
		}
		fmt.Fprintf(s.err, "factor-agent: %s\n", s.words.explain(err))
		return exitFailed
	}
	return 0
}

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

	"github.com/alecthomas/kong"
)

// Memory: with these the resident size stays below 20 MB, which a Pi Zero can spare. The live heap is 2 to 3 MB; the
// limit only makes the collector run oftener during a long file list.
const (
	memoryLimit = 12 << 20 // bytes
	gcPercent   = 50
)

// program is the command line.
type program struct {
	Enrol   enrolCommand   `cmd:"" help:"Make this printer known to a server, under your account."`
	Run     runCommand     `cmd:"" help:"Serve the printer of a data folder until ended."`
	Status  statusCommand  `cmd:"" help:"Tell how the agent of a data folder is."`
	Version versionCommand `cmd:"" help:"Print the version."`
	Look    lookCommand    `cmd:"" name:"look-at-camera" hidden:""`
}

// streams are the program's standard streams; tests give others.
type streams struct {
	in       io.Reader
	out, err io.Writer
	words    *words
}

// exit codes. 2 is kong's for a wrong command line.
const (
	exitFailed     = 1
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
func run(ctx context.Context, args []string, s *streams) (code int) {
	var p program
	parser, err := kong.New(&p, kong.Name("factor-agent"), kong.Description("Follows an OctoPrint and tells a FACTOR server."),
		kong.DefaultEnvars("FACTOR_AGENT"), kong.Writers(s.out, s.err), kong.Exit(func(c int) { panic(exit(c)) }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(s))
	if err != nil {
		fmt.Fprintln(s.err, err)
		return exitFailed
	}
	defer func() { // --help ends from inside the parser
		if e, ok := recover().(exit); ok {
			code = int(e)
		}
	}()
	command, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(s.err, "factor-agent: %v\n", err)
		return 2
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

// Command factor is the whole FACTOR server in one program, with the commands that its operator needs.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/kangbyounggwan/factor/internal/server/config"
	"github.com/kangbyounggwan/factor/internal/server/problem"
)

// program is the command line.
type program struct {
	Config config.File `name:"config" env:"FACTOR_CONFIG" placeholder:"FILE" help:"Settings file (TOML), a line a setting: data = \"/var/lib/factor\"."`

	Serve     serveCommand     `cmd:"" help:"Serve pages, API and printers until ended."`
	User      userCommand      `cmd:"" help:"Accounts. Works while the server runs."`
	Token     tokenCommand     `cmd:"" help:"API tokens. Works while the server runs."`
	Doctor    doctorCommand    `cmd:"" help:"Say what is wrong with this installation, and what to do."`
	Sim       simCommand       `cmd:"" help:"A fleet of simulated printers, for load and for looking at pages."`
	SimCamera simCameraCommand `cmd:"" help:"A simulated camera (MJPEG over HTTP) with a clock in its picture."`
	Version   versionCommand   `cmd:"" help:"Print the version."`
}

// streams are the program's standard streams and the language of whoever reads them; tests give others.
type streams struct {
	in       io.Reader
	out, err io.Writer
	korean   bool
}

// say chooses the words for the reader.
func (s *streams) say(english, korean string) string {
	if s.korean {
		return korean
	}
	return english
}

// exit codes. 2 is for a wrong command line or setting.
const (
	exitFailed = 1
	exitUsage  = 2
)

// errSaid ends the program with exitFailed after everything has been said.
var errSaid = errors.New("said already")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // from here on a second signal ends the program at once
	}()
	os.Exit(run(ctx, os.Args[1:], &streams{os.Stdin, os.Stdout, os.Stderr, readsKorean(os.Getenv)}))
}

// run is the program without the process around it.
func run(ctx context.Context, args []string, s *streams) (code int) {
	var p program
	exited := -1
	parser, err := kong.New(&p, kong.Name("factor"), kong.Description("FACTOR: see and control your 3D printers from anywhere."),
		kong.UsageOnError(), kong.Writers(s.out, s.err), kong.Exit(func(code int) { exited = code }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(s))
	if err != nil {
		fmt.Fprintln(s.err, err)
		return exitFailed
	}
	command, err := parser.Parse(args)
	if exited >= 0 {
		return exited // --help has been shown
	}
	if err != nil {
		fmt.Fprintf(s.err, "factor: %v\n", err)
		fmt.Fprintln(s.err, s.say("`factor --help` lists the commands, `factor serve --help` the settings.",
			"명령은 `factor --help`, 설정은 `factor serve --help`로 볼 수 있습니다."))
		return exitUsage
	}
	switch err := command.Run(); {
	case err == nil:
		return 0
	case errors.Is(err, errSaid):
	default:
		fmt.Fprintf(s.err, "factor: %s\n", words(err))
	}
	return exitFailed
}

// words gives what an error says to a person: of a problem its detail, of joined errors a line each.
func words(err error) string {
	if p, ok := errors.AsType[*problem.Problem](err); ok {
		return p.Detail
	}
	return strings.ReplaceAll(err.Error(), "\n", "\n        ")
}

// readsKorean chooses the language as programs do: LC_ALL, LC_MESSAGES, LANG.
func readsKorean(env func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := env(name); v != "" {
			return strings.HasPrefix(v, "ko")
		}
	}
	return false
}

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

	"github.com/kangbyounggwan/factor/internal/line"
	"github.com/kangbyounggwan/factor/internal/server/config"
	"github.com/kangbyounggwan/factor/internal/server/problem"
)

// commandLine is what the program can be told. Each command's options are its struct.
func commandLine(ctx context.Context, s *streams) *line.Line {
	var all struct {
		Config config.File `name:"config" env:"FACTOR_CONFIG" placeholder:"FILE" help:"Settings file (TOML), a line a setting: data = \"/var/lib/factor\"."`
	}
	one := func(name, help string, c interface {
		Run(ctx context.Context, s *streams) error
	}) *line.Command {
		return &line.Command{Name: name, Help: help, Options: c, Run: func() error { return c.Run(ctx, s) }}
	}
	return &line.Line{
		Name: "factor", Help: "FACTOR: see and control your 3D printers from anywhere.", Options: &all,
		File: func() (map[string]string, error) { return all.Config.Read() },
		Commands: []*line.Command{
			one("serve", "Serve pages, API and printers until ended.", &serveCommand{}),
			{Name: "user", Help: "Accounts. Works while the server runs.", Commands: []*line.Command{
				one("add", "Make an account whose e-mail address counts as verified.", &userAddCommand{}),
				one("list", "List the accounts.", &userListCommand{}),
				one("password", "Set another password. It ends the account's sessions.", &userPasswordCommand{}),
				one("admin", "Make an account an administrator's, or take that away.", &userAdminCommand{}),
			}},
			{Name: "token", Help: "API tokens. Works while the server runs.", Commands: []*line.Command{
				one("add", "Make an API token. It is printed once and cannot be shown again.", &tokenAddCommand{}),
				one("list", "List an account's API tokens.", &tokenListCommand{}),
				one("remove", "End an API token; what was opened with it ends within seconds.", &tokenRemoveCommand{}),
			}},
			one("doctor", "Say what is wrong with this installation, and what to do.", &doctorCommand{}),
			one("sim", "A fleet of simulated printers, for load and for looking at pages.", &simCommand{}),
			one("sim-camera", "A simulated camera (MJPEG over HTTP) with a clock in its picture.", &simCameraCommand{}),
			one("version", "Print the version.", &versionCommand{}),
		},
	}
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
	command, err := commandLine(ctx, s).Parse(args)
	if help, ok := errors.AsType[line.Help](err); ok {
		fmt.Fprint(s.out, string(help))
		return 0
	}
	if err != nil {
		fmt.Fprintf(s.err, "factor: %s\n", s.words(err))
		fmt.Fprintln(s.err, s.say("`factor --help` lists the commands, `factor serve --help` the settings.",
			"명령은 `factor --help`, 설정은 `factor serve --help`로 볼 수 있습니다."))
		return exitUsage
	}
	switch err := command.Run(); {
	case err == nil:
		return 0
	case errors.Is(err, errSaid):
	default:
		fmt.Fprintf(s.err, "factor: %s\n", s.words(err))
	}
	return exitFailed
}

// words gives what an error says to the reader: of a problem its detail, of joined errors a line each.
func (s *streams) words(err error) string {
	if p, ok := errors.AsType[*problem.Problem](err); ok {
		return p.Detail
	}
	return strings.ReplaceAll(s.say(err.Error(), line.InKorean(err)), "\n", "\n        ")
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

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/kangbyounggwan/factor/internal/agent/enrol"
	"github.com/kangbyounggwan/factor/internal/agent/folder"
	"github.com/kangbyounggwan/factor/internal/line"
)

type enrolCommand struct {
	dataOption
	Server    string `name:"server" env:"FACTOR_AGENT_SERVER" required:"" placeholder:"URL" help:"Address of the server, such as https://factor.example."`
	OctoPrint string `name:"octoprint" env:"FACTOR_AGENT_OCTOPRINT" default:"http://127.0.0.1:5000" placeholder:"URL" help:"Address of OctoPrint, with its path if it has one."`
	APIKey    string `name:"api-key" env:"FACTOR_AGENT_API_KEY" required:"" placeholder:"KEY" help:"Application key or API key of OctoPrint."`
	Name      string `name:"name" env:"FACTOR_AGENT_NAME" required:"" help:"Name of the printer."`
	Email     string `name:"email" env:"FACTOR_AGENT_EMAIL" required:"" placeholder:"ADDRESS" help:"E-mail of your account; the password is read from standard input."`
	Token     string `name:"token" env:"FACTOR_AGENT_TOKEN" instead:"email" help:"API token of your account (fct_…), instead of e-mail and password."`
	UUID      string `name:"uuid" env:"FACTOR_AGENT_UUID" placeholder:"UUID" help:"UUID to use, such as the one of the published plugin. Without it: the folder's own, or a new one."`
	CA        string `name:"ca" env:"FACTOR_AGENT_CA" placeholder:"FILE" help:"File with the server's CA certificate."`
	// The fingerprint is what an owner can compare by eye with what the server printed.
	Fingerprint string `name:"ca-fingerprint" env:"FACTOR_AGENT_CA_FINGERPRINT" instead:"ca" placeholder:"HEX" help:"SHA-256 of the server's own CA certificate: it is fetched and compared."`
}

// enrolHelp is for readers of both languages.
const enrolHelp = `What is given as --token or --api-key can be seen in the process list of this machine, and stays in the history
of the shell. Give it by the environment instead: FACTOR_AGENT_TOKEN and FACTOR_AGENT_API_KEY. With --email the password
is read from standard input.

--token이나 --api-key로 적은 값은 이 컴퓨터의 프로세스 목록에 보이고 셸 기록에 남습니다. 대신 환경 변수 FACTOR_AGENT_TOKEN과
FACTOR_AGENT_API_KEY로 주세요. --email을 쓰면 비밀번호는 표준 입력에서 읽습니다.`

func enrolLine(ctx context.Context, s *streams) *line.Command {
	c := &enrolCommand{}
	return &line.Command{Name: "enrol", Help: "Make this printer known to a server, under your account.", More: enrolHelp,
		Options: c, Run: func() error { return c.run(ctx, s) }}
}

func (c *enrolCommand) run(ctx context.Context, s *streams) error {
	e := &enrol.Enrolment{Server: c.Server, OctoPrintURL: c.OctoPrint, OctoPrintKey: c.APIKey, Name: c.Name,
		Email: c.Email, APIToken: c.Token, UUID: c.UUID, Fingerprint: c.Fingerprint}
	var err error
	if c.CA != "" {
		if e.CA, err = os.ReadFile(c.CA); err != nil {
			return fmt.Errorf("--ca: %w", err)
		}
	}
	if c.Email != "" {
		if e.Password, err = readPassword(s); err != nil {
			return err
		}
	}
	if e.Folder, err = folder.Open(c.Data); err != nil {
		return err
	}
	unlock, err := e.Folder.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	r, err := e.Do(ctx)
	if err != nil {
		return err
	}
	w := s.words.enrolled
	if r.Renewed {
		w = s.words.renewed
	}
	fmt.Fprintf(s.out, w+"\n", r.Name, r.UUID, strings.TrimRight(c.Server, "/"), r.Server, r.OctoPrint, c.Data)
	return nil
}

// readPassword reads the first line of standard input. On a terminal it asks, and what is typed stays unseen.
func readPassword(s *streams) (string, error) {
	if f, ok := s.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(s.err, s.words.askPassword)
		typed, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(s.err)
		if err != nil {
			return "", fmt.Errorf("password: %w", err)
		}
		return string(typed), nil
	}
	line, err := bufio.NewReader(io.LimitReader(s.in, 4<<10)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", fmt.Errorf("password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

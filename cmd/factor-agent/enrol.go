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
)

type enrolCommand struct {
	data, server, octoPrint, apiKey, name string
	email, token                          string // one of them
	uuid                                  string
	ca, fingerprint                       string // one of them at most
}

// enrolHelp is for readers of both languages.
const enrolHelp = `What is given as --token or --api-key can be seen in the process list of this machine, and stays in the history
of the shell. Give it by the environment instead: FACTOR_AGENT_TOKEN and FACTOR_AGENT_API_KEY. With --email the password
is read from standard input.

--token이나 --api-key로 적은 값은 이 컴퓨터의 프로세스 목록에 보이고 셸 기록에 남습니다. 대신 환경 변수 FACTOR_AGENT_TOKEN과
FACTOR_AGENT_API_KEY로 주세요. --email을 쓰면 비밀번호는 표준 입력에서 읽습니다.`

func enrolLine(ctx context.Context, s *streams) *command {
	c := &enrolCommand{data: defaultData, octoPrint: "http://127.0.0.1:5000"}
	return &command{
		name: "enrol", help: "Make this printer known to a server, under your account.", more: enrolHelp,
		options: []option{
			dataOption(&c.data),
			{name: "server", value: &c.server, needed: true, help: "Address of the server, such as https://factor.example."},
			{name: "octoprint", value: &c.octoPrint, help: "Address of OctoPrint, with its path if it has one."},
			{name: "api-key", value: &c.apiKey, needed: true, help: "Application key or API key of OctoPrint."},
			{name: "name", value: &c.name, needed: true, help: "Name of the printer."},
			{name: "email", value: &c.email, needed: true, help: "E-mail of your account; the password is read from standard input."},
			{name: "token", value: &c.token, needed: true, help: "API token of your account (fct_…), instead of e-mail and password."},
			{name: "uuid", value: &c.uuid, help: "UUID to use, such as the one of the published plugin. Without it: the folder's own, or a new one."},
			{name: "ca", value: &c.ca, help: "File with the server's CA certificate."},
			// The fingerprint is what an owner can compare by eye with what the server printed.
			{name: "ca-fingerprint", value: &c.fingerprint, help: "SHA-256 of the server's own CA certificate: it is fetched and compared."},
		},
		rivals: [][]string{{"email", "token"}, {"ca", "ca-fingerprint"}},
		run:    func() error { return c.run(ctx, s) },
	}
}

func (c *enrolCommand) run(ctx context.Context, s *streams) error {
	e := &enrol.Enrolment{Server: c.server, OctoPrintURL: c.octoPrint, OctoPrintKey: c.apiKey, Name: c.name,
		Email: c.email, APIToken: c.token, UUID: c.uuid, Fingerprint: c.fingerprint}
	var err error
	if c.ca != "" {
		if e.CA, err = os.ReadFile(c.ca); err != nil {
			return fmt.Errorf("--ca: %w", err)
		}
	}
	if c.email != "" {
		if e.Password, err = readPassword(s); err != nil {
			return err
		}
	}
	if e.Folder, err = folder.Open(c.data); err != nil {
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
	fmt.Fprintf(s.out, w+"\n", r.Name, r.UUID, strings.TrimRight(c.server, "/"), r.Server, r.OctoPrint, c.data)
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

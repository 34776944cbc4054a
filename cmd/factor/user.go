package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/kangbyounggwan/factor/cmd/factor/app"
	"github.com/kangbyounggwan/factor/internal/server/account"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"golang.org/x/term"
)

type userAddCommand struct {
	dataFlag
	passwordFlag
	Email string `required:"" placeholder:"E-MAIL" help:"E-mail address to sign in with."`
	Name  string `required:"" help:"User name that others see."`
	Admin bool   `help:"May administer the server."`
}

func (c *userAddCommand) Run(ctx context.Context, s *streams) error {
	password, err := c.read(s)
	if err != nil {
		return err
	}
	return c.with(ctx, s, func(ctx context.Context, p *app.People) error {
		user, err := p.Accounts.AddUser(ctx, c.Email, c.Name, password, c.Admin)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, s.say("Made the account %s (%s).\n", "계정을 만들었습니다: %s (%s)\n"), user.Email, user.Name)
		return err
	})
}

type userListCommand struct {
	dataFlag
	JSON bool `name:"json" help:"Print JSON, an account a line."`
}

const listPage = 500

func (c *userListCommand) Run(ctx context.Context, s *streams) error {
	return c.with(ctx, s, func(ctx context.Context, p *app.People) error {
		for after := ""; ; {
			page, err := p.Accounts.ListUsers(ctx, "", after, listPage)
			if err != nil {
				return err
			}
			for _, u := range page.Items {
				if err := c.print(s, u); err != nil {
					return err
				}
			}
			if after = page.Next; after == "" {
				return nil
			}
		}
	})
}

func (c *userListCommand) print(s *streams, u account.AdminUser) error {
	if c.JSON {
		return json.NewEncoder(s.out).Encode(u)
	}
	var notes []string
	if u.Admin {
		notes = append(notes, s.say("administrator", "관리자"))
	}
	if u.Disabled {
		notes = append(notes, s.say("disabled", "사용 중지"))
	}
	_, err := fmt.Fprintf(s.out, "%s\t%s\t%s\n", u.Email, u.Name, strings.Join(notes, ", "))
	return err
}

type userPasswordCommand struct {
	dataFlag
	passwordFlag
	Email string `required:"" placeholder:"E-MAIL" help:"Whose password it is."`
}

func (c *userPasswordCommand) Run(ctx context.Context, s *streams) error {
	password, err := c.read(s)
	if err != nil {
		return err
	}
	return c.with(ctx, s, func(ctx context.Context, p *app.People) error {
		user, err := p.Accounts.SetPassword(ctx, c.Email, password)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, s.say("%s has a new password.\n", "%s의 비밀번호를 바꿨습니다.\n"), user.Email)
		return err
	})
}

type userAdminCommand struct {
	dataFlag
	Email string `required:"" placeholder:"E-MAIL" help:"Whose account it is."`
	Off   bool   `help:"Take the right away instead."`
}

func (c *userAdminCommand) Run(ctx context.Context, s *streams) error {
	return c.with(ctx, s, func(ctx context.Context, p *app.People) error {
		id, err := p.Accounts.UserID(ctx, c.Email)
		if err != nil {
			return err
		}
		admin := !c.Off
		system, _ := workspace.ActorFrom(ctx)
		user, err := p.Accounts.SetUser(ctx, system, id, &admin, nil)
		if err != nil {
			return err
		}
		text := s.say("%s is an administrator now.\n", "%s은(는) 이제 관리자입니다.\n")
		if c.Off {
			text = s.say("%s is no administrator any more.\n", "%s은(는) 더 이상 관리자가 아닙니다.\n")
		}
		_, err = fmt.Fprintf(s.out, text, user.Email)
		return err
	})
}

// passwordFlag is a password that never stands on a command line, where others could read it.
type passwordFlag struct {
	PasswordStdin bool `name:"password-stdin" help:"Read the password from standard input, up to the end of the line."`
}

const maxPasswordBytes = 4096

// read takes the password from standard input: by --password-stdin as it comes, else from a person, twice and unseen.
func (f passwordFlag) read(s *streams) (string, error) {
	if f.PasswordStdin {
		line, err := bufio.NewReader(io.LimitReader(s.in, maxPasswordBytes)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the password: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	file, ok := s.in.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return "", errors.New(s.say("there is no terminal to ask for a password: use --password-stdin", "비밀번호를 물어볼 터미널이 없습니다. --password-stdin을 사용하세요"))
	}
	first, err := ask(s, file, s.say("Password: ", "비밀번호: "))
	if err != nil {
		return "", err
	}
	second, err := ask(s, file, s.say("Once more: ", "한 번 더: "))
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New(s.say("the two passwords differ", "두 비밀번호가 다릅니다"))
	}
	return first, nil
}

func ask(s *streams, file *os.File, prompt string) (string, error) {
	fmt.Fprint(s.err, prompt)
	typed, err := term.ReadPassword(int(file.Fd()))
	fmt.Fprintln(s.err)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return string(typed), nil
}

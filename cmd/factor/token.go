package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/kangbyounggwan/factor/cmd/factor/app"
)

type tokenAddCommand struct {
	dataFlag
	Email string `required:"" placeholder:"E-MAIL" help:"Whose token it is."`
	Name  string `required:"" help:"What it is for."`
	Days  int    `placeholder:"N" help:"It ends after so many days; without this, never."`
}

func (c *tokenAddCommand) Run(ctx context.Context, s *streams) error {
	var expires *time.Time
	if c.Days < 0 {
		return fmt.Errorf("--days: must be at least 1, not %d", c.Days)
	}
	if c.Days > 0 {
		end := time.Now().AddDate(0, 0, c.Days)
		expires = &end
	}
	return c.with(ctx, s, func(ctx context.Context, p *app.People) error {
		token, err := p.Accounts.AddToken(ctx, c.Email, c.Name, expires)
		if err != nil {
			return err
		}
		fmt.Fprintln(s.err, s.say("Keep it like a password; it is shown only this once:", "비밀번호처럼 보관하세요. 지금 한 번만 보입니다:"))
		_, err = fmt.Fprintln(s.out, token)
		return err
	})
}

type tokenListCommand struct {
	dataFlag
	Email string `required:"" placeholder:"E-MAIL" help:"Whose tokens they are."`
	JSON  bool   `name:"json" help:"Print JSON, a token a line."`
}

func (c *tokenListCommand) Run(ctx context.Context, s *streams) error {
	return c.with(ctx, s, func(ctx context.Context, p *app.People) error {
		id, err := p.Accounts.UserID(ctx, c.Email)
		if err != nil {
			return err
		}
		tokens, err := p.Accounts.ListTokens(ctx, id)
		if err != nil {
			return err
		}
		for _, t := range tokens {
			if c.JSON {
				err = json.NewEncoder(s.out).Encode(t)
			} else {
				used := s.say("never used", "사용한 적 없음")
				if t.LastUsedAt != nil {
					used = t.LastUsedAt.Local().Format(time.DateTime)
				}
				_, err = fmt.Fprintf(s.out, "%s\t%s\t%s…\t%s\n", t.ID, t.Name, t.Prefix, used)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

type tokenRemoveCommand struct {
	dataFlag
	Email string `required:"" placeholder:"E-MAIL" help:"Whose token it is."`
	ID    string `arg:"" help:"Its id, as the list shows it."`
}

func (c *tokenRemoveCommand) Run(ctx context.Context, s *streams) error {
	return c.with(ctx, s, func(ctx context.Context, p *app.People) error {
		id, err := p.Accounts.UserID(ctx, c.Email)
		if err != nil {
			return err
		}
		if err := p.Accounts.DeleteToken(ctx, id, c.ID); err != nil {
			return err
		}
		_, err = fmt.Fprintln(s.out, s.say("The token is ended.", "토큰을 없앴습니다."))
		return err
	})
}

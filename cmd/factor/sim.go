package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"time"

	"github.com/kangbyounggwan/factor/cmd/factor/app"
	"github.com/kangbyounggwan/factor/internal/sim"
)

type simCommand struct {
	dataFlag
	N      int     `short:"n" default:"10" help:"How many printers."`
	Server string  `placeholder:"URL" help:"The server they belong to: if not given, the one that serves --data now, else http://127.0.0.1:8080."`
	Token  string  `env:"FACTOR_TOKEN" placeholder:"fct_…" help:"API token of the account that shall own them."`
	Email  string  `placeholder:"E-MAIL" help:"Instead of a token: the account, when the server's data folder is on this machine."`
	CA     string  `name:"ca" placeholder:"FILE" help:"Certificate authority of the server. Not needed on this machine."`
	Speed  float64 `default:"1" help:"How much faster than real their lives go."`
	Seed   uint64  `default:"1" help:"Another seed makes other printers."`
	Remove bool    `help:"Take the printers of this seed out of the account again, and end."`
}

// Run has the fleet live until ctx ends.
func (c *simCommand) Run(ctx context.Context, s *streams) error {
	fleet := &sim.Fleet{Server: c.server(), Token: c.Token, N: c.N, Speed: c.Speed, Seed: c.Seed, Log: slog.New(slog.NewTextHandler(s.err, nil))}
	if c.CA != "" {
		pem, err := os.ReadFile(c.CA)
		if err != nil {
			return fmt.Errorf("--ca: %w", err)
		}
		fleet.CA = pem
	}
	if c.Token == "" {
		if c.Email == "" {
			return errors.New(s.say("--token says whose printers they are, or --email on the server's own machine",
				"누구의 프린터인지 --token으로, 서버와 같은 컴퓨터라면 --email로 지정하세요"))
		}
		end, err := c.ownToken(ctx, s, fleet)
		if err != nil {
			return err
		}
		defer end()
	}
	if c.Remove {
		return fleet.Remove(ctx)
	}
	err := fleet.Run(ctx)
	if ctx.Err() != nil {
		fmt.Fprintln(s.out, s.say("The printers are offline now. `--remove` takes them out of the account.",
			"프린터가 오프라인이 되었습니다. `--remove`로 계정에서 없앨 수 있습니다."))
		return nil
	}
	return err
}

// server gives the address of the server.
func (c *simCommand) server() string {
	if c.Server != "" {
		return c.Server
	}
	if run, ok := app.Running(c.Data); ok && run.HTTP != "" {
		if at, err := netip.ParseAddrPort(run.HTTP); err == nil && at.Addr().IsUnspecified() {
			return fmt.Sprintf("http://127.0.0.1:%d", at.Port())
		}
		return "http://" + run.HTTP
	}
	return "http://127.0.0.1:8080"
}

// ownToken makes a token for this run. The returned function ends it.
func (c *simCommand) ownToken(ctx context.Context, s *streams, fleet *sim.Fleet) (end func(), err error) {
	const name = "factor sim"
	expires := time.Now().Add(7 * 24 * time.Hour)
	err = c.with(ctx, s, func(ctx context.Context, p *app.People) (err error) {
		fleet.Token, err = p.Accounts.AddToken(ctx, c.Email, name, &expires)
		return err
	})
	if err != nil {
		return nil, err
	}
	return func() {
		// ctx has ended by now; the token must go all the same.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err := c.with(ctx, s, func(ctx context.Context, p *app.People) error {
			id, err := p.Accounts.UserID(ctx, c.Email)
			if err != nil {
				return err
			}
			tokens, err := p.Accounts.ListTokens(ctx, id)
			if err != nil {
				return err
			}
			for _, t := range tokens {
				if t.Name == name && len(t.Prefix) > 0 && len(fleet.Token) >= len(t.Prefix) && fleet.Token[:len(t.Prefix)] == t.Prefix {
					return p.Accounts.DeleteToken(ctx, id, t.ID)
				}
			}
			return nil
		})
		if err != nil {
			fleet.Log.Error("the token of this run could not be ended; it expires by itself", "error", err)
		}
	}, nil
}

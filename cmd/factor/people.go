package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/kangbyounggwan/factor/cmd/factor/app"
	"github.com/kangbyounggwan/factor/internal/server/config"
	"github.com/kangbyounggwan/factor/internal/server/store"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// dataFlag is the one setting that commands beside the server need.
type dataFlag struct {
	Data string `name:"data" env:"FACTOR_DATA" default:"./data" placeholder:"DIR" help:"The server's data folder."`
}

// with opens the accounts of the data folder for do. The server may be running: both use the same database, and it
// notices within seconds what changed.
func (d dataFlag) with(ctx context.Context, s *streams, do func(ctx context.Context, p *app.People) error) error {
	if run, running := app.Running(d.Data); running {
		if run.Version != version {
			return fmt.Errorf(s.say("the server that runs on %s is FACTOR %s, this program is %s. Use the same program, or stop the server first",
				"%s에서 실행 중인 서버는 FACTOR %s이고 이 프로그램은 %s입니다. 같은 프로그램을 쓰거나 서버를 먼저 멈추세요"), d.Data, run.Version, version)
		}
	} else if _, err := os.Stat(filepath.Join(d.Data, store.MainFile)); err != nil {
		// A typing mistake must not make a new, empty server in a wrong place without a word.
		fmt.Fprintf(s.err, s.say("There is no FACTOR in %s yet; it is made now.\n", "%s에 아직 FACTOR가 없어 새로 만듭니다.\n"), d.Data)
	}
	if err := app.MakeFolder(d.Data); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	people, err := app.OpenPeople(ctx, &config.Settings{Data: d.Data, AuditDays: 365}, log, nil)
	if err != nil {
		return err
	}
	ctx = workspace.WithActor(ctx, workspace.Actor{Name: "factor", Via: workspace.ViaSystem})
	err = do(ctx, people)
	if closing := people.Close(); err == nil {
		err = closing
	}
	return err
}

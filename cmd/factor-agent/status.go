package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/folder"
	"github.com/kangbyounggwan/factor/internal/agent/local"
	"github.com/kangbyounggwan/factor/internal/line"
)

type statusCommand struct {
	dataOption
	JSON bool `name:"json" env:"FACTOR_AGENT_JSON" help:"Print JSON."`
}

func statusLine(s *streams) *line.Command {
	c := &statusCommand{}
	return &line.Command{Name: "status", Help: "Tell how the agent of a data folder is.", Options: c, Run: func() error { return c.run(s) }}
}

func (c *statusCommand) run(s *streams) error {
	f := &folder.Folder{Path: c.Data}
	status, err := local.Ask(c.Data)
	if errors.Is(err, local.ErrNotRegistered) {
		err = folder.ErrNotEnrolled
	}
	if errors.Is(err, local.ErrNotRunning) {
		config, broken := f.Config()
		if broken != nil {
			return broken
		}
		if c.JSON {
			json.NewEncoder(s.out).Encode(map[string]any{"running": false, "uuid": config.UUID, "name": config.Name, "server": map[string]string{"url": config.Server}})
		} else {
			fmt.Fprintf(s.out, s.words.notRunning+"\n", config.Name, config.UUID, config.Server, c.Data)
		}
		return exit(exitNotRunning)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			Running bool `json:"running"`
			*local.Status
		}{true, status})
	}
	s.words.printStatus(s.out, status, time.Now())
	return nil
}

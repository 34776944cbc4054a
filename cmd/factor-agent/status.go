package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/folder"
	"github.com/kangbyounggwan/factor/internal/agent/local"
)

type statusCommand struct {
	data string
	json bool
}

func statusLine(s *streams) *command {
	c := &statusCommand{data: defaultData}
	return &command{
		name: "status", help: "Tell how the agent of a data folder is.",
		options: []option{
			dataOption(&c.data),
			{name: "json", on: &c.json, help: "Print JSON."},
		},
		run: func() error { return c.run(s) },
	}
}

func (c *statusCommand) run(s *streams) error {
	f := &folder.Folder{Path: c.data}
	status, err := local.Ask(c.data)
	if errors.Is(err, local.ErrNotRegistered) {
		err = folder.ErrNotEnrolled
	}
	if errors.Is(err, local.ErrNotRunning) {
		config, broken := f.Config()
		if broken != nil {
			return broken
		}
		if c.json {
			json.NewEncoder(s.out).Encode(map[string]any{"running": false, "uuid": config.UUID, "name": config.Name, "server": map[string]string{"url": config.Server}})
		} else {
			fmt.Fprintf(s.out, s.words.notRunning+"\n", config.Name, config.UUID, config.Server, c.data)
		}
		return exit(exitNotRunning)
	}
	if err != nil {
		return err
	}
	if c.json {
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

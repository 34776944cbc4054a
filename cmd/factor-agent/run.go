package main

import (
	"context"
	"io"
	"log/slog"

	"github.com/kangbyounggwan/factor/internal/agent"
	"github.com/kangbyounggwan/factor/internal/agent/folder"
)

type runCommand struct {
	Data       string `help:"Folder for what the agent keeps." default:"./agent-data"`
	StdinWatch bool   `help:"End when standard input is closed, that is, with the program that started this one."`
	LogLevel   string `help:"What to log: debug, info, warn or error." enum:"debug,info,warn,error" default:"info"`
}

func (c *runCommand) Run(ctx context.Context, s *streams) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return err
	}
	f, err := folder.Open(c.Data)
	if err != nil {
		return err
	}
	unlock, err := f.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	a := &agent.Agent{Folder: f, Version: version, Log: slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: level})}
	defer a.Close()
	if err := a.Initialize(); err != nil {
		return err
	}
	if c.StdinWatch {
		go func() { // ends with the process: a read of standard input cannot be broken off
			io.Copy(io.Discard, s.in)
			cancel()
		}()
	}
	return a.Run(ctx)
}

package main

import (
	"context"
	"io"
	"log/slog"
	"os"

	"github.com/kangbyounggwan/factor/internal/agent"
	"github.com/kangbyounggwan/factor/internal/agent/camera"
	"github.com/kangbyounggwan/factor/internal/agent/folder"
	"github.com/kangbyounggwan/factor/internal/agent/local"
)

type runCommand struct {
	Data       string `help:"Folder for what the agent keeps." default:"./agent-data"`
	StdinWatch bool   `help:"End when standard input is closed, that is, with the program that started this one."`
	// With one of these another program is expected to bring what is missing, so a folder without a registration is fine.
	Socket   string `help:"Serve the local API on this Unix socket, and wait for a registration if there is none." xor:"where"`
	Listen   string `help:"The same on a loopback address, such as 127.0.0.1:0: port and secret are written to local.json." xor:"where"`
	LogLevel string `help:"What to log: debug, info, warn or error." enum:"debug,info,warn,error" default:"info"`
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
	if c.StdinWatch {
		go func() { // ends with the process: a read of standard input cannot be broken off
			io.Copy(io.Discard, s.in)
			cancel()
		}()
	}
	look := camera.Look
	if program, err := os.Executable(); err == nil {
		look = camera.Apart(program)
	}
	a := &agent.Service{Folder: f, Version: version, Log: slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: level}),
		Where: local.Where{Socket: c.Socket, Listen: c.Listen}, Companion: c.Socket != "" || c.Listen != "", Look: look}
	return a.Run(ctx)
}

// lookCommand is what the running agent starts to look at a camera: see package camera.
type lookCommand struct{}

func (lookCommand) Run(ctx context.Context, s *streams) error { return camera.Child(ctx, s.in, s.out) }

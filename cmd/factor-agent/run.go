package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent"
	"github.com/kangbyounggwan/factor/internal/agent/camera"
	"github.com/kangbyounggwan/factor/internal/agent/camera/discover"
	"github.com/kangbyounggwan/factor/internal/agent/camera/publish"
	"github.com/kangbyounggwan/factor/internal/agent/folder"
	"github.com/kangbyounggwan/factor/internal/agent/local"
	"github.com/kangbyounggwan/factor/internal/line"
)

// dataOption is what every command but one has.
type dataOption struct {
	Data string `name:"data" env:"FACTOR_AGENT_DATA" default:"./agent-data" placeholder:"FOLDER" help:"Folder for what the agent keeps."`
}

// runCommand serves a printer. With Socket or Listen another program is expected to bring what is missing.
type runCommand struct {
	dataOption
	StdinWatch bool   `name:"stdin-watch" env:"FACTOR_AGENT_STDIN_WATCH" help:"End when standard input is closed, that is, with the program that started this one."`
	Socket     string `name:"socket" env:"FACTOR_AGENT_SOCKET" placeholder:"PATH" help:"Serve the local API on this Unix socket, and wait for a registration if there is none."`
	Listen     string `name:"listen" env:"FACTOR_AGENT_LISTEN" instead:"socket" placeholder:"ADDRESS" help:"The same on a loopback address, such as 127.0.0.1:0: port and secret are written to local.json."`
	LogLevel   string `name:"log-level" env:"FACTOR_AGENT_LOG_LEVEL" default:"info" enum:"debug,info,warn,error" help:"What to log: debug, info, warn or error."`
}

// begun is when an agent has done all that it does but once.
const begun = time.Minute

func runLine(ctx context.Context, s *streams) *line.Command {
	c := &runCommand{}
	return &line.Command{Name: "run", Help: "Serve the printer of a data folder until ended.", Options: c, Run: func() error { return c.run(ctx, s) }}
}

func (c *runCommand) run(ctx context.Context, s *streams) error {
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
	program, err := os.Executable()
	if err == nil {
		look = camera.Apart(program)
	}
	log := slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: level})
	lighten := func() {
		if err := settle(); err != nil {
			slog.New(log).Debug("what only the start needed stays in memory", "error", err)
		}
	}
	lighten()
	defer time.AfterFunc(begun, lighten).Stop()
	a := &agent.Service{Folder: f, Version: version, Log: log,
		Where: local.Where{Socket: c.Socket, Listen: c.Listen}, Companion: c.Socket != "" || c.Listen != "", Look: look, Program: program}
	return a.Run(ctx)
}

// lookLine is what the running agent starts to look at a camera: see package camera.
func lookLine(ctx context.Context, s *streams) *line.Command {
	return &line.Command{Name: camera.Command, Hidden: true, Run: func() error { return camera.Child(ctx, s.in, s.out) }}
}

// findLine is what the running agent starts when its owner looks for cameras: see package discover.
func findLine(ctx context.Context, s *streams) *line.Command {
	return &line.Command{Name: discover.Command, Hidden: true, Run: func() error { return discover.Child(ctx, s.out) }}
}

// publishLine is what the running agent starts for a camera that somebody looks at: see package publish.
func publishLine(ctx context.Context, s *streams) *line.Command {
	return &line.Command{Name: publish.Command, Hidden: true, Run: func() error { return publish.Child(ctx, s.in, s.out) }}
}

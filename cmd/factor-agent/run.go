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
)

type runCommand struct {
	data           string
	stdinWatch     bool
	socket, listen string // with one of them another program is expected to bring what is missing
	logLevel       string
}

// begun is when an agent has done all that it does but once.
const begun = time.Minute

// defaultData is where the agent keeps what it has to, when nothing else is said.
const defaultData = "./agent-data"

func dataOption(value *string) option {
	return option{name: "data", value: value, help: "Folder for what the agent keeps."}
}

func runLine(ctx context.Context, s *streams) *command {
	c := &runCommand{data: defaultData, logLevel: "info"}
	return &command{
		name: "run", help: "Serve the printer of a data folder until ended.",
		options: []option{
			dataOption(&c.data),
			{name: "stdin-watch", on: &c.stdinWatch, help: "End when standard input is closed, that is, with the program that started this one."},
			{name: "socket", value: &c.socket, help: "Serve the local API on this Unix socket, and wait for a registration if there is none."},
			{name: "listen", value: &c.listen, help: "The same on a loopback address, such as 127.0.0.1:0: port and secret are written to local.json."},
			{name: "log-level", value: &c.logLevel, oneOf: []string{"debug", "info", "warn", "error"}, help: "What to log: debug, info, warn or error."},
		},
		rivals: [][]string{{"socket", "listen"}},
		run:    func() error { return c.run(ctx, s) },
	}
}

func (c *runCommand) run(ctx context.Context, s *streams) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.logLevel)); err != nil {
		return err
	}
	f, err := folder.Open(c.data)
	if err != nil {
		return err
	}
	unlock, err := f.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	if c.stdinWatch {
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
		Where: local.Where{Socket: c.socket, Listen: c.listen}, Companion: c.socket != "" || c.listen != "", Look: look, Program: program}
	return a.Run(ctx)
}

// lookLine is what the running agent starts to look at a camera: see package camera.
func lookLine(ctx context.Context, s *streams) *command {
	return &command{name: camera.Command, hidden: true, run: func() error { return camera.Child(ctx, s.in, s.out) }}
}

// findLine is what the running agent starts when its owner looks for cameras: see package discover.
func findLine(ctx context.Context, s *streams) *command {
	return &command{name: discover.Command, hidden: true, run: func() error { return discover.Child(ctx, s.out) }}
}

// publishLine is what the running agent starts for a camera that somebody looks at: see package publish.
func publishLine(ctx context.Context, s *streams) *command {
	return &command{name: publish.Command, hidden: true, run: func() error { return publish.Child(ctx, s.in, s.out) }}
}

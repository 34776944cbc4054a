package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"net"
	"net/http"
	"time"

	"github.com/kangbyounggwan/factor/internal/sim"
)

type simCameraCommand struct {
	Listen  string `default:"127.0.0.1:8081" placeholder:"ADDRESS" help:"Where it answers."`
	Width   int    `default:"1280" help:"Pixels, 64 to 3840."`
	Height  int    `default:"720" help:"Pixels, 64 to 2160."`
	FPS     int    `name:"fps" default:"10" help:"Pictures a second, 1 to 60."`
	Quality int    `default:"75" help:"Of JPEG, 1 to 100."`
}

// Run serves a simulated camera until ctx ends.
func (c *simCameraCommand) Run(ctx context.Context, s *streams) error {
	for _, v := range []struct {
		name             string
		value, low, high int
	}{{"width", c.Width, 64, 3840}, {"height", c.Height, 64, 2160}, {"fps", c.FPS, 1, 60}, {"quality", c.Quality, 1, 100}} {
		if v.value < v.low || v.value > v.high {
			return fmt.Errorf("--%s: %d is not within %d to %d", v.name, v.value, v.low, v.high)
		}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	server := &http.Server{
		Handler:           &sim.Camera{Size: image.Pt(c.Width, c.Height), FPS: c.FPS, Quality: c.Quality},
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	fmt.Fprintf(s.out, "http://%s/?action=stream\n", l.Addr())
	end := context.AfterFunc(ctx, func() { server.Close() })
	defer end()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

package main

import (
	"context"
	"fmt"
	"time"
)

// memory measures what a connection adds to the resident memory of the gateway's process while each of them sends a
// snapshot a second.
func (s *settings) memory(ctx context.Context) error {
	n := max(s.conns, 5000)
	fmt.Printf("memory: %d connections, a snapshot of 2.0 KB a second each\n", n)
	for _, secure := range []bool{false, true} {
		if err := s.memoryOf(ctx, n, secure); err != nil {
			return err
		}
	}
	return nil
}

func (s *settings) memoryOf(ctx context.Context, n int, secure bool) error {
	server, at, err := startGateway(ctx, "decode")
	if err != nil {
		return err
	}
	defer server.Close()
	before, err := server.resident()
	if err != nil {
		return err
	}
	o := order{Addr: at.Plain, TLS: secure, Devices: devices(n, "any")}
	name := "plain"
	if secure {
		o.Addr, name = at.TLS, "TLS"
	}
	load, err := startLoad(ctx, o)
	if err != nil {
		return err
	}
	defer load.Close()
	var t tally
	if err := load.ask(command{n}, &t); err != nil {
		return err
	}
	time.Sleep(max(s.seconds, 10*time.Second))
	after, err := server.resident()
	if err != nil {
		return err
	}
	if err := load.ask(command{0}, &t); err != nil {
		return err
	}
	if t.Error != "" {
		return fmt.Errorf("load: %s", t.Error)
	}
	fmt.Printf("%12s  %6.1f KB a connection (%.0f MB before, %.0f MB with them; %d messages)\n", name,
		float64(after-before)/float64(n)/1024, float64(before)/(1<<20), float64(after)/(1<<20), t.Sent)
	return nil
}

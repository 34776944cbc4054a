package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// route compares the gateway with Mosquitto: both take the messages and pass each on to one subscriber.
func (s *settings) route(ctx context.Context) error {
	fmt.Printf("route: %d connections, snapshots of 2.0 KB, one subscriber to all of them; server on one CPU\n", s.conns)
	ours, err := s.gatewayFigures(ctx, "route")
	if err != nil {
		return err
	}
	theirs, err := s.mosquittoFigures(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%12s  %28s  %28s  %s\n", "offered/s", "gateway", "mosquitto", "messages per CPU second")
	for i := range ours {
		fmt.Printf("%12d  %8.0f/s %6.2f µs a message", ours[i].offered, ours[i].rate, ours[i].cpu)
		if theirs != nil {
			fmt.Printf("  %8.0f/s %6.2f µs a message  gateway/mosquitto = %.2f", theirs[i].rate, theirs[i].cpu,
				ours[i].perCPUSecond()/theirs[i].perCPUSecond())
		}
		fmt.Println()
	}
	return nil
}

// decode measures the gateway with the decoding of every snapshot.
func (s *settings) decode(ctx context.Context) error {
	fmt.Printf("decode: %d connections, gateway and decoding; server on one CPU\n", s.conns)
	figures, err := s.gatewayFigures(ctx, "decode")
	for _, f := range figures {
		fmt.Printf("%12d  %8.0f/s %6.2f µs a message = %.0f a CPU second\n", f.offered, f.rate, f.cpu, f.perCPUSecond())
	}
	return err
}

func (s *settings) gatewayFigures(ctx context.Context, do string) ([]figure, error) {
	server, at, err := startGateway(ctx, do)
	if err != nil {
		return nil, err
	}
	defer server.Close()
	o := order{Addr: at.Plain, Devices: devices(s.conns, "any")}
	through := inServer(server)
	if do == "route" {
		o.Subscribe, through = at.Outlet, atSubscriber
	}
	load, err := startLoad(ctx, o)
	if err != nil {
		return nil, err
	}
	defer load.Close()
	return s.each(load, server, through)
}

func (s *settings) each(load, server *process, through func(tally) (int64, error)) (figures []figure, err error) {
	for _, rate := range s.rates {
		f, err := s.measure(load, server, rate, through)
		if err != nil {
			return figures, err
		}
		figures = append(figures, f)
	}
	return figures, nil
}

// mosquittoFigures measures Debian's Mosquitto, or nothing if it is not there.
func (s *settings) mosquittoFigures(ctx context.Context) ([]figure, error) {
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		if path, err = exec.LookPath("/usr/sbin/mosquitto"); err != nil {
			fmt.Println("mosquitto is not there: apt-get install mosquitto")
			return nil, nil
		}
	}
	dir, done, err := scratch()
	if err != nil {
		return nil, err
	}
	defer done()
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(addr)
	// Its queue is left as wide as it needs: it is to be measured, not to drop.
	conf := "listener " + port + " 127.0.0.1\nallow_anonymous true\npersistence false\nlog_type none\nmax_queued_messages 0\nset_tcp_nodelay false\n"
	file := filepath.Join(dir, "mosquitto.conf")
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		return nil, err
	}
	server, err := start(ctx, serverCPU, nil, path, "-c", file)
	if err != nil {
		return nil, err
	}
	defer server.Close()
	if err := answersAt(ctx, addr); err != nil {
		return nil, err
	}
	load, err := startLoad(ctx, order{Addr: addr, Devices: devices(s.conns, ""), Subscribe: addr, Broker: true})
	if err != nil {
		return nil, err
	}
	defer load.Close()
	return s.each(load, server, atSubscriber)
}

// freeAddress finds a free port for a program that cannot take one by itself.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// answersAt waits until something listens.
func answersAt(ctx context.Context, addr string) error {
	for range 200 {
		if c, err := net.Dial("tcp", addr); err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return fmt.Errorf("nothing listens at %s", addr)
}

package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// figure is what came of one run.
type figure struct {
	rate    float64 // messages that came through, a second
	cpu     float64 // µs of CPU a message
	offered int
}

// perCPUSecond is how many messages one second of CPU takes.
func (f figure) perCPUSecond() float64 { return 1e6 / f.cpu }

// measure loads a server at a rate and looks at what it did meanwhile. through counts the messages that came through.
func (s *settings) measure(load, server *process, rate int, through func(tally) (int64, error)) (figure, error) {
	look := func() (n int64, cpu time.Duration, at time.Time, err error) {
		var t tally
		if err = load.ask(command{rate}, &t); err != nil {
			return
		}
		if t.Error != "" {
			return 0, 0, at, fmt.Errorf("load: %s", t.Error)
		}
		if n, err = through(t); err != nil {
			return
		}
		cpu, err = server.cpu()
		return n, cpu, time.Now(), err
	}
	if _, _, _, err := look(); err != nil { // it begins
		return figure{}, err
	}
	time.Sleep(s.settle)
	n0, cpu0, at0, err := look()
	if err != nil {
		return figure{}, err
	}
	time.Sleep(s.seconds)
	n1, cpu1, at1, err := look()
	if err != nil {
		return figure{}, err
	}
	var t tally
	if err := load.ask(command{0}, &t); err != nil {
		return figure{}, err
	}
	if n1 == n0 {
		return figure{}, fmt.Errorf("no message came through")
	}
	n := float64(n1 - n0)
	return figure{rate: n / at1.Sub(at0).Seconds(), cpu: float64((cpu1 - cpu0).Microseconds()) / n, offered: rate}, nil
}

func atSubscriber(t tally) (int64, error) { return t.Received, nil }

// inServer counts by the serving process itself.
func inServer(p *process) func(tally) (int64, error) {
	return func(tally) (int64, error) {
		var c count
		err := p.ask("count", &c)
		return c.Messages, err
	}
}

// startLoad starts the load process and has it connect.
func startLoad(ctx context.Context, o order) (*process, error) {
	p, err := startSelf(ctx, loadCPU, "load")
	if err != nil {
		return nil, err
	}
	var t tally
	if err := p.ask(o, &t); err != nil {
		p.Close()
		return nil, err
	}
	if t.Error != "" {
		p.Close()
		return nil, fmt.Errorf("load: %s", t.Error)
	}
	return p, nil
}

// devices makes devices up, with a token that a server which knows everybody takes.
func devices(n int, token string) []device {
	d := make([]device, n)
	for i := range d {
		d[i] = device{wire.NewUUID(), token}
	}
	return d
}

// startGateway starts the gateway alone.
func startGateway(ctx context.Context, do string) (*process, addresses, error) {
	var a addresses
	p, err := startSelf(ctx, serverCPU, "serve", "-do", do)
	if err == nil {
		if err = p.read(&a); err != nil {
			p.Close()
		}
	}
	return p, a, err
}

// scratch makes a temporary folder, which done removes.
func scratch() (dir string, done func(), err error) {
	dir, err = os.MkdirTemp("", "factor-ingest-")
	return dir, func() { os.RemoveAll(dir) }, err
}

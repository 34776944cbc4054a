// Ingest measures what a status message costs: messages per CPU second and memory per connection, beside Mosquitto
// routing the same messages in the same run.
//
//	go run ./bench/ingest                 # everything, with bin/factor if `make build` has made it
//	go run ./bench/ingest -mode route     # the gateway alone, forwarding to one subscriber, beside Mosquitto
//	go run ./bench/ingest -mode decode    # the gateway and the decoding of each snapshot
//	go run ./bench/ingest -mode full      # bin/factor: log-in, gateway, twin, history, push, printers made over the API
//	go run ./bench/ingest -mode memory    # bytes a connection, plain and TLS
//
// The server under test runs as its own process, held to one CPU (taskset) and, if it is ours, to GOMAXPROCS=1. The
// load comes from another process on another CPU: -conns connections over eight loopback addresses, each sending
// snapshots of 2.0 KB at QoS 0. CPU time is what /proc says of the server's process over -seconds of steady load; a
// message counts when it has come through: at the subscriber (route), or in the server's own count (decode, full).
// Mosquitto is Debian's package, started on a free port with a configuration of its own.
//
// Needs Linux, taskset, and for the comparison mosquitto. Everything it starts it ends, and its files are in a
// temporary folder. Other programs that use the CPUs meanwhile make the figures worse, never better.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// settings are the flags.
type settings struct {
	mode    string
	conns   int
	rates   []int         // messages a second, all connections together
	settle  time.Duration // before it is measured
	seconds time.Duration
	factor  string
	fleet   int
}

func main() {
	log.SetFlags(0)
	if len(os.Args) > 1 {
		switch os.Args[1] { // the processes that it starts of itself
		case "serve":
			serve(os.Args[2:])
			return
		case "load":
			runLoad()
			return
		}
	}
	s := settings{settle: 2 * time.Second}
	var rates string
	flag.StringVar(&s.mode, "mode", "all", "route, decode, full, memory or all")
	flag.IntVar(&s.conns, "conns", 1000, "connections")
	flag.StringVar(&rates, "rates", "10000,20000,40000", "messages a second of all connections together, one run each")
	flag.DurationVar(&s.seconds, "seconds", 6*time.Second, "steady load that is measured")
	flag.StringVar(&s.factor, "factor", "bin/factor", "the real server, for -mode full")
	flag.IntVar(&s.fleet, "printers", 15_000, "printers of -mode full")
	flag.Parse()
	for _, r := range strings.Split(rates, ",") {
		n, err := strconv.Atoi(r)
		if err != nil || n <= 0 {
			log.Fatalf("-rates: %q is no number of messages", r)
		}
		s.rates = append(s.rates, n)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := s.run(ctx); err != nil {
		stop()
		log.Fatal(err)
	}
}

// run does the parts that -mode names.
func (s *settings) run(ctx context.Context) error {
	parts := []struct {
		name string
		run  func(context.Context) error
	}{{"route", s.route}, {"decode", s.decode}, {"full", s.full}, {"memory", s.memory}}
	known := s.mode == "all"
	for _, p := range parts {
		if s.mode != "all" && s.mode != p.name {
			continue
		}
		known = true
		if p.name == "full" && s.mode == "all" {
			if _, err := os.Stat(s.factor); err != nil {
				fmt.Printf("full: left out, there is no %s (make build)\n\n", s.factor)
				continue
			}
		}
		if err := p.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		fmt.Println()
	}
	if !known {
		return fmt.Errorf("-mode %q is none", s.mode)
	}
	return nil
}

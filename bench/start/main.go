// Start measures what it takes to run the server and to open its first page: time to ready on an existing database,
// memory when idle, size of the program, weight of the pages' JavaScript.
//
//	make release && go run ./bench/start [-factor bin/factor] [-starts 10] [-printers 50]
//
// Goals: ready within 300 ms, at most 40 MB resident when idle, a program of at most 60 MB with the four Linux agents
// inside (`make release`), at most 150 KB of JavaScript, gzipped, for the landing page and for the dashboard.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"maps"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/kangbyounggwan/factor/bench/rig"
	"github.com/kangbyounggwan/factor/internal/wire"
)

const (
	readyGoal  = 300 * time.Millisecond
	rssGoal    = 40 << 20
	binaryGoal = 60_000_000
	scriptGoal = 150 << 10

	idleAfter = 15 * time.Second // the server gives back what only its start needed
)

func main() {
	log.SetFlags(0)
	program := flag.String("factor", "bin/factor", "the program")
	starts := flag.Int("starts", 10, "starts to measure")
	printers := flag.Int("printers", 50, "printers in the database")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *program, *starts, *printers); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, program string, starts, printers int) error {
	data, err := os.MkdirTemp("", "factor-bench-start-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	first, err := fill(ctx, program, data, printers)
	if err != nil {
		return err
	}
	var ready []time.Duration
	for range starts {
		s, err := rig.Start(ctx, program, data)
		if err != nil {
			return err
		}
		ready = append(ready, s.Ready)
		if err := s.Stop(); err != nil {
			return err
		}
	}
	slices.Sort(ready)
	slowest, median := ready[len(ready)-1], ready[len(ready)/2]
	fmt.Printf("first start, new folder        %8s\n", first.Round(time.Millisecond))
	fmt.Printf("ready, existing database       %8s median of %d, %s slowest; goal %s: %s\n",
		median.Round(time.Millisecond), starts, slowest.Round(time.Millisecond), readyGoal, rig.Verdict(median <= readyGoal))

	s, err := rig.Start(ctx, program, data)
	if err != nil {
		return err
	}
	defer func() {
		if err := s.Stop(); err != nil {
			log.Print(err)
		}
	}()
	select {
	case <-time.After(idleAfter):
	case <-ctx.Done():
		return ctx.Err()
	}
	rss, err := s.RSS()
	if err != nil {
		return err
	}
	fmt.Printf("resident when idle             %5.1f MB; goal %d MB: %s\n", mb(rss), rssGoal>>20, rig.Verdict(rss <= rssGoal))
	info, err := os.Stat(program)
	if err != nil {
		return err
	}
	inside, err := platforms(ctx, s.URL)
	if err != nil {
		return err
	}
	if len(inside) == 4 {
		fmt.Printf("program with the agents        %5.1f MB; goal %d MB: %s\n", float64(info.Size())/1e6, binaryGoal/1_000_000, rig.Verdict(info.Size() <= binaryGoal))
	} else {
		fmt.Printf("program without the agents     %5.1f MB; the goal is for one with them: make release\n", float64(info.Size())/1e6)
	}
	for _, page := range []struct{ name, route string }{{"landing page", "/"}, {"dashboard", "/(app)/printers"}} {
		weight, err := weigh(ctx, s.URL, page.route)
		if err != nil {
			return err
		}
		fmt.Printf("JavaScript, %-18s %5.1f KB gzipped in %d files; goal %d KB: %s\n", page.name, float64(weight.bytes)/1024, weight.files,
			scriptGoal>>10, rig.Verdict(weight.bytes <= scriptGoal))
	}
	return nil
}

// fill makes a database with an account and printers in it.
func fill(ctx context.Context, program, data string, printers int) (first time.Duration, err error) {
	s, err := rig.Start(ctx, program, data)
	if err != nil {
		return 0, err
	}
	if err := s.Account(ctx); err != nil {
		return 0, err
	}
	for i := range printers {
		if _, err := s.Printer(ctx, wire.NewUUID(), fmt.Sprintf("Printer %d", i+1)); err != nil {
			return 0, err
		}
	}
	return s.Ready, s.Stop()
}

// platforms gives the agents that the server hands out.
func platforms(ctx context.Context, url string) ([]string, error) {
	text, _, err := fetch(ctx, url+"/plugin/version.json")
	if err != nil {
		return nil, err
	}
	var signed struct {
		Agents map[string]any `json:"agents"`
	}
	if err := json.Unmarshal([]byte(text), &signed); err != nil {
		return nil, fmt.Errorf("read the server's list of agents: %w", err)
	}
	return slices.Sorted(maps.Keys(signed.Agents)), nil
}

func mb(bytes int64) float64 { return float64(bytes) / (1 << 20) }

//go:build linux

// Printcost measures what a plugin costs the print: the gap between the lines that OctoPrint sends, its CPU time and that
// of the processes it started, and how late events come through its event bus. With no plugin, with ours, which reports to
// bin/factor, and with the published one, which reports to the same, one after the other.
//
//	go run ./bench/printcost [-factor bin/factor] [-moves 6800] [-files 1500] [-rounds 2]
//
// OctoPrint, and what it starts, is held to one core, which it shares with a busy loop; bin/factor is on the others. Goal:
// no difference between ours and no plugin.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"maps"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/kangbyounggwan/factor/bench/rig"
)

const (
	patience = 2 * time.Minute
	settle   = 15 * time.Second // after the start, until OctoPrint, plugin and agent do only what they always do
)

type settings struct {
	factor, octoprint, published string
	moves, files, rounds         int
	limit                        time.Duration
}

func main() {
	log.SetFlags(0)
	var s settings
	flag.StringVar(&s.factor, "factor", "bin/factor", "the server's program, its agent beside it or inside")
	flag.StringVar(&s.octoprint, "octoprint", ".run/octoprint-venv/bin/octoprint", "OctoPrint's program")
	flag.StringVar(&s.published, "published", ".cache/published-venv/bin/octoprint", "the same with the published plugin")
	flag.IntVar(&s.moves, "moves", 6800, "moves of the print")
	flag.IntVar(&s.files, "files", 1500, "files in OctoPrint's library")
	flag.IntVar(&s.rounds, "rounds", 2, "prints with each, to see what differs anyway")
	flag.DurationVar(&s.limit, "limit", 5*time.Minute, "of one print")
	only := flag.String("only", "", "one of the three, for a look at it: "+names())
	busy := flag.Bool("spin", false, "be the busy loop")
	flag.Parse()
	if *busy {
		spin()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *only != "" {
		variants = slices.DeleteFunc(variants, func(v variant) bool { return v.name != *only })
	}
	if err := run(ctx, s); err != nil {
		log.Fatal(err)
	}
}

func names() string {
	var all []string
	for _, v := range variants {
		all = append(all, v.name)
	}
	return strings.Join(all, ", ")
}

func run(ctx context.Context, s settings) error {
	data, err := os.MkdirTemp("", "factor-bench-printcost-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	core, err := leaveCore()
	if err != nil {
		return fmt.Errorf("keep a core free: %w", err)
	}
	server, err := rig.Start(ctx, s.factor, filepath.Join(data, "server"))
	if err != nil {
		return err
	}
	defer func() {
		if err := server.Stop(); err != nil {
			log.Print(err)
		}
	}()
	if err := server.Account(ctx); err != nil {
		return err
	}
	fmt.Printf("%d moves, %d files, core %d with a busy loop; load average at the start %s\n", s.moves, s.files, core, loadAverage())
	fmt.Printf("%-16s %7s  %-36s %-18s %-28s\n", "", "print s", "gap between lines ms p50 p90 p99 max", "CPU s, its agent's", "event late ms p50 p90 p99 max")
	for round := range s.rounds {
		for i, v := range variants {
			r, err := measure(ctx, s, v, server, filepath.Join(data, fmt.Sprintf("%d-%d", round, i)), core)
			if err != nil {
				return fmt.Errorf("%s: %w", v.name, err)
			}
			r.print(v.name)
		}
	}
	fmt.Printf("load average at the end %s\n", loadAverage())
	return nil
}

// measure prints once in an OctoPrint of its own.
func measure(ctx context.Context, s settings, v variant, server *rig.Server, folder string, core int) (*result, error) {
	if err := fill(folder, s.files, s.moves); err != nil {
		return nil, err
	}
	uuid, plugins := newUUID(), map[string]any{}
	if v.before != nil {
		block, err := v.before(ctx, server, folder, uuid)
		if err != nil {
			return nil, err
		}
		if block != nil {
			plugins[published] = block
		}
	}
	printer, err := rig.StartOctoPrint(ctx, rig.OctoPrintOptions{
		Program: v.program(s), Folder: folder, Under: pinned(core),
		Settings: map[string]any{"gcodeAnalysis": map[string]any{"runAt": "never"}, "plugins": plugins},
	})
	if err != nil {
		return nil, err
	}
	defer printer.Stop()
	if v.register != nil {
		if err := v.register(ctx, server, printer, uuid); err != nil {
			return nil, err
		}
	}
	if v.before != nil {
		if err := awaitOnline(ctx, server, uuid); err != nil {
			return nil, err
		}
	}
	// The first look at the library is dear, whoever takes it: not the print's cost.
	if err := printer.Call(ctx, http.MethodGet, "/api/files?recursive=true", nil, nil); err != nil {
		return nil, err
	}
	select {
	case <-time.After(settle):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	r, err := printAndMeasure(ctx, s.limit, printer, folder, core)
	if err == nil && len(r.Sent) < s.moves {
		err = fmt.Errorf("%d lines were sent for %d moves", len(r.Sent), s.moves)
	}
	if err == nil && v.before != nil {
		err = awaitJob(ctx, server, uuid)
	}
	return r, err
}

// printAndMeasure prints beside the busy loop.
func printAndMeasure(ctx context.Context, limit time.Duration, printer *rig.OctoPrint, folder string, core int) (*result, error) {
	ctx, stop := context.WithTimeout(ctx, limit)
	defer stop()
	free, err := keepBusy(core)
	if err != nil {
		return nil, err
	}
	defer free()
	before, err := cpuOf(printer.PID)
	if err != nil {
		return nil, err
	}
	if err := printer.Call(ctx, http.MethodPost, "/api/files/local/"+printName, map[string]any{"command": "select", "print": true}, nil); err != nil {
		return nil, err
	}
	record := filepath.Join(folder, "data", "printcost", "record.json")
	for {
		text, err := os.ReadFile(record)
		if errors.Is(err, fs.ErrNotExist) {
			select {
			case <-time.After(200 * time.Millisecond):
				continue
			case <-ctx.Done():
				return nil, fmt.Errorf("the print did not end: %w", ctx.Err())
			}
		}
		if err != nil {
			return nil, err
		}
		after, err := cpuOf(printer.PID)
		if err != nil {
			return nil, err
		}
		r := &result{own: after[printer.PID] - before[printer.PID]}
		for pid := range maps.Keys(after) {
			if pid != printer.PID {
				r.others += after[pid] - before[pid]
			}
		}
		return r, json.Unmarshal(text, r)
	}
}

// cpuOf gives the CPU time of a process and of all that it started, by process id.
func cpuOf(pid int) (map[int]time.Duration, error) {
	used := map[int]time.Duration{}
	for wait := []int{pid}; len(wait) > 0; wait = wait[1:] {
		cpu, err := rig.CPU(wait[0])
		if err != nil {
			if wait[0] != pid && errors.Is(err, fs.ErrNotExist) {
				continue // it has ended meanwhile
			}
			return nil, err
		}
		used[wait[0]] = cpu
		children, err := rig.Children(wait[0])
		if err != nil {
			return nil, err
		}
		wait = append(wait, children...)
	}
	return used, nil
}

// result is what the probe wrote down, in seconds, and the CPU time of OctoPrint and of the processes it started.
type result struct {
	Sent, Late  []float64
	own, others time.Duration
}

func (r *result) print(name string) {
	gaps := make([]float64, 0, len(r.Sent))
	for i := 1; i < len(r.Sent); i++ {
		gaps = append(gaps, r.Sent[i]-r.Sent[i-1])
	}
	fmt.Printf("%-16s %7.1f  %-36s %-18s %-28s\n", name, r.Sent[len(r.Sent)-1]-r.Sent[0], spread(gaps),
		fmt.Sprintf("%.2f %.2f", r.own.Seconds(), r.others.Seconds()), spread(r.Late))
}

// spread gives p50, p90, p99 and the longest, in milliseconds.
func spread(seconds []float64) string {
	if len(seconds) == 0 {
		return "none"
	}
	slices.Sort(seconds)
	at := func(p int) float64 { return 1000 * seconds[min(len(seconds)-1, len(seconds)*p/100)] }
	return fmt.Sprintf("%.1f %.1f %.1f %.0f", at(50), at(90), at(99), at(100))
}

func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return err.Error()
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

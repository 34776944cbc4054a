// Push measures how soon what a printer says is on the pages that look: from a device's publish over MQTT to the
// message at each viewer, deltas applied.
//
//	go run ./bench/push [-factor bin/factor] [-viewers 200] [-printers 50] [-seconds 20]
//
// Goal: 200 viewers × 50 printers at 1 Hz, 99 of 100 messages within 100 ms. Devices, viewers and this program's own
// clock are in one process, the server in another; both share the machine's CPUs.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/kangbyounggwan/factor/bench/rig"
	"github.com/kangbyounggwan/factor/internal/server/web/push/pushclient"
	"golang.org/x/sync/errgroup"
)

const goal = 100 * time.Millisecond

type settings struct {
	program  string
	viewers  int
	printers int
	seconds  int
}

func main() {
	log.SetFlags(0)
	var s settings
	flag.StringVar(&s.program, "factor", "bin/factor", "the program")
	flag.IntVar(&s.viewers, "viewers", 200, "pages that look")
	flag.IntVar(&s.printers, "printers", 50, "printers that each of them looks at")
	flag.IntVar(&s.seconds, "seconds", 20, "seconds to measure, one message a printer and second")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, s settings) error {
	data, err := os.MkdirTemp("", "factor-bench-push-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	server, err := rig.Start(ctx, s.program, data)
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
	fleet, err := newFleet(ctx, server, s.printers)
	if err != nil {
		return err
	}
	defer fleet.close()
	seen := &sightings{}
	pages, err := open(ctx, server, s.viewers, fleet, seen)
	if err != nil {
		return err
	}
	defer func() {
		for _, p := range pages {
			p.Close()
		}
	}()
	fleet.run(ctx, 3) // the first message of a subscription is whole
	seen.reset()
	before, err := server.CPU()
	if err != nil {
		return err
	}
	begun := time.Now()
	fleet.run(ctx, s.seconds)
	took := time.Since(begun)
	after, err := server.CPU()
	if err != nil {
		return err
	}
	return seen.report(s, took, after-before)
}

// open connects the viewers and has each look at every printer.
func open(ctx context.Context, server *rig.Server, viewers int, f *fleet, seen *sightings) ([]*pushclient.Client, error) {
	pages := make([]*pushclient.Client, viewers)
	header := http.Header{"Authorization": {"Bearer " + server.Token}}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for i := range pages {
		group.Go(func() error {
			page, err := pushclient.Dial(ctx, "ws"+strings.TrimPrefix(server.URL, "http")+"/api/v1/push", header, nil)
			if err != nil {
				return fmt.Errorf("viewer %d: %w", i, err)
			}
			pages[i] = page
			go func() {
				for m := range page.Messages {
					f.seen(m, seen)
				}
			}()
			for _, d := range f.devices {
				if _, err := page.Subscribe(ctx, "printer:"+d.uuid, true); err != nil {
					return fmt.Errorf("viewer %d: %w", i, err)
				}
			}
			return nil
		})
	}
	return pages, group.Wait()
}

// sightings are the delays of messages from device to viewer. mu guards delays.
type sightings struct {
	bytes atomic.Int64
	whole atomic.Int64

	mu     sync.Mutex
	delays []time.Duration
}

func (s *sightings) add(delay time.Duration, m pushclient.Message) {
	s.bytes.Add(int64(m.Wire))
	s.whole.Add(int64(len(m.Data)))
	s.mu.Lock()
	s.delays = append(s.delays, delay)
	s.mu.Unlock()
}

func (s *sightings) reset() {
	s.mu.Lock()
	s.delays = s.delays[:0]
	s.mu.Unlock()
	s.bytes.Store(0)
	s.whole.Store(0)
}

func (s *sightings) report(of settings, took, cpu time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	want := of.viewers * of.printers * of.seconds
	if len(s.delays) == 0 {
		return fmt.Errorf("no message of %d arrived", want)
	}
	slices.Sort(s.delays)
	at := func(share float64) time.Duration {
		return s.delays[min(len(s.delays)-1, int(share*float64(len(s.delays))))].Round(100 * time.Microsecond)
	}
	n := int64(len(s.delays))
	fmt.Printf("%d viewers × %d printers, 1 Hz, %d s: %d of %d messages arrived\n", of.viewers, of.printers, of.seconds, n, want)
	fmt.Printf("printer to page      p50 %s, p90 %s, p99 %s, slowest %s; goal p99 %s: %s\n", at(.5), at(.9), at(.99), at(1), goal, rig.Verdict(at(.99) <= goal && n == int64(want)))
	fmt.Printf("bytes a message      %d of %d with deltas\n", s.bytes.Load()/n, s.whole.Load()/n)
	fmt.Printf("CPU of the server    %.0f %% of one core\n", 100*cpu.Seconds()/took.Seconds())
	return nil
}

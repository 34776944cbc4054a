// Camera measures what many viewers of one camera cost, FACTOR beside mediamtx, in one run: the same 720p25 H.264, the
// same viewers by WebRTC, CPU and memory of the server; and how long a frame takes from the camera to a viewer, for each
// rung of the ladder, and how long the first one takes after the click.
//
//	go run ./bench/camera [-factor bin/factor] [-viewers 50] [-seconds 20] [-mediamtx .cache/peers/mediamtx-…]
//
// mediamtx is a test tool that `make setup` builds from its Go module; without it FACTOR alone is measured. The
// camera is a process of this bench's: it hands its frames to the server with the time inside (an SEI message), which
// each viewer reads when the frame is whole. Decoding and the screen come on top.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(0)
	factor := flag.String("factor", "bin/factor", "the program")
	mediamtx := flag.String("mediamtx", newest(".cache/peers/mediamtx-*"), "mediamtx, if it is there")
	viewers := flag.Int("viewers", 50, "viewers by WebRTC at a time")
	seconds := flag.Int("seconds", 20, "to measure for")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *factor, *mediamtx, *viewers, time.Duration(*seconds)*time.Second); err != nil {
		log.Fatal(err)
	}
}

// newest gives the last of the files that a pattern finds; the pattern itself where it finds none.
func newest(pattern string) string {
	if found, err := filepath.Glob(pattern); err == nil && len(found) > 0 {
		return slices.Max(found)
	}
	return pattern
}

// contender is a server under measurement.
type contender interface {
	name() string
	whep() (url string, header map[string]string)
	cost() (cpu time.Duration, rss int64, err error)
	close()
}

func run(ctx context.Context, factor, mediamtx string, viewers int, span time.Duration) error {
	source, err := newSource(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("source: 1280x720, 25 a second, %d kbit/s; %d viewers, %s\n", source.kbps, viewers, span)
	f, err := startFactor(ctx, factor, source)
	if err != nil {
		return err
	}
	defer f.close()
	list := []contender{f}
	if _, err := os.Stat(mediamtx); err == nil {
		m, err := startMediamtx(ctx, mediamtx, source)
		if err != nil {
			return err
		}
		defer m.close()
		list = append(list, m)
	} else {
		fmt.Printf("mediamtx is not at %s: FACTOR alone\n", mediamtx)
	}
	for _, c := range list {
		if err := crowd(ctx, c, viewers, span); err != nil {
			return fmt.Errorf("%s: %w", c.name(), err)
		}
	}
	return f.rungs(ctx, span)
}

// crowd has many look at once, and says what that costs the server.
func crowd(ctx context.Context, c contender, viewers int, span time.Duration) error {
	url, header := c.whep()
	var first []time.Duration
	var players []*player
	defer func() {
		for _, p := range players {
			p.close()
		}
	}()
	for range viewers {
		begun := time.Now()
		p, err := play(ctx, url, header)
		if err != nil {
			return err
		}
		players = append(players, p)
		select {
		case <-p.begun:
			first = append(first, time.Since(begun))
		case <-time.After(20 * time.Second):
			return fmt.Errorf("a viewer sees nothing")
		}
	}
	for _, p := range players {
		p.reset()
	}
	before, _, err := c.cost()
	if err != nil {
		return err
	}
	begun := time.Now()
	select {
	case <-time.After(span):
	case <-ctx.Done():
		return ctx.Err()
	}
	after, rss, err := c.cost()
	if err != nil {
		return err
	}
	took := time.Since(begun)
	var delays []time.Duration
	frames := 0
	for _, p := range players {
		d := p.taken()
		frames += len(d)
		delays = append(delays, d...)
	}
	fmt.Printf("%-9s %d viewers by WebRTC: CPU %5.1f %% of one core, resident %5.1f MB, camera to viewer p50 %s p99 %s, %.1f frames a second each, first frame p50 %s\n",
		c.name(), viewers, 100*(after-before).Seconds()/took.Seconds(), float64(rss)/(1<<20), quantile(delays, 0.5), quantile(delays, 0.99),
		float64(frames)/took.Seconds()/float64(viewers), quantile(first, 0.5))
	return nil
}

func quantile(d []time.Duration, q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[min(len(d)-1, int(q*float64(len(d))))].Round(100 * time.Microsecond)
}

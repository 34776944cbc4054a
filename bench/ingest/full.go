package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// printersPerAccount stays within what a workspace may have.
const printersPerAccount = 1000

// full measures the real server with everything it does to a message: rights, decoding, twin, jobs, history, and the
// bus behind the pages. The printers are made over its API and log in with their tokens. One process may have 20,000
// open files here, so 30,000 printers at 1 Hz are half as many at twice the rate.
func (s *settings) full(ctx context.Context) error {
	n := s.fleet
	f := &factor{path: s.factor}
	defer f.close()
	if err := f.start(ctx); err != nil {
		return err
	}
	fmt.Printf("full: %d printers in %s; server on one CPU\n", n, s.factor)
	began := time.Now()
	made, err := f.register(ctx, n)
	if err != nil {
		return err
	}
	fmt.Printf("%12s  in %.0f s over the API\n", "registered", time.Since(began).Seconds())
	before, err := f.server.resident()
	if err != nil {
		return err
	}
	load, err := startLoad(ctx, order{Addr: f.at.MQTT, Devices: made})
	if err != nil {
		return err
	}
	defer load.Close()
	long := *s
	// Every printer is printing when it comes: its job is noted once. Samples are taken every 10 s: two of them at least.
	long.settle, long.seconds = 15*time.Second, max(s.seconds, 25*time.Second)
	for _, rate := range []int{n, 2 * n} {
		g, err := long.measure(load, f.server, rate, func(tally) (int64, error) { return f.processed(ctx) })
		if err != nil {
			return err
		}
		after, err := f.server.resident()
		if err != nil {
			return err
		}
		fmt.Printf("%12d  %8.0f/s %6.2f µs a message = %.0f a CPU second; %.1f KB a printer connected\n", g.offered, g.rate, g.cpu,
			g.perCPUSecond(), float64(after-before)/float64(n)/1024)
	}
	return nil
}

// factor is the real server, on a folder of its own.
type factor struct {
	path   string
	dir    string
	server *process
	at     struct{ HTTP, MQTT string }
	done   func()
}

func (f *factor) close() {
	if f.server != nil {
		f.server.Close()
	}
	if f.done != nil {
		f.done()
	}
}

// start starts the server and waits until it is ready.
func (f *factor) start(ctx context.Context) (err error) {
	if f.path, err = filepath.Abs(f.path); err != nil {
		return err
	}
	if f.dir, f.done, err = scratch(); err != nil {
		return err
	}
	f.server, err = start(ctx, serverCPU, []string{"GOMAXPROCS=1"}, f.path, "serve", "--data", f.dir, "--http", "127.0.0.1:0",
		"--https", "off", "--mqtts", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--metrics-local", "on", "--log-level", "error")
	if err != nil {
		return err
	}
	go func() { // its own words are not asked for, but must not fill the pipe
		for f.server.out.Scan() {
		}
	}()
	for range 600 {
		if b, err := os.ReadFile(filepath.Join(f.dir, "run.json")); err == nil && json.Unmarshal(b, &f.at) == nil && f.at.MQTT != "" {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return fmt.Errorf("%s did not get ready", f.path)
}

// register makes printers over the API, each account its share.
func (f *factor) register(ctx context.Context, n int) ([]device, error) {
	made := make([]device, n)
	for first := 0; first < n; first += printersPerAccount {
		token, err := f.account(ctx, first/printersPerAccount)
		if err != nil {
			return nil, err
		}
		var failed error
		var mu sync.Mutex
		var wg sync.WaitGroup
		last := min(first+printersPerAccount, n)
		for w := range 16 {
			wg.Go(func() {
				for i := first + w; i < last; i += 16 {
					d, err := f.registerOne(ctx, token, i)
					mu.Lock()
					if made[i] = d; err != nil {
						failed = err
					}
					mu.Unlock()
					if err != nil {
						return
					}
				}
			})
		}
		wg.Wait()
		if failed != nil {
			return nil, failed
		}
	}
	return made, nil
}

// account makes an account and an API token of it, by the server's own commands.
func (f *factor) account(ctx context.Context, i int) (token string, err error) {
	email := fmt.Sprintf("bench%d@example.com", i)
	add := exec.CommandContext(ctx, f.path, "user", "add", "--data", f.dir, "--email", email, "--name", fmt.Sprintf("Bench %d", i), "--password-stdin")
	add.Stdin = strings.NewReader("a long word for the bench\n")
	if out, err := add.CombinedOutput(); err != nil {
		return "", fmt.Errorf("factor user add: %w: %s", err, out)
	}
	out, err := exec.CommandContext(ctx, f.path, "token", "add", "--data", f.dir, "--email", email, "--name", "bench").Output()
	return strings.TrimSpace(string(out)), err
}

func (f *factor) registerOne(ctx context.Context, token string, i int) (device, error) {
	d := device{UUID: wire.NewUUID()}
	body, err := json.Marshal(map[string]string{"uuid": d.UUID, "name": fmt.Sprintf("Printer %d", i)})
	if err != nil {
		return d, err
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+f.at.HTTP+"/api/v1/printers", bytes.NewReader(body))
	if err != nil {
		return d, err
	}
	q.Header.Set("Authorization", "Bearer "+token)
	q.Header.Set("Content-Type", "application/json")
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		return d, err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusCreated {
		text, _ := io.ReadAll(io.LimitReader(r.Body, 1000))
		return d, fmt.Errorf("register a printer: %s: %s", r.Status, text)
	}
	var answer struct {
		Token string `json:"device_token"`
	}
	err = json.NewDecoder(r.Body).Decode(&answer)
	d.Token = answer.Token
	return d, err
}

// processed is how many snapshots have come to their end, by the server's metrics.
func (f *factor) processed(ctx context.Context) (int64, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+f.at.HTTP+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		return 0, err
	}
	defer r.Body.Close()
	for in := bufio.NewScanner(r.Body); in.Scan(); {
		if name, value, ok := strings.Cut(in.Text(), " "); ok && strings.HasPrefix(name, "factor_status_total{") && strings.Contains(name, `"ok"`) {
			n, err := strconv.ParseFloat(value, 64)
			return int64(n), err
		}
	}
	return 0, fmt.Errorf("GET /metrics: %s, without factor_status_total", r.Status)
}

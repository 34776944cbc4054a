// Command measures how soon a click is answered: from the call of the API through the server, the agent and a real
// OctoPrint, and back. Once on loopback, and once with a relay between device and server that takes 100 ms each way.
//
//	go run ./bench/command [-factor bin/factor] [-agent bin/factor-agent] [-octoprint .run/octoprint-venv/bin/octoprint] [-clicks 200]
//
// Goal: no more than one round trip beyond the network's own, which is one: a command there, its answer back.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/kangbyounggwan/factor/bench/rig"
)

type settings struct {
	factor, agent, octoprint string
	clicks                   int
	delay                    time.Duration
}

// pace keeps below the limit of one person's commands to one printer.
const pace = 125 * time.Millisecond

func main() {
	log.SetFlags(0)
	var s settings
	flag.StringVar(&s.factor, "factor", "bin/factor", "the server's program")
	flag.StringVar(&s.agent, "agent", "bin/factor-agent", "the agent's program")
	flag.StringVar(&s.octoprint, "octoprint", ".run/octoprint-venv/bin/octoprint", "OctoPrint's program")
	flag.IntVar(&s.clicks, "clicks", 200, "clicks of each measurement")
	flag.DurationVar(&s.delay, "delay", 100*time.Millisecond, "each way, of the relay")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, s settings) error {
	data, err := os.MkdirTemp("", "factor-bench-command-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
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
	printer, err := rig.StartOctoPrint(ctx, rig.OctoPrintOptions{Program: s.octoprint, Folder: filepath.Join(data, "octoprint")})
	if err != nil {
		return err
	}
	defer printer.Stop()
	alone, err := measure(ctx, s.clicks, direct(printer))
	if err != nil {
		return fmt.Errorf("ask OctoPrint itself: %w", err)
	}
	report("OctoPrint alone", alone)
	for _, delay := range []time.Duration{0, s.delay} {
		if err := through(ctx, s, server, printer, filepath.Join(data, delay.String()), delay); err != nil {
			return err
		}
	}
	return nil
}

// through measures clicks to a device of its own, whose link to the server takes delay each way.
func through(ctx context.Context, s settings, server *rig.Server, printer *rig.OctoPrint, dir string, delay time.Duration) error {
	enrol := exec.CommandContext(ctx, s.agent, "enrol", "--data", dir, "--server", server.URL, "--octoprint", printer.URL,
		"--api-key", printer.Key, "--name", "bench "+delay.String(), "--token", server.Token)
	if out, err := enrol.CombinedOutput(); err != nil {
		return fmt.Errorf("enrol: %w: %s", err, out)
	}
	uuid, err := behind(dir, delay)
	if err != nil {
		return err
	}
	agent := exec.Command(s.agent, "run", "--data", dir)
	if err := agent.Start(); err != nil {
		return err
	}
	defer func() {
		_ = agent.Process.Signal(syscall.SIGTERM)
		_ = agent.Wait()
	}()
	click := func(ctx context.Context) error {
		var answer struct {
			OK      bool
			Message string
		}
		err := server.Call(ctx, http.MethodPost, "/api/v1/printers/"+uuid+"/commands", map[string]any{"type": "set_feed_rate", "factor": 100}, &answer)
		if err == nil && !answer.OK {
			err = fmt.Errorf("the device says no: %s", answer.Message)
		}
		return err
	}
	for begun := time.Now(); ; { // until it is connected and knows its printer
		if err = click(ctx); err == nil {
			break
		}
		if time.Since(begun) > time.Minute || ctx.Err() != nil {
			return err
		}
		time.Sleep(200 * time.Millisecond)
	}
	took, err := measure(ctx, s.clicks, click)
	if err != nil {
		return err
	}
	name := "click to answer, loopback"
	if delay > 0 {
		name = fmt.Sprintf("click to answer, %v each way", delay)
	}
	report(name, took)
	if p := percentile(took, 50); delay > 0 && p > 4*delay {
		log.Printf("that is more than one round trip beyond the network's: %v", p)
	}
	return nil
}

// behind puts a relay between the agent of a folder and its server, and gives the agent's UUID.
func behind(dir string, delay time.Duration) (uuid string, err error) {
	path := filepath.Join(dir, "config.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var c map[string]any
	if err := json.Unmarshal(text, &c); err != nil {
		return "", err
	}
	uuid, _ = c["uuid"].(string)
	mqtt, _ := c["mqtt"].(map[string]any)
	if uuid == "" || mqtt == nil {
		return "", fmt.Errorf("%s has no uuid or mqtt", path)
	}
	if delay == 0 {
		return uuid, nil
	}
	port, _ := mqtt["port"].(float64)
	relay, err := listen(net.JoinHostPort(fmt.Sprint(mqtt["host"]), strconv.Itoa(int(port))), delay)
	if err != nil {
		return "", err
	}
	mqtt["port"] = relay
	if text, err = json.Marshal(c); err != nil {
		return "", err
	}
	return uuid, os.WriteFile(path, text, 0o600)
}

// listen relays connections to an address, each byte delay later, and gives its port. It ends with the program.
func listen(to string, delay time.Duration) (port int, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			go carry(in, out, delay)
			go carry(out, in, delay)
		}
	}()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func carry(from, to net.Conn, delay time.Duration) {
	type part struct {
		b   []byte
		due time.Time
	}
	parts := make(chan part, 4096)
	go func() {
		for p := range parts {
			time.Sleep(time.Until(p.due))
			if _, err := to.Write(p.b); err != nil {
				break
			}
		}
		to.Close()
		for range parts { // whoever reads must not wait
		}
	}()
	for {
		b := make([]byte, 16<<10)
		n, err := from.Read(b)
		if n > 0 {
			parts <- part{b[:n], time.Now().Add(delay)}
		}
		if err != nil {
			close(parts)
			return
		}
	}
}

func measure(ctx context.Context, n int, do func(context.Context) error) ([]time.Duration, error) {
	took := make([]time.Duration, 0, n)
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for range n {
		begun := time.Now()
		if err := do(ctx); err != nil {
			return nil, err
		}
		took = append(took, time.Since(begun))
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	slices.Sort(took)
	return took, nil
}

func percentile(sorted []time.Duration, p int) time.Duration {
	return sorted[min(len(sorted)-1, len(sorted)*p/100)]
}

func report(name string, took []time.Duration) {
	fmt.Printf("%-36s p50 %6.1f ms  p90 %6.1f ms  p99 %6.1f ms\n", name, ms(percentile(took, 50)), ms(percentile(took, 90)), ms(percentile(took, 99)))
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// direct gives the same command to OctoPrint without FACTOR.
func direct(printer *rig.OctoPrint) func(context.Context) error {
	return func(ctx context.Context) error {
		return printer.Call(ctx, http.MethodPost, "/api/printer/command", map[string]string{"command": "M220 S100"}, nil)
	}
}

package agent_test

import (
	"bufio"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"testing"

	"github.com/kangbyounggwan/factor/internal/agent"
	"github.com/kangbyounggwan/factor/internal/agent/folder"
	"github.com/kangbyounggwan/factor/internal/agent/queue"
	"github.com/kangbyounggwan/factor/internal/agent/uplink"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// childEnv makes this test program a child of itself that can be killed: "agent" or "events", then the data folder in
// childDir.
const (
	childEnv = "FACTOR_TEST_CHILD"
	childDir = "FACTOR_TEST_CHILD_DIR"
)

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "agent":
		childAgent()
	case "events":
		childEvents()
	default:
		os.Exit(m.Run())
	}
}

// child starts this program as a child; kill ends it with SIGKILL and waits.
type child struct {
	*exec.Cmd
	out io.Reader
}

func start(t *testing.T, what, dir string) *child {
	t.Helper()
	c := &child{Cmd: exec.Command(os.Args[0])}
	c.Env = append(os.Environ(), childEnv+"="+what, childDir+"="+dir)
	c.Stderr = os.Stderr
	var err error
	if c.out, err = c.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.kill)
	return c
}

func (c *child) kill() {
	c.Process.Kill()
	io.Copy(io.Discard, c.out)
	c.Wait()
}

func must[T any](v T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return v
}

// childAgent is an agent on a folder.
func childAgent() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	f := must(folder.Open(os.Getenv(childDir)))
	must(f.Lock())
	a := &agent.Service{Folder: f, Version: "1.2.3", Log: slog.DiscardHandler}
	must(0, a.Run(ctx))
}

// childEvents queues numbered events as fast as the disk takes them, prints each number once it is queued, and sends
// them to the server.
func childEvents() {
	f := must(folder.Open(os.Getenv(childDir)))
	c := must(f.Config())
	q := must(queue.Open(f.Join("events"), queue.DefaultLimit, slog.New(slog.DiscardHandler)))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(c.CA))
	link := &uplink.Link{Host: c.MQTT.Host, Port: c.MQTT.Port, Roots: roots, UUID: c.UUID, Token: c.Token, Queue: q,
		Presence: func() wire.Presence { return wire.Presence{} }, Watched: func(bool) {}, Connected: func() {},
		FilesSent: func(string) {}, Log: slog.New(slog.DiscardHandler)}
	go link.Run(context.Background())
	var from int
	fmt.Sscan(string(must(os.ReadFile(f.Join("from")))), &from)
	for n := from; ; n++ {
		must(0, q.Append(wire.Event{Type: strconv.Itoa(n), At: 1}))
		fmt.Println(n)
	}
}

// TestKill_NoEventLostOrDoubled kills the agent's side at random moments, and stops the server's in between, while
// events are queued and sent.
func TestKill_NoEventLostOrDoubled(t *testing.T) {
	p := newPlatform(t)
	f := p.enrolled("http://127.0.0.1:1", "key")
	queued := map[string]bool{}
	next := 0
	for round := range 12 {
		os.WriteFile(f.Join("from"), []byte(strconv.Itoa(next)), 0o600)
		c := start(t, "events", f.Path)
		lines := bufio.NewScanner(c.out)
		for range 20 + rand.IntN(200) {
			if !lines.Scan() {
				t.Fatal("the child ended by itself")
			}
			queued[lines.Text()] = true
		}
		if round%4 == 1 {
			p.down()
		}
		c.Process.Kill()
		for lines.Scan() { // what it still said
			queued[lines.Text()] = true
		}
		c.Wait()
		if round%4 == 1 {
			p.up()
		}
		for queued[strconv.Itoa(next)] {
			next++
		}
		next++ // the one that was being queued when the kill came may or may not be there
	}
	// The rest goes out without new ones.
	q, err := queue.Open(f.Join("events"), queue.DefaultLimit, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	q.Close()
	c := start(t, "agent", f.Path)
	p.await("every event", func() bool {
		have := map[string]bool{}
		for _, e := range p.events {
			have[e.Type] = true
		}
		for n := range queued {
			if !have[n] {
				return false
			}
		}
		return true
	})
	c.kill()
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := map[string]bool{}
	for _, e := range p.events {
		if seen[e.Type] {
			t.Errorf("event %s is there twice", e.Type)
		}
		seen[e.Type] = true
	}
	t.Logf("%d events queued, %d stored", len(queued), len(p.events))
}

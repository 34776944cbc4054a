package agent_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/kangbyounggwan/factor/internal/agent/octoprint/octoprinttest"
)

// mustFind finds a program of Debian's mosquitto packages.
func mustFind(t *testing.T, name string) string {
	t.Helper()
	for _, path := range []string{name, "/usr/sbin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	if os.Getenv("FACTOR_TEST_REQUIRE") != "" {
		t.Fatalf("%s is not installed", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// TestService_OwnBroker: what OctoPrint says reaches a broker of the owner's as soon as it is set, and no longer once it
// is not.
func TestService_OwnBroker(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	conf := filepath.Join(t.TempDir(), "m.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, "listener %d 127.0.0.1\nallow_anonymous true\nuser root\n", port), 0o600); err != nil {
		t.Fatal(err)
	}
	sub := mustFind(t, "mosquitto_sub")
	broker := exec.Command(mustFind(t, "mosquitto"), "-c", conf)
	if err := broker.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { broker.Process.Kill(); broker.Wait() })

	d := octoprinttest.NewDouble(t)
	p := newPlatform(t)
	f := p.enrolled(d.URL, octoprinttest.Key)
	c := newCompanion(t, f)
	c.call(204, "POST", "/v1/octoprint", map[string]string{"url": d.URL, "api_key": octoprinttest.Key}, nil)
	c.until("OctoPrint", func() bool { return c.status().OctoPrint.Reachable })
	c.until("the broker", func() bool {
		conn, err := net.Dial("tcp", l.Addr().String())
		return err == nil && conn.Close() == nil
	})

	listening := exec.Command(sub, "-p", fmt.Sprint(port), "-t", "home/#", "-v")
	out, err := listening.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := listening.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listening.Process.Kill(); listening.Wait() })
	var mu sync.Mutex
	var heard strings.Builder
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			mu.Lock()
			heard.WriteString(lines.Text() + "\n")
			mu.Unlock()
		}
	}()
	hears := func(text string) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return strings.Contains(heard.String(), text)
		}
	}

	settings := map[string]any{"enabled": true, "host": "127.0.0.1", "port": port, "prefix": "home", "qos": 1, "interval": 0.5}
	c.call(204, "PUT", "/v1/mqtt", settings, nil)
	c.until("the session", func() bool { return c.status().Broker.Connected })
	d.Push(t, `{"current":{"state":{"text":"Operational","flags":{"operational":true,"ready":true}},"temps":[{"time":1,"tool0":{"actual":21.5,"target":0}}]}}`)
	c.until("readings", hears(`"tool0":{"actual":21.5`))
	d.Push(t, `{"event":{"type":"FilamentChange","payload":{"note":"red"}}}`)
	c.until("the event", hears("home/event/"+c.status().InstanceID+` {"at":`))
	p.await("the same event at the server", func() bool { return strings.Contains(p.told(), "FilamentChange") })

	settings["port"] = 1 // nobody listens there
	c.call(204, "PUT", "/v1/mqtt", settings, nil)
	c.until("the fault", func() bool {
		b := c.status().Broker
		return b.Enabled && !b.Connected && b.LastError != nil && b.LastError.Code == "refused"
	})
	c.until("the goodbye", hears(`{"online":false}`))
	settings["enabled"] = false
	c.call(204, "PUT", "/v1/mqtt", settings, nil)
	c.until("rest", func() bool { b := c.status().Broker; return !b.Enabled && b.LastError == nil })
	if s := c.status(); !s.Server.Connected {
		t.Errorf("the server's session did not stay: %+v", s)
	}
}

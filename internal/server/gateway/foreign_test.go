package gateway

import (
	"bufio"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// require gives a tool's path, or leaves the test out: FACTOR_TEST_REQUIRE=1 makes a missing tool a failure.
func require(t *testing.T, path, what string) string {
	t.Helper()
	found, err := exec.LookPath(path)
	if err != nil || path == "" {
		missing(t, what)
	}
	return found
}

func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("FACTOR_TEST_REQUIRE") == "1" {
		t.Fatalf("%s is needed", what)
	}
	t.Skipf("%s is not there", what)
}

// script is a client that somebody else wrote, running as a process.
type script struct {
	t     *testing.T
	lines chan string
}

// mustRun starts a client; the test ends it.
func mustRun(t *testing.T, name string, args ...string) *script {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	s := &script{t, make(chan string, 100)}
	go func() {
		defer close(s.lines)
		for in := bufio.NewScanner(out); in.Scan(); {
			s.lines <- in.Text()
		}
	}()
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	return s
}

// expect waits for a line, reading over others.
func (s *script) expect(want string) {
	s.t.Helper()
	timeout := time.After(patience)
	var seen []string
	for {
		select {
		case line, ok := <-s.lines:
			if line == want {
				return
			}
			if !ok {
				s.t.Fatalf("it ended without %q, saying %q", want, seen)
			}
			seen = append(seen, line)
		case <-timeout:
			s.t.Fatalf("it never said %q, but %q", want, seen)
		}
	}
}

// lives checks what every client does: it says something of each QoS, hears a command, and its will speaks.
func (d *door) lives(uuid, by string, s *script) {
	d.t.Helper()
	payload := `{"by":"` + by + `"}`
	for _, what := range []string{"status", "event", "gcode"} {
		d.heard.await(d.t, what, func(c call) bool { return c.uuid == uuid && c.payload == payload })
	}
	for _, command := range []string{"pause", "die"} {
		if err := d.Publish(uuid, wire.KindControl, []byte(command), 1); err != nil {
			d.t.Fatal(err)
		}
		s.expect("command " + command)
	}
	d.heard.await(d.t, "presence", func(c call) bool { return c.uuid == uuid && c.will })
	d.heard.await(d.t, "disconnected", func(c call) bool { return c.uuid == uuid && c.why == ReasonLost })
}

func TestForeign_PythonPaho(t *testing.T) {
	python := require(t, os.Getenv("FACTOR_TEST_PYTHON"), "a Python with paho-mqtt 2.1.0 (FACTOR_TEST_PYTHON)")
	d := mustOpen(t, byUUID)
	addr, _, ca := d.serveTLS()
	file := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(file, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(addr)
	_, plain, _ := net.SplitHostPort(d.addr)
	const device = "testdata/clients/device.py"

	t.Run("token", func(t *testing.T) {
		uuid := d.people.add()
		s := mustRun(t, python, device, host, port, file, uuid, "token-"+uuid)
		s.expect("connack 0")
		s.expect("suback 1 1 1 1")
		d.lives(uuid, "python", s)
	})
	t.Run("wrong token", func(t *testing.T) {
		mustRun(t, python, device, host, plain, "-", d.people.add(), "wrong").expect("connack 134") // 4, in paho's words
	})
	t.Run("UUID alone", func(t *testing.T) {
		uuid := wire.NewUUID()
		s := mustRun(t, python, device, host, plain, "-", uuid, "-")
		s.expect("suback 1 1 1 1")
		s.expect("published")
		d.people.set(uuid, Device{ID: "x", UUID: uuid, PrinterID: "p"}, nil)
		if err := d.Publish(uuid, wire.KindRegistration, []byte("registered"), 1); err != nil {
			t.Fatal(err)
		}
		d.heard.await(t, "ack", func(c call) bool { return c.uuid == uuid })
		if err := d.Publish(uuid, wire.KindControl, []byte("pause"), 1); err != nil {
			t.Fatal(err)
		}
		s.expect("command pause")
	})
}

func TestForeign_MQTTjs(t *testing.T) {
	node := require(t, "node", "node")
	modules := os.Getenv("FACTOR_TEST_NODE_MODULES")
	if _, err := os.Stat(filepath.Join(modules, "mqtt")); modules == "" || err != nil {
		missing(t, "a node_modules folder with mqtt (FACTOR_TEST_NODE_MODULES)")
	}
	d := mustOpen(t)
	const device = "testdata/clients/device.js"
	for name, at := range map[string]string{"tcp": "mqtt://" + d.addr, "websocket": d.serveWebSocket()} {
		t.Run(name, func(t *testing.T) {
			uuid := d.people.add()
			s := mustRun(t, node, device, modules, at, uuid, "token-"+uuid)
			s.expect("connack 0")
			s.expect("suback 1 1")
			d.lives(uuid, "js", s)
		})
	}
	t.Run("MQTT 5", func(t *testing.T) {
		uuid := d.people.add()
		mustRun(t, node, device, modules, "mqtt://"+d.addr, uuid, "token-"+uuid, "5").expect("error 132")
	})
}

func TestForeign_Mosquitto(t *testing.T) {
	pub := require(t, "mosquitto_pub", "mosquitto_pub")
	sub := require(t, "mosquitto_sub", "mosquitto_sub")
	d := mustOpen(t)
	addr, _, ca := d.serveTLS()
	file := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(file, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	login := func(at, uuid, version string) []string {
		host, port, _ := net.SplitHostPort(at)
		return []string{"-h", host, "-p", port, "-V", version, "-u", uuid, "-P", "token-" + uuid}
	}
	for _, qos := range []string{"0", "1", "2"} {
		uuid := d.people.add()
		args := append(login(addr, uuid, "311"), "--cafile", file, "-q", qos, "-t", wire.KindEvent.Topic(uuid), "-m", "hello "+qos)
		if out, err := exec.Command(pub, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		d.heard.await(t, "event", func(c call) bool { return c.uuid == uuid && c.payload == "hello "+qos })
		d.heard.await(t, "disconnected", func(c call) bool { return c.uuid == uuid && c.why == ReasonClient })
	}

	uuid := d.people.add()
	s := mustRun(t, sub, append(login(d.addr, uuid, "311"), "-q", "1", "-t", "control/"+uuid, "-C", "2")...)
	d.heard.await(t, "subscribed", func(c call) bool { return c.uuid == uuid })
	for _, m := range []string{"one", "two"} {
		if err := d.Publish(uuid, wire.KindControl, []byte(m), 1); err != nil {
			t.Fatal(err)
		}
		s.expect(m)
	}

	for version, says := range map[string]string{"31": "unacceptable protocol version", "5": "Unsupported Protocol Version"} {
		out, err := exec.Command(pub, append(login(d.addr, uuid, version), "-t", "a", "-m", "b")...).CombinedOutput()
		if err == nil || !strings.Contains(strings.ToLower(string(out)), strings.ToLower(says)) {
			t.Errorf("version %s: %v: %s", version, err, out)
		}
	}
}

func TestForeign_GoPaho(t *testing.T) {
	d := mustOpen(t)
	addr, tls, _ := d.serveTLS()
	for name, server := range map[string]string{"tcp": "tcp://" + d.addr, "tls": "ssl://" + addr, "websocket": d.serveWebSocket()} {
		t.Run(name, func(t *testing.T) {
			uuid := d.people.add()
			commands := make(chan string, 10)
			c := paho.NewClient(paho.NewClientOptions().AddBroker(server).SetTLSConfig(tls).SetClientID("agent").
				SetUsername(uuid).SetPassword("token-"+uuid).SetCleanSession(false).SetAutoReconnect(false).
				SetWill(wire.KindPresence.Topic(uuid), `{"online":false}`, 1, false).
				SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { commands <- string(m.Payload()) }))
			done := func(token paho.Token) {
				t.Helper()
				if !token.WaitTimeout(patience) || token.Error() != nil {
					t.Fatalf("%v", token.Error())
				}
			}
			done(c.Connect())
			defer c.Disconnect(100)
			done(c.Subscribe(wire.KindControl.Topic(uuid), 1, nil))
			for qos := range byte(3) {
				done(c.Publish(wire.KindEvent.Topic(uuid), qos, false, "go "+string('0'+rune(qos))))
			}
			for _, want := range []string{"go 0", "go 1", "go 2"} {
				d.heard.await(t, "event", func(c call) bool { return c.uuid == uuid && c.payload == want })
			}
			for _, want := range []string{"pause", "resume"} {
				if err := d.Publish(uuid, wire.KindControl, []byte(want), 1); err != nil {
					t.Fatal(err)
				}
				select {
				case got := <-commands:
					if got != want {
						t.Errorf("got %s, want %s", got, want)
					}
				case <-time.After(patience):
					t.Fatal("no command")
				}
			}
			done(c.Unsubscribe(wire.KindControl.Topic(uuid)))
		})
	}
}

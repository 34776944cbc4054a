package broker

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/kangbyounggwan/factor/internal/wire"
)

const uuid = "0d4c1f2e-8f3a-4b1e-9a55-3f1d2c7b6a01"

// published is a publisher at work whose settings can change.
type published struct {
	*Publisher
	mu  sync.Mutex
	now Settings
	end func() // and waits for it
}

func publish(t *testing.T, s Settings) *published {
	t.Helper()
	p := &published{now: s}
	p.Publisher = &Publisher{UUID: uuid, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Settings: func() (Settings, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.now, nil
	}}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.Run(ctx)
	}()
	p.end = func() {
		cancel()
		<-ended
	}
	t.Cleanup(p.end)
	return p
}

func (p *published) change(change func(*Settings)) {
	p.mu.Lock()
	change(&p.now)
	p.mu.Unlock()
	p.Changed()
}

func reading(completion float64) wire.Snapshot {
	return wire.Snapshot{Status: "printing", State: wire.State{Text: "Printing"}, Job: wire.Job{ID: "j", File: wire.File{Path: "a.gcode"}},
		Progress:     wire.Progress{Completion: &completion},
		Temperatures: map[string]wire.Temperature{"tool0": {Actual: &completion}}}
}

func TestPublisher_Publishes(t *testing.T) {
	for _, secured := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%t", secured), func(t *testing.T) {
			m := newMosquitto(t, secured)
			m.start()
			l := m.listen()
			s := m.settings()
			s.Retain = true
			p := publish(t, s)
			p.Set(reading(42.5), false)
			await(t, "presence", func() bool { return l.last("octoprint/presence/"+uuid) == `{"online":true}` })
			await(t, "readings", func() bool { return len(l.of("octoprint/temperature/"+uuid)) >= 3 }) // again each interval
			p.Event(wire.Event{At: 7, Type: "PrintStarted", Job: "j", Data: json.RawMessage(`{"a":1}`)})
			await(t, "the event", func() bool { return len(l.of("octoprint/event/"+uuid)) == 1 })
			if got := l.last("octoprint/event/" + uuid); got != `{"at":7,"type":"PrintStarted","job":"j","data":{"a":1}}` {
				t.Error(got)
			}
			var status wire.Snapshot
			if err := json.Unmarshal([]byte(l.last("octoprint/status/"+uuid)), &status); err != nil || status.Job.ID != "j" || status.Interval != 0.5 || status.TS < 1e9 {
				t.Errorf("%v %+v", err, status)
			}
			for topic, want := range map[string]string{"progress": `"status":"printing","job":"j","file":"a.gcode","completion":42.5`, "temperature": `"tool0":{"actual":42.5`} {
				if got := l.last("octoprint/" + topic + "/" + uuid); !strings.Contains(got, want) {
					t.Errorf("%s: %s", topic, got)
				}
			}
			late := m.listen()
			await(t, "what is retained", func() bool { return strings.Count(late.retained(), uuid) == 4 })
			if strings.Contains(late.retained(), "event") {
				t.Error("an event is retained")
			}
			if st := p.State(); !st.Enabled || !st.Connected || st.Code != "" || st.Since.IsZero() {
				t.Errorf("%+v", st)
			}
			p.end()
			await(t, "goodbye", func() bool { return l.last("octoprint/presence/"+uuid) == `{"online":false}` })
		})
	}
}

// Settings that change while it runs count from then on, and what is not chosen is not published.
func TestPublisher_Changed(t *testing.T) {
	m := newMosquitto(t, false)
	m.start()
	l := m.listen()
	s := m.settings()
	s.Enabled = false
	p := publish(t, s)
	p.Set(reading(1), false)
	p.Event(wire.Event{Type: "Early"}) // to nobody
	p.change(func(s *Settings) {
		s.Enabled, s.Prefix, s.QoS = true, "home/printer", 2
		s.Publish = Publish{Progress: true}
	})
	await(t, "progress", func() bool { return len(l.of("home/printer/progress/"+uuid)) >= 2 })
	p.change(func(s *Settings) { s.Prefix, s.Publish = "octoprint", Publish{Temperature: true, Events: true} })
	await(t, "goodbye at the old prefix", func() bool { return l.last("home/printer/presence/"+uuid) == `{"online":false}` })
	await(t, "temperatures", func() bool { return len(l.of("octoprint/temperature/"+uuid)) >= 2 })
	p.Event(wire.Event{Type: "Late"})
	await(t, "an event", func() bool { return strings.Contains(l.last("octoprint/event/"+uuid), "Late") })
	for _, topic := range []string{"home/printer/status/", "home/printer/temperature/", "octoprint/status/", "octoprint/progress/"} {
		if got := l.of(topic + uuid); got != nil {
			t.Errorf("%s: %s", topic, got)
		}
	}
	if n := len(l.of("octoprint/event/" + uuid)); n != 1 {
		t.Errorf("%d events", n)
	}
	p.change(func(s *Settings) { s.Enabled = false })
	await(t, "goodbye", func() bool { return l.last("octoprint/presence/"+uuid) == `{"online":false}` })
	await(t, "rest", func() bool { return p.State() == State{} })
}

func TestPublisher_Faults(t *testing.T) {
	m := newMosquitto(t, true)
	m.start()
	p := publish(t, m.settings())
	await(t, "the session", func() bool { return p.State().Connected })
	for _, c := range []struct {
		codes  string
		change func(*Settings)
	}{
		{"rc4 rc5", func(s *Settings) { s.Password = "wrong" }},
		{"tls_untrusted", func(s *Settings) { s.CA = mustCertificate(t, t.TempDir()) }},
		{"not_mqtt", func(s *Settings) { s.TLS = false }},
		{"bad_qos", func(s *Settings) { s.QoS = 9 }},
		{"name_not_found", func(s *Settings) { s.Host = "no-such-host.invalid" }},
	} {
		p.change(c.change)
		await(t, c.codes, func() bool {
			s := p.State()
			return !s.Connected && s.Code != "" && strings.Contains(c.codes, s.Code) && s.Error != "" && !strings.Contains(s.Error, "secret")
		})
		p.change(func(s *Settings) { *s = m.settings() })
		await(t, "the session after "+c.codes, func() bool { s := p.State(); return s.Connected && s.Code == "" })
	}
}

// A broker that is away, dies and comes back: of readings the newest counts, of events the newest hundred, in order.
func TestPublisher_BrokerAway(t *testing.T) {
	m := newMosquitto(t, false)
	m.start()
	l := m.listen()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	away := m.settings()
	away.Port = closed.Addr().(*net.TCPAddr).Port
	closed.Close()
	p := publish(t, away)
	await(t, "the refusal", func() bool { return p.State().Code == "refused" })
	for i := range 150 {
		p.Event(wire.Event{Type: fmt.Sprint(i)})
		p.Set(reading(float64(i)), true)
	}
	p.change(func(s *Settings) { s.Port = m.port })
	await(t, "the newest reading", func() bool { return strings.Contains(l.last("octoprint/progress/"+uuid), `"completion":149`) })
	await(t, "the last event", func() bool { return strings.Contains(l.last("octoprint/event/"+uuid), `"149"`) })
	for i, event := range l.of("octoprint/event/" + uuid) {
		if want := fmt.Sprintf(`"type":"%d"`, 50+i); !strings.Contains(event, want) {
			t.Fatalf("%s, want %s", event, want)
		}
	}
	if s := p.State(); s.Discarded != 50 {
		t.Errorf("%d discarded", s.Discarded)
	}
	m.kill()
	await(t, "the loss", func() bool { return !p.State().Connected })
	m.start()
	again := m.listen()
	await(t, "the session again", func() bool { return p.State().Connected })
	p.Event(wire.Event{Type: "Again"})
	await(t, "life", func() bool {
		return strings.Contains(again.last("octoprint/event/"+uuid), "Again") && again.last("octoprint/status/"+uuid) != ""
	})
}

func (p *Publisher) waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.events)
}

// The will is told when the connection breaks without a goodbye.
func TestPublisher_Will(t *testing.T) {
	m := newMosquitto(t, false)
	m.start()
	l := m.listen()
	between, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conns := make(chan net.Conn, 1)
	go func() {
		in, err := between.Accept()
		between.Close()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", m.port))
		if err != nil {
			in.Close()
			return
		}
		conns <- out
		go io.Copy(in, out)
		io.Copy(out, in)
	}()
	s := m.settings()
	s.Port = between.Addr().(*net.TCPAddr).Port
	p := publish(t, s)
	await(t, "presence", func() bool { return l.last("octoprint/presence/"+uuid) == `{"online":true}` })
	(<-conns).Close()
	await(t, "the will", func() bool { return l.last("octoprint/presence/"+uuid) == `{"online":false}` })
	p.end()
}

// A broker that takes nothing any more holds up neither readings and events nor the end.
func TestPublisher_BrokerStuck(t *testing.T) {
	m := newMosquitto(t, false)
	m.start()
	p := publish(t, m.settings())
	await(t, "the session", func() bool { return p.State().Connected })
	if err := m.process.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for i := range 10_000 {
		p.Set(reading(float64(i)), true)
		p.Event(wire.Event{Type: "X"})
	}
	if n := p.waiting(); n > maxEvents {
		t.Errorf("%d events wait", n)
	}
	await(t, "the fault", func() bool { s := p.State(); return !s.Connected && s.Code != "" })
	p.end()
}

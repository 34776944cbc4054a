package agent_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/queue"
	"github.com/kangbyounggwan/factor/internal/agent/uplink"
	"github.com/kangbyounggwan/factor/internal/server/gateway"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// linked is a link alone, without OctoPrint.
type linked struct {
	*uplink.Link
	t     *testing.T
	queue *queue.Queue
	sent  chan string
	seen  chan bool
	end   func()
}

func (p *platform) link(change ...func(*uplink.Link)) *linked {
	p.t.Helper()
	q, err := queue.Open(p.t.TempDir(), queue.DefaultLimit, slog.New(slog.DiscardHandler))
	if err != nil {
		p.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(p.web.Certificate())
	host, port, _ := net.SplitHostPort(p.addr)
	l := &linked{t: p.t, queue: q, sent: make(chan string, 10), seen: make(chan bool, 100)}
	l.Link = &uplink.Link{Host: host, Roots: roots, UUID: p.uuid, Token: token, Queue: q,
		WebsocketURL: strings.Replace(p.web.URL, "https", "wss", 1) + "/mqtt",
		Presence:     func() wire.Presence { return wire.Presence{Agent: "1.2.3", Proto: wire.Proto, Epoch: q.Epoch()} },
		Watched:      func(w bool) { l.seen <- w }, Connected: func() {}, FilesSent: func(sum string) { l.sent <- sum },
		Log: slog.New(slog.DiscardHandler)}
	fmt.Sscan(port, &l.Port)
	for _, f := range change {
		f(l.Link)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); l.Run(ctx) }()
	l.end = func() {
		cancel()
		select {
		case <-done:
		case <-time.After(patience):
			p.t.Error("the link does not end")
		}
	}
	p.t.Cleanup(func() { l.end(); q.Close() })
	return l
}

func (l *linked) append(kind string) {
	l.t.Helper()
	if err := l.queue.Append(wire.Event{Type: kind, At: 1}); err != nil {
		l.t.Fatal(err)
	}
}

func (l *linked) await(what string, ok func() bool) {
	l.t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			l.t.Fatalf("never: %s; %+v", what, l.State())
		}
	}
}

func TestLink_Session(t *testing.T) {
	p := newPlatform(t)
	l := p.link()
	p.await("presence", func() bool {
		return len(p.presence) == 1 && p.presence[0].Online && p.presence[0].Agent == "1.2.3" && p.presence[0].Proto == wire.Proto
	})
	l.await("the server's clock", func() bool { _, known := l.Now(); return known })
	now, _ := l.Now()
	if math.Abs(time.Until(now).Seconds()) > 5 {
		t.Errorf("the server's clock is %s away on the same machine", time.Until(now))
	}
	p.say(wire.KindWatch, wire.Watch{Watched: true})
	if !<-l.seen {
		t.Error("watch was read wrongly")
	}
	l.Status([]byte(`{"ts":5}`))
	p.await("a snapshot", func() bool { return len(p.statuses) == 1 && p.statuses[0].TS == 5 })
	l.Files([]byte(`{"local":[{"path":"a"}],"sdcard":[]}`), "sum")
	if sum := <-l.sent; sum != "sum" {
		t.Error(sum)
	}
	for i := range 200 {
		l.append(fmt.Sprint("e", i))
	}
	p.await("every event", func() bool { return len(p.events) == 200 })
	l.await("an empty queue", func() bool { return l.queue.Stats().Length == 0 })
	for i, e := range p.events {
		if e.Type != fmt.Sprint("e", i) || e.Seq != int64(i+1) {
			t.Fatalf("event %d is %+v", i, e)
		}
	}
	l.end()
	p.await("a goodbye", func() bool { return !p.presence[len(p.presence)-1].Online && p.wills == 0 })
	if l.State().Connected {
		t.Error("connected after the end")
	}
}

func TestLink_ServerGoesAndComes(t *testing.T) {
	p := newPlatform(t)
	l := p.link()
	l.append("before")
	p.await("the first event", func() bool { return len(p.events) == 1 })
	p.down()
	l.await("the loss is said", func() bool { s := l.State(); return !s.Connected && s.Error != "" })
	for i := range 100 {
		l.append(fmt.Sprint("meanwhile", i))
	}
	l.Status([]byte(`{"ts":1}`)) // goes nowhere, and blocks nothing
	p.up()
	p.await("what happened meanwhile", func() bool { return len(p.events) == 101 })
}

func TestLink_UnstoredEventsComeAgain(t *testing.T) {
	p := newPlatform(t)
	p.hold = true
	l := p.link()
	l.append("a")
	l.append("b")
	l.await("the server lets go", func() bool { return l.State().Attempts > 0 })
	p.mu.Lock()
	if n := l.queue.Stats().Length; n != 2 || len(p.events) != 0 {
		t.Errorf("%d in the queue, %d stored", n, len(p.events))
	}
	p.hold = false
	p.mu.Unlock()
	p.await("both events", func() bool { return p.told() == "1:a 2:b" })
}

func TestLink_FallsBackToWebSocket(t *testing.T) {
	p := newPlatform(t)
	l := p.link(func(l *uplink.Link) { l.Port = 1 }) // nobody listens there
	l.append("a")
	p.await("the event by WebSocket", func() bool {
		return p.told() == "1:a" && len(p.by) == 1 && p.by[0] == gateway.TransportWebSocket
	})
	if s := l.State(); s.Transport != "wss" {
		t.Errorf("%+v", s)
	}
}

func TestLink_WrongToken(t *testing.T) {
	p := newPlatform(t)
	l := p.link(func(l *uplink.Link) { l.Token = "another" })
	l.await("that the token is refused", func() bool {
		s := l.State()
		return s.Refused && strings.Contains(s.Error, "enrol again")
	})
	if strings.Contains(l.State().Error, "another") {
		t.Error("the token is in the error")
	}
}

func TestLink_RefusesAnotherServer(t *testing.T) {
	p := newPlatform(t)
	l := p.link(func(l *uplink.Link) { l.Roots = x509.NewCertPool() })
	l.await("that nobody vouches for it", func() bool { return strings.Contains(l.State().Error, "certificate") })
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.by) > 0 {
		t.Error("logged in at a server that is not trusted")
	}
}

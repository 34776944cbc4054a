package agent_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/folder"
	"github.com/kangbyounggwan/factor/internal/server/gateway"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// patience is how long a test waits for what must come. It is generous: timing never decides a test.
const patience = 90 * time.Second

const token = "device-token-of-tests"

// platform is the server's door for devices, the real one, with a memory behind it in place of a database.
type platform struct {
	t    *testing.T
	uuid string
	web  *httptest.Server // for /mqtt
	addr string           // of the door, the same over its restarts

	mu       sync.Mutex
	gateway  *gateway.Gateway
	conn     gateway.Conn
	refuse   error // answer to log-ins
	hold     bool  // events are not stored
	statuses []wire.Snapshot
	presence []wire.Presence
	wills    int
	events   []wire.Event
	stored   map[string]string // epoch/seq → what was stored
	files    []wire.Files
	by       []gateway.Transport
	offset   time.Duration // of the server's clock
	results  []wire.CommandResult
	lines    []string // of the terminal
}

func newPlatform(t *testing.T) *platform {
	t.Helper()
	p := &platform{t: t, uuid: wire.NewUUID(), stored: map[string]string{}}
	p.web = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		g := p.gateway
		p.mu.Unlock()
		if r.URL.Path != "/mqtt" || g == nil {
			http.NotFound(w, r)
			return
		}
		g.ServeHTTP(w, r)
	}))
	p.web.Config.ErrorLog = nil
	p.web.StartTLS()
	t.Cleanup(p.web.Close)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.addr = l.Addr().String()
	l.Close()
	p.up()
	t.Cleanup(p.down)
	return p
}

// up opens the door.
func (p *platform) up() {
	p.t.Helper()
	l, err := net.Listen("tcp", p.addr)
	if err != nil {
		p.t.Fatal(err)
	}
	g := &gateway.Gateway{Registry: p, Sink: p}
	p.mu.Lock()
	g.Now = p.now
	p.gateway = g
	p.mu.Unlock()
	go g.Serve(tls.NewListener(l, &tls.Config{Certificates: p.web.TLS.Certificates}))
}

// now is the server's clock.
func (p *platform) now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Now().Add(p.offset)
}

// down closes it as a server that is stopped does.
func (p *platform) down() {
	p.mu.Lock()
	g := p.gateway
	p.gateway = nil
	p.mu.Unlock()
	if g != nil {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		g.Close(ctx)
	}
}

// enrolled makes a data folder as an enrolment leaves it.
func (p *platform) enrolled(octoprint, key string) *folder.Folder {
	p.t.Helper()
	f, err := folder.Open(p.t.TempDir())
	if err != nil {
		p.t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(p.addr)
	c := &folder.Config{Server: p.web.URL, UUID: p.uuid, Token: token, Name: "시험",
		MQTT:      folder.MQTT{Host: host, TLS: true, WebsocketPath: "/mqtt"},
		CA:        string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.web.Certificate().Raw})),
		OctoPrint: folder.OctoPrint{URL: octoprint, Key: key}}
	fmt.Sscan(port, &c.MQTT.Port)
	if err := f.SaveConfig(c); err != nil {
		p.t.Fatal(err)
	}
	return f
}

// await waits until ok holds; it is called with mu held.
func (p *platform) await(what string, ok func() bool) {
	p.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		p.mu.Lock()
		done := ok()
		p.mu.Unlock()
		if done {
			return
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	last := wire.Snapshot{}
	if n := len(p.statuses); n > 0 {
		last = p.statuses[n-1]
	}
	p.t.Fatalf("never: %s\nevents %s\nlast snapshot of %d %+v", what, p.told(), len(p.statuses), last)
}

// told gives the stored events; mu is held.
func (p *platform) told() string {
	var s []string
	for _, e := range p.events {
		s = append(s, fmt.Sprintf("%d:%s", e.Seq, e.Type))
	}
	return strings.Join(s, " ")
}

func (p *platform) latest() (s wire.Snapshot) {
	if n := len(p.statuses); n > 0 {
		s = p.statuses[n-1]
	}
	return s
}

func (p *platform) say(kind wire.Kind, message any) {
	p.t.Helper()
	b, _ := json.Marshal(message)
	p.mu.Lock()
	g := p.gateway
	p.mu.Unlock()
	if err := g.Publish(p.uuid, kind, b, 0); err != nil {
		p.t.Fatal(err)
	}
}

// What the gateway asks of a server:

func (p *platform) Login(_ context.Context, uuid, given string, _ netip.Addr) (gateway.Device, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse != nil {
		return gateway.Device{}, p.refuse
	}
	if uuid != p.uuid || given != token {
		return gateway.Device{}, gateway.ErrBadLogin
	}
	return gateway.Device{ID: "d", UUID: uuid, PrinterID: "p", WorkspaceID: "w", Authenticated: true}, nil
}

func (p *platform) LoginByUUID(context.Context, string, netip.Addr) (gateway.Device, error) {
	return gateway.Device{}, gateway.ErrNotAuthorized
}

func (p *platform) Connected(_ gateway.Device, c gateway.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conn, p.by = c, append(p.by, c.Transport())
}

func (p *platform) Status(_ gateway.Device, payload []byte, _ time.Time) {
	var s wire.Snapshot
	if err := json.Unmarshal(payload, &s); err != nil {
		p.t.Errorf("snapshot %s: %v", payload, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.statuses = append(p.statuses, s)
}

func (p *platform) Event(_ context.Context, _ gateway.Device, payload []byte, _ time.Time) error {
	var e wire.Event
	if err := json.Unmarshal(payload, &e); err != nil {
		p.t.Errorf("event %s: %v", payload, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hold {
		return errors.New("the disk is full")
	}
	name := fmt.Sprintf("%s/%d", e.Epoch, e.Seq)
	what := fmt.Sprintf("%s %s %s", e.Type, e.Job, e.Data)
	if before, repeated := p.stored[name]; repeated {
		if before != what {
			p.t.Errorf("%s was %q and is %q", name, before, what)
		}
		return nil
	}
	p.stored[name] = what
	p.events = append(p.events, e)
	return nil
}

func (p *platform) Presence(_ context.Context, _ gateway.Device, payload []byte, _ time.Time, will bool) error {
	var v wire.Presence
	if err := json.Unmarshal(payload, &v); err != nil {
		p.t.Errorf("presence %s: %v", payload, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.presence = append(p.presence, v)
	if will {
		p.wills++
	}
	return nil
}

func (p *platform) Files(_ context.Context, _ gateway.Device, payload []byte, _ time.Time) error {
	var f wire.Files
	if err := json.Unmarshal(payload, &f); err != nil {
		p.t.Errorf("files %s: %v", payload, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.files = append(p.files, f)
	return nil
}

func (p *platform) Subscribed(gateway.Device, wire.Kind)                      {}
func (p *platform) Contested(string, netip.Addr)                              {}
func (p *platform) Disconnected(gateway.Device, gateway.Conn, gateway.Reason) {}
func (p *platform) RegistrationAck(context.Context, gateway.Device, []byte, time.Time) error {
	return nil
}
func (p *platform) ControlResult(_ context.Context, _ gateway.Device, payload []byte, _ time.Time) error {
	var r wire.CommandResult
	if err := json.Unmarshal(payload, &r); err != nil {
		p.t.Errorf("result %s: %v", payload, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hold {
		return errors.New("the disk is full")
	}
	p.results = append(p.results, r)
	return nil
}
func (p *platform) GcodeOut(context.Context, gateway.Device, []byte, time.Time) error    { return nil }
func (p *platform) CameraState(context.Context, gateway.Device, []byte, time.Time) error { return nil }

func (p *platform) Transfer(context.Context, gateway.Device, []byte, time.Time) error { return nil }

func (p *platform) Terminal(_ context.Context, _ gateway.Device, payload []byte, _ time.Time) error {
	var m wire.Terminal
	if err := json.Unmarshal(payload, &m); err != nil {
		p.t.Errorf("terminal %s: %v", payload, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, m.Lines...)
	return nil
}

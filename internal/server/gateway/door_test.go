package gateway

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"math/big"
	"net"
	"net/http/httptest"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
	"github.com/prometheus/client_golang/prometheus"
)

// patience is how long a test waits for what must come. It is generous: timing never decides a test.
const patience = 30 * time.Second

// door is a gateway on loopback with its surroundings.
type door struct {
	*Gateway
	t        *testing.T
	people   *people
	heard    *recorder
	registry *prometheus.Registry
	addr     string
}

// mustOpen starts a gateway that knows no device yet; change alters its inputs first.
func mustOpen(t *testing.T, change ...func(*Gateway)) *door {
	t.Helper()
	d := &door{t: t, people: &people{}, heard: newRecorder(), registry: prometheus.NewRegistry()}
	d.Gateway = &Gateway{Registry: d.people, Sink: d.heard, Metrics: d.registry}
	for _, f := range change {
		f(d.Gateway)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d.addr = l.Addr().String()
	go func() { _ = d.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := d.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return d
}

func byUUID(g *Gateway) { g.UUIDLogin = true }

// metric reads a counter or gauge, given its labels as pairs.
func (d *door) metric(name string, labels ...string) float64 {
	d.t.Helper()
	families, err := d.registry.Gather()
	if err != nil {
		d.t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
	next:
		for _, m := range f.GetMetric() {
			for i := 0; i < len(labels); i += 2 {
				found := false
				for _, p := range m.GetLabel() {
					found = found || p.GetName() == labels[i] && p.GetValue() == labels[i+1]
				}
				if !found {
					continue next
				}
			}
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return sum
}

// awaitMetric waits until a metric has reached at least a value.
func (d *door) awaitMetric(want float64, name string, labels ...string) {
	d.t.Helper()
	eventually(d.t, func() bool { return d.metric(name, labels...) >= want }, name)
}

// eventually waits for a condition.
func eventually(t *testing.T, ok func() bool, what string) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

// people is a Registry in memory.
type people struct {
	mu      sync.Mutex
	devices map[string]Device
	tokens  map[string]string
	refused map[string]error // what a log-in of the UUID answers instead
}

// add registers a device and gives its UUID; its token is "token-" and the UUID.
func (p *people) add() string {
	uuid := wire.NewUUID()
	p.set(uuid, Device{ID: "d-" + uuid, UUID: uuid, PrinterID: "p-" + uuid, WorkspaceID: "w", Authenticated: true}, nil)
	return uuid
}

func (p *people) set(uuid string, d Device, refused error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.devices == nil {
		p.devices, p.tokens, p.refused = map[string]Device{}, map[string]string{}, map[string]error{}
	}
	p.devices[uuid], p.tokens[uuid], p.refused[uuid] = d, "token-"+uuid, refused
}

func (p *people) Login(_ context.Context, uuid, token string, _ netip.Addr) (Device, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d, ok := p.devices[uuid]
	if !ok || p.tokens[uuid] != token {
		return Device{}, ErrBadLogin
	}
	return d, p.refused[uuid]
}

func (p *people) LoginByUUID(_ context.Context, uuid string, _ netip.Addr) (Device, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d, ok := p.devices[uuid]
	if !ok {
		return Device{}, ErrNotRegistered
	}
	return d, p.refused[uuid]
}

// call is one call of Sink.
type call struct {
	what    string
	uuid    string
	kind    wire.Kind
	payload string
	will    bool
	why     Reason
	conn    Conn
}

// recorder is a Sink that remembers what it was told.
type recorder struct {
	mu    sync.Mutex
	calls []call
	more  chan struct{} // closed and made anew with each call
	event func(payload []byte) error
}

func newRecorder() *recorder { return &recorder{more: make(chan struct{})} }

func (r *recorder) note(c call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, c)
	close(r.more)
	r.more = make(chan struct{})
}

// await waits for a call after the first skip ones that matches, and gives it.
func (r *recorder) await(t *testing.T, what string, match func(call) bool) call {
	t.Helper()
	timeout := time.After(patience)
	for i := 0; ; {
		r.mu.Lock()
		calls, more := r.calls, r.more
		r.mu.Unlock()
		for ; i < len(calls); i++ {
			if calls[i].what == what && (match == nil || match(calls[i])) {
				return calls[i]
			}
		}
		select {
		case <-more:
		case <-timeout:
			t.Fatalf("the sink never heard %q; it heard %v", what, r.all())
		}
	}
}

func (r *recorder) all() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls)
}

// heard counts the calls of a sort.
func (r *recorder) count(what string) (n int) {
	for _, c := range r.all() {
		if c.what == what {
			n++
		}
	}
	return n
}

func (r *recorder) Connected(d Device, c Conn) {
	r.note(call{what: "connected", uuid: d.UUID, conn: c})
}
func (r *recorder) Subscribed(d Device, k wire.Kind) {
	r.note(call{what: "subscribed", uuid: d.UUID, kind: k})
}
func (r *recorder) Status(d Device, p []byte, _ time.Time) {
	r.note(call{what: "status", uuid: d.UUID, payload: string(p)})
}
func (r *recorder) Event(_ context.Context, d Device, p []byte, _ time.Time) error {
	if r.event != nil {
		if err := r.event(p); err != nil {
			return err
		}
	}
	return r.message("event", d, p)
}
func (r *recorder) Presence(_ context.Context, d Device, p []byte, _ time.Time, will bool) error {
	r.note(call{what: "presence", uuid: d.UUID, payload: string(p), will: will})
	return nil
}
func (r *recorder) Files(_ context.Context, d Device, p []byte, _ time.Time) error {
	return r.message("files", d, p)
}
func (r *recorder) RegistrationAck(_ context.Context, d Device, p []byte, _ time.Time) error {
	return r.message("ack", d, p)
}
func (r *recorder) ControlResult(_ context.Context, d Device, p []byte, _ time.Time) error {
	return r.message("result", d, p)
}
func (r *recorder) GcodeOut(_ context.Context, d Device, p []byte, _ time.Time) error {
	return r.message("gcode", d, p)
}
func (r *recorder) CameraState(_ context.Context, d Device, p []byte, _ time.Time) error {
	return r.message("camera", d, p)
}

func (r *recorder) Transfer(_ context.Context, d Device, p []byte, _ time.Time) error {
	return r.message("transfer", d, p)
}

func (r *recorder) Terminal(_ context.Context, d Device, p []byte, _ time.Time) error {
	return r.message("terminal", d, p)
}
func (r *recorder) Disconnected(d Device, c Conn, why Reason) {
	r.note(call{what: "disconnected", uuid: d.UUID, why: why, conn: c})
}
func (r *recorder) Contested(uuid string, _ netip.Addr) { r.note(call{what: "contested", uuid: uuid}) }
func (r *recorder) message(what string, d Device, p []byte) error {
	r.note(call{what: what, uuid: d.UUID, payload: string(p)})
	return nil
}

// mustCertificate makes a certificate for 127.0.0.1 that signs itself.
func mustCertificate(t testing.TB) (server, client *tls.Config, pem []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
		&tls.Config{RootCAs: pool, ServerName: "127.0.0.1"}, encodePEM(der)
}

// serveTLS opens a second listener, with TLS.
func (d *door) serveTLS() (addr string, client *tls.Config, ca []byte) {
	d.t.Helper()
	server, client, ca := mustCertificate(d.t)
	l, err := tls.Listen("tcp", "127.0.0.1:0", server)
	if err != nil {
		d.t.Fatal(err)
	}
	go func() { _ = d.Serve(l) }()
	return l.Addr().String(), client, ca
}

// serveWebSocket opens an HTTP server with the gateway at /mqtt.
func (d *door) serveWebSocket() (url string) {
	s := httptest.NewServer(d.Gateway)
	d.t.Cleanup(s.Close)
	return "ws" + s.URL[len("http"):] + "/mqtt"
}

var errStore = errors.New("disk full")

// slowRegistry answers when the test lets it.
type slowRegistry struct {
	Registry
	asked   chan struct{}
	proceed chan struct{}
}

func (s *slowRegistry) Login(ctx context.Context, uuid, token string, from netip.Addr) (Device, error) {
	d, err := s.Registry.Login(ctx, uuid, token, from)
	close(s.asked)
	<-s.proceed
	return d, err
}

func mustUnmarshal(t *testing.T, b []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
}

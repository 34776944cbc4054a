package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"log"
	"math/big"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/gateway"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// addresses is the first line of the serving process.
type addresses struct{ Plain, TLS, Outlet string }

// count is its answer to every further line.
type count struct{ Messages int64 }

// serve is the process of the gateway without the rest of the server.
func serve(args []string) {
	f := flag.NewFlagSet("serve", flag.ExitOnError)
	what := f.String("do", "route", "with each message: route or decode")
	_ = f.Parse(args)
	s := &sink{decode: *what == "decode"}
	g := &gateway.Gateway{Registry: everybody{}, Sink: s,
		Limits: gateway.Limits{PerAddress: 50_000, MessagesPerSecond: 1e6, MessageBurst: 1e6, BytesPerSecond: 1e9, ByteBurst: 1e9}}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	secure, err := tls.Listen("tcp", "127.0.0.1:0", certificate())
	if err != nil {
		log.Fatal(err)
	}
	outlet, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go s.letOut(outlet)
	go func() { _ = g.Serve(plain) }()
	go func() { _ = g.Serve(secure) }()
	out := json.NewEncoder(os.Stdout)
	_ = out.Encode(addresses{plain.Addr().String(), secure.Addr().String(), outlet.Addr().String()})
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		_ = out.Encode(count{s.messages.Load()})
	}
}

// certificate is like the server's own: ECDSA P-256.
func certificate() *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		log.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// everybody is a Registry that lets everybody in.
type everybody struct{}

func (everybody) Login(_ context.Context, uuid, _ string, _ netip.Addr) (gateway.Device, error) {
	return gateway.Device{ID: uuid, UUID: uuid, Authenticated: true}, nil
}
func (everybody) LoginByUUID(context.Context, string, netip.Addr) (gateway.Device, error) {
	return gateway.Device{}, gateway.ErrNotAuthorized
}

// sink forwards each status as a PUBLISH to whoever is connected to its outlet, as a broker would to a subscriber, or
// decodes it. What waits for the outlet goes out together.
type sink struct {
	gateway.Sink // nothing else is sent
	decode       bool
	messages     atomic.Int64

	mu      sync.Mutex
	waiting []byte
	wake    chan struct{}
	open    bool
}

func (s *sink) Connected(gateway.Device, gateway.Conn)                    {}
func (s *sink) Disconnected(gateway.Device, gateway.Conn, gateway.Reason) {}

var snapshots = sync.Pool{New: func() any { return new(wire.Snapshot) }}

func (s *sink) Status(d gateway.Device, payload []byte, _ time.Time) {
	s.messages.Add(1)
	if s.decode {
		snap := snapshots.Get().(*wire.Snapshot)
		if _, err := wire.DecodeSnapshot(payload, snap); err != nil {
			log.Fatal(err)
		}
		snapshots.Put(snap)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.open {
		return
	}
	topic := 2 + len("octoprint/status/") + len(d.UUID)
	b := append(s.waiting, 0x30)
	for n := topic + len(payload); ; {
		digit := byte(n & 0x7f)
		if n >>= 7; n > 0 {
			b = append(b, digit|0x80)
			continue
		}
		b = append(b, digit)
		break
	}
	b = append(b, 0, byte(topic-2))
	b = append(b, "octoprint/status/"...)
	b = append(b, d.UUID...)
	s.waiting = append(b, payload...)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// letOut serves one subscriber at a time.
func (s *sink) letOut(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.open, s.wake = true, make(chan struct{}, 1)
		s.mu.Unlock()
		var spare []byte
		for range s.wake {
			s.mu.Lock()
			b := s.waiting
			s.waiting = spare[:0]
			s.mu.Unlock()
			if _, err := c.Write(b); err != nil {
				break
			}
			spare = b
		}
		s.mu.Lock()
		s.open, s.waiting = false, nil
		s.mu.Unlock()
	}
}

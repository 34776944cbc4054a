package sim

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kangbyounggwan/factor/internal/sim/scene"
)

// Fleet is a number of simulated printers of one account.
type Fleet struct {
	Server string  // URL of the server, such as http://127.0.0.1:8080
	Token  string  // API token fct_… of the account that owns them
	N      int     // how many printers
	Speed  float64 // how much faster than a real clock their lives go; 1 is real time
	Seed   uint64  // the same seed makes the same printers with the same fates
	CA     []byte  // PEM of the CA to trust; nil: fetched from a server on this machine, else the system's own
	Log    *slog.Logger

	api   *client
	door  door
	owner string // id of the account
}

// door is where and how to reach the MQTT gateway.
type door struct {
	address string // host:port
	tls     *tls.Config
}

// Run registers the printers that are not registered yet, and has them live until ctx ends.
func (f *Fleet) Run(ctx context.Context) error {
	if err := f.prepare(ctx); err != nil {
		return err
	}
	links := make([]*link, f.N)
	group, enrolling := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i := range links {
		group.Go(func() error {
			l, err := f.enrol(enrolling, i)
			links[i] = l
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	f.Log.Info("printers are registered", "count", f.N)
	var wg sync.WaitGroup
	for i, l := range links {
		wg.Go(func() {
			// Spread over a second, as real ones would come.
			select {
			case <-time.After(time.Duration(i) * time.Second / time.Duration(f.N)):
				l.run(ctx)
			case <-ctx.Done():
			}
		})
	}
	wg.Wait()
	return nil
}

// Remove takes the fleet's printers out of the account again.
func (f *Fleet) Remove(ctx context.Context) error {
	if err := f.prepare(ctx); err != nil {
		return err
	}
	for i := range f.N {
		if err := f.api.remove(ctx, f.uuid(i)); err != nil {
			return err
		}
	}
	return nil
}

func (f *Fleet) prepare(ctx context.Context) error {
	if f.N < 1 || f.N > 20000 {
		return errors.New("the number of printers is 1 to 20000")
	}
	if f.Speed <= 0 || f.Speed > 1000 {
		return errors.New("the speed is above 0 and at most 1000")
	}
	base, err := url.Parse(f.Server)
	if err != nil || base.Host == "" {
		return fmt.Errorf("%q is no server address; it looks like http://127.0.0.1:8080", f.Server)
	}
	f.api = &client{base: base, token: f.Token}
	if f.CA == nil && loopback(base.Hostname()) {
		if f.CA, err = f.api.ca(ctx); err != nil {
			return fmt.Errorf("no FACTOR answers at %s: start it, or name another with --server (%w)", base, err)
		}
	}
	var roots *x509.CertPool // nil: the system's own
	if f.CA != nil {
		roots = x509.NewCertPool()
		if !roots.AppendCertsFromPEM(f.CA) {
			return errors.New("the CA file holds no certificate in PEM form")
		}
		f.api.trust(roots)
	}
	if f.owner, err = f.api.me(ctx); err != nil {
		return fmt.Errorf("ask the server whose token this is: %w", err)
	}
	where, err := f.api.where(ctx)
	if err != nil {
		return fmt.Errorf("ask the server for its MQTT address: %w", err)
	}
	f.door = door{address: where.address(base.Hostname())}
	if where.TLS {
		f.door.tls = &tls.Config{RootCAs: roots, ServerName: base.Hostname(), MinVersion: tls.VersionTLS12}
	}
	return nil
}

// uuid gives the i-th printer's, the same at each run with the same account and seed, so that no run leaves dead
// printers behind.
func (f *Fleet) uuid(i int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "factor sim %s %d %d", f.owner, f.Seed, i))
	sum[6] = sum[6]&0x0f | 0x40
	sum[8] = sum[8]&0x3f | 0x80
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func (f *Fleet) enrol(ctx context.Context, i int) (*link, error) {
	r := rand.New(rand.NewPCG(f.Seed, uint64(i)))
	m := models[i%len(models)]
	name := m.name
	if n := i / len(models); n > 0 {
		name = fmt.Sprintf("%s #%d", m.name, n+1)
	}
	token, err := f.api.register(ctx, f.uuid(i), name)
	if err != nil {
		return nil, fmt.Errorf("register printer %d: %w", i+1, err)
	}
	if err := f.api.needCamera(ctx, f.uuid(i)); err != nil {
		return nil, fmt.Errorf("give printer %d a camera: %w", i+1, err)
	}
	log := f.Log.With("printer", name)
	eye := &camera{url: f.api.base, http: &f.api.http, device: url.UserPassword(f.uuid(i), token), part: scene.Parts[i%len(scene.Parts)], log: log}
	eye.show(-1)
	return &link{uuid: f.uuid(i), token: token, door: f.door, speed: f.Speed, printer: newPrinter(r, m), camera: eye, log: log}, nil
}

package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Where the certificate that browsers see comes from.
const (
	SourceOwn  = "own"
	SourceFile = "file"
	SourceACME = "acme"
)

const (
	LeafFile    = "server.crt" // the own certificate with its chain
	LeafKeyFile = "server.key"

	checkEvery = 30 * time.Second // given files; the own names at each 120th time, which is hourly
	namesEvery = 120
)

// Keeper holds the certificates in force and replaces them without a restart. Fill in the exported inputs, then
// call Initialize, Run and Close.
type Keeper struct {
	Dir      string   // the folder tls in the data folder
	Names    []string // given host names and addresses: the public URL's host, --names, --acme-domain
	CertFile string   // a given certificate, with KeyFile
	KeyFile  string
	ACME     ACME // without domains it is off
	Log      *slog.Logger

	authority *Authority
	own       atomic.Pointer[tls.Certificate]
	given     atomic.Pointer[tls.Certificate]
	givenAt   [2]time.Time // when certificate and key had changed last as they were read; used by Run alone
	acme      *acmeSource
	ran       sync.WaitGroup
}

// Info tells about the certificate that browsers see.
type Info struct {
	Source   string
	Names    []string
	NotAfter time.Time
	SHA256   string // hexadecimal
}

// Initialize opens the authority, makes or reads the certificates, and begins to ask for those by ACME.
func (k *Keeper) Initialize() (err error) {
	if k.Log == nil {
		k.Log = slog.New(slog.DiscardHandler)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "server"
	}
	if k.authority, err = OpenAuthority(k.Dir, host); err != nil {
		return err
	}
	if err := k.refreshOwn(time.Now()); err != nil {
		return err
	}
	if k.CertFile != "" {
		if err := k.readGiven(); err != nil {
			return fmt.Errorf("--tls-cert: %w", err)
		}
	}
	if len(k.ACME.Domains) > 0 {
		k.acme, err = k.ACME.start(filepath.Join(k.Dir, "acme"), k.Log)
		if err != nil {
			return fmt.Errorf("--acme-domain: %w", err)
		}
	}
	return nil
}

// Run looks after the certificates until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	k.ran.Add(1)
	defer k.ran.Done()
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if k.CertFile != "" {
			if err := k.readGiven(); err != nil {
				k.Log.Error("the given certificate cannot be read, the one before stays in force", "error", err)
			}
		}
		if n%namesEvery == 0 {
			if err := k.refreshOwn(time.Now()); err != nil {
				k.Log.Error("the certificate could not be renewed", "error", err)
			}
		}
	}
}

// Close ends what ACME does and waits for Run, whose ctx must have ended.
func (k *Keeper) Close() {
	k.acme.close()
	k.ran.Wait()
}

// Authority gives the server's own authority.
func (k *Keeper) Authority() *Authority { return k.authority }

// WebTLS is for HTTPS: the given certificate, or ACME's for its domains and the own for everything else.
func (k *Keeper) WebTLS() *tls.Config {
	protocols := []string{"h2", "http/1.1"}
	if k.acme != nil {
		protocols = append(protocols, acmeProtocol)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: protocols, GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if given := k.given.Load(); given != nil {
			return given, nil
		}
		if c := k.acme.certificate(hello); c != nil {
			return c, nil
		}
		return k.own.Load(), nil
	}}
}

// DeviceTLS is for MQTT: the given certificate, else the own, which agents trust whatever happens to ACME.
func (k *Keeper) DeviceTLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		if given := k.given.Load(); given != nil {
			return given, nil
		}
		return k.own.Load(), nil
	}}
}

// Info tells about the certificate in force.
func (k *Keeper) Info() Info {
	cert, source := k.own.Load(), SourceOwn
	if given := k.given.Load(); given != nil {
		cert, source = given, SourceFile
	} else if c := k.acme.first(); c != nil {
		cert, source = c, SourceACME
	}
	return Info{Source: source, Names: CertificateNames(cert.Leaf), NotAfter: cert.Leaf.NotAfter, SHA256: Fingerprint(cert.Leaf)}
}

// Trusted tells whether programs that know nothing of us, such as OctoPrint, trust what WebTLS shows for a host: whether
// a public authority vouches for it, as far as this machine knows them.
func (k *Keeper) Trusted(host string) bool {
	cert := k.given.Load()
	if cert == nil {
		cert = k.acme.certificate(&tls.ClientHelloInfo{ServerName: host})
	}
	if cert == nil {
		return false
	}
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		return false
	}
	between := x509.NewCertPool()
	for _, der := range cert.Certificate[1:] {
		if c, err := x509.ParseCertificate(der); err == nil {
			between.AddCert(c)
		}
	}
	_, err = leaf.Verify(x509.VerifyOptions{DNSName: host, Intermediates: between})
	return err == nil
}

// CertificateNames lists the host names and addresses that a certificate is good for.
func CertificateNames(c *x509.Certificate) []string {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

// refreshOwn makes the own certificate anew when there is none, when its names are no longer the server's, and
// when it ends soon.
func (k *Keeper) refreshOwn(now time.Time) error {
	names := OwnNames(k.Names...)
	certPath, keyPath := filepath.Join(k.Dir, LeafFile), filepath.Join(k.Dir, LeafKeyFile)
	if k.own.Load() == nil {
		pair, err := tls.LoadX509KeyPair(certPath, keyPath)
		if err == nil {
			k.own.Store(&pair)
		} else if !errors.Is(err, fs.ErrNotExist) {
			k.Log.Warn("the certificate cannot be read, a new one is made", "error", err)
		}
	}
	why := k.whyRenew(names, now)
	if why == "" {
		return nil
	}
	certPEM, keyPEM, err := k.authority.Issue(names, now)
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return err
	}
	if err := errors.Join(writeFile(keyPath, keyPEM, 0o600), writeFile(certPath, certPEM, 0o644)); err != nil {
		return fmt.Errorf("keep the certificate: %w", err)
	}
	k.own.Store(&pair)
	k.Log.Info("made a certificate", "why", why, "names", names, "until", pair.Leaf.NotAfter)
	return nil
}

func (k *Keeper) whyRenew(names []string, now time.Time) string {
	cert := k.own.Load()
	if cert == nil {
		return "there is none"
	}
	have, want := CertificateNames(cert.Leaf), slices.Clone(names)
	slices.Sort(have)
	slices.Sort(want)
	switch {
	case cert.Leaf.CheckSignatureFrom(k.authority.Certificate) != nil:
		return "the authority is another one"
	case !slices.Equal(have, want):
		return "the server's names changed"
	case now.After(cert.Leaf.NotAfter.Add(-leafRenew)):
		return "it ends soon"
	case now.Before(cert.Leaf.NotBefore):
		return "it is not valid yet by this machine's clock"
	}
	return ""
}

// readGiven reads the given certificate if its files changed since they were last read.
func (k *Keeper) readGiven() error {
	var changed [2]time.Time // each by itself: a new certificate may well be older than its key
	for i, path := range []string{k.CertFile, k.KeyFile} {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		changed[i] = info.ModTime()
	}
	if k.given.Load() != nil && changed == k.givenAt {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(k.CertFile, k.KeyFile)
	if err != nil {
		return fmt.Errorf("%s and %s do not fit together: %w", k.CertFile, k.KeyFile, err)
	}
	if k.given.Swap(&pair) != nil {
		k.Log.Info("took the changed certificate", "until", pair.Leaf.NotAfter)
	}
	k.givenAt = changed
	return nil
}

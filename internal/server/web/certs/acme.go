package certs

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

const acmeProtocol = "acme-tls/1" // RFC 8737, section 6.2

// ACME is what the server needs to get certificates from an ACME authority, Let's Encrypt unless Directory says
// otherwise. It proves its names over the HTTPS listener (TLS-ALPN-01) and the HTTP listener (HTTP-01), which must be
// reached from the internet at ports 443 and 80, directly or by forwarding.
type ACME struct {
	Domains   []string
	Email     string
	Directory string // URL; "": Let's Encrypt
	HTTPPort  int    // where the HTTP listener really is; 0: there is none
	HTTPSPort int
}

// acmeSource is a running ACME client. A nil one has no certificates.
type acmeSource struct {
	domains []string
	config  *certmagic.Config
	issuer  *certmagic.ACMEIssuer
	cache   *certmagic.Cache
	cancel  context.CancelFunc
}

func (a ACME) start(dir string, log *slog.Logger) (*acmeSource, error) {
	s := &acmeSource{domains: a.Domains}
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(context.Background())
	// What certmagic has to say comes as events: its own logger writes another form.
	silent := zap.NewNop()
	s.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return s.config, nil },
		Logger:           silent,
	})
	s.config = certmagic.New(s.cache, certmagic.Config{
		Storage: &certmagic.FileStorage{Path: dir},
		Logger:  silent,
		OnEvent: func(_ context.Context, event string, data map[string]any) error {
			switch event {
			case "cert_obtained":
				log.Info("got a certificate by ACME", "name", data["identifier"])
			case "cert_failed":
				log.Error("no certificate by ACME: the name must lead here from the internet, port 443 or 80",
					"name", data["identifier"], "error", data["error"])
			}
			return nil
		},
	})
	directory := a.Directory
	if directory == "" {
		directory = certmagic.LetsEncryptProductionCA
	}
	s.issuer = certmagic.NewACMEIssuer(s.config, certmagic.ACMEIssuer{
		CA: directory, TestCA: directory, Email: a.Email, Agreed: true, Logger: silent,
		DisableHTTPChallenge: a.HTTPPort == 0, AltHTTPPort: a.HTTPPort, AltTLSALPNPort: a.HTTPSPort,
	})
	s.config.Issuers = []certmagic.Issuer{s.issuer}
	if err := s.config.ManageAsync(ctx, a.Domains); err != nil {
		s.close()
		return nil, fmt.Errorf("ask for certificates: %w", err)
	}
	return s, nil
}

func (s *acmeSource) close() {
	if s == nil {
		return
	}
	s.cancel()
	s.cache.Stop()
}

// certificate answers a handshake for one of the domains, or a challenge. It gives nil where ACME has no answer (yet).
func (s *acmeSource) certificate(hello *tls.ClientHelloInfo) *tls.Certificate {
	if s == nil {
		return nil
	}
	challenge := slices.Contains(hello.SupportedProtos, acmeProtocol)
	if !challenge && !slices.Contains(s.domains, strings.ToLower(hello.ServerName)) {
		return nil
	}
	cert, err := s.config.GetCertificate(hello)
	if err != nil {
		return nil
	}
	return cert
}

// first gives the certificate of the first domain, or nil.
func (s *acmeSource) first() *tls.Certificate {
	if s == nil {
		return nil
	}
	for _, c := range s.cache.AllMatchingCertificates(s.domains[0]) {
		if c.Leaf != nil {
			return &c.Certificate
		}
	}
	return nil
}

// HTTPChallenge answers HTTP-01 challenges and leaves everything else to next.
func (k *Keeper) HTTPChallenge(next http.Handler) http.Handler {
	if k.acme == nil {
		return next
	}
	return k.acme.issuer.HTTPChallengeHandler(next)
}

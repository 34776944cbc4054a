package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/kangbyounggwan/factor/internal/server/config"
	"github.com/kangbyounggwan/factor/internal/server/web/certs"
)

// authorityFingerprint gives the SHA-256 of the server's own authority as browsers show it: AA:BB:….
func authorityFingerprint(s *config.Settings) (string, error) {
	text, err := os.ReadFile(filepath.Join(s.TLSDir(), certs.AuthorityFile))
	if err != nil {
		return "", err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return "", errNone
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return "", err
	}
	var shown strings.Builder
	for i, digit := range []byte(strings.ToUpper(certs.Fingerprint(cert))) {
		if i > 0 && i%2 == 0 {
			shown.WriteByte(':')
		}
		shown.WriteByte(digit)
	}
	return shown.String(), nil
}

var errNone = errors.New("there is no certificate")

// certificate reads the certificate in use: the given one, else the server's own.
func certificate(s *config.Settings) (*x509.Certificate, string, error) {
	certPath, keyPath := s.TLSCert, s.TLSKey
	if certPath == "" {
		certPath, keyPath = filepath.Join(s.TLSDir(), certs.LeafFile), filepath.Join(s.TLSDir(), certs.LeafKeyFile)
	}
	pair, err := tls.LoadX509KeyPair(certPath, keyPath)
	switch {
	case errors.Is(err, fs.ErrNotExist) && s.TLSCert == "":
		return nil, "", errNone
	case err != nil:
		return nil, "", fmt.Errorf("the certificate %s cannot be used: %w", certPath, err)
	}
	return pair.Leaf, certPath, nil
}

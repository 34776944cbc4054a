package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/kangbyounggwan/factor/internal/server/config"
	"github.com/kangbyounggwan/factor/internal/server/web/certs"
)

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

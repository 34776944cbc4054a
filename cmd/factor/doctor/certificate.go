package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/kangbyounggwan/factor/internal/line"
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
		return nil, "", unusable(certPath, keyPath, err)
	}
	return pair.Leaf, certPath, nil
}

// unusable says what is wrong with a certificate and its key.
func unusable(certPath, keyPath string, err error) error {
	why := "PEM 형식의 인증서와 그 키가 아닙니다"
	if file, ok := errors.AsType[*fs.PathError](err); ok {
		why = file.Path + ": " + line.Reason(err)
	} else if strings.Contains(err.Error(), "does not match") { // crypto/tls has no value for it
		why = keyPath + "은(는) 이 인증서의 키가 아닙니다"
	}
	return line.Tell("the certificate %[1]s cannot be used: %[2]v", "인증서 %[1]s을(를) 쓸 수 없습니다. %[3]s", certPath, err, why)
}

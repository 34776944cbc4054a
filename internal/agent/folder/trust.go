package folder

import (
	"crypto/x509"
	"errors"
)

// Roots gives the certificates to trust: those of pem besides the system's. Nil, which means the system's, for none.
func Roots(pem string) (*x509.CertPool, error) {
	if pem == "" {
		return nil, nil
	}
	// With the system's as well: a server may change from its own certificate to a public one.
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM([]byte(pem)) {
		return nil, errors.New("ca: no certificate in it")
	}
	return pool, nil
}

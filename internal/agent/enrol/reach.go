package enrol

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"time"
)

// clockLeeway is how far our clock may be off before it is blamed for a certificate that is not valid now.
const clockLeeway = 24 * time.Hour

// unreachable tells what kind of trouble a request met before there was an answer.
func (s *server) unreachable(ctx context.Context, err error) error {
	var unknown x509.UnknownAuthorityError
	var wrongName x509.HostnameError
	var invalid x509.CertificateInvalidError
	var name *net.DNSError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		if s.clockWrong(ctx, invalid.Cert) {
			return fault(FaultClock, err)
		}
		return fault(FaultExpired, err)
	case errors.As(err, &unknown), errors.As(err, &wrongName), errors.As(err, &invalid):
		return fault(FaultCertificate, err)
	case errors.As(err, &name) && !name.IsTimeout:
		return fault(FaultServerName, err)
	}
	return fault(FaultServerAway, err)
}

// clockWrong tells whether a certificate that is not valid now by our clock is so by the server's. Nobody vouches for
// that answer, so it only chooses words.
func (s *server) clockWrong(ctx context.Context, cert *x509.Certificate) bool {
	now := time.Now()
	if now.Add(clockLeeway).Before(cert.NotBefore) {
		return true // who makes a certificate makes it valid at once
	}
	client := &http.Client{Timeout: callTimeout, Transport: &http.Transport{Proxy: http.ProxyFromEnvironment,
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, s.base.String()+"/healthz", nil)
	if err != nil {
		return false
	}
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	res.Body.Close()
	said, err := http.ParseTime(res.Header.Get("Date"))
	return err == nil && said.Sub(now).Abs() > clockLeeway && said.After(cert.NotBefore) && said.Before(cert.NotAfter)
}

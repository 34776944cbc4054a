package enrol

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/kangbyounggwan/factor/internal/agent/folder"
)

// connect decides whom to trust and opens the conversation. What is trusted is kept in c.
//
//   - A CA file: trusted as given.
//   - A fingerprint: the server's own CA is fetched and trusted if it is that one.
//   - http:// on this machine: nobody is on the way, so the server's own CA is fetched and trusted at first use.
//   - Nothing of these: what the folder trusted before for this server, and the system's certificates.
func (e *Enrolment) connect(ctx context.Context, c *folder.Config) (*server, error) {
	base, err := url.Parse(c.Server)
	if err != nil {
		return nil, fault(FaultServerURL, err)
	}
	switch {
	case len(e.CA) > 0:
		if c.CA, err = certificates(e.CA); err != nil {
			return nil, fault(FaultCertificate, err)
		}
	case e.Fingerprint != "" || base.Scheme == "http":
		own, err := fetchCA(ctx, base, e.Fingerprint != "")
		if err != nil {
			return nil, err
		}
		if e.Fingerprint != "" {
			if own, err = pick(own, e.Fingerprint); err != nil {
				return nil, err
			}
		}
		c.CA = own
	}
	roots, err := folder.Roots(c.CA)
	if err != nil {
		return nil, fault(FaultCertificate, err)
	}
	s, err := newServer(base, roots)
	if err != nil {
		return nil, fault(FaultServerURL, err)
	}
	return s, nil
}

// fetchCA gets the server's own CA as PEM; "" when it has none, because its certificate is a public one. Unverified
// must only be set when the answer is compared with a fingerprint.
func fetchCA(ctx context.Context, base *url.URL, unverified bool) (string, error) {
	client := &http.Client{Timeout: callTimeout, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: unverified}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base.String()+"/ca.crt", nil)
	if err != nil {
		return "", fault(FaultServerURL, err)
	}
	res, err := client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return "", fault(FaultServerAway, err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return "", fault(FaultServerAway, err)
	}
	if res.StatusCode == http.StatusNotFound {
		return "", nil
	}
	if res.StatusCode != http.StatusOK {
		return "", fault(FaultNotFactor, fmt.Errorf("/ca.crt: status %d", res.StatusCode))
	}
	own, err := certificates(content)
	if err != nil {
		return "", fault(FaultNotFactor, fmt.Errorf("/ca.crt: %w", err))
	}
	return own, nil
}

// certificates reads PEM or DER and gives PEM with nothing else in it.
func certificates(content []byte) (string, error) {
	var ders [][]byte
	for rest := content; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type == "CERTIFICATE" {
			ders = append(ders, block.Bytes)
		}
	}
	if ders == nil {
		ders = [][]byte{content}
	}
	var out strings.Builder
	for _, der := range ders {
		if _, err := x509.ParseCertificate(der); err != nil {
			return "", errors.New("no certificate in it")
		}
		pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: der}) // to memory
	}
	return out.String(), nil
}

// pick gives the certificate that has a SHA-256 fingerprint, written with or without colons.
func pick(bundle, fingerprint string) (string, error) {
	want := strings.ToLower(strings.NewReplacer(":", "", " ", "").Replace(fingerprint))
	for rest := []byte(bundle); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return "", fault(FaultFingerprint, nil)
		}
		if sum := sha256.Sum256(block.Bytes); hex.EncodeToString(sum[:]) == want {
			return string(pem.EncodeToMemory(block)), nil
		}
	}
}

package enrol_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/enrol"
)

// secured is a server whose certificate is valid for a time, and whose clock shows now.
func secured(t *testing.T, from, until, now time.Time) (url, ca string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: until, IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
		io.WriteString(w, "{}")
	}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	s.Config.ErrorLog = nil
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestPlace_Login_Unreachable(t *testing.T) {
	now, year := time.Now(), 365*24*time.Hour
	for _, c := range []struct {
		name             string
		from, until, now time.Time
		want             enrol.Fault
	}{
		{"Expired", now.Add(-2 * year), now.Add(-year), now, enrol.FaultExpired},
		{"OurClockAhead", now.Add(-2 * year), now.Add(-year), now.Add(-year - year/2), enrol.FaultClock},
		{"OurClockBehind", now.Add(year), now.Add(2 * year), now.Add(year + year/2), enrol.FaultClock},
		{"NotFactor", now.Add(-year), now.Add(year), now, enrol.FaultNotFactor},
	} {
		t.Run(c.name, func(t *testing.T) {
			url, ca := secured(t, c.from, c.until, c.now)
			_, err := enrol.Place{URL: url, CA: ca}.Login(context.Background(), email, password)
			var got *enrol.Error
			if !errors.As(err, &got) || got.Fault != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
	_, err := enrol.Place{URL: "https://no-such-server.invalid"}.Login(context.Background(), email, password)
	var got *enrol.Error
	if !errors.As(err, &got) || got.Fault != enrol.FaultServerName {
		t.Errorf("%v", err)
	}
}

func TestPlace_Login_SlowDown(t *testing.T) {
	url := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/server" {
			io.WriteString(w, `{"version":"1","mqtt":{"port":8883}}`)
			return
		}
		if r.URL.Path == "/ca.crt" {
			http.NotFound(w, r)
			return
		}
		w.WriteHeader(429)
		io.WriteString(w, `{"code":"slow_down","retry_after":17}`)
	}))
	defer url.Close()
	_, err := enrol.Place{URL: url.URL}.Login(context.Background(), email, password)
	var got *enrol.Error
	if !errors.As(err, &got) || got.Fault != enrol.FaultSlowDown || got.RetryAfter != 17 {
		t.Errorf("%v", err)
	}
}

package certs

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func mustKeep(t *testing.T, k *Keeper) *Keeper {
	t.Helper()
	if err := k.Initialize(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

// handshake connects to a server of config as name and gives the certificate it showed, verified against roots.
func handshake(t *testing.T, config *tls.Config, roots *x509.CertPool, name string) (*x509.Certificate, error) {
	t.Helper()
	client, server := net.Pipe()
	done := make(chan error, 1)
	go func() {
		s := tls.Server(server, config)
		done <- s.Handshake()
		server.Close()
	}()
	c := tls.Client(client, &tls.Config{RootCAs: roots, ServerName: name})
	err := c.Handshake()
	client.Close()
	<-done
	if err != nil {
		return nil, err
	}
	return c.ConnectionState().PeerCertificates[0], nil
}

func TestKeeper_OwnCertificate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	k := mustKeep(t, &Keeper{Dir: dir, Names: []string{"Factor.Example.com", "192.0.2.7"}})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(k.Authority().PEM)
	for _, name := range []string{"factor.example.com", "localhost", "127.0.0.1", "192.0.2.7"} {
		for side, config := range map[string]*tls.Config{"web": k.WebTLS(), "device": k.DeviceTLS()} {
			if _, err := handshake(t, config, roots, name); err != nil {
				t.Errorf("%s as %s: %v", side, name, err)
			}
		}
	}
	if _, err := handshake(t, k.WebTLS(), roots, "other.example.com"); err == nil {
		t.Error("the certificate is good for a foreign name")
	}
	for _, file := range []string{"ca.key", "server.key"} {
		info, err := os.Stat(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s is readable by others: %v", file, info.Mode())
		}
	}
	if left := time.Until(k.Authority().Certificate.NotAfter); left < 9*365*24*time.Hour {
		t.Errorf("the authority ends in %v", left)
	}
}

func TestKeeper_KeepsOverRestart(t *testing.T) {
	dir := t.TempDir()
	first := mustKeep(t, &Keeper{Dir: dir})
	second := mustKeep(t, &Keeper{Dir: dir})
	if first.Info().SHA256 != second.Info().SHA256 {
		t.Error("a restart made another certificate")
	}
	third := mustKeep(t, &Keeper{Dir: dir, Names: []string{"new.example.com"}})
	if third.Info().SHA256 == first.Info().SHA256 || !slices.Contains(third.Info().Names, "new.example.com") {
		t.Errorf("a new name made no new certificate: %v", third.Info().Names)
	}
	if Fingerprint(third.Authority().Certificate) != Fingerprint(first.Authority().Certificate) {
		t.Error("the authority changed")
	}
}

func TestKeeper_WhyRenew(t *testing.T) {
	k := mustKeep(t, &Keeper{Dir: t.TempDir()})
	names, now := OwnNames(), time.Now()
	for _, c := range []struct {
		name  string
		names []string
		at    time.Time
		want  string
	}{
		{"Fresh", names, now, ""},
		{"MonthBeforeEnd", names, now.Add(leafLife - leafRenew + time.Hour), "ends soon"},
		{"ClockWentBack", names, now.Add(-48 * time.Hour), "not valid yet"},
		{"OtherNames", append([]string{"x.example"}, names...), now, "names"},
	} {
		if got := k.whyRenew(c.names, c.at); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestKeeper_GivenCertificateReloaded(t *testing.T) {
	other, err := OpenAuthority(t.TempDir(), "other")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	give := func(at time.Time) {
		t.Helper()
		certPEM, keyPEM, err := other.Issue([]string{"given.example.com"}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		for path, text := range map[string][]byte{certFile: certPEM, keyFile: keyPEM} {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(path, at, at); err != nil {
				t.Fatal(err)
			}
		}
	}
	give(time.Now().Add(-time.Hour))
	k := mustKeep(t, &Keeper{Dir: t.TempDir(), CertFile: certFile, KeyFile: keyFile})
	first := k.Info()
	if first.Source != SourceFile || first.Names[0] != "given.example.com" {
		t.Fatalf("%+v", first)
	}
	give(time.Now())
	if err := k.readGiven(); err != nil {
		t.Fatal(err)
	}
	if k.Info().SHA256 == first.SHA256 {
		t.Error("the changed certificate was not taken")
	}
	// A broken file leaves the last good certificate in force.
	if err := os.WriteFile(certFile, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := k.Info().SHA256
	if err := k.readGiven(); err == nil {
		t.Error("nonsense was taken")
	}
	if k.Info().SHA256 != good {
		t.Error("a broken file replaced a good certificate")
	}
}

func TestOpenAuthority_HalfGone(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenAuthority(dir, "x"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, authorityKey)); err != nil {
		t.Fatal(err)
	}
	_, err := OpenAuthority(dir, "x")
	if err == nil || !strings.Contains(err.Error(), "backup") {
		t.Errorf("no cure told: %v", err)
	}
}

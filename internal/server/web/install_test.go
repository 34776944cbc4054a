package web

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"testing"
)

// OctoPrint fetches with public certificates only: the page offers an address that works there, and says what it is.
func TestServer_Install(t *testing.T) {
	for _, c := range []struct {
		name, public, target string
		https, plain         int
		trusted              []string
		more                 []string
		url, security, made  string
	}{
		{"own certificate in the house", "", "/api/v1/plugin", 8443, 8080, nil, []string{"Host: pi.local:8080"},
			"http://pi.local:8080", "plain", "https://pi.local:8443"},
		{"own certificate, asked by TLS", "", "https://pi.local:8443/api/v1/plugin", 8443, 8080, nil, nil,
			"http://pi.local:8080", "plain", "https://pi.local:8443"},
		{"own certificate, no plain HTTP", "", "https://pi.local:8443/api/v1/plugin", 8443, 0, nil, nil,
			"https://pi.local:8443", "private", "https://pi.local:8443"},
		{"public certificate", "https://factor.example.com:8443", "/api/v1/plugin", 8443, 8080, []string{"factor.example.com"}, []string{"Host: pi.local:8080"},
			"https://factor.example.com:8443", "public", "https://factor.example.com:8443"},
		{"public URL, own certificate", "https://factor.example.com:8443", "/api/v1/plugin", 8443, 8080, nil, []string{"Host: pi.local:8080"},
			"http://pi.local:8080", "plain", "https://factor.example.com:8443"},
		{"a proxy in front", "https://factor.example.com", "/api/v1/plugin", 8443, 0, nil, []string{"Host: factor.example.com"},
			"https://factor.example.com", "public", "https://factor.example.com"},
		{"a proxy, no public URL", "", "/api/v1/plugin", 0, 0, nil, []string{"Peer: 10.0.0.1:5", "X-Forwarded-Proto: https", "Host: pi.local"},
			"https://pi.local", "public", "https://pi.local"},
		{"this machine", "", "/api/v1/plugin", 8443, 8080, nil, []string{"Host: 127.0.0.1:8080"},
			"http://127.0.0.1:8080", "plain", "http://127.0.0.1:8080"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t, func(s *Server) {
				s.Downloads, s.HTTPSPort, s.TrustedProxies = downloads{}, c.https, []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32")}
				s.PlainPort = func(string) int { return c.plain }
				s.Trusted = func(host string) bool { return slices.Contains(c.trusted, host) }
				s.Names = func() []string { return []string{"pi.local", "127.0.0.1", "factor.example.com"} }
				s.PublicURL = nil
				if c.public != "" {
					var err error
					if s.PublicURL, err = url.Parse(c.public); err != nil {
						t.Fatal(err)
					}
				}
			})
			w := h.ask("GET", c.target, "", c.more...)
			var got Install
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if got.ZipURL != c.url+"/plugin/factor.zip" || got.Security != c.security || got.ZipSHA256 != "of "+c.made || got.Version != "1.2.3" {
				t.Errorf("%+v, want %s %s, of %s", got, c.url, c.security, c.made)
			}
		})
	}
}

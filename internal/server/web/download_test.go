package web

import (
	"net/http"
	"net/netip"
	"net/url"
	"testing"

	"github.com/kangbyounggwan/factor/internal/server/plugin"
)

// downloads answers with the address that it is given.
type downloads struct{}

func (downloads) ServeZip(w http.ResponseWriter, _ *http.Request, address string) {
	_, _ = w.Write([]byte(address))
}

func (downloads) ServeVersion(w http.ResponseWriter, _ *http.Request, address string) {
	_, _ = w.Write([]byte(address))
}

func (downloads) Facts(address string) (plugin.Facts, error) {
	return plugin.Facts{Version: "1.2.3", SHA256: "of " + address, Platforms: []string{"linux-arm64"}}, nil
}

func (downloads) ServeAgent(w http.ResponseWriter, r *http.Request) {
	_, _ = w.Write([]byte(r.PathValue("platform")))
}

// What is handed out names the public URL, else what the asker used if it is ours, with TLS unless both are one machine.
func TestServer_AddressOfDownloads(t *testing.T) {
	public := "https://factor.example.com/"
	for _, c := range []struct {
		name, public, target string
		https                int
		more                 []string
		want                 string
	}{
		{"public URL", public, "/plugin/factor.zip", 8443, []string{"Host: pi.local:8080"}, "https://factor.example.com"},
		{"public URL, listing", public, "/plugin/version.json", 8443, []string{"Host: pi.local:8080"}, "https://factor.example.com"},
		{"in the house", "", "/plugin/factor.zip", 8443, []string{"Host: PI.local.:8080"}, "https://pi.local:8443"},
		{"standard port", "", "/plugin/factor.zip", 443, []string{"Host: pi.local"}, "https://pi.local"},
		{"no TLS", "", "/plugin/factor.zip", 0, []string{"Host: pi.local:8080"}, "http://pi.local:8080"},
		{"by TLS", "", "https://192.0.2.7:9443/plugin/factor.zip", 8443, nil, "https://192.0.2.7:9443"},
		{"IPv6", "", "https://[2001:db8::7]:443/plugin/factor.zip", 8443, nil, "https://[2001:db8::7]"},
		{"this machine", "", "/plugin/factor.zip", 8443, []string{"Host: 127.0.0.1:8080"}, "http://127.0.0.1:8080"},
		{"through a proxy", "", "/plugin/factor.zip", 8443, []string{"Peer: 10.0.0.1:5", "X-Forwarded-Proto: https", "X-Forwarded-Host: pi.local"}, "https://pi.local"},
		{"no port at all", "", "/plugin/factor.zip", 0, []string{"Host: pi.local:x"}, "http://pi.local"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t, func(s *Server) {
				s.Downloads, s.HTTPSPort, s.TrustedProxies = downloads{}, c.https, []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32")}
				s.Names = func() []string { return []string{"pi.local", "192.0.2.7", "2001:db8::7", "127.0.0.1"} }
				s.PublicURL = nil
				if c.public != "" {
					var err error
					if s.PublicURL, err = url.Parse(c.public); err != nil {
						t.Fatal(err)
					}
				}
			})
			if w := h.ask("GET", c.target, "", c.more...); w.Code != http.StatusOK || w.Body.String() != c.want {
				t.Errorf("%d %s, want %s", w.Code, w.Body, c.want)
			}
		})
	}
	h := newHouse(t, func(s *Server) { s.Downloads = downloads{} })
	if w := h.ask("GET", "/plugin/factor.zip", "", "Host: evil.example"); w.Code != http.StatusMisdirectedRequest {
		t.Errorf("a foreign host: %d", w.Code)
	}
	if w := h.ask("GET", "/plugin/agent/linux-arm64", ""); w.Body.String() != "linux-arm64" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Install is how OctoPrint gets the plugin: GET /plugin. OctoPrint fetches it with public certificates only, so an
// address with the server's own certificate would not work there.
type Install struct {
	Version   string   `json:"version" doc:"Of the plugin"`
	ZipURL    string   `json:"zip_url" doc:"What to paste into OctoPrint's Plugin Manager"`
	Security  string   `json:"security" enum:"public,plain,private" doc:"public: TLS with a certificate that OctoPrint trusts; plain: no TLS, for a network that one trusts; private: only with the server's own certificate, which OctoPrint refuses: download the zip and upload it there"`
	ZipSHA256 string   `json:"zip_sha256" doc:"Of what that address gives"`
	ZipPath   string   `json:"zip_path" doc:"The same zip at the address that was asked"`
	Platforms []string `json:"platforms" doc:"Machines for which the server has an agent, such as linux-arm64"`
}

func (s *Server) registerInstall(api huma.API) {
	if s.Downloads == nil {
		return
	}
	huma.Register(api, huma.Operation{
		OperationID: "get-plugin", Method: http.MethodGet, Path: "/api/v1/plugin", Tags: []string{"Server"},
		Summary:  "How OctoPrint gets the plugin of this server",
		Metadata: map[string]any{"access": accessPublic},
	}, s.getInstall)
}

func (s *Server) getInstall(_ context.Context, in *serverInput) (*struct{ Body Install }, error) {
	out := &struct{ Body Install }{Body: Install{ZipPath: "/plugin/factor.zip"}}
	base, security := s.installFrom(in)
	out.Body.ZipURL, out.Body.Security = base+out.Body.ZipPath, security
	facts, err := s.Downloads.Facts(s.address(hostOf(base), security != "plain"))
	if err != nil {
		return nil, err
	}
	out.Body.Version, out.Body.ZipSHA256, out.Body.Platforms = facts.Version, facts.SHA256, facts.Platforms
	return out, nil
}

// installFrom chooses the address that OctoPrint can fetch from, and says what stands behind it.
func (s *Server) installFrom(in *serverInput) (base, security string) {
	host, _ := splitHost(in.hostport)
	if u := s.PublicURL; u != nil && u.Scheme == "https" {
		name, port := splitHost(u.Host)
		if port == 0 {
			port = 443
		}
		// Another port than ours: somebody in front has a certificate of his own, which he got for this.
		if port != s.HTTPSPort || s.trusted(name) {
			return origin("https", name, port), "public"
		}
	}
	switch {
	case s.HTTPSPort != 0 && s.trusted(host):
		return origin("https", host, s.HTTPSPort), "public"
	case in.proxied:
		return origin("https", host, portOf(in.hostport)), "public"
	}
	if s.PlainPort != nil {
		if port := s.PlainPort(host); port != 0 {
			return origin("http", host, port), "plain"
		}
	}
	return origin("https", host, s.HTTPSPort), "private"
}

func (s *Server) trusted(host string) bool { return s.Trusted != nil && s.Trusted(host) }

func portOf(hostport string) int {
	_, port := splitHost(hostport)
	return port
}

// hostOf gives the host and port of an origin.
func hostOf(origin string) string {
	for _, scheme := range []string{"https://", "http://"} {
		if len(origin) > len(scheme) && origin[:len(scheme)] == scheme {
			return origin[len(scheme):]
		}
	}
	return origin
}

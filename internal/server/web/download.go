package web

import (
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"github.com/kangbyounggwan/factor/internal/server/plugin"
)

// Downloads hands out the OctoPrint plugin and the agents. The plugin service is one. address is how the asker reaches
// this server: scheme and host, without a slash at the end.
type Downloads interface {
	ServeZip(w http.ResponseWriter, r *http.Request, address string)
	ServeVersion(w http.ResponseWriter, r *http.Request, address string)
	ServeAgent(w http.ResponseWriter, r *http.Request)
	// Facts describes what is handed out: the plugin's version, its zip's checksum, and the platforms of the agents.
	Facts(address string) (plugin.Facts, error)
}

func (s *Server) downloadRoutes(m *routes) {
	if s.Downloads == nil {
		return
	}
	m.HandleFunc("GET /plugin/factor.zip", func(w http.ResponseWriter, r *http.Request) { s.Downloads.ServeZip(w, r, s.addressFor(r)) })
	m.HandleFunc("GET /plugin/version.json", func(w http.ResponseWriter, r *http.Request) { s.Downloads.ServeVersion(w, r, s.addressFor(r)) })
	m.HandleFunc("GET /plugin/agent/{platform}", s.Downloads.ServeAgent)
}

// addressFor gives this server's address for programs: the public URL, else the host that was asked for, which is known
// to be one of ours by now. Who came without TLS from another machine is sent to the TLS port, where there is one: what
// he is given this address for is to send a password there.
func (s *Server) addressFor(r *http.Request) string {
	return s.address(r.Host, visitOf(r.Context()).secure)
}

func (s *Server) address(hostport string, secure bool) string {
	if s.PublicURL != nil {
		return s.PublicURL.Scheme + "://" + s.PublicURL.Host
	}
	host, port := splitHost(hostport)
	switch {
	case secure:
		return origin("https", host, port)
	case s.HTTPSPort == 0 || isLoopback(host):
		return origin("http", host, port)
	}
	return origin("https", host, s.HTTPSPort)
}

// splitHost takes a Host header apart. A port that is missing or none is 0.
func splitHost(hostport string) (host string, port int) {
	if _, text, err := net.SplitHostPort(hostport); err == nil {
		if n, err := strconv.ParseUint(text, 10, 16); err == nil {
			port = int(n)
		}
	}
	return strings.TrimSuffix(strings.Trim(strings.ToLower(hostname(hostport)), "[]"), "."), port
}

// origin writes scheme, host and port as browsers do.
func origin(scheme, host string, port int) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port == 0 || (scheme == "https" && port == 443) || (scheme == "http" && port == 80) {
		return scheme + "://" + host
	}
	return scheme + "://" + host + ":" + strconv.Itoa(port)
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && ip.IsLoopback())
}

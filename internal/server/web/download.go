package web

import (
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// Downloads hands out the OctoPrint plugin and the agents. The plugin service is one. address is how the asker reaches
// this server: scheme and host, without a slash at the end.
type Downloads interface {
	ServeZip(w http.ResponseWriter, r *http.Request, address string)
	ServeVersion(w http.ResponseWriter, r *http.Request, address string)
	ServeAgent(w http.ResponseWriter, r *http.Request)
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
	if s.PublicURL != nil {
		return s.PublicURL.Scheme + "://" + s.PublicURL.Host
	}
	host, port := strings.ToLower(hostname(r.Host)), ""
	if _, p, err := net.SplitHostPort(r.Host); err == nil {
		port = p
	}
	host = strings.TrimSuffix(strings.Trim(host, "[]"), ".")
	scheme := "http"
	switch ip, err := netip.ParseAddr(host); {
	case visitOf(r.Context()).secure:
		scheme = "https"
	case host == "localhost", err == nil && ip.IsLoopback():
	case s.HTTPSPort != 0:
		scheme, port = "https", strconv.Itoa(s.HTTPSPort)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || (scheme == "https" && n == 443) || (scheme == "http" && n == 80) {
		port = ""
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" {
		host += ":" + port
	}
	return scheme + "://" + host
}

package web

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/problem"
)

// hosts knows which hosts are this server. mu guards known and read.
type hosts struct {
	names  func() []string
	public string

	mu    sync.Mutex
	known map[string]bool
	read  time.Time
}

// hostsAge is how soon an unknown host makes the server look again whether its own names changed.
const hostsAge = 10 * time.Second

// ours tells whether host (without port) is a name or address of this server. local is the address that the request
// arrived at, which is ours whatever the names say.
func (h *hosts) ours(host string, local net.Addr) bool {
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if host == "" {
		return false
	}
	if h.public != "" && host == h.public {
		return true
	}
	if tcp, ok := local.(*net.TCPAddr); ok && host == addressOf(tcp.IP.String()).String() {
		return true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.known[host] {
		return true
	}
	if time.Since(h.read) < hostsAge {
		return false
	}
	h.known, h.read = map[string]bool{}, time.Now()
	for _, name := range h.names() {
		h.known[strings.ToLower(name)] = true
	}
	return h.known[host]
}

var errUnknownHost = problem.New(http.StatusMisdirectedRequest, "unknown_host",
	"This server does not know itself by that name. Its operator can add the name with --public-url or --names.")

// refuseUnknownHost answers 421 to requests for hosts that are not ours, so that no foreign name that resolves to this
// server (DNS rebinding) can be used to talk to it from a browser.
func (s *Server) refuseUnknownHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		if !s.hosts.ours(hostname(r.Host), local) {
			writeProblem(w, errUnknownHost)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return hostport
}

// SameOrigin tells whether a request comes from a page of ours, or from no page at all. It is for WebSockets, which
// browsers open across origins with cookies and without asking.
func (s *Server) SameOrigin(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return true
	}
	return !slices.ContainsFunc(origins, func(origin string) bool { return !s.isOurOrigin(origin, r) })
}

func (s *Server) isOurOrigin(origin string, r *http.Request) bool {
	scheme := "http"
	if visitOf(r.Context()).secure {
		scheme = "https"
	}
	if strings.EqualFold(origin, scheme+"://"+r.Host) {
		return true
	}
	return s.PublicURL != nil && strings.EqualFold(origin, s.PublicURL.Scheme+"://"+s.PublicURL.Host)
}

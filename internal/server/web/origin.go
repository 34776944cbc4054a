package web

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/kangbyounggwan/factor/internal/server/account"
	"golang.org/x/text/language"
)

// visit is what is known of a request before anything is decided about it.
type visit struct {
	peer      netip.Addr // who is at the other end of the connection
	address   netip.Addr // who asks: the peer, or whom a trusted proxy names
	forwarded bool       // somebody stands between, trusted or not
	secure    bool       // the browser came by HTTPS
	id        string     // of this request, in the log and in the header X-Request-Id
	user      string     // who asks, once that is known
	cause     error      // of an answer that tells nothing but "internal"
}

type visitKey struct{}

func visitOf(ctx context.Context) *visit {
	if v, ok := ctx.Value(visitKey{}).(*visit); ok {
		return v
	}
	return &visit{}
}

// withOrigin finds out where a request comes from. What X-Forwarded-For, -Proto and -Host say counts only when a
// trusted proxy says it; r.Host is then the host that the browser asked for.
func (s *Server) withOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{peer: addressOf(r.RemoteAddr), secure: r.TLS != nil, id: newRequestID()}
		v.address = v.peer
		for _, name := range []string{"X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via"} {
			v.forwarded = v.forwarded || r.Header.Get(name) != ""
		}
		if s.trusts(v.peer) {
			if v.address = s.forwardedFor(r.Header.Values("X-Forwarded-For"), v.peer); v.address != v.peer {
				r.RemoteAddr = netip.AddrPortFrom(v.address, 0).String() // the gateway looks there
			}
			if proto := last(r.Header.Values("X-Forwarded-Proto")); proto != "" {
				v.secure = strings.EqualFold(proto, "https")
			}
			if host := last(r.Header.Values("X-Forwarded-Host")); host != "" {
				r.Host = host
			}
		}
		ctx := context.WithValue(r.Context(), visitKey{}, v)
		ctx = account.WithOrigin(ctx, account.Origin{
			Address: v.address.String(), UserAgent: r.UserAgent(), Secure: v.secure, Language: preferred(r.Header.Get("Accept-Language")),
		})
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func (s *Server) trusts(a netip.Addr) bool {
	for _, p := range s.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// forwardedFor walks the chain from the near end and stops at the first that is no trusted proxy: what stands before
// it anybody can write.
func (s *Server) forwardedFor(values []string, peer netip.Addr) netip.Addr {
	hops := strings.Split(strings.Join(values, ","), ",")
	address := peer
	for i := len(hops) - 1; i >= 0; i-- {
		hop := addressOf(strings.TrimSpace(hops[i]))
		if !hop.IsValid() {
			break
		}
		address = hop
		if !s.trusts(hop) {
			break
		}
	}
	return address
}

func addressOf(hostport string) netip.Addr {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	all := values[len(values)-1]
	if i := strings.LastIndexByte(all, ','); i >= 0 {
		all = all[i+1:]
	}
	return strings.TrimSpace(all)
}

// preferred gives the first of our languages that a browser asks for, "" when it asks for neither.
func preferred(header string) string {
	if len(header) > 200 {
		return ""
	}
	tags, _, err := language.ParseAcceptLanguage(header)
	if err != nil {
		return ""
	}
	for _, tag := range tags {
		if base, _ := tag.Base(); base.String() == "ko" || base.String() == "en" {
			return base.String()
		}
	}
	return ""
}

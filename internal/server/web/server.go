// Package web is the door that people come in by: HTTP and HTTPS, the API, the realtime push, the embedded pages.
// A request passes, in this order: where it comes from (origin.go), the log (log.go), which host it asks for
// (host.go), headers that keep browsers safe (headers.go), refusal of other sites' requests (cross_origin.go), who asks
// (actor.go), and then its route (routes.go).
package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/kangbyounggwan/factor/internal/server/account"
	"github.com/kangbyounggwan/factor/internal/server/loglimit"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/netutil"
)

// Limits of the HTTP server. Cameras and uploads, which last longer, set their own deadlines.
const (
	headerTimeout  = 10 * time.Second
	readTimeout    = 30 * time.Second
	writeTimeout   = 60 * time.Second
	idleTimeout    = time.Minute
	maxHeaderBytes = 32 << 10
	maxBodyBytes   = 1 << 20
	maxConnections = 10_000 // of one listener
)

// Accounts tells who asks. The account service is one.
type Accounts interface {
	SessionActor(ctx context.Context, cookie, address, userAgent string) (workspace.Actor, error)
	TokenActor(ctx context.Context, bearer, address string) (workspace.Actor, error)
	LoginPlugin(ctx context.Context, email, password string) (account.PluginLogin, error)
	SetupRequired(ctx context.Context) (bool, error)
	SignupMode(ctx context.Context) (account.SignupMode, error)
}

// Capability adds its calls to the API.
type Capability interface{ Register(api huma.API) }

// Plugin answers the 1.x plugin's calls about printers. The printer service is one.
type Plugin interface {
	PluginSummary(w http.ResponseWriter, r *http.Request)
	PluginRegister(w http.ResponseWriter, r *http.Request)
}

// Server is everything that HTTP reaches. Fill in the exported inputs, then Initialize; give it listeners with Serve,
// or take its Handler; Close ends it.
type Server struct {
	Version        string
	Pages          fs.FS           // the built pages
	Docs           fs.FS           // the documentation: en/….md, ko/….md; nil: none
	Styles         []byte          // of the pages, for the documentation
	PublicURL      *url.URL        // nil: none
	Names          func() []string // host names and addresses that are ours
	TrustedProxies []netip.Prefix
	MetricsLocal   bool // programs on this machine may read /metrics
	HTTPSPort      int  // where TLS is spoken; 0: nowhere
	// ConnectionsPerAddress bounds the connections at a time from one address (IPv6: one /64), of all listeners
	// together; 0: defaultPerAddress. This machine and the trusted proxies have no bound.
	ConnectionsPerAddress int
	// PlainPort gives where HTTP without TLS answers under a host of ours, 0 for nowhere; nil: nowhere.
	PlainPort func(host string) int
	// Trusted tells whether everybody trusts the certificate that the TLS port shows for a host; nil: nobody does.
	Trusted func(host string) bool

	Accounts     Accounts
	Capabilities []Capability
	Plugin       Plugin       // nil: its calls are not there
	Downloads    Downloads    // nil: nothing is handed out
	Push         http.Handler // the realtime push
	MQTT         http.Handler // MQTT over WebSocket
	Link         http.Handler // media links of devices, which log in inside; nil: none
	AuthorityPEM []byte       // of the server's own certificate authority
	Ready        func(ctx context.Context) error
	Describe     Description
	Gatherer     prometheus.Gatherer
	Registerer   prometheus.Registerer
	Log          *slog.Logger

	handler  http.Handler
	routes   *routes
	spec     []byte // OpenAPI
	count    *counters
	hosts    hosts
	crowd    *crowd
	logLimit loglimit.Limiter // with lines about strangers' requests
	servers  []*http.Server
	serving  sync.WaitGroup
	mu       sync.Mutex // guards servers and stopping
	stopping bool
}

// Initialize builds the routes. It fails when two of them are in each other's way.
func (s *Server) Initialize() error {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if s.Names == nil || s.Accounts == nil || s.Pages == nil || s.Ready == nil {
		return errors.New("the web server lacks one of Names, Accounts, Pages, Ready")
	}
	s.count = newCounters(s.Registerer)
	s.hosts.names = s.Names
	s.crowd = &crowd{limit: s.ConnectionsPerAddress, free: s.isFree, refused: s.count.refused, from: map[netip.Addr]int{}}
	if s.crowd.limit == 0 {
		s.crowd.limit = defaultPerAddress
	}
	if s.PublicURL != nil {
		s.hosts.public = s.PublicURL.Hostname()
	}
	pages, err := newPages(s.Pages)
	if err != nil {
		return fmt.Errorf("read the embedded pages: %w", err)
	}
	if err := s.buildRoutes(pages); err != nil {
		return err
	}
	s.handler = s.chain(s.routes, pages.policy)
	return nil
}

// chain puts what every request passes in front of next, outermost first.
func (s *Server) chain(next http.Handler, policy string) http.Handler {
	h := squeezeAnswers(next)
	h = s.withActor(h)
	h = s.refuseCrossOrigin(h)
	h = limitBody(h)
	h = refuseNUL(h)
	h = s.withHeaders(h, policy)
	h = s.refuseUnknownHost(h)
	h = s.withLog(h)
	return s.withOrigin(h)
}

// Handler answers requests.
func (s *Server) Handler() http.Handler { return s.handler }

// OpenAPI gives the API's description as JSON.
func (s *Server) OpenAPI() []byte { return s.spec }

// Routes lists every route as "METHOD /path", "/path" for all methods.
func (s *Server) Routes() []string { return s.routes.patterns }

// Serve answers on a listener until Close; with TLS where config is given. wrap, where given, comes in front of the
// handler. It returns at once.
func (s *Server) Serve(l net.Listener, config *tls.Config, wrap func(http.Handler) http.Handler) {
	handler := s.handler
	if wrap != nil {
		handler = wrap(handler)
	}
	server := &http.Server{
		Handler: handler, TLSConfig: config,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes,
		// Strangers' broken handshakes are no trouble of ours.
		ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	s.mu.Lock()
	s.servers = append(s.servers, server)
	s.mu.Unlock()
	l = netutil.LimitListener(crowdListener{l, s.crowd}, maxConnections)
	s.serving.Go(func() {
		var err error
		if config != nil {
			err = server.ServeTLS(l, "", "")
		} else {
			err = server.Serve(l)
		}
		if !errors.Is(err, http.ErrServerClosed) {
			s.Log.Error("HTTP stopped", "address", l.Addr().String(), "error", err)
		}
	})
}

// Stop refuses new connections and makes /readyz say no; requests under way go on.
func (s *Server) Stop() {
	s.mu.Lock()
	s.stopping = true
	s.mu.Unlock()
}

// Close waits for the requests under way, until ctx ends at the latest, and ends the rest.
func (s *Server) Close(ctx context.Context) error {
	s.Stop()
	s.mu.Lock()
	servers := s.servers
	s.mu.Unlock()
	var errs []error
	for _, server := range servers {
		if err := server.Shutdown(ctx); err != nil {
			errs = append(errs, server.Close())
		}
	}
	s.serving.Wait()
	return errors.Join(errs...)
}

func (s *Server) isStopping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}

// limitBody bounds what a request may bring. Files are larger and have bounds of their own.
func limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && !bringsFile(r) {
			r.Body = http.MaxBytesReader(w, r.Body, maxBodyBytes)
		}
		next.ServeHTTP(w, r)
	})
}

// bringsFile tells the requests whose body is a file, or a part of one.
func bringsFile(r *http.Request) bool {
	switch r.Method {
	case http.MethodPost:
		return r.URL.Path == "/api/v1/files"
	case http.MethodPatch:
		return strings.HasPrefix(r.URL.Path, "/api/v1/uploads/")
	case http.MethodPut:
		return strings.HasPrefix(r.URL.Path, "/api/device/files/")
	}
	return false
}

package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

type counters struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	refused  prometheus.Counter
}

func newCounters(registerer prometheus.Registerer) *counters {
	c := &counters{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "factor_http_requests_total", Help: "HTTP requests by method, route and class of status.",
		}, []string{"method", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "factor_http_request_seconds", Help: "Time to answer an API request.", Buckets: []float64{.001, .005, .025, .1, .5, 2, 10},
		}, []string{"route"}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "factor_http_connections_refused_total", Help: "Connections that were too many of one address.",
		}),
	}
	if registerer != nil {
		registerer.MustRegister(c.requests, c.seconds, c.refused)
	}
	return c
}

// request counts one. Routes are few and known; a method that no route has is none of its own.
func (c *counters) request(method, pattern string, status int, took time.Duration) {
	_, route, ok := strings.Cut(pattern, " ")
	if !ok {
		route = pattern
	}
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
	default:
		method = "other"
	}
	c.requests.WithLabelValues(method, route, strconv.Itoa(status/100)+"xx").Inc()
	if isAPI(route) && status != http.StatusSwitchingProtocols {
		c.seconds.WithLabelValues(route).Observe(took.Seconds())
	}
}

// metrics serves Prometheus: to administrators, and, if a setting allows it, to programs on this machine. A request
// that a proxy on this machine passes on is no program of this machine.
func (s *Server) metrics() http.Handler {
	handler := promhttp.HandlerFor(s.Gatherer, promhttp.HandlerOpts{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := visitOf(r.Context())
		if s.MetricsLocal && v.peer.IsLoopback() && !v.forwarded {
			handler.ServeHTTP(w, r)
			return
		}
		if _, err := workspace.RequireAdmin(r.Context()); err != nil {
			if problem.Code(err) == "" {
				err = problem.ErrNotSignedIn
			}
			writeProblem(w, err)
			return
		}
		handler.ServeHTTP(w, r)
	})
}

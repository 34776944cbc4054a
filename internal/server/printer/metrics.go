package printer

import "github.com/prometheus/client_golang/prometheus"

// counters are what the operator sees of this part.
type counters struct {
	status     struct{ ok, trimmed, invalid, unknown prometheus.Counter }
	events     struct{ stored, again, invalid, failed, gaps, dropped prometheus.Counter }
	files      struct{ stored, invalid prometheus.Counter }
	contested  prometheus.Counter
	checkpoint prometheus.Histogram
}

func newCounters(reg prometheus.Registerer, s *Service) *counters {
	c := &counters{}
	status := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "factor_status_total", Help: "Status messages of printers, by what became of them.",
	}, []string{"result"})
	c.status.ok, c.status.trimmed = status.WithLabelValues("ok"), status.WithLabelValues("trimmed")
	c.status.invalid, c.status.unknown = status.WithLabelValues("invalid"), status.WithLabelValues("unknown")
	events := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "factor_events_total", Help: "Events of printers, by what became of them; gap: numbers that never came; dropped: over the quota of its device.",
	}, []string{"result"})
	c.events.stored, c.events.again = events.WithLabelValues("stored"), events.WithLabelValues("again")
	c.events.invalid, c.events.failed = events.WithLabelValues("invalid"), events.WithLabelValues("failed")
	c.events.dropped = events.WithLabelValues("dropped")
	c.events.gaps = events.WithLabelValues("gap")
	files := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "factor_file_trees_total", Help: "File trees that printers sent, by what became of them.",
	}, []string{"result"})
	c.files.stored, c.files.invalid = files.WithLabelValues("stored"), files.WithLabelValues("invalid")
	c.contested = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "factor_uuid_contested_total", Help: "Attempts to connect without credentials under the UUID of a device that is connected.",
	})
	c.checkpoint = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "factor_history_batch_seconds", Help: "Time to sample all printers and write what changed.",
		Buckets: prometheus.ExponentialBuckets(0.001, 2, 13),
	})
	if reg != nil {
		reg.MustRegister(status, events, files, c.contested, c.checkpoint,
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "factor_printers", Help: "Registered printers."},
				func() float64 { n, _ := s.Counts(); return float64(n) }),
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "factor_printers_online", Help: "Printers whose device is connected."},
				func() float64 { _, n := s.Counts(); return float64(n) }))
	}
	return c
}

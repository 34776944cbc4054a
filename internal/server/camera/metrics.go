package camera

import "github.com/prometheus/client_golang/prometheus"

type counters struct {
	viewers   *prometheus.CounterVec
	transport *prometheus.CounterVec
	bytesIn   prometheus.Counter
	bytesOut  *prometheus.CounterVec
	dropped   *prometheus.CounterVec
	blocked   *prometheus.CounterVec
	delay     *prometheus.HistogramVec
	pictures  prometheus.Counter
	resent    prometheus.Counter
}

func newCounters(r prometheus.Registerer, s *Service) *counters {
	counter := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: "factor", Subsystem: "camera", Name: name, Help: help}
	}
	c := &counters{
		viewers:   prometheus.NewCounterVec(counter("viewers_total", "Viewers that began, by rung."), []string{"rung"}),
		transport: prometheus.NewCounterVec(counter("webrtc_connected_total", "WebRTC sessions that connected, by transport."), []string{"transport"}),
		bytesIn:   prometheus.NewCounter(counter("received_bytes_total", "What devices sent.")),
		bytesOut:  prometheus.NewCounterVec(counter("sent_bytes_total", "What viewers were sent, by rung."), []string{"rung"}),
		dropped:   prometheus.NewCounterVec(counter("dropped_total", "Messages and frames that were left out, by reason."), []string{"reason"}),
		blocked:   prometheus.NewCounterVec(counter("blocked_total", "What pages said does not get through to them."), []string{"code"}),
		pictures:  prometheus.NewCounter(counter("snapshots_total", "Single pictures that were asked for.")),
		resent:    prometheus.NewCounter(counter("resent_packets_total", "RTP packets sent again because they were lost.")),
		delay: prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "factor", Subsystem: "camera", Name: "delay_seconds",
			Help: "From camera to screen, as pages measure it, by rung.", Buckets: []float64{.03, .1, .2, .5, 1, 2, 5, 15}}, []string{"rung"}),
	}
	if r == nil {
		return c
	}
	gauge := func(name, help string, of func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "factor", Subsystem: "camera", Name: name, Help: help},
			func() float64 { s.mu.Lock(); defer s.mu.Unlock(); return float64(of()) })
	}
	r.MustRegister(c.viewers, c.transport, c.bytesIn, c.bytesOut, c.dropped, c.blocked, c.pictures, c.resent, c.delay,
		gauge("streams", "Cameras that are open.", func() int { return len(s.streams) }),
		gauge("links", "Media links of devices.", func() int { return len(s.links) }),
		gauge("viewers", "Viewers now.", func() int { return len(s.viewers) }))
	return c
}

func (c *counters) sent(r Rung, bytes int) { c.bytesOut.WithLabelValues(string(r)).Add(float64(bytes)) }

func (c *counters) rtc(transport string) prometheus.Counter {
	return c.transport.WithLabelValues(transport)
}

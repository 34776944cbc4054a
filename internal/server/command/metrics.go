package command

import "github.com/prometheus/client_golang/prometheus"

type counters struct {
	sent    *prometheus.CounterVec
	refused *prometheus.CounterVec
	answers *prometheus.CounterVec
	took    prometheus.Histogram
}

func newCounters(r prometheus.Registerer) *counters {
	c := &counters{
		sent: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "factor_commands_sent_total",
			Help: "Commands sent to devices."}, []string{"type"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "factor_commands_refused_total",
			Help: "Commands that were not sent, by the code of the answer."}, []string{"code"}),
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "factor_command_answers_total",
			Help: "Answers of devices, by their code."}, []string{"code"}),
		took: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "factor_command_seconds",
			Help:    "Time from a click to its device's answer.",
			Buckets: []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20}}),
	}
	if r != nil {
		r.MustRegister(c.sent, c.refused, c.answers, c.took)
	}
	return c
}

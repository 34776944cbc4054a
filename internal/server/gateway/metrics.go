package gateway

import (
	"strconv"

	"github.com/kangbyounggwan/factor/internal/wire"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Why a message was thrown away.
const (
	dropTooLarge     = "too_large"
	dropRate         = "rate"
	dropQuarantine   = "quarantine"
	dropUnattributed = "unattributed" // published plugin's topics without an id
	dropInvalid      = "invalid"      // the sink will never take it
	dropQueue        = "queue"        // out: the device does not take what was sent before
	dropStale        = "replaced"     // out: a newer one of the same kind stands in the queue
)

// kindLabels name the kinds in metrics. Nothing is ever labelled by device: there can be 30,000.
var kindLabels = [...]string{
	wire.KindNone: "none", wire.KindStatus: "status", wire.KindEvent: "event", wire.KindFiles: "files",
	wire.KindPresence: "presence", wire.KindTime: "time", wire.KindControlReply: "control_result",
	wire.KindGcodeOut: "gcode_out", wire.KindCameraState: "camera_state", wire.KindRegistered: "registration_ack",
	wire.KindUnattributed: "unattributed", wire.KindControl: "control", wire.KindGcodeIn: "gcode_in",
	wire.KindCamera: "camera", wire.KindRegistration: "registration", wire.KindTimeReply: "time_reply",
	wire.KindWatch: "watch", wire.KindTransfer: "transfer", wire.KindTerminal: "terminal",
}

// counters are what the gateway tells of itself.
type counters struct {
	halfOpen, devices, quarantined prometheus.Gauge

	received, sent       [len(kindLabels)]prometheus.Counter
	bytesIn, bytesOut    prometheus.Counter
	dropped              *prometheus.CounterVec
	connack, disconnects *prometheus.CounterVec
}

func newCounters(r prometheus.Registerer) *counters {
	f := promauto.With(r)
	conns := f.NewGaugeVec(prometheus.GaugeOpts{Name: "factor_mqtt_connections",
		Help: "Device connections by state."}, []string{"state"})
	messages := f.NewCounterVec(prometheus.CounterOpts{Name: "factor_mqtt_messages_total",
		Help: "Messages taken from devices (in) and sent to them (out) by kind of topic."}, []string{"direction", "kind"})
	bytes := f.NewCounterVec(prometheus.CounterOpts{Name: "factor_mqtt_bytes_total",
		Help: "Bytes of MQTT read from devices (in) and written to them (out)."}, []string{"direction"})
	c := &counters{
		halfOpen: conns.WithLabelValues("half_open"), devices: conns.WithLabelValues("device"),
		quarantined: conns.WithLabelValues("quarantine"),
		bytesIn:     bytes.WithLabelValues("in"), bytesOut: bytes.WithLabelValues("out"),
		dropped: f.NewCounterVec(prometheus.CounterOpts{Name: "factor_mqtt_dropped_total",
			Help: "Messages thrown away, by reason."}, []string{"reason"}),
		connack: f.NewCounterVec(prometheus.CounterOpts{Name: "factor_mqtt_connack_total",
			Help: "Answers to CONNECT by return code."}, []string{"code"}),
		disconnects: f.NewCounterVec(prometheus.CounterOpts{Name: "factor_mqtt_disconnects_total",
			Help: "Ended connections by reason."}, []string{"reason"}),
	}
	for kind, label := range kindLabels {
		if k := wire.Kind(kind); k.FromDevice() {
			c.received[kind] = messages.WithLabelValues("in", label)
		} else if k.ToDevice() {
			c.sent[kind] = messages.WithLabelValues("out", label)
		}
	}
	return c
}

func (c *counters) drop(reason string) { c.dropped.WithLabelValues(reason).Inc() }
func (c *counters) answered(code wire.ConnackCode) {
	c.connack.WithLabelValues(strconv.Itoa(int(code))).Inc()
}
func (c *counters) ended(why Reason) { c.disconnects.WithLabelValues(string(why)).Inc() }

// gauge counts the connections of a phase.
func (g *Gateway) gauge(p phase) prometheus.Gauge {
	switch p {
	case phaseDevice:
		return g.count.devices
	case phaseAnonymous, phaseQuarantine:
		return g.count.quarantined
	}
	return g.count.halfOpen
}

package sim

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// link is a simulated printer with its device: it carries what the model does to the server. One goroutine owns it;
// watched is also set from the MQTT client's.
type link struct {
	uuid, token string
	door        door
	speed       float64
	printer     *printer
	log         *slog.Logger

	client  mqtt.Client
	watched atomic.Bool
	epoch   string
	seq     int64
	queue   []wire.Event // not acknowledged yet, oldest first
	flying  mqtt.Token   // of queue[0]
	sent    time.Time    // of the last snapshot
	phase   wire.Status  // in the last snapshot

	camera   *camera
	whole    context.Context // of run
	commands chan []byte     // from the MQTT client's goroutine
	obeyed   map[string]bool // ids of commands
}

// tick is how often the model moves on.
const tick = time.Second

// queueMax bounds the memory of a printer that cannot reach its server.
const queueMax = 1000

func (l *link) run(ctx context.Context) {
	l.epoch = wire.NewUUID()
	l.commands, l.obeyed = make(chan []byte, 16), map[string]bool{}
	l.whole = ctx
	l.note(l.printer.begin())
	l.connect()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			if l.client != nil {
				l.client.Publish(wire.KindPresence.Topic(l.uuid), 1, false, []byte(mustJSON(l.presence(false)))).WaitTimeout(time.Second)
				l.client.Disconnect(100)
			}
			return
		case command := <-l.commands:
			l.obey(command, time.Now())
		case now := <-ticker.C:
			l.step(now)
		}
	}
}

func (l *link) step(now time.Time) {
	events, gone := l.printer.step(time.Duration(float64(tick) * l.speed))
	l.camera.show(l.printer.progress())
	l.note(events)
	switch {
	case gone && l.client != nil:
		l.client.Disconnect(0)
		l.client, l.flying = nil, nil
	case !gone && l.client == nil:
		l.connect()
	}
	if l.client == nil || !l.client.IsConnectionOpen() {
		return
	}
	l.deliver()
	if now.Sub(l.sent) < l.interval()-tick/2 && l.phase == l.printer.phase {
		return
	}
	l.report(now)
}

// report tells how the printer is.
func (l *link) report(now time.Time) {
	b, err := json.Marshal(l.printer.snapshot(now, l.interval()))
	if err != nil {
		l.log.Error("snapshot", "error", err)
		return
	}
	l.client.Publish(wire.KindStatus.Topic(l.uuid), 0, false, b)
	l.sent, l.phase = now, l.printer.phase
}

// interval is how often it reports.
func (l *link) interval() time.Duration {
	if l.printer.phase.Active() || l.watched.Load() {
		return wire.WatchedInterval
	}
	return wire.IdleInterval
}

func (l *link) note(events []wire.Event) {
	for _, e := range events {
		l.seq++
		e.Epoch, e.Seq, e.At = l.epoch, l.seq, unix(time.Now())
		if len(l.queue) < queueMax {
			l.queue = append(l.queue, e)
		}
	}
}

// deliver sends the oldest event, the next one when that is acknowledged.
func (l *link) deliver() {
	if l.flying != nil {
		select {
		case <-l.flying.Done():
			if l.flying.Error() == nil {
				l.queue = l.queue[1:]
			}
			l.flying = nil
		default:
			return
		}
	}
	if len(l.queue) > 0 {
		l.flying = l.client.Publish(wire.KindEvent.Topic(l.uuid), 1, false, []byte(mustJSON(l.queue[0])))
	}
}

func (l *link) connect() {
	scheme := "tcp://"
	if l.door.tls != nil {
		scheme = "tls://"
	}
	o := mqtt.NewClientOptions().AddBroker(scheme+l.door.address).SetTLSConfig(l.door.tls).
		SetClientID("sim-"+l.uuid).SetUsername(l.uuid).SetPassword(l.token).
		SetKeepAlive(wire.KeepAlive).SetCleanSession(true).SetProtocolVersion(4).
		SetConnectRetry(true).SetConnectRetryInterval(2*time.Second).SetMaxReconnectInterval(30*time.Second).
		SetBinaryWill(wire.KindPresence.Topic(l.uuid), []byte(mustJSON(l.presence(false))), 1, false)
	o.OnConnect = func(c mqtt.Client) {
		c.Subscribe(wire.KindWatch.Topic(l.uuid), 0, func(_ mqtt.Client, m mqtt.Message) {
			var w wire.Watch
			if json.Unmarshal(m.Payload(), &w) == nil {
				l.watched.Store(w.Watched)
			}
		})
		c.Subscribe(wire.KindControl.Topic(l.uuid), 1, func(_ mqtt.Client, m mqtt.Message) {
			select {
			case l.commands <- m.Payload():
			default: // more than any person gives
			}
		})
		c.Subscribe(wire.KindCamera.Topic(l.uuid), 1, func(_ mqtt.Client, m mqtt.Message) { l.camera.obey(l.whole, m.Payload()) })
		c.Publish(wire.KindPresence.Topic(l.uuid), 1, false, []byte(mustJSON(l.presence(true))))
		c.Publish(wire.KindFiles.Topic(l.uuid), 1, false, []byte(mustJSON(tree())))
	}
	l.client, l.sent = mqtt.NewClient(o), time.Time{}
	l.client.Connect()
}

func (l *link) presence(online bool) wire.Presence {
	return wire.Presence{Online: online, Agent: "sim", Proto: wire.Proto, Caps: []string{wire.CapCommands}, Epoch: l.epoch, Since: unix(time.Now()),
		OctoPrint: "1.11.8", Python: "3.11", OS: "simulated", Host: "sim"}
}

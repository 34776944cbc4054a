package uplink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// window is how many events are under way at once.
const window = 64

// serve carries everything over an open connection until that ends or whole does.
func (l *Link) serve(whole context.Context, c mqtt.Client, lost <-chan error) (err error) {
	ctx, cancel := context.WithCancelCause(whole)
	var events sync.WaitGroup
	defer func() {
		if whole.Err() != nil {
			l.sayGoodbye(c)
		}
		cancel(nil)
		c.Disconnect(500) // ms at most, for the DISCONNECT that keeps the will from being published
		events.Wait()
		l.Watched(false)
		if l.Lost != nil {
			l.Lost()
		}
		if l.Terminal != nil {
			l.Terminal(false)
		}
	}()
	l.clock.forget()
	if err := l.subscribe(ctx, c); err != nil {
		return err
	}
	askAgainIn := l.askTime(c) // before presence: once the server knows that we are there, it may send commands
	if err := l.sendPresence(ctx, c); err != nil {
		return err
	}
	events.Go(func() {
		if err := l.deliver(ctx, c); err != nil {
			cancel(err)
		}
	})
	if l.Results != nil {
		events.Go(func() {
			if err := l.answer(ctx, c); err != nil {
				cancel(err)
			}
		})
	}
	if l.Transfers != nil {
		events.Go(func() {
			if err := l.tellTransfers(ctx, c); err != nil {
				cancel(err)
			}
		})
	}
	l.Connected()
	ask := time.NewTimer(askAgainIn)
	defer ask.Stop()
	for {
		select {
		case err := <-lost:
			return fmt.Errorf("connection lost: %w", err)
		case <-ctx.Done():
			return context.Cause(ctx)
		case payload := <-l.status:
			c.Publish(wire.KindStatus.Topic(l.UUID), 0, false, payload)
		case payload := <-l.lines:
			c.Publish(wire.KindTerminal.Topic(l.UUID), 0, false, payload)
		case <-l.presence:
			if err := l.sendPresence(ctx, c); err != nil {
				return err
			}
		case <-l.ackDue:
			l.acknowledge(c)
		case <-ask.C:
			ask.Reset(l.askTime(c))
		}
	}
}

// askTime asks for the server's time and tells when to ask again.
func (l *Link) askTime(c mqtt.Client) time.Duration {
	request, wait := l.clock.request()
	c.Publish(wire.KindTime.Topic(l.UUID), 0, false, request)
	return wait
}

func (l *Link) subscribe(ctx context.Context, c mqtt.Client) error {
	topics := map[string]byte{wire.KindTimeReply.Topic(l.UUID): 0, wire.KindWatch.Topic(l.UUID): 0,
		wire.KindRegistration.Topic(l.UUID): 1}
	if l.Camera != nil {
		topics[wire.KindCamera.Topic(l.UUID)] = 1
	}
	if l.Command != nil {
		topics[wire.KindControl.Topic(l.UUID)] = 1
	}
	token := c.SubscribeMultiple(topics, nil)
	if err := wait(ctx, token, connectTimeout); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	if t, ok := token.(*mqtt.SubscribeToken); ok {
		for topic, code := range t.Result() {
			if code > 2 {
				return fmt.Errorf("subscribe: the server refuses %s", topic)
			}
		}
	}
	return nil
}

func (l *Link) sendPresence(ctx context.Context, c mqtt.Client) error {
	p := l.Presence()
	p.Online = true
	payload, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := wait(ctx, c.Publish(wire.KindPresence.Topic(l.UUID), 1, false, payload), ackTimeout); err != nil {
		return fmt.Errorf("presence: %w", err)
	}
	return nil
}

// acknowledge says that we know to be registered. Should it get lost, the server tells us again at the next connection.
func (l *Link) acknowledge(c mqtt.Client) {
	payload, err := json.Marshal(wire.RegistrationAck{Status: "confirmed", InstanceID: l.UUID,
		ConfirmedAt: time.Now().UTC().Format(time.RFC3339)})
	if err == nil {
		c.Publish(wire.KindRegistered.Topic(l.UUID), 1, false, payload)
	}
}

// sayGoodbye tells the server that we go, so that it need not wait for the connection to break.
func (l *Link) sayGoodbye(c mqtt.Client) {
	payload, err := json.Marshal(wire.Presence{Online: false})
	if err != nil || !c.IsConnectionOpen() {
		return
	}
	c.Publish(wire.KindPresence.Topic(l.UUID), 1, false, payload).WaitTimeout(goodbye)
}

// wait waits for the server's answer.
func wait(ctx context.Context, token mqtt.Token, limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-token.Done():
		return token.Error()
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return errNoAnswer
	}
}

var errNoAnswer = errors.New("the server does not answer")

// deliver sends events in order and takes them from the queue once the server says that it has stored them.
func (l *Link) deliver(ctx context.Context, c mqtt.Client) error {
	for {
		if err := l.deliverFiles(ctx, c); err != nil {
			return err
		}
		events, err := l.Queue.Pending(window)
		if err != nil {
			l.Log.Error("events cannot be read from the queue", "trouble", "disk_read", "error", err)
		}
		if len(events) == 0 {
			select {
			case <-ctx.Done():
				return nil
			case <-l.Queue.More():
			case <-l.filesDue:
			}
			continue
		}
		if err := l.deliverBatch(ctx, c, events); err != nil {
			return err
		}
	}
}

func (l *Link) deliverBatch(ctx context.Context, c mqtt.Client, events []wire.Event) error {
	tokens := make([]mqtt.Token, len(events))
	for i, e := range events {
		payload, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("event %s: %w", e.Type, err)
		}
		tokens[i] = c.Publish(wire.KindEvent.Topic(l.UUID), 1, false, payload)
	}
	stored := -1
	var broken error
	for i, token := range tokens {
		if broken = wait(ctx, token, ackTimeout); broken != nil {
			break
		}
		stored = i
	}
	if stored >= 0 {
		if err := l.Queue.Ack(events[stored]); err != nil {
			l.Log.Warn("how far the server has stored events could not be written down", "trouble", "disk_write", "error", err)
		}
	}
	if broken != nil {
		return fmt.Errorf("event: %w", broken)
	}
	return nil
}

func (l *Link) deliverFiles(ctx context.Context, c mqtt.Client) error {
	l.mu.Lock()
	f := l.files
	l.mu.Unlock()
	if f.payload == nil {
		return nil
	}
	if err := wait(ctx, c.Publish(wire.KindFiles.Topic(l.UUID), 1, false, f.payload), ackTimeout); err != nil {
		return fmt.Errorf("files: %w", err)
	}
	l.mu.Lock()
	if l.files.sum == f.sum {
		l.files = files{}
	}
	l.mu.Unlock()
	l.FilesSent(f.sum)
	return nil
}

// message takes what the server publishes to us.
func (l *Link) message(topic string, payload []byte) {
	kind, uuid := wire.ParseTopic(topic)
	if uuid != l.UUID || len(payload) > wire.MaxSmall && (kind != wire.KindControl || len(payload) > wire.MaxCommand) {
		return
	}
	switch kind {
	case wire.KindControl:
		if l.Command != nil {
			l.Command(payload)
		}
	case wire.KindTimeReply:
		var r wire.TimeReply
		if json.Unmarshal(payload, &r) == nil {
			l.clock.reply(r)
		}
	case wire.KindRegistration:
		var r wire.Registration
		if json.Unmarshal(payload, &r) == nil && (l.Registered == nil || l.Registered(r)) {
			nudge(l.ackDue)
		}
	case wire.KindCamera:
		var c wire.CameraCommand
		if l.Camera != nil && json.Unmarshal(payload, &c) == nil {
			l.Camera(c)
		}
	case wire.KindWatch:
		var w wire.Watch
		if json.Unmarshal(payload, &w) == nil {
			l.Watched(w.Watched)
			if l.Terminal != nil {
				l.Terminal(w.Terminal)
			}
		}
	}
}

package broker

import (
	"context"
	"encoding/json"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// outlet is an open session.
type outlet struct {
	*Publisher
	settings *Settings
	client   mqtt.Client
	ctx      context.Context
	lost     <-chan error
}

// serve publishes until the session ends, with why, or there are other settings.
func (o *outlet) serve() (fault *Step, other bool) {
	if fault := o.send("presence", o.settings.Retain, json.RawMessage(`{"online":true}`)); fault != nil {
		return fault, false
	}
	interval := time.Duration(o.settings.Interval * float64(time.Second))
	due := time.NewTimer(0)
	defer due.Stop()
	for {
		var fault *Step
		select {
		case <-o.ctx.Done():
			return nil, false
		case <-o.changed:
			return nil, true
		case err := <-o.lost:
			return &Step{Code: "unreachable", Message: "the connection was lost: " + reason(err)}, false
		case <-o.urgent:
			due.Reset(together)
		case <-due.C:
			due.Reset(interval)
			fault = o.readings()
		case <-o.queued:
			fault = o.sendEvents()
		}
		if fault != nil {
			return fault, false
		}
	}
}

// readings publishes what is known of the printer now, by its kinds.
func (o *outlet) readings() *Step {
	o.mu.Lock()
	s, known := o.snapshot, o.known
	o.mu.Unlock()
	if !known {
		return nil
	}
	s.TS, s.Interval = float64(time.Now().UnixMilli())/1000, o.settings.Interval
	for _, kind := range []struct {
		name    string
		chosen  bool
		message func(*wire.Snapshot) any
	}{
		{"status", o.settings.Publish.Status, func(s *wire.Snapshot) any { return s }},
		{"progress", o.settings.Publish.Progress, progress},
		{"temperature", o.settings.Publish.Temperature, temperature},
	} {
		if !kind.chosen {
			continue
		}
		if fault := o.send(kind.name, o.settings.Retain, kind.message(&s)); fault != nil {
			return fault
		}
	}
	return nil
}

// progress is how far the print has come.
func progress(s *wire.Snapshot) any {
	return struct {
		TS     float64     `json:"ts"`
		Status wire.Status `json:"status"`
		Job    string      `json:"job,omitzero"`
		File   string      `json:"file,omitzero"`
		wire.Progress
	}{s.TS, s.Status, s.Job.ID, s.Job.File.Path, s.Progress}
}

// temperature is each heater by its name.
func temperature(s *wire.Snapshot) any {
	heaters := map[string]any{"ts": s.TS}
	for name, t := range s.Temperatures {
		heaters[name] = t
	}
	return heaters
}

// sendEvents publishes the events that wait. They are never retained: whoever comes later would take them for new.
func (o *outlet) sendEvents() *Step {
	for {
		o.mu.Lock()
		if len(o.events) == 0 {
			o.mu.Unlock()
			return nil
		}
		e := o.events[0]
		o.events = append(o.events[:0], o.events[1:]...)
		o.mu.Unlock()
		if !o.settings.Publish.Events {
			continue
		}
		fault := o.send("event", false, struct {
			At   float64         `json:"at"`
			Type string          `json:"type"`
			Job  string          `json:"job,omitzero"`
			Data json.RawMessage `json:"data,omitempty"`
		}{e.At, e.Type, e.Job, e.Data})
		if fault != nil {
			o.mu.Lock()
			if len(o.events) < maxEvents {
				o.events = append([]wire.Event{e}, o.events...)
			} else {
				o.state.Discarded++
			}
			o.mu.Unlock()
			return fault
		}
	}
}

// send publishes a message and waits until the broker has it, as far as the QoS can tell.
func (o *outlet) send(kind string, retain bool, message any) *Step {
	payload, err := json.Marshal(message)
	if err != nil { // every number in it has been checked to be finite
		return nil
	}
	token := o.client.Publish(o.topic(o.settings, kind), o.settings.QoS, retain, payload)
	timer := time.NewTimer(answer)
	defer timer.Stop()
	select {
	case <-token.Done():
		if err := token.Error(); err != nil {
			return &Step{Code: "unreachable", Message: reason(err)}
		}
		return nil
	case err := <-o.lost:
		return &Step{Code: "unreachable", Message: "the connection was lost: " + reason(err)}
	case <-o.ctx.Done():
		return &Step{Code: "unreachable", Message: reason(o.ctx.Err())}
	case <-timer.C:
		return &Step{Code: "timeout", Message: "the broker does not acknowledge what is published"}
	}
}

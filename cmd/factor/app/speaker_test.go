package app

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// A device that has connected and not said yet what it is gets nothing, neither in the published plugin's form nor in
// ours: what the one obeys, the other might take for something else.
func TestSpeaker_NothingIsSentBeforeItIsKnownWhoListens(t *testing.T) {
	s := mustServe(t, t.TempDir())
	owner := s.account(t, "owner", false)
	uuid, token := owner.enrol(t, "P")
	owner.must(t, http.StatusOK, "PUT", "/api/v1/printers/"+uuid+"/cameras", map[string]any{"items": []any{map[string]any{"name": "Cam", "stream_url": "http://192.0.2.1/"}}}, nil)
	c := s.device(t, uuid, token)
	told := make(chan wire.CameraCommand, 100)
	commands := make(chan []byte, 100)
	for topic, take := range map[string]mqtt.MessageHandler{
		wire.KindCamera.Topic(uuid): func(_ mqtt.Client, m mqtt.Message) {
			var c wire.CameraCommand
			if err := json.Unmarshal(m.Payload(), &c); err != nil {
				t.Errorf("%s: %v", m.Payload(), err)
			}
			told <- c
		},
		wire.KindControl.Topic(uuid): func(_ mqtt.Client, m mqtt.Message) { commands <- m.Payload() },
	} {
		if done := c.Subscribe(topic, 1, take); !done.WaitTimeout(patience) || done.Error() != nil {
			t.Fatal(done.Error())
		}
	}
	until(t, "it is seen as connected", func() bool {
		var p shown
		owner.must(t, http.StatusOK, "GET", "/api/v1/printers/"+uuid, nil, &p)
		return p.Online
	})
	if got := owner.command(t, uuid, `{"type":"pause"}`); got.Status != http.StatusConflict || got.Code != "device_offline" {
		t.Errorf("a command before it has said what it is: %+v", got)
	}
	ctx, stop := context.WithCancel(t.Context())
	looking := make(chan struct{})
	go func() { // opens the camera, and has no need of its picture
		defer close(looking)
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/api/v1/printers/"+uuid+"/camera", nil)
		if err != nil {
			t.Error(err)
			return
		}
		if resp, err := owner.http.Do(r); err == nil {
			resp.Body.Close()
		}
	}()
	defer func() { stop(); <-looking }()
	until(t, "somebody looks", func() bool {
		status, text := owner.call(t, "GET", "/api/v1/printers/"+uuid+"/camera?wait=false", nil)
		var d struct{ State string }
		return status == http.StatusOK && json.Unmarshal(text, &d) == nil && d.State == "opening"
	})
	publish(t, c, wire.KindPresence.Topic(uuid), 1, map[string]any{"online": true, "agent": "test", "proto": 1, "caps": []string{"camera"}, "epoch": "e", "since": 1})
	if got := <-told; got.Action != "open" || got.Source == nil {
		t.Errorf("the first word on its camera: %+v", got)
	}
	select {
	case m := <-commands:
		t.Errorf("it was told %s", m)
	default:
	}
}

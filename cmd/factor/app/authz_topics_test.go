package app

import (
	"errors"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// Every kind of topic, its own device's and another's: who may publish, who may subscribe.
func TestAuthz_Topics(t *testing.T) {
	c := mustCast(t)
	owner := c.who["owner"]
	mine, token := owner.enrol(t, "mine")
	other, _ := c.who["other"].enrol(t, "other")
	for kind := wire.KindStatus; kind <= wire.KindWatch; kind++ {
		if kind == wire.KindUnattributed {
			continue
		}
		for _, of := range []struct {
			name, uuid string
		}{{"own", mine}, {"other's", other}, {"nobody's", wire.NewUUID()}} {
			topic := kind.Topic(of.uuid)
			t.Run(of.name+" "+topic[:len(topic)-len(of.uuid)], func(t *testing.T) {
				device := c.device(t, mine, token)
				if got, want := granted(t, device, topic), of.uuid == mine && kind.ToDevice(); got != want {
					t.Errorf("subscribe: granted %v, want %v", got, want)
				}
				device.Publish(topic, 0, false, []byte(`{}`))
				if of.uuid != mine || !kind.FromDevice() {
					until(t, "the connection is closed", func() bool { return !device.IsConnectionOpen() })
					return
				}
				// What it may publish leaves the connection as it is: the next exchange still works.
				if !granted(t, device, wire.KindWatch.Topic(mine)) || !device.IsConnectionOpen() {
					t.Error("publish: the connection was closed")
				}
			})
		}
	}
	for _, filter := range []string{"#", "+/status/+", "control/+", "device/#", "$SYS/#", "octoprint/status/" + other} {
		if granted(t, c.device(t, mine, token), filter) {
			t.Errorf("subscribe %s: granted", filter)
		}
	}
}

// granted subscribes and tells whether the server said yes.
func granted(t *testing.T, c mqtt.Client, filter string) bool {
	t.Helper()
	done := c.Subscribe(filter, 1, nil)
	if !done.WaitTimeout(patience) {
		t.Fatalf("no answer to a subscription of %s", filter)
	}
	result, ok := done.(*mqtt.SubscribeToken)
	return ok && done.Error() == nil && result.Result()[filter] <= 2
}

// Who may log in as a device.
func TestAuthz_DeviceLogins(t *testing.T) {
	c := mustCast(t)
	mine, token := c.who["owner"].enrol(t, "mine")
	other, _ := c.who["other"].enrol(t, "other")
	gone, goneToken := c.who["owner"].enrol(t, "gone")
	c.who["owner"].must(t, 204, "DELETE", "/api/v1/printers/"+gone, nil, nil)
	for _, l := range []struct {
		name, uuid, password string
		code                 byte // 0: let in
	}{
		{"ItsToken", mine, token, 0},
		{"WrongToken", mine, "wrong", 4},
		{"AnothersUUID", other, token, 4},
		{"UnknownUUID", wire.NewUUID(), token, 4},
		{"NoUUID", "admin", token, 4},
		{"AccountsAPIToken", mine, c.who["token"].token, 4},
		{"PluginsToken", mine, c.who["plugin"].token, 4},
		{"RemovedPrinter", gone, goneToken, 5},
		{"Nothing", "", "", 5},
	} {
		t.Run(l.name, func(t *testing.T) {
			client, err := c.tryDevice(l.uuid, l.password)
			if err == nil {
				client.Disconnect(0)
			}
			if want := packets.ConnErrors[l.code]; (err == nil) != (l.code == 0) || !errors.Is(err, want) {
				t.Fatalf("%v, want %v", err, want)
			}
		})
	}
	// A new token ends what the old one opened.
	device := c.device(t, mine, token)
	c.who["owner"].must(t, 200, "POST", "/api/v1/printers/"+mine+"/token", nil, nil)
	begun := time.Now()
	until(t, "the old token's connection is closed", func() bool { return !device.IsConnectionOpen() })
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	if _, err := c.tryDevice(mine, token); err == nil {
		t.Error("the old token still logs in")
	}
}

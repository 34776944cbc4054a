package app

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/kangbyounggwan/factor/internal/agent/octoprint/octoprinttest"
	"github.com/kangbyounggwan/factor/internal/server/config"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// The plugin that owners run today, octoprint_factor 2.8.5 as it is on PyPI, in a real OctoPrint. Its program is named
// by FACTOR_TEST_PUBLISHED; without it these tests are skipped.
func startPublished(t *testing.T, settings string) *octoprinttest.OctoPrint {
	t.Helper()
	return octoprinttest.StartWith(t, "FACTOR_TEST_PUBLISHED", settings)
}

// startWithCredentials starts it with the block that the pages give for config.yaml: by TLS, with the server's certificate
// and the device token of a new printer, Ender.
func startWithCredentials(t *testing.T, s *site, owner *visitor) (o *octoprinttest.OctoPrint, uuid string) {
	t.Helper()
	uuid, token := owner.enrol(t, "Ender")
	ca := filepath.Join(t.TempDir(), "factor-ca.crt")
	if err := os.WriteFile(ca, s.Certs.Authority().PEM, 0o600); err != nil {
		t.Fatal(err)
	}
	host, port := hostPort(t, s.Addresses().MQTTS)
	return startPublished(t, fmt.Sprintf(`  octoprint_factor:
    broker_host: %s
    broker_port: %s
    broker_username: %s
    broker_password: %s
    broker_use_tls: true
    broker_tls_ca_cert: %s
    instance_id: %s
    registered: true
`, host, port, uuid, token, ca, uuid)), uuid
}

func hostPort(t *testing.T, address string) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

// patient is until with the patience that a real OctoPrint needs, and a print whose events nobody sends.
func patient(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.After(octoprinttest.Patience); !ok(); {
		select {
		case <-end:
			t.Fatalf("never happened: %s", what)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

type shown struct {
	Name                    string
	Online, Unauthenticated bool
	Pending                 bool
	Agent                   any
	State                   struct{ Text string }
	Temperatures            map[string]struct{ Actual float64 }
}

// awaitShown waits until the owner sees the printer at work as OctoPrint has it.
func (v *visitor) awaitShown(t *testing.T, uuid, name string) (p shown) {
	t.Helper()
	patient(t, name+" shows what its OctoPrint says", func() bool {
		p = shown{}
		v.must(t, http.StatusOK, "GET", "/api/v1/printers/"+uuid, nil, &p)
		return p.Online && p.State.Text == "Operational" && p.Temperatures["tool0"].Actual > 0
	})
	if p.Name != name || p.Agent != nil || p.Pending {
		t.Errorf("%+v", p)
	}
	return p
}

// With the block that the pages give for config.yaml: by TLS, with the server's certificate and a device token.
func TestPublished_WithCredentials(t *testing.T) {
	t.Parallel()
	s := mustServe(t, t.TempDir())
	owner := s.account(t, "mina", false)
	o, uuid := startWithCredentials(t, s, owner)
	if p := owner.awaitShown(t, uuid, "Ender"); p.Unauthenticated {
		t.Error("it came with its token and is shown without")
	}
	o.Upload("cube.gcode", octoprinttest.Print(60), true)
	o.Await(func(state, file string) bool { return state == "Printing" }, "a print that began")
	o.Await(func(state, file string) bool { return state == "Operational" }, "a print that ended")
	patient(t, "its print is followed to its end", func() bool {
		var prints struct {
			Items []struct {
				FileName string `json:"file_name"`
				Result   string
			}
		}
		owner.must(t, http.StatusOK, "GET", "/api/v1/printers/"+uuid+"/jobs", nil, &prints)
		return len(prints.Items) == 1 && prints.Items[0].FileName == "cube.gcode" && prints.Items[0].Result == "done"
	})

	o.Stop()
	patient(t, "it is offline", func() bool {
		var p shown
		owner.must(t, http.StatusOK, "GET", "/api/v1/printers/"+uuid, nil, &p)
		return !p.Online
	})
	o.Up()
	owner.awaitShown(t, uuid, "Ender")
}

// Out of the box it knows nothing but the UUID that it made: the owner finishes the registration on the page that it
// points to, it takes the server's word for it, and is shown as unauthenticated.
func TestPublished_ByUUIDAlone(t *testing.T) {
	t.Parallel()
	s := mustServe(t, t.TempDir(), func(c *config.Settings) { c.MQTT, c.UUIDLogin = "127.0.0.1:0", true })
	owner := s.account(t, "mina", false)
	host, port := hostPort(t, s.Addresses().MQTT)
	o := startPublished(t, fmt.Sprintf(`  octoprint_factor:
    broker_host: %s
    broker_port: %s
    broker_use_tls: false
`, host, port))

	uuid := setUpPublished(t, o)
	// What POST of the page /setup/{uuid} sends.
	owner.must(t, http.StatusCreated, "POST", "/api/v1/printers", map[string]any{"uuid": uuid, "name": "거실", "uuid_login": true}, nil)
	if p := owner.awaitShown(t, uuid, "거실"); !p.Unauthenticated {
		t.Error("it is not marked as unauthenticated")
	}
	patient(t, "the plugin knows that it is registered", func() bool {
		plugins := struct {
			Plugins struct {
				Factor struct {
					Registered bool
					Instance   string `json:"instance_id"`
				} `json:"octoprint_factor"`
			}
		}{}
		if err := json.Unmarshal(o.Call("GET", "/api/settings", ""), &plugins); err != nil {
			t.Fatal(err)
		}
		return plugins.Plugins.Factor.Registered && plugins.Plugins.Factor.Instance == uuid
	})

	// It comes back by itself, since it kept the UUID once it was registered.
	o.Stop()
	o.Up()
	owner.awaitShown(t, uuid, "거실")

	// Its owner may shut the door again.
	owner.must(t, http.StatusOK, "PATCH", "/api/v1/printers/"+uuid, map[string]any{"uuid_login": false}, nil)
	patient(t, "it is shut out", func() bool {
		var p shown
		owner.must(t, http.StatusOK, "GET", "/api/v1/printers/"+uuid, nil, &p)
		return !p.Online
	})
}

// setUpPublished does what the plugin's own page does when its button is pressed, and gives the UUID that it made.
func setUpPublished(t *testing.T, o *octoprinttest.OctoPrint) (uuid string) {
	t.Helper()
	var made struct {
		UUID string `json:"instance_id"`
	}
	if err := json.Unmarshal(o.Call("GET", "/plugin/octoprint_factor/setup-url", ""), &made); err != nil || !wire.ValidUUID(made.UUID) {
		t.Fatalf("the plugin made no UUID: %v %v", made, err)
	}
	o.Call("POST", "/plugin/octoprint_factor/start-setup", "{}")
	return made.UUID
}

// The 1.x plugin signs in over HTTP, registers its printer, and speaks MQTT by its UUID alone.
func TestPublished_1x(t *testing.T) {
	s := mustServe(t, t.TempDir(), func(c *config.Settings) { c.MQTT, c.UUIDLogin = "127.0.0.1:0", true })
	owner := s.account(t, "mina", false)
	var login struct {
		AccessToken string `json:"access_token"`
		User        struct{ ID string }
	}
	plugin := s.visitor(t)
	plugin.must(t, http.StatusOK, "POST", "/api/auth/login", map[string]string{"email": "mina@example.com", "password": password}, &login)
	plugin.token = login.AccessToken
	uuid := wire.NewUUID()
	plugin.must(t, http.StatusOK, "POST", "/api/printer/register", map[string]any{
		"payload": map[string]any{
			"client":  map[string]string{"uuid": uuid},
			"printer": map[string]any{"connection": map[string]any{"profile": map[string]string{"name": "Ender 3"}}, "registration": map[string]bool{"is_new": true}},
			"camera":  map[string]string{"uuid": "c", "stream_url": "http://192.168.1.100:8080/stream"},
		},
		"user": map[string]string{"id": login.User.ID},
	}, nil)
	var list struct {
		Items []struct {
			UUID string `json:"device_uuid"`
		}
	}
	plugin.must(t, http.StatusOK, "GET", "/api/printers/summary", nil, &list)
	if len(list.Items) != 1 || list.Items[0].UUID != uuid {
		t.Errorf("%+v", list)
	}
	owner.must(t, http.StatusOK, "POST", "/api/v1/printers", map[string]any{"uuid": uuid, "name": "Ender", "uuid_login": true}, nil)

	o := mqtt.NewClientOptions().AddBroker("tcp://" + s.Addresses().MQTT).SetAutoReconnect(false).SetConnectTimeout(patience).SetProtocolVersion(4)
	c := mqtt.NewClient(o)
	if done := c.Connect(); !done.WaitTimeout(patience) || done.Error() != nil {
		t.Fatal(done.Error())
	}
	t.Cleanup(func() { c.Disconnect(0) })
	if done := c.Subscribe("control/"+uuid, 1, nil); !done.WaitTimeout(patience) || done.Error() != nil {
		t.Fatal(done.Error())
	}
	publish(t, c, "octoprint/status/"+uuid, 0, map[string]any{
		"state":        map[string]any{"text": "Operational", "flags": map[string]bool{"operational": true, "ready": true}},
		"temperatures": map[string]any{"tool0": map[string]float64{"actual": 24.5, "target": 0}},
	})
	if p := owner.awaitShown(t, uuid, "Ender"); !p.Unauthenticated {
		t.Error("it is not marked as unauthenticated")
	}
}

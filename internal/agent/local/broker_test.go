package local

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/kangbyounggwan/factor/internal/agent/broker"
)

func itoa(n int) string { return strconv.Itoa(n) }

func mustRead(t *testing.T, path string, v any) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(content, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestAPI_MQTT(t *testing.T) {
	s := serve(t, t.TempDir(), Where{})
	s.want(200, `"port":1883`, "GET", "/v1/mqtt", "")
	for field, body := range map[string]string{"host": `{"host":"mqtt://x","port":1}`, "port": `{"host":"x","port":0}`, "qos": `{"host":"x","qos":3}`,
		"interval": `{"host":"x","interval":0}`, "prefix": `{"host":"x","prefix":"a/#"}`, "ca": `{"host":"x","ca":"nothing"}`} {
		s.want(422, `"bad_`+field+`"`, "PUT", "/v1/mqtt", body)
	}
	s.want(400, "not_json", "PUT", "/v1/mqtt", `{"port":"x"}`)
	s.want(204, "", "PUT", "/v1/mqtt", `{"enabled":true,"host":"broker","port":8883,"username":"u","password":"secret","tls":true,"qos":1}`)
	if got := s.want(200, `"host":"broker"`, "GET", "/v1/mqtt", ""); strings.Contains(got, "secret") || strings.Contains(got, `"password"`) {
		t.Errorf("the password is answered: %s", got)
	}
	if s.agent.brokerChanged != 1 {
		t.Errorf("the agent was told %d times", s.agent.brokerChanged)
	}
	path := filepath.Join(s.dir, "mqtt.json")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	kept := func() string {
		var b broker.Settings
		mustRead(t, path, &b)
		return b.Password
	}
	s.want(204, "", "PUT", "/v1/mqtt", `{"enabled":true,"host":"broker","port":8883,"username":"u","tls":true,"qos":2}`)
	if kept() != "secret" {
		t.Error("the password was forgotten")
	}
	s.want(204, "", "PUT", "/v1/mqtt", `{"enabled":true,"host":"another","port":8883,"username":"u","tls":true}`)
	if kept() != "" {
		t.Error("another broker gets the password")
	}
}

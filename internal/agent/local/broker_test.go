package local

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
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
	path := filepath.Join(s.dir, brokerName)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	kept := func() string {
		var b Broker
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

// told gives the steps as text: name tcp login:rc4.
func told(steps []Step) string {
	var s []string
	for _, step := range steps {
		text := step.Step
		if !step.OK {
			text += ":" + step.Code
		}
		s = append(s, text)
	}
	return strings.Join(s, " ")
}

// connack answers CONNECT with a return code and is silent afterwards.
func connack(t *testing.T, code byte) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				c.SetDeadline(time.Now().Add(time.Minute))
				if n, err := c.Read(make([]byte, 1024)); n > 0 && err == nil {
					c.Write([]byte{0x20, 2, 0, code})
					c.Read(make([]byte, 1))
				}
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

func TestBroker_Try_Faults(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := closed.Addr().(*net.TCPAddr).Port
	closed.Close()
	try := func(b Broker) []Step { return b.Try(context.Background()) }
	if got := told(try(Broker{Host: "no-such-host.invalid", Port: 1883})); got != "name:name_not_found" {
		t.Error(got)
	}
	if got := told(try(Broker{Host: "127.0.0.1", Port: port})); got != "name tcp:refused" {
		t.Error(got)
	}
	for code := byte(1); code <= 5; code++ {
		steps := try(Broker{Host: "127.0.0.1", Port: connack(t, code), Password: "secret", Username: "u"})
		if got := told(steps); got != fmt.Sprintf("name tcp login:rc%d", code) || steps[2].RC != int(code) {
			t.Errorf("%s %+v", got, steps)
		}
	}
	if got := told(try(Broker{Host: "127.0.0.1", Port: connack(t, 4), TLS: true})); got != "name tcp tls:not_tls" {
		t.Error(got)
	}
}

// TestBroker_Try_Real goes through a real broker.
func TestBroker_Try_Real(t *testing.T) {
	program, err := exec.LookPath("mosquitto")
	if err != nil {
		if os.Getenv("FACTOR_TEST_REQUIRE") != "" {
			t.Fatal(err)
		}
		t.Skip("mosquitto is not installed")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	dir := t.TempDir()
	conf := fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous false\npassword_file %s/passwords\nacl_file %s/acl\nuser root\n", port, dir, dir)
	if out, err := exec.Command("mosquitto_passwd", "-b", "-c", filepath.Join(dir, "passwords"), "u", "secret").CombinedOutput(); err != nil {
		t.Skipf("mosquitto_passwd: %v %s", err, out)
	}
	os.WriteFile(filepath.Join(dir, "acl"), []byte("user u\ntopic readwrite octoprint/#\n"), 0o600)
	os.WriteFile(filepath.Join(dir, "m.conf"), []byte(conf), 0o600)
	c := exec.Command(program, "-c", filepath.Join(dir, "m.conf"))
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", l.Addr().String()); err == nil {
			conn.Close()
			break
		} else if time.Since(began) > 30*time.Second {
			t.Fatal(err)
		}
	}
	b := Broker{Host: "127.0.0.1", Port: port, Username: "u", Password: "secret", Prefix: "octoprint", QoS: 1}
	if got := told(b.Try(context.Background())); got != "name tcp login publish" {
		t.Error(got)
	}
	b.Password = "wrong"
	if steps := b.Try(context.Background()); told(steps) != "name tcp login:rc5" && told(steps) != "name tcp login:rc4" {
		t.Errorf("%+v", steps)
	}
}

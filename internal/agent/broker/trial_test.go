package broker

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

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

func TestSettings_Try_Faults(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := closed.Addr().(*net.TCPAddr).Port
	closed.Close()
	try := func(b Settings) []Step { return b.Try(context.Background()) }
	if got := told(try(Settings{Host: "no-such-host.invalid", Port: 1883})); got != "name:name_not_found" {
		t.Error(got)
	}
	if got := told(try(Settings{Host: "127.0.0.1", Port: port})); got != "name tcp:refused" {
		t.Error(got)
	}
	for code := byte(1); code <= 5; code++ {
		steps := try(Settings{Host: "127.0.0.1", Port: connack(t, code), Password: "secret", Username: "u"})
		if got := told(steps); got != fmt.Sprintf("name tcp login:rc%d", code) || steps[2].RC != int(code) {
			t.Errorf("%s %+v", got, steps)
		}
	}
	if got := told(try(Settings{Host: "127.0.0.1", Port: connack(t, 4), TLS: true})); got != "name tcp tls:not_tls" {
		t.Error(got)
	}
}

// TestSettings_Try_Real goes through a real broker.
func TestSettings_Try_Real(t *testing.T) {
	m := newMosquitto(t, false)
	m.start()
	b := m.settings()
	if got := told(b.Try(context.Background())); got != "name tcp login publish" {
		t.Error(got)
	}
	b.Password = "wrong"
	if steps := b.Try(context.Background()); told(steps) != "name tcp login:rc5" && told(steps) != "name tcp login:rc4" {
		t.Errorf("%+v", steps)
	}
}

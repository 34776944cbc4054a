package local

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/kangbyounggwan/factor/internal/agent/folder"
)

// stepTimeout is how long one step of a connection test may take; the longest test stays within the plugin's 90 s.
const stepTimeout = 12 * time.Second

// Step is a step of a connection test, in the order name, tcp, tls, login, publish; the first that fails is the last.
type Step struct {
	Step    string `json:"step"`
	OK      bool   `json:"ok"`
	Code    string `json:"code,omitzero"`
	Message string `json:"message,omitzero"`
	RC      int    `json:"rc,omitzero"` // of CONNACK, 1 to 5
}

// refusals are the return codes of MQTT 3.1.1, table 3.1.
var refusals = map[byte]string{
	1: "unacceptable protocol version",
	2: "identifier rejected",
	3: "server unavailable",
	4: "bad user name or password",
	5: "not authorized",
}

func (a *API) testMQTT(w http.ResponseWriter, r *http.Request) {
	b, t := a.given(r)
	if t != nil {
		say(w, t.status, t)
		return
	}
	if b.Host == "" {
		say(w, http.StatusUnprocessableEntity, &Trouble{Code: "bad_host", Message: "a host is needed"})
		return
	}
	steps := b.Try(r.Context())
	say(w, http.StatusOK, map[string]any{"ok": steps[len(steps)-1].OK, "steps": steps})
}

// Try goes through a connection step by step: is the name known, does the port answer, is the certificate trusted, is
// the login right, does a message that we publish come back.
func (b *Broker) Try(ctx context.Context) (steps []Step) {
	step := func(name string, try func(context.Context) *Step) bool {
		one, cancel := context.WithTimeout(ctx, stepTimeout)
		defer cancel()
		s := try(one)
		if s == nil {
			s = &Step{OK: true}
		}
		s.Step = name
		steps = append(steps, *s)
		return s.OK
	}
	port := strconv.Itoa(b.Port)
	var addresses []string
	known := step("name", func(ctx context.Context) *Step {
		var err error
		if addresses, err = net.DefaultResolver.LookupHost(ctx, b.Host); err != nil {
			return &Step{Code: "name_not_found", Message: reason(err)}
		}
		return nil
	})
	if !known {
		return steps
	}
	address := ""
	reached := step("tcp", func(ctx context.Context) *Step {
		var err error
		for _, ip := range addresses {
			var conn net.Conn
			if conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(ip, port)); err == nil {
				conn.Close()
				address = net.JoinHostPort(ip, port)
				return nil
			}
		}
		return &Step{Code: tcpCode(err), Message: reason(err)}
	})
	if !reached {
		return steps
	}
	var secured *tls.Config
	if b.TLS {
		roots, _ := folder.Roots(b.CA) // checked when it was given
		secured = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, ServerName: b.Host}
		trusted := step("tls", func(ctx context.Context) *Step {
			conn, err := (&tls.Dialer{Config: secured}).DialContext(ctx, "tcp", address)
			if err != nil {
				return &Step{Code: tlsCode(err), Message: reason(err)}
			}
			conn.Close()
			return nil
		})
		if !trusted {
			return steps
		}
	}
	var client mqtt.Client
	lost := make(chan struct{}, 1)
	if step("login", func(ctx context.Context) (s *Step) { client, s = b.connect(ctx, address, secured, lost); return s }) {
		defer client.Disconnect(100) // ms
		step("publish", func(ctx context.Context) *Step { return b.echo(ctx, client, lost) })
	}
	return steps
}

func (b *Broker) connect(ctx context.Context, address string, secured *tls.Config, lost chan<- struct{}) (mqtt.Client, *Step) {
	scheme := "tcp://"
	if secured != nil {
		scheme = "ssl://"
	}
	o := mqtt.NewClientOptions().AddBroker(scheme + address).SetClientID("factor-test-" + rand.Text()[:10])
	o.SetUsername(b.Username).SetPassword(b.Password).SetProtocolVersion(4).SetCleanSession(true)
	o.SetConnectTimeout(stepTimeout).SetWriteTimeout(stepTimeout).SetAutoReconnect(false).SetConnectRetry(false)
	o.SetConnectionLostHandler(func(mqtt.Client, error) {
		select {
		case lost <- struct{}{}:
		default:
		}
	})
	if secured != nil {
		o.SetTLSConfig(secured)
	}
	client := mqtt.NewClient(o)
	token := client.Connect()
	select {
	case <-token.Done():
	case <-ctx.Done():
		client.Disconnect(0)
		return nil, &Step{Code: "timeout", Message: "the broker accepts the connection but does not answer"}
	}
	if err := token.Error(); err != nil {
		if t, ok := token.(*mqtt.ConnectToken); ok {
			if text, ok := refusals[t.ReturnCode()]; ok {
				return nil, &Step{Code: "rc" + strconv.Itoa(int(t.ReturnCode())), Message: text, RC: int(t.ReturnCode())}
			}
		}
		return nil, &Step{Code: "not_mqtt", Message: "what answers on this port does not speak MQTT, or only with TLS: " + reason(err)}
	}
	return client, nil
}

// echo publishes below the prefix and waits for the message to come back.
func (b *Broker) echo(ctx context.Context, client mqtt.Client, lost <-chan struct{}) *Step {
	topic, secret := b.Prefix+"/factor-test/"+rand.Text()[:10], rand.Text()
	back := make(chan struct{}, 1)
	subscribed := client.Subscribe(topic, b.QoS, func(_ mqtt.Client, m mqtt.Message) {
		if string(m.Payload()) == secret {
			select {
			case back <- struct{}{}:
			default:
			}
		}
	})
	wait := func(token mqtt.Token, what string) *Step {
		select {
		case <-token.Done():
			if err := token.Error(); err != nil {
				return &Step{Code: "publish_refused", Message: what + ": " + reason(err)}
			}
			return nil
		case <-lost:
			return &Step{Code: "publish_refused", Message: what + ": the broker ends the connection"}
		case <-ctx.Done():
			return &Step{Code: "timeout", Message: what + ": the broker does not answer"}
		}
	}
	if s := wait(subscribed, "subscribe"); s != nil {
		return s
	}
	if t, ok := subscribed.(*mqtt.SubscribeToken); ok && t.Result()[topic] > 2 {
		return &Step{Code: "rc5", RC: 5, Message: "the broker does not let this account subscribe " + b.Prefix + "/#"}
	}
	if s := wait(client.Publish(topic, b.QoS, false, secret), "publish"); s != nil {
		return s
	}
	select {
	case <-back:
		return nil
	case <-lost:
		return &Step{Code: "publish_refused", Message: "publish: the broker ends the connection"}
	case <-ctx.Done():
		return &Step{Code: "timeout", Message: "the message did not come back: the account may lack the right to publish or to read " + b.Prefix + "/#"}
	}
}

func tcpCode(err error) string {
	var network net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.As(err, &network) && network.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return "unreachable"
}

func tlsCode(err error) string {
	if code := codeOf(err); code == "tls_expired" || code == "tls_untrusted" {
		return code
	}
	var header tls.RecordHeaderError
	if errors.As(err, &header) || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		return "not_tls"
	}
	var verification *tls.CertificateVerificationError
	if errors.As(err, &verification) {
		return "tls_untrusted"
	}
	var unknown x509.UnknownAuthorityError
	if errors.As(err, &unknown) {
		return "tls_untrusted"
	}
	return "tls_failed"
}

// reason is an error for diagnosis. None of these holds a secret: they come from the network, not from the settings.
func reason(err error) string { return clean(err.Error()) }

package broker

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strconv"
	"syscall"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/kangbyounggwan/factor/internal/agent/folder"
	"github.com/kangbyounggwan/factor/internal/wire"
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

// Error makes a step that failed an error.
func (s *Step) Error() string { return s.Message }

// refusals are the return codes of MQTT 3.1.1, table 3.1.
var refusals = map[byte]string{
	1: "unacceptable protocol version",
	2: "identifier rejected",
	3: "server unavailable",
	4: "bad user name or password",
	5: "not authorized",
}

// Try goes through a connection step by step: is the name known, does the port answer, is the certificate trusted, is
// the login right, does a message that we publish come back.
func (b *Settings) Try(ctx context.Context) (steps []Step) {
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

func (b *Settings) connect(ctx context.Context, address string, secured *tls.Config, lost chan<- struct{}) (mqtt.Client, *Step) {
	o := b.options(address, secured).SetClientID("factor-test-" + rand.Text()[:10])
	o.SetConnectTimeout(stepTimeout).SetWriteTimeout(stepTimeout)
	o.SetConnectionLostHandler(func(mqtt.Client, error) {
		select {
		case lost <- struct{}{}:
		default:
		}
	})
	client := mqtt.NewClient(o)
	return client, login(ctx, client)
}

// options are those of a session at an address.
func (b *Settings) options(address string, secured *tls.Config) *mqtt.ClientOptions {
	scheme := "tcp://"
	if secured != nil {
		scheme = "ssl://"
	}
	o := mqtt.NewClientOptions().AddBroker(scheme + address).SetUsername(b.Username).SetPassword(b.Password)
	o.SetProtocolVersion(4).SetCleanSession(true).SetAutoReconnect(false).SetConnectRetry(false)
	if secured != nil {
		o.SetTLSConfig(secured)
	}
	return o
}

// login connects; nil when the broker lets us in.
func login(ctx context.Context, client mqtt.Client) *Step {
	token := client.Connect()
	select {
	case <-token.Done():
	case <-ctx.Done():
		client.Disconnect(0)
		return &Step{Code: "timeout", Message: "the broker accepts the connection but does not answer"}
	}
	err := token.Error()
	if err == nil {
		return nil
	}
	if t, ok := token.(*mqtt.ConnectToken); ok {
		if text, ok := refusals[t.ReturnCode()]; ok {
			return &Step{Code: "rc" + strconv.Itoa(int(t.ReturnCode())), Message: text, RC: int(t.ReturnCode())}
		}
	}
	return &Step{Code: "not_mqtt", Message: "what answers on this port does not speak MQTT, or only with TLS: " + reason(err)}
}

// echo publishes below the prefix and waits for the message to come back.
func (b *Settings) echo(ctx context.Context, client mqtt.Client, lost <-chan struct{}) *Step {
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

// dial opens a connection, up to where MQTT begins.
func (b *Settings) dial(ctx context.Context) (net.Conn, *Step) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(b.Host, strconv.Itoa(b.Port)))
	var name *net.DNSError
	switch {
	case errors.As(err, &name):
		return nil, &Step{Code: "name_not_found", Message: reason(err)}
	case err != nil:
		return nil, &Step{Code: tcpCode(err), Message: reason(err)}
	case !b.TLS:
		return conn, nil
	}
	roots, err := folder.Roots(b.CA)
	if err != nil {
		conn.Close()
		return nil, &Step{Code: "bad_ca", Message: reason(err)}
	}
	secured := tls.Client(conn, &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, ServerName: b.Host})
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, &Step{Code: tlsCode(err), Message: reason(err)}
	}
	return secured, nil
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
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && invalid.Reason == x509.Expired {
		return "tls_expired"
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
func reason(err error) string {
	s, _ := wire.CleanText(err.Error(), 500)
	return s
}

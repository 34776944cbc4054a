package broker

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// patience is how long a test waits for what must come.
const patience = 90 * time.Second

// mosquitto is a real broker on a port of its own. It knows the user u with the password secret.
type mosquitto struct {
	t       *testing.T
	program string
	dir     string
	port    int
	ca      string // PEM, "" without TLS
	process *exec.Cmd
}

func newMosquitto(t *testing.T, secured bool) *mosquitto {
	t.Helper()
	program, err := exec.LookPath("mosquitto")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/mosquitto")
	}
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
	defer l.Close()
	m := &mosquitto{t: t, program: program, dir: t.TempDir(), port: l.Addr().(*net.TCPAddr).Port}
	file := func(name string) string { return filepath.Join(m.dir, name) }
	conf := fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous false\npassword_file %s\nacl_file %s\nuser root\n", m.port, file("passwords"), file("acl"))
	if secured {
		m.ca = mustCertificate(t, m.dir)
		conf += fmt.Sprintf("certfile %s\nkeyfile %s\n", file("cert.pem"), file("key.pem"))
	}
	if out, err := exec.Command("mosquitto_passwd", "-b", "-c", file("passwords"), "u", "secret").CombinedOutput(); err != nil {
		t.Fatalf("mosquitto_passwd: %v %s", err, out)
	}
	for name, content := range map[string]string{"acl": "user u\ntopic readwrite octoprint/#\ntopic readwrite home/#\n", "m.conf": conf} {
		if err := os.WriteFile(file(name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(m.kill)
	return m
}

// mustCertificate makes an authority and a certificate for 127.0.0.1 in dir.
func mustCertificate(t *testing.T, dir string) (ca string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a broker"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	ca = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	os.WriteFile(filepath.Join(dir, "cert.pem"), []byte(ca), 0o600)
	os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600)
	return ca
}

// start starts the broker and waits until it takes connections.
func (m *mosquitto) start() {
	m.t.Helper()
	m.process = exec.Command(m.program, "-c", filepath.Join(m.dir, "m.conf"))
	if err := m.process.Start(); err != nil {
		m.t.Fatal(err)
	}
	await(m.t, "the broker", func() bool {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", m.port))
		if err != nil {
			return false
		}
		conn.Close()
		return true
	})
}

func (m *mosquitto) kill() {
	if m.process != nil {
		m.process.Process.Kill()
		m.process.Wait()
		m.process = nil
	}
}

// settings are those that reach the broker and publish everything often.
func (m *mosquitto) settings() Settings {
	return Settings{Enabled: true, Host: "127.0.0.1", Port: m.port, Username: "u", Password: "secret", TLS: m.ca != "", CA: m.ca,
		Prefix: "octoprint", QoS: 1, Interval: 0.5, Publish: Publish{true, true, true, true}}
}

// listener notes what a broker tells about octoprint/# and home/#.
type listener struct {
	mu       sync.Mutex
	messages []mqtt.Message
}

func (m *mosquitto) listen() *listener {
	m.t.Helper()
	l := &listener{}
	s := m.settings()
	scheme := "tcp"
	if s.TLS {
		scheme = "ssl"
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(m.ca))
	o := mqtt.NewClientOptions().AddBroker(fmt.Sprintf("%s://127.0.0.1:%d", scheme, m.port)).SetUsername("u").SetPassword("secret")
	o.SetProtocolVersion(4).SetTLSConfig(&tls.Config{RootCAs: pool}).SetOrderMatters(true)
	o.SetDefaultPublishHandler(func(_ mqtt.Client, message mqtt.Message) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.messages = append(l.messages, message)
	})
	client := mqtt.NewClient(o)
	if token := client.Connect(); !token.WaitTimeout(patience) || token.Error() != nil {
		m.t.Fatal(token.Error())
	}
	m.t.Cleanup(func() { client.Disconnect(0) })
	token := client.SubscribeMultiple(map[string]byte{"octoprint/#": 1, "home/#": 1}, nil)
	if !token.WaitTimeout(patience) || token.Error() != nil {
		m.t.Fatal(token.Error())
	}
	return l
}

// of gives the payloads of a topic, in order.
func (l *listener) of(topic string) (payloads []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.messages {
		if m.Topic() == topic {
			payloads = append(payloads, string(m.Payload()))
		}
	}
	return payloads
}

// retained gives the topics of what was retained when the listener came.
func (l *listener) retained() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var topics []string
	for _, m := range l.messages {
		if m.Retained() {
			topics = append(topics, m.Topic())
		}
	}
	return strings.Join(topics, " ")
}

func (l *listener) last(topic string) string {
	if all := l.of(topic); len(all) > 0 {
		return all[len(all)-1]
	}
	return ""
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for began := time.Now(); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatalf("%s did not come", what)
		}
	}
}

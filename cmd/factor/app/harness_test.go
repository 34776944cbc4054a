package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/kangbyounggwan/factor/internal/server/config"
	"github.com/kangbyounggwan/factor/internal/server/web/push/pushclient"
	"github.com/kangbyounggwan/factor/internal/wire"
)

const (
	patience = 30 * time.Second
	password = "nozzle-warm-tuesday-72"
)

// site is a whole server on free ports and what the tests know of it.
type site struct {
	*Server
	url, secure string // http://… and https://…
	roots       *x509.CertPool
}

func settings(dir string) config.Settings {
	return config.Settings{
		Data: dir, HTTP: "127.0.0.1:0", HTTPS: "127.0.0.1:0", MQTTS: "127.0.0.1:0", WebRTC: "127.0.0.1:0", RTSP: "127.0.0.1:0", AuditDays: 1,
		MaxConnections: 100, MaxConnectionsPerAddress: 100, MaxWebConnectionsPerAddress: 100,
	}
}

func mustServe(t *testing.T, dir string, change ...func(*config.Settings)) *site {
	t.Helper()
	s := &Server{Settings: settings(dir), Version: "1.2.3"}
	for _, c := range change {
		c(&s.Settings)
	}
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	at := s.Addresses()
	site := &site{Server: s, url: "http://" + at.HTTP, secure: "https://" + at.HTTPS, roots: x509.NewCertPool()}
	site.roots.AppendCertsFromPEM(s.Certs.Authority().PEM)
	return site
}

// visitor is somebody with a browser, or with a token.
type visitor struct {
	*site
	http  *http.Client
	token string
	id    string // of the account
}

func (s *site) visitor(t *testing.T) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.roots}}
	t.Cleanup(transport.CloseIdleConnections)
	return &visitor{site: s, http: &http.Client{Jar: jar, Transport: transport, Timeout: patience}}
}

// rawBody is a body that is sent as it is.
type rawBody string

// call makes a request with a JSON body, where one is given, and gives status and body.
func (v *visitor) call(t *testing.T, method, path string, body any) (int, []byte) {
	t.Helper()
	var in io.Reader
	if raw, ok := body.(rawBody); ok {
		in = strings.NewReader(string(raw))
	} else if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		in = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, v.url+path, in)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if strings.HasPrefix(path, "/api/v1/uploads/") {
		r.Header.Set("Tus-Resumable", "1.0.0")
		r.Header.Set("Upload-Offset", "0")
		r.Header.Set("Content-Type", "application/offset+octet-stream")
	}
	if v.token != "" {
		r.Header.Set("Authorization", "Bearer "+v.token)
	}
	resp, err := v.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, text
}

// must makes a call that has to end with this status, and reads its answer into out.
func (v *visitor) must(t *testing.T, status int, method, path string, body, out any) {
	t.Helper()
	got, text := v.call(t, method, path, body)
	if got != status {
		t.Fatalf("%s %s: %d %s", method, path, got, text)
	}
	if out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
}

// account makes an account as the operator does and signs it in.
func (s *site) account(t *testing.T, name string, admin bool) *visitor {
	t.Helper()
	email := name + "@example.com"
	user, err := s.Accounts.AddUser(t.Context(), email, name, password, admin)
	if err != nil {
		t.Fatal(err)
	}
	v := s.visitor(t)
	v.id = user.ID
	v.must(t, http.StatusOK, "POST", "/api/v1/session", map[string]string{"email": email, "password": password}, nil)
	return v
}

// enrol registers a printer in the visitor's own workspace.
func (v *visitor) enrol(t *testing.T, name string) (uuid, deviceToken string) {
	t.Helper()
	var made struct {
		DeviceToken string `json:"device_token"`
	}
	uuid = wire.NewUUID()
	v.must(t, http.StatusCreated, "POST", "/api/v1/printers", map[string]string{"uuid": uuid, "name": name}, &made)
	return uuid, made.DeviceToken
}

// device connects as a printer's device does: MQTT over TLS, by UUID and token.
func (s *site) device(t *testing.T, uuid, token string, options ...func(*mqtt.ClientOptions)) mqtt.Client {
	t.Helper()
	c, err := s.tryDevice(uuid, token, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Disconnect(0) })
	return c
}

func (s *site) tryDevice(uuid, token string, options ...func(*mqtt.ClientOptions)) (mqtt.Client, error) {
	o := mqtt.NewClientOptions().AddBroker("tls://" + s.Addresses().MQTTS).SetUsername(uuid).SetPassword(token).
		SetTLSConfig(&tls.Config{RootCAs: s.roots, ServerName: "127.0.0.1"}).SetAutoReconnect(false).SetConnectTimeout(patience).
		SetProtocolVersion(4)
	for _, option := range options {
		option(o)
	}
	c := mqtt.NewClient(o)
	t := c.Connect()
	if !t.WaitTimeout(patience) {
		return nil, context.DeadlineExceeded
	}
	return c, t.Error()
}

func publish(t *testing.T, c mqtt.Client, topic string, qos byte, payload any) {
	t.Helper()
	text, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	done := c.Publish(topic, qos, false, text)
	if !done.WaitTimeout(patience) || done.Error() != nil {
		t.Fatalf("publish to %s: %v", topic, done.Error())
	}
}

// watch opens the visitor's realtime push.
func (v *visitor) watch(t *testing.T) *pushclient.Client {
	t.Helper()
	c, err := v.tryWatch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func (v *visitor) tryWatch(ctx context.Context) (*pushclient.Client, error) {
	header := http.Header{}
	if v.token != "" {
		header.Set("Authorization", "Bearer "+v.token)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return pushclient.Dial(ctx, "ws"+v.url[len("http"):]+"/api/v1/push", header, &http.Client{Jar: v.http.Jar, Transport: v.http.Transport})
}

// until asks again and again whether something is so.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	end := time.After(patience)
	for !ok() {
		select {
		case <-end:
			t.Fatalf("never happened: %s", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func mustNotExist(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); err == nil {
		t.Errorf("%s was left behind", filepath.Base(path))
	}
}

package agent_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/cmd/factor/app"
	"github.com/kangbyounggwan/factor/internal/agent"
	"github.com/kangbyounggwan/factor/internal/agent/camera"
	"github.com/kangbyounggwan/factor/internal/agent/folder"
	"github.com/kangbyounggwan/factor/internal/agent/local"
	"github.com/kangbyounggwan/factor/internal/agent/octoprint/octoprinttest"
	"github.com/kangbyounggwan/factor/internal/server/config"
	"github.com/kangbyounggwan/factor/internal/server/printer"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

const (
	ownerEmail    = "owner@example.com"
	ownerPassword = "nozzle-warm-tuesday-72"
)

// companion is an agent as the plugin starts it.
type companion struct {
	t      *testing.T
	folder *folder.Folder
	client *http.Client
	end    func()
}

func newCompanion(t *testing.T, f *folder.Folder) *companion {
	t.Helper()
	socket := f.Join("s")
	s := &agent.Service{Folder: f, Version: "1.2.3", Log: slog.DiscardHandler, Where: local.Where{Socket: socket}, Companion: true, Look: camera.Look}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	c := &companion{t: t, folder: f}
	c.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
	c.end = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(patience):
			t.Error("the agent does not end")
		}
	})
	t.Cleanup(c.end)
	c.until("it answers", func() bool {
		res, err := c.client.Get("http://localhost/v1/status")
		return err == nil && res.Body.Close() == nil
	})
	return c
}

func (c *companion) until(what string, ok func() bool) {
	c.t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			c.t.Fatalf("never: %s; %+v", what, c.status())
		}
	}
}

// call asks the local API, expects a status and decodes the answer.
func (c *companion) call(want int, method, path string, body, out any) {
	c.t.Helper()
	content, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	req, err := http.NewRequest(method, "http://localhost"+path, strings.NewReader(string(content)))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := c.client.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(res.Body)
	if res.StatusCode != want {
		c.t.Fatalf("%s %s: %d %s, want %d", method, path, res.StatusCode, answer, want)
	}
	if out != nil {
		if err := json.Unmarshal(answer, out); err != nil {
			c.t.Fatalf("%s %s: %v in %s", method, path, err, answer)
		}
	}
}

func (c *companion) status() (o local.Overview) {
	c.t.Helper()
	c.call(200, "GET", "/v1/status", nil, &o)
	return o
}

// refused expects a code.
func (c *companion) refused(status int, code, path string, body any) {
	c.t.Helper()
	var got local.Trouble
	if c.call(status, "POST", path, body, &got); got.Code != code {
		c.t.Errorf("%s: %+v, want %s", path, got, code)
	}
}

type m = map[string]any

// TestService_RealServer goes the plugin's way against a whole server: from nothing to a printer that reports, over a
// restart, a removal and a return by a code.
func TestService_RealServer(t *testing.T) {
	server := &app.Server{Settings: config.Settings{Data: t.TempDir(), HTTP: "127.0.0.1:0", HTTPS: "127.0.0.1:0", MQTTS: "127.0.0.1:0",
		AuditDays: 1, MaxConnections: 100, MaxConnectionsPerAddress: 100, MaxWebConnectionsPerAddress: 100}, Version: "1.2.3"}
	if err := server.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	owner, err := server.Accounts.AddUser(t.Context(), ownerEmail, "Owner", ownerPassword, true)
	if err != nil {
		t.Fatal(err)
	}
	as := workspace.WithActor(t.Context(), workspace.Actor{UserID: owner.ID, Name: "Owner", Via: workspace.ViaSession})
	url := "https://" + server.Addresses().HTTPS
	ca := string(server.Certs.Authority().PEM)

	f, err := folder.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	about, _ := json.Marshal(m{"url": url, "ca_pem": ca})
	os.WriteFile(f.Join("server.json"), about, 0o600)
	o := octoprinttest.NewDouble(t)
	c := newCompanion(t, f)
	if s := c.status(); s.State != "no_instance_id" || s.Account != nil || s.Server.URL != url {
		t.Errorf("%+v", s)
	}
	introduce := m{"url": o.URL, "api_key": octoprinttest.Key, "webcams": []m{}, "versions": m{}}
	c.call(204, "POST", "/v1/octoprint", introduce, nil)

	c.refused(401, "invalid_credentials", "/v1/login", m{"email": ownerEmail, "password": "wrong"})
	c.refused(502, "tls_untrusted", "/v1/login", m{"server": strings.Replace(url, "127.0.0.1", "localhost", 1), "email": ownerEmail, "password": ownerPassword})
	c.refused(502, "server_unreachable", "/v1/login", m{"server": "https://127.0.0.1:1", "email": ownerEmail, "password": ownerPassword})
	c.refused(502, "name_not_found", "/v1/login", m{"server": "https://no-such-server.invalid", "email": ownerEmail, "password": ownerPassword})
	c.refused(422, "code_invalid", "/v1/login", m{"code": "AAAA-AAAA"})
	c.refused(401, "not_signed_in", "/v1/register", m{})

	var login struct {
		Account  struct{ Email string }
		Printers []struct{ UUID, Name string }
	}
	c.call(200, "POST", "/v1/login", m{"email": ownerEmail, "password": ownerPassword}, &login)
	if login.Account.Email != ownerEmail || login.Printers == nil || len(login.Printers) != 0 {
		t.Errorf("%+v", login)
	}
	c.call(204, "PUT", "/v1/camera", m{"name": "문", "stream_url": "http://user:camerasecret@127.0.0.1:8080/?action=stream", "rotation": 90}, nil)
	var made struct {
		UUID, State string
		SetupURL    string `json:"setup_url"`
	}
	c.call(200, "POST", "/v1/uuid", m{}, &made)
	uuid := made.UUID
	c.call(200, "POST", "/v1/register", m{"uuid": uuid}, &made)
	if made.UUID != uuid || made.State != "pending" || made.SetupURL != url+"/setup/"+uuid {
		t.Errorf("%+v", made)
	}
	c.until("it is let in, and waits for its owner", func() bool {
		s := c.status()
		return s.State == "pending_registration" && s.Server.Connected && s.InstanceID == uuid
	})
	if got := c.status().Camera.State; got != "sent" {
		t.Errorf("the server has the camera, and its state is %q", got)
	}
	complete := printer.Registration{UUID: uuid, Name: "거실 프린터"}
	if _, err := server.Printers.Enrol(as, workspace.Actor{UserID: owner.ID, Via: workspace.ViaSession}, complete); err != nil {
		t.Fatal(err)
	}
	ready := func() bool {
		s := c.status()
		return s.State == "ready" && s.Printer != nil && s.Printer.Name == "거실 프린터" && s.OctoPrint.Reachable && s.Clock.Offset != nil
	}
	c.until("it is ready, by its new name", ready)

	c.end()
	for _, name := range []string{"config.json", "camera.json"} {
		if info, err := os.Stat(f.Join(name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
	entries, _ := os.ReadDir(f.Path)
	for _, e := range entries {
		if content, _ := os.ReadFile(f.Join(e.Name())); strings.Contains(string(content), ownerPassword) {
			t.Errorf("the password is in %s", e.Name())
		}
	}
	c = newCompanion(t, f)
	c.call(204, "POST", "/v1/octoprint", introduce, nil)
	c.until("it is ready after a restart", ready)
	if s := c.status(); s.Account != nil {
		t.Error("still signed in after a restart")
	}

	c.call(204, "POST", "/v1/unregister", m{}, nil)
	if s := c.status(); s.State != "no_instance_id" || s.InstanceID != "" {
		t.Errorf("%+v", s)
	}
	code, err := server.Accounts.CreateCode(as, owner.ID)
	if err != nil {
		t.Fatal(err)
	}
	c.call(200, "POST", "/v1/login", m{"code": code.Code}, &login)
	if len(login.Printers) != 1 || login.Printers[0].UUID != uuid {
		t.Errorf("%+v", login)
	}
	c.call(200, "POST", "/v1/uuid/use", m{"uuid": uuid}, nil)
	c.call(200, "POST", "/v1/register", m{}, &made)
	if made.State != "registered" || made.UUID != uuid {
		t.Errorf("%+v", made)
	}
	c.until("it is ready again", ready)
	c.refused(401, "not_signed_in", "/v1/register", m{}) // the code was good for one
}

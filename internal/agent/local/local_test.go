package local

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/camera"
	"github.com/kangbyounggwan/factor/internal/agent/camera/discover"
	"github.com/kangbyounggwan/factor/internal/agent/folder"
)

// fake is an agent with nothing behind it.
type fake struct {
	mu            sync.Mutex
	status        *Status
	config        *folder.Config
	octoprint     folder.OctoPrint
	retried       int
	brokerChanged int
	introduced    error
}

func (f *fake) Status() (Status, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.status == nil {
		return Status{}, false
	}
	return *f.status, true
}

func (f *fake) Config() (folder.Config, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.config == nil {
		return folder.Config{}, false
	}
	return *f.config, true
}

func (f *fake) Introduce(o folder.OctoPrint) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.octoprint = o
	return f.introduced
}

func (f *fake) Adopt(c *folder.Config) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.config, f.status = c, &Status{UUID: c.UUID, Name: c.Name, Pending: c.Pending}
	return nil
}

func (f *fake) Unregister() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.config, f.status = nil, nil
	return nil
}

func (f *fake) Retry()         { f.retried++ }
func (f *fake) BrokerChanged() { f.brokerChanged++ }

// served is an API that runs, on a real socket.
type served struct {
	t      *testing.T
	dir    string
	agent  *fake
	client *http.Client
	base   string
	secret string
	end    func()
	offers []discover.Offer // cameras of the network
	blind  bool             // it cannot be looked for them
}

func serve(t *testing.T, dir string, where Where) *served {
	t.Helper()
	f, err := folder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := &served{t: t, dir: dir, agent: &fake{}}
	a := &API{Folder: f, Version: "1.2.3", Agent: s.agent, Errors: func() []Complaint { return nil }, Log: slog.New(slog.DiscardHandler),
		Look: func(_ context.Context, url string) camera.Result {
			return camera.Result{Code: camera.NotFound, Message: "said of " + url[:4]}
		},
		Discover: func(context.Context) ([]discover.Offer, error) {
			if s.blind {
				return nil, errors.New("no network")
			}
			return s.offers, nil
		}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Serve(ctx, where) }()
	s.end = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(s.end)
	s.base = "http://localhost"
	s.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		addr, release, err := address(filepath.Join(dir, socketName))
		if err != nil {
			return nil, err
		}
		defer release()
		return (&net.Dialer{}).DialContext(ctx, "unix", addr)
	}}}
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		if _, err := Ask(dir); errors.Is(err, ErrNotRegistered) {
			break
		} else if time.Since(began) > 30*time.Second {
			t.Fatalf("does not answer: %v", err)
		}
	}
	return s
}

// call asks and gives status and body.
func (s *served) call(method, path, body string, headers ...string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.base+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if s.secret != "" {
		req.Header.Set("Authorization", "Bearer "+s.secret)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
	}
	res, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(content)
}

// want calls and expects a status and a text in the answer.
func (s *served) want(status int, says, method, path, body string, headers ...string) string {
	s.t.Helper()
	got, content := s.call(method, path, body, headers...)
	if got != status || !strings.Contains(content, says) {
		s.t.Errorf("%s %s: %d %s, want %d with %q", method, path, got, content, status, says)
	}
	return content
}

func TestServe_Socket(t *testing.T) {
	for _, name := range []string{"short", strings.Repeat("a-path-longer-than-the-kernel-takes/", 4)} {
		dir := filepath.Join(t.TempDir(), name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := Ask(dir); !errors.Is(err, ErrNotRunning) {
			t.Errorf("before: %v", err)
		}
		os.WriteFile(filepath.Join(dir, socketName), nil, 0o600) // what a killed agent left
		s := serve(t, dir, Where{})
		s.agent.status = &Status{Version: "1.2.3", Errors: []Complaint{}}
		if got, err := Ask(dir); err != nil || got.Version != "1.2.3" {
			t.Errorf("%+v %v", got, err)
		}
		if info, err := os.Stat(filepath.Join(dir, socketName)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info, err)
		}
		s.end()
		if _, err := Ask(dir); !errors.Is(err, ErrNotRunning) {
			t.Errorf("after: %v", err)
		}
	}
}

func TestServe_Loopback(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, dir, Where{Listen: "127.0.0.1:0"})
	info, err := os.Stat(filepath.Join(dir, loopbackName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info, err)
	}
	s.agent.status = &Status{Version: "1.2.3"}
	if got, err := Ask(dir); err != nil || got.Version != "1.2.3" {
		t.Errorf("%+v %v", got, err)
	}
	f := &folder.Folder{Path: dir}
	var l loopback
	mustRead(t, f.Join(loopbackName), &l)
	s.client, s.base = http.DefaultClient, "http://"+net.JoinHostPort("127.0.0.1", itoa(l.Port))
	s.want(401, "secret_wrong", "GET", "/v1/status", "")
	s.want(401, "secret_wrong", "GET", "/v1/status", "", "Authorization", "Bearer "+l.Secret+"x")
	s.secret = l.Secret
	s.want(200, `"version":"1.2.3"`, "GET", "/v1/status", "")
	s.want(421, "host_refused", "GET", "/v1/status", "", "Host", "evil.example:80")
	s.want(403, "origin_refused", "GET", "/v1/status", "", "Origin", s.base)
	s.end()
	if _, err := os.Stat(f.Join(loopbackName)); err == nil {
		t.Error("the secret is left")
	}
	for _, listen := range []string{"0.0.0.0:0", "192.0.2.1:0", "localhost", ":0"} {
		a := &API{Folder: f}
		if err := a.Serve(context.Background(), Where{Listen: listen}); err == nil {
			t.Errorf("serves %s", listen)
		}
	}
}

func TestAPI_Requests(t *testing.T) {
	s := serve(t, t.TempDir(), Where{})
	s.want(421, "host_refused", "GET", "/v1/status", "", "Host", "factor.example")
	s.want(200, "", "GET", "/v1/status", "", "Host", "[::1]:80")
	s.want(403, "origin_refused", "POST", "/v1/logout", "", "Origin", "null")
	s.want(413, "too_large", "POST", "/v1/login", `{"email":"`+strings.Repeat("x", maxBody)+`"}`)
	s.want(400, "not_json", "POST", "/v1/login", `{"email":`)
	s.want(400, "not_json", "POST", "/v1/login", `{}`, "Content-Type", "text/plain")
	s.want(409, "no_server", "POST", "/v1/login", `{"email":"a","password":"b","unknown":1}`)
	s.want(422, "bad_url", "POST", "/v1/login", `{"server":"http://192.0.2.1","email":"a","password":"b"}`)
	s.want(401, "not_signed_in", "POST", "/v1/register", `{}`)
	s.want(204, "", "POST", "/v1/logout", "")
	s.want(204, "", "POST", "/v1/retry", "")
	s.want(409, "not_registered", "GET", "/v1/agent", "")
	s.want(404, "", "GET", "/", "")
	s.want(405, "", "DELETE", "/v1/status", "")
}

func TestAPI_UUID(t *testing.T) {
	s := serve(t, t.TempDir(), Where{})
	s.want(200, `"state":"no_instance_id"`, "GET", "/v1/status", "")
	s.want(200, `"instance_id":""`, "GET", "/v1/status", "")
	made := s.want(200, `{"uuid":"`, "POST", "/v1/uuid", "")
	uuid := made[len(`{"uuid":"`) : len(`{"uuid":"`)+36]
	s.want(200, `"instance_id":"`+uuid+`"`, "GET", "/v1/status", "")
	s.want(422, "uuid_invalid", "POST", "/v1/uuid/use", `{"uuid":"../config"}`)
	s.want(200, uuid, "POST", "/v1/uuid/use", `{"uuid":" `+strings.ToUpper(uuid)+` "}`)
	s.want(204, "", "POST", "/v1/unregister", "")
	s.want(200, `"instance_id":""`, "GET", "/v1/status", "")
}

func TestAPI_Camera(t *testing.T) {
	s := serve(t, t.TempDir(), Where{})
	s.want(200, `"code":"not_found"`, "POST", "/v1/camera/test", `{"url":"http://user:secret@camera/"}`)
	s.want(200, `"last_error":{"code":"not_found"`, "GET", "/v1/status", "")
	s.want(422, "bad_url", "PUT", "/v1/camera", `{"stream_url":"file:///etc/passwd"}`)
	s.want(422, "rotation_invalid", "PUT", "/v1/camera", `{"stream_url":"http://camera/","rotation":45}`)
	s.want(204, "", "PUT", "/v1/camera", `{"name":"문","stream_url":"http://user:secret@camera/","rotation":90,"flip_h":true}`)
	status := s.want(200, `"stream_url_set":true,"state":"saved"`, "GET", "/v1/status", "")
	text := s.want(200, "factor-agent 1.2.3", "GET", "/v1/diagnosis", "")
	if strings.Contains(status+text, "secret") {
		t.Error("the camera's password is shown")
	}
	if info, err := os.Stat(filepath.Join(s.dir, cameraName)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	s.want(204, "", "PUT", "/v1/camera", `{"stream_url":""}`)
	s.want(200, `"stream_url_set":false`, "GET", "/v1/status", "")
}

func TestAPI_FindCameras(t *testing.T) {
	s := serve(t, t.TempDir(), Where{})
	s.want(200, `{"items":[]}`, "POST", "/v1/camera/find", ``)
	s.offers = []discover.Offer{{From: "onvif", Name: "침대", URL: "rtsp://192.168.0.9/"}}
	s.want(200, `{"items":[{"from":"onvif","name":"침대","url":"rtsp://192.168.0.9/","complete":false}]}`, "POST", "/v1/camera/find", ``)
	s.blind = true
	s.want(500, `"code"`, "POST", "/v1/camera/find", ``)
}

func TestAPI_OctoPrint(t *testing.T) {
	s := serve(t, t.TempDir(), Where{})
	s.want(204, "", "POST", "/v1/octoprint", `{"url":"http://127.0.0.1:5000/","api_key":"KEY","webcams":[{"name":"a"}],"versions":{"octoprint":"1.11.8"}}`)
	if want := (folder.OctoPrint{URL: "http://127.0.0.1:5000", Key: "KEY"}); s.agent.octoprint != want {
		t.Errorf("%+v", s.agent.octoprint)
	}
	if text := s.want(200, "octoprint: 1.11.8", "GET", "/v1/diagnosis", ""); strings.Contains(text, "KEY") {
		t.Error("the key is in the diagnosis")
	}
}

func TestState(t *testing.T) {
	var refused, away, fresh, in, pending Status
	refused.Server.Refused = true
	away.Server.Attempts, away.Pending = 1, true
	in.Server.Connected = true
	pending.Server.Connected, pending.Pending = true, true
	for want, s := range map[string]*Status{stateRefused: &refused, stateDisconnected: &away, stateStarting: &fresh, stateReady: &in, statePending: &pending} {
		if got := state(s); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

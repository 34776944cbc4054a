package local

import (
	"context"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/camera"
	"github.com/kangbyounggwan/factor/internal/agent/camera/discover"
	"github.com/kangbyounggwan/factor/internal/agent/folder"
)

// ErrNotRegistered says that the folder has no registration.
var ErrNotRegistered = errors.New("this printer is not registered yet")

// Agent is what the API is about.
type Agent interface {
	// Status tells how the agent is; false when nothing is registered.
	Status() (Status, bool)
	// Config gives the registration; false when there is no finished one.
	Config() (folder.Config, bool)
	// Introduce says where OctoPrint is and which key it gave us.
	Introduce(folder.OctoPrint) error
	// Adopt takes a registration and works for it from now on.
	Adopt(*folder.Config) error
	// Unregister forgets the registration.
	Unregister() error
	// Retry tries at once what would be tried later.
	Retry()
	// BrokerChanged takes over the settings of somebody's own broker.
	BrokerChanged()
}

// API is the local API: what the plugin's pages, and other programs of the same user, ask of the agent.
type API struct {
	Folder  *folder.Folder
	Version string
	Agent   Agent
	Errors  func() []Complaint // the newest last
	// Look looks at a camera. It is bounded in time by itself.
	Look func(ctx context.Context, url string) camera.Result
	// Discover looks for cameras on this machine and its networks, some seconds long.
	Discover func(ctx context.Context) ([]discover.Offer, error)
	Log      *slog.Logger

	started time.Time
	ffmpeg  atomic.Pointer[camera.Program] // nil until it has been looked for

	finding  sync.Mutex // one at a time asks the network
	entering sync.Mutex // one at a time logs in, registers or unregisters
	mu       sync.Mutex // holds what follows
	account  *account   // nil: nobody is signed in
	about    introduction
	looked   *Trouble // of the last look at a camera, nil when it went well
}

const maxBody = 256 << 10 // bytes; a CA bundle is the largest thing in one

func (a *API) handler(secret string) http.Handler {
	a.started = time.Now()
	go func() { // a slow machine takes its time, and the first question must not wait for that
		found := camera.FindFFmpeg()
		a.ffmpeg.Store(&found)
	}()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", a.getStatus)
	mux.HandleFunc("GET /v1/agent", a.getAgent)
	mux.HandleFunc("GET /v1/diagnosis", a.getDiagnosis)
	mux.HandleFunc("POST /v1/retry", a.retry)
	mux.HandleFunc("POST /v1/octoprint", a.introduce)
	mux.HandleFunc("POST /v1/login", a.login)
	mux.HandleFunc("POST /v1/logout", a.logout)
	mux.HandleFunc("POST /v1/uuid", a.newUUID)
	mux.HandleFunc("POST /v1/uuid/use", a.useUUID)
	mux.HandleFunc("POST /v1/register", a.register)
	mux.HandleFunc("POST /v1/unregister", a.unregister)
	mux.HandleFunc("POST /v1/camera/test", a.testCamera)
	mux.HandleFunc("POST /v1/camera/find", a.findCameras)
	mux.HandleFunc("PUT /v1/camera", a.saveCamera)
	mux.HandleFunc("GET /v1/mqtt", a.getMQTT)
	mux.HandleFunc("PUT /v1/mqtt", a.saveMQTT)
	mux.HandleFunc("POST /v1/mqtt/test", a.testMQTT)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if t := stranger(r, secret); t != nil {
			say(w, t.status, t)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		mux.ServeHTTP(w, r)
	})
}

// stranger tells why a request is not from a program that may ask. A page in a browser on this machine can reach
// loopback too, also by a name of its own that resolves there: it sends an Origin, or another Host.
func stranger(r *http.Request, secret string) *Trouble {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	if host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return &Trouble{Code: "host_refused", Message: "only this machine's own names are served", status: http.StatusMisdirectedRequest}
	}
	if r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "" {
		return &Trouble{Code: "origin_refused", Message: "no page of a browser is served", status: http.StatusForbidden}
	}
	if secret == "" {
		return nil
	}
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || subtle.ConstantTimeCompare([]byte(given), []byte(secret)) != 1 {
		return &Trouble{Code: "secret_wrong", Message: "the secret of local.json is needed", status: http.StatusUnauthorized}
	}
	return nil
}

// end lets go of the session: at the end of the program nobody is signed in any more.
func (a *API) end(ctx context.Context) {
	a.entering.Lock()
	defer a.entering.Unlock()
	a.signOut(ctx)
}

func (a *API) retry(w http.ResponseWriter, _ *http.Request) {
	a.Agent.Retry()
	w.WriteHeader(http.StatusNoContent)
}

// introduction is what the plugin tells of OctoPrint.
type introduction struct {
	URL      string            `json:"url"`
	Key      string            `json:"api_key"`
	Webcams  []webcam          `json:"webcams"`
	Versions map[string]string `json:"versions"`
}

type webcam struct {
	Name        string `json:"name"`
	StreamURL   string `json:"stream_url"`
	SnapshotURL string `json:"snapshot_url"`
}

func (a *API) introduce(w http.ResponseWriter, r *http.Request) {
	var in introduction
	if t := read(r, &in); t != nil {
		say(w, t.status, t)
		return
	}
	if err := a.Agent.Introduce(folder.OctoPrint{URL: strings.TrimRight(in.URL, "/"), Key: in.Key}); err != nil {
		sayError(w, err)
		return
	}
	a.mu.Lock()
	a.about = in
	a.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

package octoprinttest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// Idle is a state as OctoPrint sends it first, of a printer that does nothing.
const Idle = `{"history":{"state":{"text":"Operational","flags":{"operational":true,"ready":true}},
	"job":{"file":{"name":null}},"progress":{"completion":null},"temps":[{"time":1,"tool0":{"actual":21.3,"target":0}}]}}`

// Double stands in for OctoPrint where a real one cannot make the fault: nonsense, silence, endless answers.
type Double struct {
	*httptest.Server
	Prefix string // path below which it is, such as /octoprint

	mu      sync.Mutex
	key     string
	answers map[string]http.HandlerFunc
	sockets map[*websocket.Conn]bool
	logins  int
}

// NewDouble starts one that behaves, until told otherwise, and ends it with the test.
func NewDouble(t testing.TB) *Double {
	d := &Double{key: Key, answers: map[string]http.HandlerFunc{}, sockets: map[*websocket.Conn]bool{}}
	text := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, s) }
	}
	d.answers["/api/version"] = text(`{"api":"0.1","server":"1.11.8","text":"OctoPrint 1.11.8"}`)
	d.answers["/api/login"] = func(w http.ResponseWriter, _ *http.Request) {
		d.mu.Lock()
		d.logins++
		d.mu.Unlock()
		fmt.Fprint(w, `{"name":"owner","session":"s"}`)
	}
	d.answers["/api/connection"] = text(`{"current":{"port":"VIRTUAL","baudrate":115200,"printerProfile":"_default"}}`)
	d.answers["/api/printerprofiles"] = text(`{"profiles":{"_default":{"id":"_default","name":"Default","current":true}}}`)
	d.answers["/api/currentuser"] = text(`{"name":"owner","permissions":["STATUS"],"groups":[]}`)
	d.answers["/api/files"] = text(`{"files":[]}`)
	d.answers["/sockjs/websocket"] = d.socket
	d.Server = httptest.NewServer(d)
	t.Cleanup(func() {
		d.Drop()
		d.CloseClientConnections()
		d.Close()
	})
	return d
}

// ServeHTTP answers as told.
func (d *Double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	path, below := strings.CutPrefix(r.URL.Path, d.Prefix)
	answer := d.answers[path]
	allowed := r.Header.Get("X-Api-Key") == d.key
	d.mu.Unlock()
	switch {
	case !below || answer == nil:
		http.NotFound(w, r)
	case !allowed:
		w.WriteHeader(http.StatusForbidden)
	default:
		answer(w, r)
	}
}

// Answer replaces the answer to a path.
func (d *Double) Answer(path string, h http.HandlerFunc) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answers[path] = h
}

// SetKey changes the key that is accepted.
func (d *Double) SetKey(key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.key = key
}

// Logins counts the log-ins for the push socket.
func (d *Double) Logins() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.logins
}

// socket is a push socket: it says hello and then what Push is given.
func (d *Double) socket(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	conn.Write(r.Context(), websocket.MessageText, []byte(`{"connected":{"version":"1.11.8","python_version":"3.11.7"}}`))
	for {
		_, m, err := conn.Read(r.Context())
		if err != nil {
			break
		}
		if strings.Contains(string(m), `"auth"`) {
			conn.Write(r.Context(), websocket.MessageText, []byte(Idle))
			d.mu.Lock()
			d.sockets[conn] = true
			d.mu.Unlock()
		}
	}
	d.mu.Lock()
	delete(d.sockets, conn)
	d.mu.Unlock()
}

// Push sends a message on every push socket that has logged in, as soon as there is one.
func (d *Double) Push(t testing.TB, message string) {
	t.Helper()
	for end := time.Now().Add(Patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		d.mu.Lock()
		sent := false
		for c := range d.sockets {
			sent = c.Write(context.Background(), websocket.MessageText, []byte(message)) == nil || sent
		}
		d.mu.Unlock()
		if sent {
			return
		}
	}
	t.Fatal("nobody logs in on the push socket")
}

// Drop breaks every push socket.
func (d *Double) Drop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.sockets {
		c.CloseNow()
	}
	clear(d.sockets)
}

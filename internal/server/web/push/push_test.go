package push

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/web/push/pushclient"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
	"github.com/prometheus/client_golang/prometheus"
)

const patience = 30 * time.Second

// world is printers and rights held in memory: printer → JSON, "user/printer" → may see.
type world struct {
	mu       sync.Mutex
	printers map[string]string
	sees     map[string]bool
	renders  atomic.Int64
	watched  chan string
}

func (w *world) Place(uuid string) (workspace.Target, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, ok := w.printers[uuid]
	return workspace.Target{WorkspaceID: "w1", PrinterID: uuid}, ok
}

func (w *world) Live(uuid string) ([]byte, bool) {
	w.renders.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	json, ok := w.printers[uuid]
	return []byte(json), ok
}

func (w *world) Watch(uuid string, delta int) { w.watched <- fmt.Sprint(uuid, delta) }

func (w *world) WatchTerminal(uuid string, delta int) {
	w.watched <- fmt.Sprint("terminal ", uuid, delta)
}

func (w *world) Can(_ context.Context, a workspace.Actor, _ workspace.Action, t workspace.Target) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sees[a.UserID+"/"+t.PrinterID] {
		return nil
	}
	return problem.NotFound("printer")
}

func (w *world) Members(context.Context, string) ([]string, error) {
	return []string{"ann", "bob"}, nil
}

func (w *world) set(uuid, json string) {
	w.mu.Lock()
	w.printers[uuid] = json
	w.mu.Unlock()
}

type scene struct {
	*world
	*Server
	url  string
	gone sync.Map // session ids that are over
}

func newScene(t *testing.T) *scene {
	t.Helper()
	w := &world{printers: map[string]string{}, sees: map[string]bool{}, watched: make(chan string, 100)}
	sc := &scene{world: w, Server: &Server{Printers: w, Access: w, Bus: &bus.Bus{}, Metrics: prometheus.NewRegistry(), Linger: 50 * time.Millisecond,
		SameOrigin: func(r *http.Request) bool {
			origin := r.Header.Get("Origin")
			return origin == "" || strings.HasSuffix(origin, r.Host)
		}}}
	if err := sc.Initialize(); err != nil {
		t.Fatal(err)
	}
	// The user name stands for the log-in that the web server does in front.
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		user, session, _ := r.BasicAuth()
		ctx := workspace.WithActor(r.Context(), workspace.Actor{UserID: user, SessionID: session, Via: workspace.ViaSession})
		ctx = workspace.WithCheck(ctx, func(context.Context) bool { _, over := sc.gone.Load(session); return !over })
		sc.ServeHTTP(rw, r.WithContext(ctx))
	}))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := sc.Close(ctx); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	sc.url = "ws" + strings.TrimPrefix(server.URL, "http")
	return sc
}

func (sc *scene) printer(json string, viewers ...string) string {
	uuid := wire.NewUUID()
	sc.set(uuid, json)
	sc.mu2(func() {
		for _, v := range viewers {
			sc.sees[v+"/"+uuid] = true
		}
	})
	return uuid
}

func (sc *scene) mu2(fn func()) {
	sc.world.mu.Lock()
	defer sc.world.mu.Unlock()
	fn()
}

func (sc *scene) dial(t *testing.T, user, session string, more ...string) *pushclient.Client {
	t.Helper()
	c, err := sc.tryDial(user, session, more...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func (sc *scene) tryDial(user, session string, more ...string) (*pushclient.Client, error) {
	r := &http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, session)
	for i := 0; i+1 < len(more); i += 2 {
		r.Header.Set(more[i], more[i+1])
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return pushclient.Dial(ctx, sc.url, r.Header, nil)
}

func mustSubscribe(t *testing.T, c *pushclient.Client, channel string, delta bool) string {
	t.Helper()
	data, err := c.Subscribe(t.Context(), channel, delta)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func await(t *testing.T, c *pushclient.Client, channel, want string) pushclient.Message {
	t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case m, ok := <-c.Messages:
			if !ok {
				t.Fatalf("the connection ended: %v", c.Err())
			}
			if m.Channel == channel && string(m.Data) == want {
				return m
			}
		case <-timeout:
			t.Fatalf("%s never said %s", channel, want)
		}
	}
}

func TestServer_SubscribeThenDeltas(t *testing.T) {
	for _, delta := range []bool{false, true} {
		t.Run(fmt.Sprint("delta=", delta), func(t *testing.T) {
			sc := newScene(t)
			body := func(n int) string {
				return fmt.Sprintf(`{"name":"프린터 1","progress":%d,"text":"%s"}`, n, strings.Repeat("same ", 100))
			}
			uuid := sc.printer(body(0), "ann")
			c := sc.dial(t, "ann", "s1")
			channel := "printer:" + uuid
			if got := mustSubscribe(t, c, channel, delta); got != body(0) {
				t.Fatalf("the reply holds %s", got)
			}
			var last pushclient.Message
			for n := 1; n <= 5; n++ {
				sc.set(uuid, body(n))
				sc.Bus.TwinChanged.Publish(bus.TwinChanged{UUID: uuid})
				last = await(t, c, channel, body(n))
			}
			if delta && last.Wire > len(body(0))/4 {
				t.Errorf("a delta of %d bytes for a message of %d", last.Wire, len(body(0)))
			}
			// One who comes later gets the whole, then deltas as well.
			late := sc.dial(t, "ann", "s2")
			if got := mustSubscribe(t, late, channel, delta); got != body(5) {
				t.Fatalf("the late one's reply holds %s", got)
			}
			for n := 6; n <= 8; n++ {
				sc.set(uuid, body(n))
				sc.Bus.TwinChanged.Publish(bus.TwinChanged{UUID: uuid})
				await(t, c, channel, body(n))
				await(t, late, channel, body(n))
			}
		})
	}
}

func TestServer_RendersNothingForNobody(t *testing.T) {
	sc := newScene(t)
	uuid := sc.printer(`{"n":0}`, "ann")
	for range 100 {
		sc.Bus.TwinChanged.Publish(bus.TwinChanged{UUID: uuid})
	}
	if n := sc.renders.Load(); n != 0 {
		t.Errorf("rendered %d times for nobody", n)
	}
}

// What changes while nobody looks, and then back, must reach those who came in between.
func TestServer_ChangeBackReachesNewViewer(t *testing.T) {
	sc := newScene(t)
	uuid := sc.printer(`{"n":"a"}`, "ann")
	channel := "printer:" + uuid
	first := sc.dial(t, "ann", "s1")
	mustSubscribe(t, first, channel, true)
	sc.set(uuid, `{"n":"b"}`)
	sc.Bus.TwinChanged.Publish(bus.TwinChanged{UUID: uuid})
	await(t, first, channel, `{"n":"b"}`)
	if err := first.Unsubscribe(t.Context(), channel); err != nil {
		t.Fatal(err)
	}
	sc.set(uuid, `{"n":"c"}`)
	sc.Bus.TwinChanged.Publish(bus.TwinChanged{UUID: uuid})
	second := sc.dial(t, "ann", "s2")
	if got := mustSubscribe(t, second, channel, true); got != `{"n":"c"}` {
		t.Fatal(got)
	}
	sc.set(uuid, `{"n":"b"}`)
	sc.Bus.TwinChanged.Publish(bus.TwinChanged{UUID: uuid})
	await(t, second, channel, `{"n":"b"}`)
}

func TestServer_Refusals(t *testing.T) {
	sc := newScene(t)
	uuid := sc.printer(`{}`, "ann")
	bob := sc.dial(t, "bob", "s2")
	for _, channel := range []string{"printer:" + uuid, "events:" + uuid, "printer:" + wire.NewUUID(), "user:ann", "printer:", "x", "printer:*"} {
		_, err := bob.Subscribe(t.Context(), channel, false)
		refused, ok := errors.AsType[*pushclient.Refused](err)
		if !ok || refused.Code != 103 {
			t.Errorf("%s: %v, want permission denied", channel, err)
		}
	}
	if _, err := sc.tryDial("", ""); err == nil {
		t.Error("nobody was let in")
	}
	if _, err := sc.tryDial("ann", "s1", "Origin", "https://evil.example"); err == nil {
		t.Error("a foreign page was let in")
	}
}

func TestServer_Events(t *testing.T) {
	sc := newScene(t)
	uuid := sc.printer(`{}`, "ann")
	c := sc.dial(t, "ann", "s1")
	mustSubscribe(t, c, "events:"+uuid, false)
	sc.Bus.EventStored.Publish(bus.EventStored{UUID: uuid, JSON: []byte(`{"type":"PrintDone"}`)})
	await(t, c, "events:"+uuid, `{"type":"PrintDone"}`)
	mustSubscribe(t, c, "files:"+uuid, false)
	sc.Bus.DeviceFiles.Publish(bus.DeviceFiles{UUID: uuid, JSON: []byte(`{"at":"2026-11-26T18:00:00Z"}`)})
	await(t, c, "files:"+uuid, `{"at":"2026-11-26T18:00:00Z"}`)
}

func TestServer_AccessEnded(t *testing.T) {
	t.Run("Session", func(t *testing.T) {
		sc := newScene(t)
		ended, other := sc.dial(t, "ann", "s1"), sc.dial(t, "ann", "s2")
		sc.Bus.AccessEnded.Publish(bus.AccessEnded{SessionID: "s1", UserID: "ann"})
		await(t, ended, "user:ann", `{"type":"session_ended"}`)
		awaitEnd(t, ended)
		uuid := sc.printer(`{}`, "ann")
		mustSubscribe(t, other, "printer:"+uuid, false)
	})
	t.Run("User", func(t *testing.T) {
		sc := newScene(t)
		ended := sc.dial(t, "ann", "s1")
		sc.Bus.AccessEnded.Publish(bus.AccessEnded{UserID: "ann"})
		awaitEnd(t, ended)
	})
	t.Run("SessionEndedByAnotherProcess", func(t *testing.T) {
		sc := newScene(t)
		ended := sc.dial(t, "ann", "s1")
		sc.gone.Store("s1", true)
		awaitEnd(t, ended)
	})
	t.Run("Workspace", func(t *testing.T) {
		sc := newScene(t)
		uuid := sc.printer(`{}`, "ann", "bob")
		bob := sc.dial(t, "bob", "s1")
		mustSubscribe(t, bob, "printer:"+uuid, true)
		mustSubscribe(t, bob, "events:"+uuid, false)
		sc.mu2(func() { delete(sc.sees, "bob/"+uuid) })
		sc.Bus.AccessEnded.Publish(bus.AccessEnded{UserID: "bob", WorkspaceID: "w1"})
		got := map[string]bool{}
		for len(got) < 2 {
			select {
			case u := <-bob.Unsubscribed:
				got[u.Channel] = true
			case <-time.After(patience):
				t.Fatalf("still subscribed; ended: %v", got)
			}
		}
		await(t, bob, "user:bob", `{"type":"printers"}`)
	})
	t.Run("PrinterRemoved", func(t *testing.T) {
		sc := newScene(t)
		uuid := sc.printer(`{}`, "ann")
		ann := sc.dial(t, "ann", "s1")
		mustSubscribe(t, ann, "printer:"+uuid, true)
		sc.mu2(func() { delete(sc.printers, uuid) })
		sc.Bus.PrinterChanged.Publish(bus.PrinterChanged{UUID: uuid, WorkspaceID: "w1"})
		select {
		case <-ann.Unsubscribed:
		case <-time.After(patience):
			t.Fatal("still subscribed to a removed printer")
		}
		await(t, ann, "user:ann", `{"type":"printers"}`)
	})
}

func awaitEnd(t *testing.T, c *pushclient.Client) {
	t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case _, ok := <-c.Messages:
			if ok {
				continue
			}
			ended, is := errors.AsType[*pushclient.Ended](c.Err())
			if !is || ended.Code != int(DisconnectEnded.Code) {
				t.Errorf("ended otherwise: %v", c.Err())
			}
			return
		case <-timeout:
			t.Fatal("the connection goes on")
		}
	}
}

func TestServer_Watch(t *testing.T) {
	sc := newScene(t)
	uuid := sc.printer(`{}`, "ann")
	a, b := sc.dial(t, "ann", "s1"), sc.dial(t, "ann", "s2")
	mustSubscribe(t, a, "printer:"+uuid, false)
	mustSubscribe(t, b, "printer:"+uuid, false)
	if m := <-sc.watched; m != uuid+"1" {
		t.Fatal(m)
	}
	a.Close()
	if err := b.Unsubscribe(t.Context(), "printer:"+uuid); err != nil {
		t.Fatal(err)
	}
	select {
	case m := <-sc.watched:
		if m != uuid+"-1" {
			t.Error(m)
		}
	case <-time.After(patience):
		t.Fatal("nobody looks any more, and nobody says so")
	}
}

// One who takes nothing is sent away, and nobody waits for him.
func TestServer_SlowViewer(t *testing.T) {
	sc := newScene(t)
	uuid := sc.printer(`{"n":0}`, "ann")
	good := sc.dial(t, "ann", "s1")
	mustSubscribe(t, good, "printer:"+uuid, false)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r := &http.Request{Header: http.Header{}}
	r.SetBasicAuth("ann", "s2")
	slow, _, err := websocket.Dial(ctx, sc.url, &websocket.DialOptions{HTTPHeader: r.Header})
	if err != nil {
		t.Fatal(err)
	}
	defer slow.CloseNow()
	for _, command := range []string{`{"id":1,"connect":{}}`, `{"id":2,"subscribe":{"channel":"printer:` + uuid + `"}}`} {
		if err := slow.Write(ctx, websocket.MessageText, []byte(command)); err != nil {
			t.Fatal(err)
		}
	}
	big := strings.Repeat("x", 1<<20)
	end := time.After(patience)
	for n := 1; n < 10 || sc.Connections() > 1; n++ {
		body := fmt.Sprintf(`{"n":%d,"big":"%s"}`, n, big)
		sc.set(uuid, body)
		sc.Bus.TwinChanged.Publish(bus.TwinChanged{UUID: uuid})
		await(t, good, "printer:"+uuid, body)
		select {
		case <-end:
			t.Fatal("the slow one is still there")
		default:
		}
	}
}

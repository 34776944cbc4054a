package printers

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/gateway"
	"github.com/kangbyounggwan/factor/internal/server/job"
	"github.com/kangbyounggwan/factor/internal/server/printer"
	"github.com/kangbyounggwan/factor/internal/server/store"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

const uuid = "3b241101-e2bb-4255-8caf-4136c566a962"

// patience is how long a test waits for what another program does.
const patience = 15 * time.Second

// everybody may do everything, in the one workspace there is.
type everybody struct{}

func (everybody) Can(context.Context, workspace.Actor, workspace.Action, workspace.Target) error {
	return nil
}
func (everybody) VisibleWorkspaces(context.Context, workspace.Actor) ([]workspace.Workspace, error) {
	return []workspace.Workspace{{ID: "ws", Role: workspace.RoleOwner}}, nil
}
func (everybody) Personal(context.Context, string) (workspace.Workspace, error) {
	return workspace.Workspace{ID: "ws", Role: workspace.RoleOwner}, nil
}

// world is printers behind a real door.
type world struct {
	*printer.Service
	t       *testing.T
	gateway *gateway.Gateway
	address string
}

func open(t *testing.T) *world {
	ctx := context.Background()
	db, err := store.Open(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b := &bus.Bus{}
	jobs := &job.Service{DB: db, Bus: b}
	s := &printer.Service{DB: db, Bus: b, Access: everybody{}, Jobs: jobs, UUIDLogin: true}
	door := &Door{Printers: s}
	g := &gateway.Gateway{Registry: door, Sink: door, UUIDLogin: true}
	s.Devices = g
	if err := jobs.Initialize(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Initialize(ctx); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = g.Serve(l) // ends with Close
	}()
	t.Cleanup(func() {
		if err := g.Close(ctx); err != nil {
			t.Error(err)
		}
		l.Close()
		<-served
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return &world{Service: s, t: t, gateway: g, address: "tcp://" + l.Addr().String()}
}

func (w *world) dial(options func(*paho.ClientOptions)) paho.Client {
	w.t.Helper()
	o := paho.NewClientOptions().AddBroker(w.address).SetAutoReconnect(false).SetConnectTimeout(patience)
	options(o)
	c := paho.NewClient(o)
	w.done(c.Connect())
	w.t.Cleanup(func() { c.Disconnect(0) })
	return c
}

func (w *world) done(t paho.Token) {
	w.t.Helper()
	if !t.WaitTimeout(patience) {
		w.t.Fatal("no answer")
	}
	if t.Error() != nil {
		w.t.Fatal(t.Error())
	}
}

func (w *world) enrol(r printer.Registration) printer.Registered {
	w.t.Helper()
	r.UUID, r.Name = uuid, "Ender"
	done, err := w.Enrol(context.Background(), workspace.Actor{UserID: "mina", Via: workspace.ViaSession}, r)
	if err != nil {
		w.t.Fatal(err)
	}
	return done
}

func (w *world) until(what string, ok func(v printer.View) bool) printer.View {
	w.t.Helper()
	var v printer.View
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if v, _ = w.View(uuid, workspace.RoleOwner); ok(v) {
			return v
		}
	}
	w.t.Fatalf("did not come: %s; %+v", what, v)
	return v
}

func TestDeviceWithToken(t *testing.T) {
	w := open(t)
	made := w.enrol(printer.Registration{})
	watched := make(chan string, 10)
	c := w.dial(func(o *paho.ClientOptions) {
		o.SetUsername(uuid).SetPassword(made.Token).SetClientID(uuid).SetKeepAlive(30*time.Second).
			SetWill(wire.KindPresence.Topic(uuid), `{"online":false}`, 1, false)
	})
	w.done(c.Subscribe(wire.KindWatch.Topic(uuid), 0, func(_ paho.Client, m paho.Message) { watched <- string(m.Payload()) }))
	w.done(c.Publish(wire.KindPresence.Topic(uuid), 1, false, `{"online":true,"agent":"1.0.0","proto":1}`))
	w.done(c.Publish(wire.KindStatus.Topic(uuid), 0, false, `{"status":"printing","state":{"text":"Printing"},"job":{"id":"`+wire.NewUUID()+`"}}`))
	for range 2 { // the second is the same again
		w.done(c.Publish(wire.KindEvent.Topic(uuid), 1, false, `{"epoch":"e","seq":1,"at":1,"type":"PrintStarted"}`))
	}
	w.done(c.Publish(wire.KindEvent.Topic(uuid), 1, false, `garbage`)) // acknowledged: it will never be better
	w.done(c.Publish(wire.KindFiles.Topic(uuid), 1, false, `{"local":[{"path":"a.gcode"}]}`))
	v := w.until("the status", func(v printer.View) bool { return v.Status == wire.StatusPrinting })
	if v.Agent == nil || v.Unauthenticated {
		t.Errorf("%+v", v)
	}
	list, _, err := w.Events(t.Context(), made.PrinterID, printer.EventPage{Limit: 10})
	if err != nil || len(list) != 1 || list[0].Seq != 1 {
		t.Errorf("%+v %v", list, err)
	}
	tree, err := w.FileTree(t.Context(), made.PrinterID)
	if err != nil || len(tree.Local) != 1 {
		t.Errorf("%+v %v", tree, err)
	}
	w.Watch(uuid, 1)
	for want := range map[string]bool{`{"watched":true}`: true} {
		for got := ""; got != want; { // the state at the subscription may come first
			select {
			case got = <-watched:
			case <-time.After(patience):
				t.Fatal("not told to be watched")
			}
		}
	}
	ended := time.Now()
	if err := w.Remove(workspace.WithActor(t.Context(), workspace.Actor{UserID: "mina"}), uuid); err != nil {
		t.Fatal(err)
	}
	for c.IsConnectionOpen() {
		if time.Since(ended) > patience {
			t.Fatal("the device of a removed printer stays connected")
		}
		time.Sleep(5 * time.Millisecond)
	}
	if _, err := (&Door{Printers: w.Service}).Login(t.Context(), uuid, made.Token, netip.Addr{}); err != gateway.ErrNotAuthorized {
		t.Errorf("log-in of a removed printer: %v", err)
	}
}

func TestGoneIsKnownAtOnce(t *testing.T) {
	w := open(t)
	made := w.enrol(printer.Registration{})
	var conn net.Conn
	c := w.dial(func(o *paho.ClientOptions) {
		o.SetUsername(uuid).SetPassword(made.Token).SetClientID(uuid).SetWill(wire.KindPresence.Topic(uuid), `{"online":false}`, 1, false)
		o.SetDialer(&net.Dialer{}).SetCustomOpenConnectionFn(func(_ *url.URL, _ paho.ClientOptions) (net.Conn, error) {
			var err error
			conn, err = net.Dial("tcp", w.address[len("tcp://"):])
			return conn, err
		})
	})
	w.done(c.Publish(wire.KindStatus.Topic(uuid), 1, false, `{"status":"printing","state":{"text":"Printing"}}`))
	w.until("online", func(v printer.View) bool { return v.Online && v.Status == wire.StatusPrinting })
	conn.Close() // the process is killed
	v := w.until("offline", func(v printer.View) bool { return !v.Online })
	if len(v.Attention) != 1 || v.Attention[0] != wire.AttentionOfflineWhilePrinting {
		t.Errorf("%+v", v.Attention)
	}
}

// The published plugin: connected before it is registered, known by its UUID alone, registered by a message.
func TestPublishedPlugin(t *testing.T) {
	w := open(t)
	registrations := make(chan wire.Registration, 10)
	c := w.dial(func(o *paho.ClientOptions) { o.SetCleanSession(true).SetProtocolVersion(4) })
	topics := map[string]byte{}
	for _, k := range []wire.Kind{wire.KindControl, wire.KindGcodeIn, wire.KindCamera, wire.KindRegistration} {
		topics[k.Topic(uuid)] = 1
	}
	w.done(c.SubscribeMultiple(topics, func(_ paho.Client, m paho.Message) {
		var r wire.Registration
		if kind, _ := wire.ParseTopic(m.Topic()); kind == wire.KindRegistration && json.Unmarshal(m.Payload(), &r) == nil {
			registrations <- r
		}
	}))
	status := func(n int) {
		w.done(c.Publish(wire.KindStatus.Topic(uuid), 0, false, fmt.Sprintf(`{"ts":%d,"state":{"text":"Operational"}}`, n)))
	}
	status(1)
	yes := true
	w.enrol(printer.Registration{UUIDLogin: &yes})
	select {
	case r := <-registrations:
		if r.Status != "registered" || r.DeviceName != "Ender" || r.RegisteredAt == "" {
			t.Errorf("%+v", r)
		}
	case <-time.After(patience):
		t.Fatal("the plugin was not told that it is registered")
	}
	w.done(c.Publish(wire.KindRegistered.Topic(uuid), 1, false, `{"status":"confirmed","instance_id":"`+uuid+`"}`))
	w.done(c.Unsubscribe(wire.KindRegistration.Topic(uuid)))
	n := 1
	v := w.until("its status", func(v printer.View) bool {
		n++
		status(n)
		return v.Status == wire.StatusIdle
	})
	if !v.Online || !v.Unauthenticated || v.Agent != nil {
		t.Errorf("%+v", v)
	}
}

package printer

import (
	"context"
	"encoding/json"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/job"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/store"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

const (
	uuidA = "3b241101-e2bb-4255-8caf-4136c566a962"
	uuidB = "9c5b94b1-35ad-49bb-b118-8e8fc24abf80"
)

// access is workspaces by hand: each user owns one that is called after him; roles add others.
type access struct {
	roles map[string]map[string]workspace.Role // by workspace, by user
}

func (a access) role(user, ws string) workspace.Role {
	if ws == "ws-"+user {
		return workspace.RoleOwner
	}
	return a.roles[ws][user]
}

func (a access) Can(_ context.Context, actor workspace.Actor, action workspace.Action, t workspace.Target) error {
	rank := map[workspace.Role]int{workspace.RoleViewer: 1, workspace.RoleOperator: 2, workspace.RoleOwner: 3}
	least := map[workspace.Action]int{workspace.PrinterView: 1, workspace.PrinterControl: 2, workspace.PrinterEdit: 3,
		workspace.PrinterCreate: 3, workspace.PrinterEnrol: 3, workspace.PrinterRemove: 3}
	switch have := rank[a.role(actor.UserID, t.WorkspaceID)]; {
	case have == 0:
		return problem.NotFound("printer")
	case have < least[action]:
		return problem.ErrNotAllowed
	}
	return nil
}

func (a access) VisibleWorkspaces(_ context.Context, actor workspace.Actor) ([]workspace.Workspace, error) {
	list := []workspace.Workspace{{ID: "ws-" + actor.UserID, Name: actor.UserID, Role: workspace.RoleOwner, Personal: true}}
	for ws, users := range a.roles {
		if r := users[actor.UserID]; r != "" {
			list = append(list, workspace.Workspace{ID: ws, Name: ws, Role: r})
		}
	}
	return list, nil
}

func (a access) Personal(_ context.Context, userID string) (workspace.Workspace, error) {
	return workspace.Workspace{ID: "ws-" + userID, Name: userID, Role: workspace.RoleOwner, Personal: true}, nil
}

// devices notes what is sent to devices.
type devices struct {
	mu       sync.Mutex
	sent     []sent
	ended    []string
	promoted []string
}

type sent struct {
	uuid string
	kind wire.Kind
	body string
}

func (d *devices) Publish(uuid string, kind wire.Kind, payload []byte, _ byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sent = append(d.sent, sent{uuid, kind, string(payload)})
	return nil
}
func (d *devices) Promote(uuid string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.promoted = append(d.promoted, uuid)
}
func (d *devices) End(uuid string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = append(d.ended, uuid)
}

func (d *devices) take(kind wire.Kind) (list []sent) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.sent {
		if s.kind == kind {
			list = append(list, s)
		}
	}
	d.sent = nil
	return list
}

// clock is a server's clock that goes when it is told to.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
	return c.at
}

// world is a whole server's worth of printers.
type world struct {
	*Service
	t       testing.TB
	dir     string
	clock   *clock
	devices *devices
	access  access
	jobs    *job.Service
	db      *store.DB
	stopJob func()
	stopped bool
}

func open(t testing.TB) *world {
	w := &world{t: t, dir: t.TempDir(), clock: &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, devices: &devices{},
		access: access{roles: map[string]map[string]workspace.Role{}}}
	w.start()
	t.Cleanup(func() {
		if !w.stopped {
			w.kill()
		}
	})
	return w
}

func (w *world) start() {
	w.t.Helper()
	ctx := context.Background()
	db, err := store.Open(ctx, w.dir)
	if err != nil {
		w.t.Fatal(err)
	}
	b := &bus.Bus{}
	w.db, w.stopped = db, false
	w.jobs = &job.Service{DB: db, Bus: b, Now: w.clock.now}
	w.Service = &Service{DB: db, Bus: b, Access: w.access, Jobs: w.jobs, Devices: w.devices, Now: w.clock.now, UUIDLogin: true}
	w.jobs.Printers = w.Service
	if err := w.jobs.Initialize(ctx); err != nil {
		w.t.Fatal(err)
	}
	if err := w.Initialize(ctx); err != nil {
		w.t.Fatal(err)
	}
	running, cancel := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() { _ = w.jobs.Run(running) })
	w.stopJob = func() { cancel(); done.Wait() }
}

// kill ends the server without a word: nothing is written that was not written before.
func (w *world) kill() {
	w.stopped = true
	w.stopJob()
	if err := w.db.Close(); err != nil {
		w.t.Error(err)
	}
}

func (w *world) restart() {
	w.t.Helper()
	w.kill()
	w.start()
}

func as(user string) context.Context {
	return workspace.WithActor(context.Background(), workspace.Actor{UserID: user, Name: user, Via: workspace.ViaSession})
}

// enrol registers a printer of mina's and connects its device.
func (w *world) enrol(uuid string) Identity {
	w.t.Helper()
	ctx := as("mina")
	actor, _ := workspace.ActorFrom(ctx)
	r, err := w.Enrol(ctx, actor, Registration{UUID: uuid, Name: "Ender"})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.connect(uuid, r.Token)
}

func (w *world) connect(uuid, token string) Identity {
	w.t.Helper()
	id, err := w.Login(context.Background(), uuid, token, netip.Addr{})
	if err != nil {
		w.t.Fatal(err)
	}
	w.Connected(id, 1, w.clock.now())
	return id
}

func (w *world) view(uuid string) View {
	w.t.Helper()
	v, ok := w.View(uuid, workspace.RoleOwner)
	if !ok {
		w.t.Fatalf("no printer %s", uuid)
	}
	return v
}

// status sends a snapshot made of JSON.
func (w *world) status(id Identity, body string) {
	w.Status(id, []byte(body), w.clock.now())
}

func (w *world) event(id Identity, seq int64, kind, jobID, data string) error {
	e := wire.Event{Epoch: "e1", Seq: seq, At: float64(w.clock.now().UnixMilli()) / 1000, Type: kind, Job: jobID}
	if data != "" {
		e.Data = json.RawMessage(data)
	}
	b, err := json.Marshal(e)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.Event(context.Background(), id, b, w.clock.now())
}

func (w *world) events(id Identity) (types []string) {
	w.t.Helper()
	list, _, err := w.Events(context.Background(), id.PrinterID, EventPage{Limit: 100})
	if err != nil {
		w.t.Fatal(err)
	}
	for i := len(list) - 1; i >= 0; i-- {
		types = append(types, list[i].Type)
	}
	return types
}

// eventually waits for something that another goroutine does.
func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("did not come: %s", what)
		}
	}
}

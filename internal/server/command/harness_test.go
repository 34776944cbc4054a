package command

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/store"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

const patience = 30 * time.Second

// roles is who may do what with the one printer.
type roles map[string]workspace.Role

func (r roles) Can(_ context.Context, a workspace.Actor, action workspace.Action, _ workspace.Target) error {
	rank := map[workspace.Role]int{workspace.RoleViewer: 1, workspace.RoleOperator: 2, workspace.RoleOwner: 3}
	least := map[workspace.Action]int{workspace.PrinterView: 1, workspace.PrinterControl: 2, workspace.PrinterEdit: 3}[action]
	switch role := rank[r[a.UserID]]; {
	case role == 0:
		return problem.NotFound("printer")
	case role < least || least == 0:
		return problem.ErrNotAllowed
	}
	return nil
}

// bench is the service with one printer, and its device as the test wants it. mu guards what follows it.
type bench struct {
	*Service
	t   testing.TB
	dir string

	mu   sync.Mutex
	at   Situation
	gone bool                                   // publishing fails
	sent []wire.Command                         // to the device
	says func(wire.Command) *wire.CommandResult // nil, or what it answers
}

const device = "11111111-1111-4111-8111-111111111111"

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir()}
	b.at = Situation{PrinterID: "p1", WorkspaceID: "w1", Name: "Ender", Online: true, Plugin: PluginAgent, Status: wire.StatusIdle, Heaters: []string{"tool0", "bed"}}
	b.says = func(c wire.Command) *wire.CommandResult {
		return &wire.CommandResult{ID: c.ID, OK: true, Code: wire.ResultDone}
	}
	b.open()
	return b
}

// open starts the service on the folder, again after a crash.
func (b *bench) open() {
	b.t.Helper()
	db, err := store.Open(b.t.Context(), b.dir)
	if err != nil {
		b.t.Fatal(err)
	}
	log := &audit.Log{DB: db, Workspaces: &workspace.Service{DB: db}}
	if err := log.Initialize(); err != nil {
		b.t.Fatal(err)
	}
	s := &Service{DB: db, Bus: &bus.Bus{}, Access: roles{"owner": workspace.RoleOwner, "operator": workspace.RoleOperator, "viewer": workspace.RoleViewer},
		Printers: b, Devices: b, Audit: log}
	if err := s.Initialize(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	b.Service = s
	b.t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			b.t.Error(err)
		}
		db.Close()
	})
}

// Situation is Printers'.
func (b *bench) Situation(uuid string) (Situation, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.at, uuid == device
}

// Publish is Devices'.
func (b *bench) Publish(_ string, _ wire.Kind, payload []byte, _ byte) error {
	var c wire.Command
	if err := json.Unmarshal(payload, &c); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gone {
		return errors.New("away")
	}
	b.sent = append(b.sent, c)
	if r := b.says(c); r != nil {
		answer, err := json.Marshal(r)
		if err != nil {
			return err
		}
		go b.Result(context.Background(), "p1", answer) // what it gives is the gateway's to log
	}
	return nil
}

func (b *bench) set(change func(*Situation)) {
	b.mu.Lock()
	change(&b.at)
	b.mu.Unlock()
	b.Bus.TwinChanged.Publish(bus.TwinChanged{PrinterID: "p1", UUID: device})
}

func (b *bench) given() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.sent)
}

func as(t testing.TB, user string) context.Context {
	return workspace.WithActor(t.Context(), workspace.Actor{UserID: user, Name: user, Via: workspace.ViaSession, Address: "192.0.2.1"})
}

// entries are the audit's of the printer, newest first.
func (b *bench) entries() []audit.LogItem {
	b.t.Helper()
	page, err := b.Audit.List(b.t.Context(), audit.Query{WorkspaceIDs: []string{"w1"}, Limit: 50})
	if err != nil {
		b.t.Fatal(err)
	}
	return page.Items
}

func (b *bench) until(what string, ok func() bool) {
	b.t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("never: %s", what)
		}
	}
}

func number(v float64) *float64 { return &v }
func whole(v int) *int          { return &v }

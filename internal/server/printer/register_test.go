package printer

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/uptrace/bun"
)

func (w *world) register(user string, r Registration) (Registered, error) {
	ctx := as(user)
	actor, _ := workspace.ActorFrom(ctx)
	return w.Enrol(ctx, actor, r)
}

func TestEnrolPendingThenComplete(t *testing.T) {
	w := open(t)
	changes := 0
	w.Bus.PrinterChanged.Subscribe(func(m bus.PrinterChanged) { changes++ })
	first, err := w.register("mina", Registration{UUID: uuidA, Name: "octopi", Pending: true})
	if err != nil || !first.Created || first.Token == "" {
		t.Fatal(first, err)
	}
	if v := w.view(uuidA); !v.Pending || v.Name != "octopi" {
		t.Errorf("%+v", v)
	}
	done, err := w.register("mina", Registration{UUID: uuidA, Name: "  작업실 프린터 ", Description: "창가"})
	if err != nil || done.Created || done.Token != "" || done.PrinterID != first.PrinterID {
		t.Fatal(done, err)
	}
	if v := w.view(uuidA); v.Pending || v.Name != "작업실 프린터" || v.Description != "창가" {
		t.Errorf("%+v", v)
	}
	if _, err := w.Login(t.Context(), uuidA, first.Token, id2addr); err != nil {
		t.Errorf("the token of before: %v", err)
	}
	// The device asks once more: what the owner entered stays.
	if _, err := w.register("mina", Registration{UUID: uuidA, Name: "octopi", Pending: true}); err != nil {
		t.Fatal(err)
	}
	if v := w.view(uuidA); v.Pending || v.Name != "작업실 프린터" {
		t.Errorf("%+v", v)
	}
	for _, pending := range []bool{true, false} {
		if _, err := w.register("eve", Registration{UUID: uuidA, Name: "mine", Pending: pending}); problem.Code(err) != "uuid_taken" {
			t.Errorf("another account, pending %v: %v", pending, err)
		}
	}
	if changes == 0 || !slices.Contains(w.devices.promoted, uuidA) {
		t.Errorf("%d changes told, promoted %v", changes, w.devices.promoted)
	}
	w.restart()
	if v := w.view(uuidA); v.Name != "작업실 프린터" || v.ID != first.PrinterID {
		t.Errorf("after a kill: %+v", v)
	}
	if _, err := w.Login(t.Context(), uuidA, first.Token, id2addr); err != nil {
		t.Errorf("after a kill: %v", err)
	}
}

func TestEnrolRefuses(t *testing.T) {
	w := open(t)
	w.MaxPrinters = 1
	yes := true
	for _, c := range []struct {
		name string
		r    Registration
		code string
	}{
		{"no UUID", Registration{Name: "x"}, "uuid_invalid"},
		{"upper case", Registration{UUID: strings.ToUpper(uuidA), Name: "x"}, "uuid_invalid"},
		{"version 1", Registration{UUID: "3b241101-e2bb-1255-8caf-4136c566a962", Name: "x"}, "uuid_invalid"},
		{"no name", Registration{UUID: uuidA, Name: "  "}, "name_invalid"},
		{"control characters", Registration{UUID: uuidA, Name: "a\x07b"}, "name_invalid"},
		{"name too long", Registration{UUID: uuidA, Name: strings.Repeat("가", 101)}, "name_invalid"},
		{"description too long", Registration{UUID: uuidA, Name: "x", Description: strings.Repeat("가", 1001)}, "description_invalid"},
		{"description with control characters", Registration{UUID: uuidA, Name: "x", Description: "a\x00"}, "description_invalid"},
		{"a workspace of others", Registration{UUID: uuidA, Name: "x", WorkspaceID: "ws-eve"}, "not_found"},
	} {
		if _, err := w.register("mina", c.r); problem.Code(err) != c.code {
			t.Errorf("%s: %v, want %s", c.name, err, c.code)
		}
	}
	if n := len(w.twins()); n != 0 {
		t.Errorf("%d printers were made", n)
	}
	if _, err := w.register("mina", Registration{UUID: uuidA, Name: "x", UUIDLogin: &yes, Description: "two\nlines"}); err != nil {
		t.Error(err)
	}
	if _, err := w.register("mina", Registration{UUID: uuidB, Name: "x"}); problem.Code(err) != "too_many_printers" {
		t.Errorf("one too many: %v", err)
	}
	w.UUIDLogin = false
	if _, err := w.register("eve", Registration{UUID: uuidB, Name: "x", UUIDLogin: &yes}); problem.Code(err) != "uuid_login_off" {
		t.Errorf("UUID login on a server without: %v", err)
	}
}

func TestReplaceKeepsThePast(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	if err := w.event(id, 1, "PrintStarted", "", ""); err != nil {
		t.Fatal(err)
	}
	begun := w.clock.now()
	w.run(id, time.Minute, warm)
	token, err := w.Replace(as("mina"), uuidA, uuidB)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(w.devices.ended, uuidA) {
		t.Error("the old device stays connected")
	}
	fresh := w.connect(uuidB, token)
	if fresh.PrinterID != id.PrinterID || fresh.ID == id.ID {
		t.Errorf("%+v", fresh)
	}
	w.status(id, warm(1)) // what the old one still has to say
	if err := w.event(fresh, 1, "N1", "", ""); err != nil {
		t.Fatal(err)
	}
	if got := w.events(fresh); !slices.Equal(got, []string{"PrintStarted", "N1"}) {
		t.Errorf("%v", got)
	}
	if h := w.history(fresh, begun, w.clock.now(), 10); len(h.T) != 6 {
		t.Errorf("%d samples", len(h.T))
	}
	if _, ok := w.View(uuidA, workspace.RoleOwner); ok {
		t.Error("still there under the old UUID")
	}
	w.restart()
	if v := w.view(uuidB); v.ID != id.PrinterID {
		t.Errorf("%+v", v)
	}
	// The old UUID is free again, for a printer of its own.
	if r, err := w.register("eve", Registration{UUID: uuidA, Name: "x"}); err != nil || r.PrinterID == id.PrinterID {
		t.Error(r, err)
	}
}

func TestRemoveDeletesThePast(t *testing.T) {
	w := open(t)
	ctx := t.Context()
	id := w.enrol(uuidA)
	keep := w.enrol(uuidB)
	for _, i := range []Identity{id, keep} {
		for seq := range int64(3) {
			if err := w.event(i, seq+1, "PrintStarted", "", ""); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Files(ctx, i, []byte(`{"local":[{"path":"a.gcode"}]}`), w.clock.now()); err != nil {
			t.Fatal(err)
		}
	}
	w.run(id, 11*time.Minute, warm)
	w.run(keep, 11*time.Minute, warm)
	if err := w.Remove(as("mina"), uuidA); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(w.devices.ended, uuidA) {
		t.Error("its device stays connected")
	}
	w.status(id, warm(1))
	if err := w.event(id, 9, "X", "", ""); err != nil {
		t.Errorf("an event of a removed printer must not come again: %v", err)
	}
	w.restart() // before anything was cleared
	if err := w.clear(ctx); err != nil {
		t.Fatal(err)
	}
	count := func(db *bun.DB, table, printer string) int64 {
		n, err := db.NewSelect().Table(table).Where("printer_id = ?", printer).Count(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, table := range []string{"events", "jobs"} {
		if n := count(w.db.Read, table, id.PrinterID); n != 0 {
			t.Errorf("%d %s left", n, table)
		}
		if n := count(w.db.Read, table, keep.PrinterID); n == 0 {
			t.Errorf("%s of the other are gone", table)
		}
	}
	for _, table := range []string{"blocks", "twins", "device_files"} {
		if n := count(w.db.History.Read, table, id.PrinterID); n != 0 {
			t.Errorf("%d %s left", n, table)
		}
		if n := count(w.db.History.Read, table, keep.PrinterID); n == 0 {
			t.Errorf("%s of the other are gone", table)
		}
	}
	w.clock.add(keptToken + time.Hour)
	if err := w.clear(ctx); err != nil {
		t.Fatal(err)
	}
	if n := count(w.db.Read, "devices", id.PrinterID) + count(w.db.Read, "removed_printers", id.PrinterID); n != 0 {
		t.Errorf("%d rows left after a month", n)
	}
	if r, err := w.register("eve", Registration{UUID: uuidA, Name: "x"}); err != nil || !r.Created {
		t.Error("its UUID is not free:", err)
	}
}

func TestDeleteWorkspaces(t *testing.T) {
	w := open(t)
	w.enrol(uuidA)
	if _, err := w.register("eve", Registration{UUID: uuidB, Name: "x"}); err != nil {
		t.Fatal(err)
	}
	ids := []string{"ws-mina"}
	err := w.db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error { return w.DeleteWorkspaces(ctx, tx, "mina", ids) })
	if err != nil {
		t.Fatal(err)
	}
	w.WorkspacesDeleted("mina", ids)
	if _, ok := w.View(uuidA, workspace.RoleOwner); ok || !slices.Contains(w.devices.ended, uuidA) {
		t.Error("mina's printer is still there")
	}
	if _, ok := w.View(uuidB, workspace.RoleOwner); !ok {
		t.Error("eve's printer is gone")
	}
	w.restart()
	if n := len(w.twins()); n != 1 {
		t.Errorf("%d printers after a kill", n)
	}
}

func TestRolesOfCalls(t *testing.T) {
	w := open(t)
	w.enrol(uuidA)
	w.access.roles["ws-mina"] = map[string]workspace.Role{"op": workspace.RoleOperator, "look": workspace.RoleViewer}
	name := "other"
	calls := []struct {
		name  string
		call  func(user string) error
		least int // 1 viewer, 2 operator, 3 owner
	}{
		{"edit", func(u string) error { return w.Edit(as(u), uuidA, Edit{Name: &name}) }, 3},
		{"cameras", func(u string) error { return w.SetCameras(as(u), uuidA, nil, nil) }, 3},
		{"token", func(u string) error { _, err := w.NewToken(as(u), uuidA); return err }, 3},
		{"acknowledge", func(u string) error { return w.Acknowledge(as(u), uuidA) }, 2},
		{"look", func(u string) error { _, err := w.viewFor(as(u), uuidA); return err }, 1},
		{"replace", func(u string) error { _, err := w.Replace(as(u), uuidA, uuidA); return err }, 3},
		{"complete", func(u string) error {
			_, err := w.register(u, Registration{UUID: uuidA, Name: "x"})
			return err
		}, 3},
		{"remove", func(u string) error { return w.Remove(as(u), uuidA) }, 3},
	}
	for _, c := range calls {
		for user, rank := range map[string]int{"eve": 0, "look": 1, "op": 2} {
			got := problem.Code(c.call(user))
			want := "not_allowed"
			switch {
			case rank >= c.least:
				want = ""
			case rank == 0 && c.name == "complete":
				want = "uuid_taken"
			case rank == 0:
				want = "not_found"
			}
			if got != want {
				t.Errorf("%s by %s: %q, want %q", c.name, user, got, want)
			}
		}
	}
}

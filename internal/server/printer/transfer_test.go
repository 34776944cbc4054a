package printer

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/uptrace/bun"
)

// recorder keeps the audit in memory, as workspace/action.
type recorder struct{ entries []string }

func (r *recorder) Record(_ context.Context, _ bun.IDB, e audit.Entry) error {
	r.entries = append(r.entries, e.WorkspaceID+"/"+e.Action)
	return nil
}

func (w *world) offer(user string) string {
	w.t.Helper()
	o, err := w.Offer(as(user), uuidA)
	if err != nil || len(o.Code) != 19 || !o.ExpiresAt.Equal(w.clock.now().Add(24*time.Hour)) {
		w.t.Fatal(o, err)
	}
	return o.Code
}

func TestTransfer(t *testing.T) {
	w := open(t)
	log := &recorder{}
	w.Audit = log
	id := w.enrol(uuidA)
	if err := w.event(id, 1, "PrintStarted", "", ""); err != nil {
		t.Fatal(err)
	}
	var told []string
	w.Bus.PrinterChanged.Subscribe(func(m bus.PrinterChanged) { told = append(told, m.WorkspaceID) })
	code := w.offer("mina")
	if o, err := w.Offered(as("mina"), uuidA); err != nil || o == nil || o.Code != "" {
		t.Error(o, err)
	}
	typed := strings.ToLower(strings.ReplaceAll(code, "-", " "))
	uuid, token, err := w.Accept(as("eve"), typed)
	if err != nil || uuid != uuidA || !strings.HasPrefix(token, TokenPrefix) {
		t.Fatal(uuid, err)
	}
	if _, err := w.viewFor(as("mina"), uuidA); problem.Code(err) != "not_found" {
		t.Errorf("who gave it away: %v", err)
	}
	check := func() {
		t.Helper()
		if v, err := w.viewFor(as("eve"), uuidA); err != nil || v.ID != id.PrinterID || v.Role != workspace.RoleOwner || v.Workspace.Name != "eve" {
			t.Errorf("%+v %v", v, err)
		}
	}
	check()
	if !slices.Contains(w.devices.ended, uuidA) {
		t.Error("its device was not sent off, with the old token")
	}
	if got := w.events(id); !slices.Equal(got, []string{"PrintStarted"}) {
		t.Errorf("its past: %v", got)
	}
	for _, want := range []string{"ws-mina/printer.offer", "ws-mina/printer.left", "ws-eve/printer.accept"} {
		if !slices.Contains(log.entries, want) {
			t.Errorf("audit lacks %s: %v", want, log.entries)
		}
	}
	if !slices.Contains(told, "ws-mina") || !slices.Contains(told, "ws-eve") {
		t.Errorf("told %v", told)
	}
	if _, _, err := w.Accept(as("mina"), code); problem.Code(err) != "transfer_invalid" {
		t.Errorf("a code twice: %v", err)
	}
	w.restart()
	check()
	w.connect(uuidA, token)
}

// What the former owner knows is good for nothing afterwards, and what he entered of his network does not go along.
func TestTransfer_LeavesNoSecrets(t *testing.T) {
	w := open(t)
	ctx := as("mina")
	actor, _ := workspace.ActorFrom(ctx)
	old, err := w.Enrol(ctx, actor, Registration{UUID: uuidA, Name: "Ender"})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.SetCameras(ctx, uuidA, []Camera{{Name: "Side", StreamURL: "rtsp://me:secret@192.168.0.9/live", Rotation: 90}}, nil); err != nil {
		t.Fatal(err)
	}
	_, token, err := w.Accept(as("eve"), w.offer("mina"))
	if err != nil {
		t.Fatal(err)
	}
	check := func() {
		t.Helper()
		v, err := w.viewFor(as("eve"), uuidA)
		if err != nil || len(v.Cameras) != 1 || v.Cameras[0].StreamURL != "" || v.Cameras[0].Name != "Side" || v.Cameras[0].Rotation != 90 {
			t.Errorf("cameras %+v, %v", v.Cameras, err)
		}
		if _, err := w.Login(t.Context(), uuidA, old.Token, netip.Addr{}); !errors.Is(err, ErrBadLogin) {
			t.Errorf("the old token: %v", err)
		}
		if _, err := w.Login(t.Context(), uuidA, token, netip.Addr{}); err != nil {
			t.Errorf("the new token: %v", err)
		}
	}
	check()
	w.restart()
	check()
}

func TestTransfer_Refuses(t *testing.T) {
	w := open(t)
	w.enrol(uuidA)
	w.access.roles["ws-mina"] = map[string]workspace.Role{"op": workspace.RoleOperator}
	for user, code := range map[string]string{"op": "not_allowed", "eve": "not_found"} {
		if _, err := w.Offer(as(user), uuidA); problem.Code(err) != code {
			t.Errorf("offer by %s: %v", user, err)
		}
		if err := w.Withdraw(as(user), uuidA); problem.Code(err) != code {
			t.Errorf("withdraw by %s: %v", user, err)
		}
	}
	invalid := func(why, code string) {
		t.Helper()
		if _, _, err := w.Accept(as("eve"), code); problem.Code(err) != "transfer_invalid" {
			t.Errorf("%s: %v", why, err)
		}
	}
	invalid("nonsense", "x")
	code := w.offer("mina")
	if _, _, err := w.Accept(as("mina"), code); problem.Code(err) != "transfer_same" {
		t.Errorf("to oneself: %v", err)
	}
	again := w.offer("mina")
	invalid("a newer offer", code)
	if err := w.Withdraw(as("mina"), uuidA); err != nil {
		t.Fatal(err)
	}
	if o, err := w.Offered(as("mina"), uuidA); err != nil || o != nil {
		t.Error(o, err)
	}
	invalid("withdrawn", again)
	code = w.offer("mina")
	w.clock.add(24 * time.Hour)
	invalid("a day later", code)

	// Who offers it must still own it when it is taken.
	w.access.roles["ws-mina"]["ben"] = workspace.RoleOwner
	code = w.offer("ben")
	delete(w.access.roles["ws-mina"], "ben")
	invalid("offered by a former owner", code)

	code = w.offer("mina")
	w.MaxPrinters = 1
	if _, err := w.register("eve", Registration{UUID: uuidB, Name: "x"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Accept(as("eve"), code); problem.Code(err) != "too_many_printers" {
		t.Errorf("one too many: %v", err)
	}
	w.MaxPrinters = 5
	if err := w.Remove(as("mina"), uuidA); err != nil {
		t.Fatal(err)
	}
	invalid("removed", code)
}

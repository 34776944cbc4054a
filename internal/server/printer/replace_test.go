package printer

import (
	"slices"
	"testing"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

const uuidC = "5d2f7f1e-0c4b-4a37-9d1e-6f0a2b3c4d5e"

// The new computer's plugin has registered itself before its owner says whose place it takes.
func TestReplaceAdoptsAPendingDevice(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	if err := w.event(id, 1, "PrintStarted", "", ""); err != nil {
		t.Fatal(err)
	}
	made, err := w.register("mina", Registration{UUID: uuidB, Name: "octopi", Pending: true, Cameras: []Camera{{Name: "앞", StreamURL: "http://cam/"}}})
	if err != nil {
		t.Fatal(err)
	}
	fresh := w.connect(uuidB, made.Token)
	if err := w.event(fresh, 1, "Startup", "", ""); err != nil {
		t.Fatal(err)
	}
	token, err := w.Replace(as("mina"), uuidA, uuidB)
	if err != nil || token != "" {
		t.Fatal(token, err)
	}
	for _, uuid := range []string{uuidA, uuidB} {
		if !slices.Contains(w.devices.ended, uuid) {
			t.Errorf("%s was not told to come back", uuid)
		}
	}
	check := func() {
		t.Helper()
		if v := w.view(uuidB); v.ID != id.PrinterID || v.Name != "Ender" || v.Pending || len(v.Cameras) != 1 {
			t.Errorf("%+v", v)
		}
		if n := len(w.twins()); n != 1 {
			t.Errorf("%d printers", n)
		}
	}
	check()
	back := w.connect(uuidB, made.Token) // the token that it had
	if back.PrinterID != id.PrinterID || back.ID != fresh.ID {
		t.Errorf("%+v", back)
	}
	if err := w.event(back, 2, "Connected", "", ""); err != nil {
		t.Fatal(err)
	}
	if got := w.events(back); !slices.Equal(got, []string{"PrintStarted", "Connected"}) {
		t.Errorf("%v", got)
	}
	w.restart()
	check()
	if err := w.clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	back = w.connect(uuidB, made.Token)
	if err := w.event(back, 2, "Connected", "", ""); err != nil { // sent again: it was acknowledged before
		t.Fatal(err)
	}
	if got := w.events(back); !slices.Equal(got, []string{"PrintStarted", "Connected"}) {
		t.Errorf("after clearing up: %v", got)
	}
}

func TestReplaceRefuses(t *testing.T) {
	w := open(t)
	w.enrol(uuidA)
	w.enrol(uuidB)
	if _, err := w.register("eve", Registration{UUID: uuidC, Name: "x", Pending: true}); err != nil {
		t.Fatal(err)
	}
	for uuid, code := range map[string]string{uuidA: "uuid_same", uuidB: "uuid_in_use", uuidC: "uuid_taken", "x": "uuid_invalid"} {
		if _, err := w.Replace(as("mina"), uuidA, uuid); problem.Code(err) != code {
			t.Errorf("by %s: %v, want %s", uuid, err, code)
		}
	}
}

func TestEnrolWithCameras(t *testing.T) {
	w := open(t)
	cam := []Camera{{Name: "Camera", StreamURL: "rtsp://u:p@cam/1"}}
	if _, err := w.register("mina", Registration{UUID: uuidA, Name: "octopi", Pending: true, Cameras: cam}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.register("mina", Registration{UUID: uuidA, Name: "Ender"}); err != nil {
		t.Fatal(err)
	}
	if v := w.view(uuidA); len(v.Cameras) != 1 || v.Cameras[0].StreamURL != cam[0].StreamURL || v.Cameras[0].ID == "" {
		t.Errorf("completed: %+v", v.Cameras)
	}
	other := []Camera{{Name: "Other", StreamURL: "http://other/"}}
	if _, err := w.register("mina", Registration{UUID: uuidA, Name: "octopi", Pending: true, Cameras: other}); err != nil {
		t.Fatal(err)
	}
	if v := w.view(uuidA); v.Cameras[0].Name != "Camera" {
		t.Errorf("what was there is overwritten: %+v", v.Cameras)
	}
	if err := w.SetCameras(as("mina"), uuidA, nil, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := w.register("mina", Registration{UUID: uuidA, Name: "octopi", Pending: true, Cameras: other}); err != nil {
		t.Fatal(err)
	}
	if v := w.view(uuidA); len(v.Cameras) != 1 || v.Cameras[0].Name != "Other" || v.Name != "Ender" {
		t.Errorf("one that had none: %+v", v)
	}
	bad := []Camera{{Name: "Camera", StreamURL: "file:///etc/passwd"}}
	if _, err := w.register("mina", Registration{UUID: uuidB, Name: "x", Cameras: bad}); problem.Code(err) != "stream_url_invalid" {
		t.Errorf("%v", err)
	}
}

func TestLookUp(t *testing.T) {
	w := open(t)
	w.enrol(uuidA)
	state := func(user, uuid string) Setup {
		t.Helper()
		found, err := w.LookUp(as(user), uuid)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if got := state("mina", uuidA); got.State != "here" || got.Name != "Ender" {
		t.Errorf("%+v", got)
	}
	if _, err := w.Replace(as("mina"), uuidA, uuidB); err != nil {
		t.Fatal(err)
	}
	if got := state("mina", uuidA); got.State != "replaced" || got.UUID != uuidB || got.Name != "Ender" || got.At == nil {
		t.Errorf("%+v", got)
	}
	if err := w.Remove(as("mina"), uuidB); err != nil {
		t.Fatal(err)
	}
	w.restart()
	for _, uuid := range []string{uuidA, uuidB} {
		if got := state("mina", uuid); got.State != "removed" || got.Name != "Ender" || got.At == nil {
			t.Errorf("%+v", got)
		}
	}
	w.access.roles["ws-mina"] = map[string]workspace.Role{"look": workspace.RoleViewer}
	if got := state("look", uuidB); got.State != "removed" {
		t.Errorf("who saw it: %+v", got)
	}
	for _, uuid := range []string{uuidA, uuidB, uuidC} {
		if got := state("eve", uuid); got != (Setup{State: "new"}) {
			t.Errorf("to a stranger: %+v", got)
		}
	}
}

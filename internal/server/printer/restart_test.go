package printer

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

func TestRestartKnowsWhatWas(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	w.enrol(uuidB) // never says anything
	if err := w.Presence(t.Context(), id, []byte(`{"online":true,"agent":"1.2.3","proto":1}`), w.clock.now(), false); err != nil {
		t.Fatal(err)
	}
	w.status(id, fmt.Sprintf(printing, 1, 41.5, 600, 840))
	w.eventually("the print noted", func() bool { return w.view(uuidA).Job.StartedAt != nil })
	if err := w.checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := w.view(uuidA)
	w.clock.add(5 * time.Minute)
	w.restart()

	v := w.view(uuidA)
	if v.Online || v.Status != wire.StatusOffline || !v.Stale || !v.ReportedAt.Equal(*before.ReportedAt) || v.State.Text != "Printing" {
		t.Errorf("%+v", v)
	}
	if *v.Progress.Completion != 41.5 || *v.Temperatures["bed"].Actual != 60 || v.Agent == nil || v.Agent.Version != "1.2.3" ||
		v.Connection != before.Connection || v.Job.ID != before.Job.ID || !v.Job.StartedAt.Equal(*before.Job.StartedAt) {
		t.Errorf("%+v\nwas %+v", v, before)
	}
	if live, _ := w.Live(uuidA); strings.Contains(string(live), `"workspace"`) {
		t.Errorf("a workspace without its name: %s", live)
	}
	if _, err := w.viewFor(as("mina"), uuidA); err != nil {
		t.Error(err)
	}
	if live, _ := w.Live(uuidA); !strings.Contains(string(live), `"workspace":{"id":"ws-mina","name":"mina"}`) {
		t.Errorf("no workspace: %s", live)
	}
	if b := w.view(uuidB); b.ReportedAt != nil || b.Stale || b.Job != nil {
		t.Errorf("the silent one: %+v", b)
	}
	// It goes on printing: the same print, not a new one.
	w.Connected(id, 1, w.clock.now())
	w.status(id, fmt.Sprintf(printing, 1, 55, 900, 540))
	w.status(id, `{"state":{"text":"Operational"},"progress":{"completion":100,"print_time":1440},"job":{"file":{"name":"cube.gcode","origin":"local","path":"a/cube.gcode"}}}`)
	w.eventually("the print over", func() bool { return w.view(uuidA).LastJob != nil })
	if last := w.view(uuidA).LastJob; last.ID != before.Job.ID || last.Result != "done" || *last.PrintTime != 1440 {
		t.Errorf("%+v", last)
	}
}

// A change of state is on disk within a moment, without waiting for the next sample.
func TestChangeOfStateIsCheckpointed(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	w.status(id, `{"state":{"text":"Operational"}}`)
	if err := w.checkpointUrgent(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.status(id, `{"state":{"text":"Error: heater"}}`)
	select {
	case <-w.soon:
	default:
		t.Error("nobody is asked to write it")
	}
	if err := w.checkpointUrgent(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.restart()
	if v := w.view(uuidA); v.State.Text != "Error: heater" {
		t.Errorf("%q", v.State.Text)
	}
}

func TestCheckpointNotReadableIsNoHindrance(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	w.status(id, `{"state":{"text":"Operational"}}`)
	if err := w.checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, data := range []string{"", "{", "[]", `{"snapshot":{"state":5}}`, "null"} {
		if _, err := deleteSome(t.Context(), w.db.History, "UPDATE twins SET data = ?", []byte(data)); err != nil {
			t.Fatal(err)
		}
		w.restart()
		w.Connected(id, 1, w.clock.now())
		w.status(id, `{"state":{"text":"Operational"}}`)
		if v := w.view(uuidA); v.Status != wire.StatusIdle {
			t.Errorf("%q: %+v", data, v)
		}
	}
}

// The background itself: what it does by time is tested without it.
func TestRunAndClose(t *testing.T) {
	w := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	id := w.enrol(uuidA)
	w.status(id, `{"state":{"text":"Operational"}}`)
	w.eventually("a checkpoint", func() bool {
		n, err := w.db.History.Read.NewSelect().Model((*twinRow)(nil)).Count(t.Context())
		return err == nil && n == 1
	})
	w.eventually("the event of its coming", func() bool { return len(w.events(id)) == 1 })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	w.status(id, `{"state":{"text":"Error"}}`)
	if err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.restart()
	if v := w.view(uuidA); v.State.Text != "Error" {
		t.Errorf("after an ordered end: %q", v.State.Text)
	}
}

package printer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/wire"
	"github.com/prometheus/client_golang/prometheus"
)

const printing = `{"ts":%v,"state":{"text":"Printing","flags":{"printing":true,"operational":true}},
	"progress":{"completion":%v,"print_time":%v,"time_left":%v,"time_left_origin":"estimate"},
	"job":{"file":{"name":"cube.gcode","origin":"local","path":"a/cube.gcode","size":1000}},
	"temperatures":{"tool0":{"actual":209.8,"target":210},"bed":{"actual":60,"target":60}},
	"connection":["Printing","VIRTUAL",115200,{"id":"_default","name":"Default","volume":{"width":200}}]}`

func TestStatusShowsSnapshot(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	w.status(id, fmt.Sprintf(printing, 1772366400, 41.5, 600, 840))
	v := w.view(uuidA)
	if !v.Online || v.Status != wire.StatusPrinting || v.State.Text != "Printing" || *v.Progress.Completion != 41.5 || v.Stale {
		t.Errorf("%+v", v)
	}
	if v.Job == nil || v.Job.File.Path != "a/cube.gcode" || *v.Job.File.Size != 1000 {
		t.Errorf("job %+v", v.Job)
	}
	if *v.Temperatures["tool0"].Target != 210 || v.Connection.Port != "VIRTUAL" || v.Connection.Profile.Volume.Width != 200 {
		t.Errorf("%+v %+v", v.Temperatures, v.Connection)
	}
	if want := w.clock.now().Add(14 * time.Minute); v.Progress.FinishAt == nil || !v.Progress.FinishAt.Equal(want) {
		t.Errorf("finish at %v, want %v", v.Progress.FinishAt, want)
	}
	if v.Agent != nil || v.LastSeen == nil || v.ConnectedAt == nil {
		t.Errorf("agent %v, last seen %v", v.Agent, v.LastSeen)
	}
}

// A page counts a printer's figures as old by itself: what says nothing new must reach it now and then.
func TestStatusUnchangedIsShownAgain(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	w.status(id, fmt.Sprintf(printing, 1, 41.5, 600, 840))
	twin := w.twin(uuidA)
	w.eventually("the last change is told", func() bool {
		twin.mu.Lock()
		defer twin.mu.Unlock()
		return !twin.waiting
	})
	before := twin.version
	for range 30 {
		w.clock.add(time.Second)
		w.status(id, fmt.Sprintf(printing, 1, 41.5, 600, 840))
	}
	if n := twin.version - before; n != 3 {
		t.Errorf("shown %d times in 30 s, want 3", n)
	}
}

func TestStatusBareStateEvent(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	w.status(id, fmt.Sprintf(printing, 1, 41.5, 600, 840))
	w.status(id, `{"state_id":"PAUSING","state_string":"Pausing"}`)
	v := w.view(uuidA)
	if v.Status != wire.StatusPausing || v.State.Text != "Pausing" {
		t.Errorf("status %q, text %q", v.Status, v.State.Text)
	}
	if v.Progress.Completion == nil || *v.Progress.Completion != 41.5 || len(v.Temperatures) != 2 {
		t.Error("a bare event took away what the snapshot said")
	}
}

func TestStatusRejectsWithoutHarm(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	w.status(id, fmt.Sprintf(printing, 1, 41.5, 600, 840))
	w.eventually("the print noted", func() bool { return w.view(uuidA).Job.StartedAt != nil })
	before, _ := w.Live(uuidA)
	for _, body := range []string{"", "not json", "[]", `{"state":5}`, `{"progress":{"completion":"much"}}`, `{"state":`,
		`{"temperatures":` + strings.Repeat("[", 20000), strings.Repeat("x", wire.MaxStatus+1)} {
		w.status(id, body)
	}
	w.status(Identity{PrinterID: "nobody"}, fmt.Sprintf(printing, 1, 50, 600, 840))
	w.status(Identity{PrinterID: id.PrinterID, ID: "another device"}, fmt.Sprintf(printing, 1, 50, 600, 840))
	if after, _ := w.Live(uuidA); string(after) != string(before) {
		t.Errorf("changed to %s", after)
	}
	w.status(id, `{"state":{"text":"Operational"},"temperatures":{"tool0":{"actual":1e9,"target":"NaN"}}}`)
	w.status(id, `{"state":{"text":"Operational"},"progress":{"completion":-5},"temperatures":{"tool0":{"actual":1e9}}}`)
	if v := w.view(uuidA); v.Progress.Completion != nil || v.Temperatures["tool0"].Actual != nil {
		t.Errorf("%+v", v)
	}
}

func TestStalenessKnowsTheInterval(t *testing.T) {
	for _, c := range []struct {
		name   string
		stated string
		every  time.Duration
		fresh  time.Duration // still fresh after this
		stale  time.Duration // stale after this
	}{
		{"second by second", "", time.Second, 14 * time.Second, 16 * time.Second},
		{"measured 10 s", "", 10 * time.Second, 28 * time.Second, 32 * time.Second},
		{"stated 10 s", `,"interval":10`, time.Second, 29 * time.Second, 31 * time.Second},
		{"stated 20 s", `,"interval":20`, time.Second, 59 * time.Second, 61 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := open(t)
			id := w.enrol(uuidA)
			for range 20 {
				w.clock.add(c.every)
				w.status(id, `{"state":{"text":"Operational"}`+c.stated+`}`)
			}
			w.clock.add(c.fresh)
			w.sweep(t.Context())
			if v := w.view(uuidA); v.Stale {
				t.Errorf("stale after %v, interval %v", c.fresh, v.Interval)
			}
			w.clock.add(c.stale - c.fresh)
			told := 0
			w.Bus.TwinChanged.Subscribe(func(bus.TwinChanged) { told++ })
			w.sweep(t.Context())
			if v := w.view(uuidA); !v.Stale || told != 1 {
				t.Errorf("after %v: stale %v, told %d times", c.stale, v.Stale, told)
			}
			w.status(id, `{"state":{"text":"Operational"}}`)
			if v := w.view(uuidA); v.Stale {
				t.Error("still stale after a report")
			}
		})
	}
}

func TestWrongDeviceClockSpoilsNothing(t *testing.T) {
	for _, ts := range []string{"0", "12345", "1e10", "4e9", "-5"} {
		w := open(t)
		id := w.enrol(uuidA)
		w.status(id, fmt.Sprintf(printing, ts, 41.5, 600, 840))
		v := w.view(uuidA)
		if v.Stale || !v.ReportedAt.Equal(w.clock.now()) || !v.Progress.FinishAt.Equal(w.clock.now().Add(840*time.Second)) {
			t.Errorf("ts %s: %+v", ts, v)
		}
		w.status(id, fmt.Sprintf(printing, 1, 42, 601, 839)) // backwards
		if v := w.view(uuidA); v.Stale || *v.Progress.Completion != 42 {
			t.Errorf("ts %s, then backwards: %+v", ts, v)
		}
	}
}

func TestFinishTimeDoesNotJump(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	w.status(id, fmt.Sprintf(printing, 1, 10, 60, 3600))
	first := *w.view(uuidA).Progress.FinishAt
	for i := range 30 { // the estimate trembles by 15 s
		w.clock.add(time.Second)
		w.status(id, fmt.Sprintf(printing, 1, 10, 60+i, 3600-i+15*(i%2)))
		if got := *w.view(uuidA).Progress.FinishAt; !got.Equal(first) {
			t.Fatalf("moved by %v", got.Sub(first))
		}
	}
	w.status(id, fmt.Sprintf(printing, 1, 11, 90, 5400))
	if got := *w.view(uuidA).Progress.FinishAt; !got.Equal(w.clock.now().Add(90 * time.Minute)) {
		t.Errorf("did not follow: %v", got)
	}
	w.status(id, `{"state":{"text":"Operational"}}`)
	if got := w.view(uuidA).Progress.FinishAt; got != nil {
		t.Errorf("idle and %v", got)
	}
}

func TestOnlyChangesAreTold(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	var told atomic.Int32
	w.Bus.TwinChanged.Subscribe(func(bus.TwinChanged) { told.Add(1) })
	next := func(body string) int32 {
		w.clock.add(time.Second)
		told.Store(0)
		w.status(id, body)
		return told.Load()
	}
	if n := next(fmt.Sprintf(printing, 1, 10, 60, 600)); n != 1 {
		t.Errorf("first: told %d times", n)
	}
	w.eventually("the print noted and told", func() bool {
		tw := w.twin(uuidA)
		tw.mu.Lock()
		defer tw.mu.Unlock()
		return tw.running != nil && !tw.waiting
	})
	live, _ := w.Live(uuidA)
	if n := next(fmt.Sprintf(printing, 2, 10, 60, 600)); n != 0 {
		t.Errorf("the same again: told %d times", n)
	}
	if again, _ := w.Live(uuidA); string(again) != string(live) {
		t.Error("rendered anew without a change")
	}
	if n := next(fmt.Sprintf(printing, 3, 10.5, 61, 600)); n != 1 {
		t.Errorf("progress: told %d times", n)
	}
	told.Store(0)
	for i := range 50 { // within one instant
		w.status(id, fmt.Sprintf(printing, 3, 11+i, 61, 600))
	}
	if n := told.Load(); n > 1 { // the one due in between
		t.Errorf("a burst told %d times at once", n)
	}
	w.eventually("the end of the burst told", func() bool {
		tw := w.twin(uuidA)
		tw.mu.Lock()
		defer tw.mu.Unlock()
		return !tw.waiting
	})
	if v := w.view(uuidA); *v.Progress.Completion != 60 {
		t.Errorf("completion %v", *v.Progress.Completion)
	}
}

func TestLiveHasNothingOfTheViewer(t *testing.T) {
	w := open(t)
	w.enrol(uuidA)
	if err := w.SetCameras(as("mina"), uuidA, []Camera{{Name: "앞", StreamURL: "http://user:secret@cam/"}}, nil); err != nil {
		t.Fatal(err)
	}
	b, ok := w.Live(uuidA)
	if !ok || strings.Contains(string(b), "secret") || strings.Contains(string(b), `"role"`) {
		t.Errorf("%s", b)
	}
	var v View
	if err := json.Unmarshal(b, &v); err != nil || v.Cameras[0].Name != "앞" {
		t.Errorf("%v %+v", err, v)
	}
}

func TestAttention(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	expect := func(what string, want ...wire.Attention) {
		t.Helper()
		if got := w.view(uuidA).Attention; !slices.Equal(got, want) && len(got)+len(want) > 0 {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	w.status(id, `{"state":{"text":"Operational"}}`)
	expect("idle")
	w.status(id, `{"state":{"text":"Error: heater"},"attention":["octoprint_unreachable"]}`)
	expect("error", wire.AttentionError, wire.AttentionOctoPrintUnreachable)
	w.status(id, fmt.Sprintf(printing, 1, 10, 60, 600))
	w.Disconnected(id, 1, false, w.clock.now())
	expect("away during a job", wire.AttentionOfflineWhilePrinting)
	if v := w.view(uuidA); v.Status != wire.StatusOffline || v.State.Text != "Printing" || !v.Stale {
		t.Errorf("%+v", v)
	}
	w.Connected(id, 2, w.clock.now())
	expect("back")
	w.Contested(uuidA, id2addr)
	expect("contested, but it asks for a token")
	on := true
	if err := w.Edit(as("mina"), uuidA, Edit{UUIDLogin: &on}); err != nil {
		t.Fatal(err)
	}
	w.Contested(uuidA, id2addr)
	counts := prometheus.NewRegistry()
	counts.MustRegister(w.count.contested)
	if got, err := counts.Gather(); err != nil || got[0].GetMetric()[0].GetCounter().GetValue() != 2 {
		t.Errorf("counted %v, %v", got, err)
	}
	expect("contested", wire.AttentionUUIDContested)
	if err := w.Acknowledge(as("mina"), uuidA); err != nil {
		t.Fatal(err)
	}
	expect("seen")
}

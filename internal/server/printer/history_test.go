package printer

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/wire"
	"github.com/uptrace/bun"
)

// run has the printer report each second and sampled each 10 s, for a while.
func (w *world) run(id Identity, d time.Duration, body func(second int) string) {
	w.t.Helper()
	for s := range int(d / time.Second) {
		w.clock.add(time.Second)
		if b := body(s); b != "" {
			w.status(id, b)
		}
		if w.clock.now().Unix()%10 == 0 {
			if err := w.sample(context.Background()); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

func warm(s int) string {
	return fmt.Sprintf(`{"state":{"text":"Printing"},"progress":{"completion":%v},"temperatures":{"tool0":{"actual":%v,"target":210}}}`,
		float64(s%10000)/100, 200+float64(s%10)/10)
}

func (w *world) history(id Identity, from, to time.Time, step int64) History {
	w.t.Helper()
	h, err := w.History(context.Background(), id.PrinterID, from, to, step)
	if err != nil {
		w.t.Fatal(err)
	}
	for name, c := range h.Columns {
		if len(c) != len(h.T) {
			w.t.Fatalf("column %s has %d places of %d", name, len(c), len(h.T))
		}
	}
	if !slices.IsSorted(h.T) {
		w.t.Fatal("times are not in order")
	}
	return h
}

func TestHistorySamplesAndGaps(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	begun := w.clock.now()
	w.run(id, 5*time.Minute, warm)
	w.Disconnected(id, 1, false, w.clock.now())
	w.run(id, 12*time.Minute, func(int) string { return "" })
	w.Connected(id, 2, w.clock.now())
	w.run(id, 3*time.Minute, warm)

	h := w.history(id, begun, w.clock.now(), 10)
	if h.Step != 10 || len(h.T) != 30+1+18 {
		t.Fatalf("step %d, %d places", h.Step, len(h.T))
	}
	if h.Columns["tool0.actual"][30] != nil || h.Columns["status"][30] != nil || h.T[30] != h.T[29]+10 {
		t.Error("no null ends the line where the printer went away")
	}
	if h.T[31] != begun.Add(17*time.Minute+10*time.Second).Unix() {
		t.Errorf("back at %v", time.Unix(h.T[31], 0).UTC())
	}
	if got := h.Columns["tool0.actual"][0]; got != 200.9 {
		t.Errorf("first reading %v", got)
	}
	if h.Columns["tool0.target"][0] != 210.0 || h.Columns["completion"][0] != 0.09 || h.Columns["status"][0] != string(wire.StatusHeating) {
		t.Errorf("%v %v %v", h.Columns["tool0.target"][0], h.Columns["completion"][0], h.Columns["status"][0])
	}
	part := w.history(id, begun.Add(time.Minute), begun.Add(2*time.Minute), 10)
	if len(part.T) != 7 {
		t.Errorf("a minute has %d places, with both ends 7", len(part.T))
	}
	if empty := w.history(id, begun.Add(-time.Hour), begun.Add(-time.Minute), 10); len(empty.T) != 0 || len(empty.Columns) != 0 {
		t.Errorf("before it all: %+v", empty)
	}
}

func TestHistorySurvivesKill(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	begun := w.clock.now()
	w.run(id, 4*time.Minute, warm)
	w.restart()
	if h := w.history(id, begun, w.clock.now(), 10); len(h.T) != 24 {
		t.Errorf("%d samples after a kill, want 24", len(h.T))
	}
	w.Connected(id, 1, w.clock.now())
	w.run(id, 4*time.Minute, warm) // the same block goes on
	if h := w.history(id, begun, w.clock.now(), 10); len(h.T) != 48 {
		t.Errorf("%d samples, want 48", len(h.T))
	}
	w.restart()
	if h := w.history(id, begun, w.clock.now(), 10); len(h.T) != 48 {
		t.Errorf("%d samples after another kill, want 48", len(h.T))
	}
	w.clock.add(30 * time.Minute)
	w.restart()
	if err := w.sample(t.Context()); err != nil { // the printer is away: its last block is finished all the same
		t.Fatal(err)
	}
	w.restart()
	if h := w.history(id, begun, w.clock.now(), 60); len(h.T) != 9 {
		t.Errorf("%d minutes rolled up, want 9 (eight, and the one that has just begun)", len(h.T))
	}
}

// stored gives the first block that the database has of a tier.
func (w *world) stored(id Identity, step int64) *block {
	w.t.Helper()
	var row blockRow
	err := w.db.History.Read.NewSelect().Model(&row).Where("printer_id = ?", id.PrinterID).Where("step = ?", step).
		OrderExpr("start").Limit(1).Scan(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	b, err := decodeBlock(row.Data, row.Step, row.Start)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func TestHistoryRollsUp(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	begun := w.clock.now()
	w.run(id, 65*time.Minute, warm)
	minutes := w.history(id, begun, w.clock.now(), 60)
	if len(minutes.T) < 65 || len(minutes.T) > 66 {
		t.Fatalf("%d minutes of 65", len(minutes.T))
	}
	// 6 samples at seconds 0, 10, …: each is 200.9, their mean as well.
	if got := minutes.Columns["tool0.actual"][10]; got != 200.9 {
		t.Errorf("mean %v", got)
	}
	if got := minutes.Columns["completion"][10]; got != 6.49 { // the last of the minute
		t.Errorf("completion %v", got)
	}
	tens := w.history(id, begun, w.clock.now(), 600)
	if len(tens.T) != 7 {
		t.Errorf("%d ten minutes", len(tens.T))
	}
	// Doing it again changes nothing.
	full := w.stored(id, 10)
	err := w.db.History.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error { return finish(ctx, tx, id.PrinterID, full) })
	if err != nil {
		t.Fatal(err)
	}
	again := w.history(id, begun, w.clock.now(), 60)
	if fmt.Sprint(again) != fmt.Sprint(minutes) {
		t.Errorf("%v\n%v", again, minutes)
	}
}

func TestHistoryExpires(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	begun := w.clock.now()
	w.run(id, 21*time.Minute, warm)
	steps := func() (found []int64) {
		for _, tier := range tiers {
			if h := w.history(id, begun, begun.Add(time.Hour), tier.step); len(h.T) > 0 {
				found = append(found, tier.step)
			}
		}
		return found
	}
	w.Disconnected(id, 1, false, w.clock.now())
	for _, c := range []struct {
		after time.Duration
		kept  []int64
	}{
		{47 * time.Hour, []int64{10, 60, 600}},
		{4 * time.Hour, []int64{60, 600}},
		{29 * 24 * time.Hour, []int64{600}},
		{340 * 24 * time.Hour, nil},
	} {
		w.clock.add(c.after)
		if err := w.sample(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := w.expire(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := steps(); c.after > 30*24*time.Hour {
			if len(got) != 1 && len(got) != 0 {
				t.Errorf("after %v: %v", c.after, got)
			}
		} else if !slices.Equal(got, c.kept) {
			t.Errorf("after %v: %v, want %v", c.after, got, c.kept)
		}
	}
}

func TestHistoryClockSetBack(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	begun := w.clock.now()
	w.run(id, 15*time.Minute, warm)
	w.clock.add(-10 * time.Minute)
	w.run(id, 2*time.Minute, warm)
	if h := w.history(id, begun, begun.Add(time.Hour), 10); len(h.T) != 90 {
		t.Errorf("%d samples, want the 90 of before", len(h.T))
	}
}

func TestLayOut_BoundsItsColumns(t *testing.T) {
	of := tiers[0]
	start := of.startOf(1_700_000_000)
	var blocks []*block
	for i := range int64(20) {
		b := &block{step: of.step, start: start + i*of.span(), places: of.places}
		for n := range maxBlockColumns {
			b.set(0, fmt.Sprintf("heater %d %d", i, n), kindActual, 1)
		}
		blocks = append(blocks, b)
	}
	h := layOut(blocks, of, time.Unix(start, 0), time.Unix(start+20*of.span(), 0))
	if len(h.Columns) != maxColumns || h.Columns["heater 19 0.actual"] == nil || h.Columns["heater 0 0.actual"] != nil {
		t.Errorf("%d columns, the newest %v, the oldest %v", len(h.Columns), h.Columns["heater 19 0.actual"], h.Columns["heater 0 0.actual"])
	}
}

func TestChooseStep(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		back, long time.Duration
		wanted     int64
		step       int64
		code       string
	}{
		{time.Hour, time.Hour, 0, 10, ""},
		{12 * time.Hour, 12 * time.Hour, 0, 10, ""},
		{47 * time.Hour, time.Hour, 0, 10, ""},
		{47 * time.Hour, 47 * time.Hour, 0, 60, ""},
		{7 * 24 * time.Hour, time.Hour, 0, 60, ""},
		{29 * 24 * time.Hour, 29 * 24 * time.Hour, 0, 600, ""},
		{300 * 24 * time.Hour, time.Hour, 0, 600, ""},
		{time.Hour, time.Hour, 600, 600, ""},
		{30 * time.Hour, 30 * time.Hour, 10, 0, "range_too_long"},
		{366 * 24 * time.Hour, 366 * 24 * time.Hour, 0, 0, "range_too_long"},
		{time.Hour, time.Hour, 7, 0, "step_invalid"},
	} {
		from := now.Add(-c.back)
		got, err := chooseStep(now, from, from.Add(c.long), c.wanted)
		if got.step != c.step || problem.Code(err) != c.code {
			t.Errorf("%v of %v ago, step %d: %d %v, want %d %q", c.long, c.back, c.wanted, got.step, err, c.step, c.code)
		}
	}
}

package printer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/wire"
)

func TestDecodeEvent(t *testing.T) {
	long := strings.Repeat("가", 100)
	for _, c := range []struct {
		name, body string
		kind       string // "" an error
	}{
		{"good", `{"epoch":"a-b_1","seq":1,"at":5.5,"type":"PrintStarted","job":"j","data":{"name":"x"}}`, "PrintStarted"},
		{"least", `{"epoch":"a","seq":1,"type":"X"}`, "X"},
		{"no JSON", `nope`, ""},
		{"a list", `[1]`, ""},
		{"no epoch", `{"seq":1,"type":"X"}`, ""},
		{"epoch with a space", `{"epoch":"a b","seq":1,"type":"X"}`, ""},
		{"epoch too long", `{"epoch":"` + strings.Repeat("a", 65) + `","seq":1,"type":"X"}`, ""},
		{"seq 0", `{"epoch":"a","seq":0,"type":"X"}`, ""},
		{"seq of a text", `{"epoch":"a","seq":"1","type":"X"}`, ""},
		{"seq too large", `{"epoch":"a","seq":9007199254740993,"type":"X"}`, ""},
		{"seq not whole", `{"epoch":"a","seq":1.5,"type":"X"}`, ""},
		{"no type", `{"epoch":"a","seq":1}`, EventMalformed},
		{"type a number", `{"epoch":"a","seq":1,"type":7}`, EventMalformed},
		{"type too long", `{"epoch":"a","seq":1,"type":"` + long + `"}`, EventMalformed},
		{"type with control characters", `{"epoch":"a","seq":1,"type":"X\u0007"}`, EventMalformed},
		{"the server's own words", `{"epoch":"a","seq":1,"type":"online"}`, EventMalformed},
		{"job too long", `{"epoch":"a","seq":1,"type":"X","job":"` + long + `"}`, EventMalformed},
		{"data a list", `{"epoch":"a","seq":1,"type":"X","data":[1]}`, EventMalformed},
		{"data nested 4,000 levels deep", `{"epoch":"a","seq":1,"type":"X","data":{"x":` + strings.Repeat("[", 4000) + strings.Repeat("]", 4000) + `}}`, EventMalformed},
		{"data nested 16 levels deep", `{"epoch":"a","seq":1,"type":"X","data":{"x":` + strings.Repeat("[", 15) + strings.Repeat("]", 15) + `}}`, "X"},
		{"data null", `{"epoch":"a","seq":1,"type":"X","data":null}`, "X"},
		{"at a text", `{"epoch":"a","seq":1,"type":"X","at":"now"}`, "X"},
		{"at huge", `{"epoch":"a","seq":1,"type":"X","at":1e300}`, "X"},
		{"at negative", `{"epoch":"a","seq":1,"type":"X","at":-3}`, "X"},
		{"too long", `{"epoch":"a","seq":1,"type":"X","data":{"x":"` + strings.Repeat("x", wire.MaxEvent) + `"}}`, ""},
		{"not UTF-8", "{\"epoch\":\"a\",\"seq\":1,\"type\":\"X\",\"data\":{\"x\":\"\xff\"}}", "X"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := decodeEvent([]byte(c.body))
			if (err != nil) != (c.kind == "") || e.Type != c.kind {
				t.Errorf("type %q, %v; want %q", e.Type, err, c.kind)
			}
			if len(e.Data) > 0 && !json.Valid(e.Data) {
				t.Errorf("data %s", e.Data)
			}
		})
	}
	e, err := decodeEvent([]byte(`{"epoch":"a","seq":1,"type":"X","data":{"x":"` + strings.Repeat("x", maxEventData) + `"}}`))
	if err != nil || !strings.Contains(string(e.Data), "omitted") {
		t.Errorf("large data: %v %.40s", err, e.Data)
	}
}

func FuzzDecodeEvent(f *testing.F) {
	f.Add([]byte(`{"epoch":"a-b_1","seq":1,"at":5.5,"type":"PrintStarted","job":"j","data":{"name":"x"}}`))
	f.Add([]byte(`{"epoch":"a","seq":1e2,"type":null,"data":[]}`))
	f.Add([]byte("{\"epoch\":\"a\",\"seq\":1,\"type\":\"\xff\"}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := decodeEvent(b)
		if err != nil {
			return
		}
		if !validEpoch(e.Epoch) || e.Seq < 1 || e.Seq > maxSeq || e.Type == "" || len(e.Type) > wire.MaxText || len(e.Data) > maxEventData {
			t.Errorf("%+v", e)
		}
		if len(e.Data) > 0 && (e.Data[0] != '{' || !json.Valid(e.Data)) {
			t.Errorf("data %q", e.Data)
		}
	})
}

// Against the plain thing: a set of what came.
func TestReceivedAgainstSet(t *testing.T) {
	for round := range 200 {
		r := rand.New(rand.NewPCG(1, uint64(round)))
		came := map[int64]bool{}
		var high int64
		var missing []span
		for range 80 {
			seq := r.Int64N(40) + 1
			var fresh bool
			fresh, high, missing = received(seq, high, parseSpans(formatSpans(missing)))
			if fresh == came[seq] {
				t.Fatalf("round %d: %d fresh %v, came before %v; high %d, missing %v", round, seq, fresh, came[seq], high, missing)
			}
			came[seq] = true
		}
	}
	fresh, _, missing := received(1000, 0, nil)
	for seq := int64(2); seq < 1000; seq += 2 {
		_, _, missing = received(seq, 1000, missing)
	}
	if !fresh || len(formatSpans(missing)) > 1<<16 {
		t.Error("holes without bound")
	}
}

func TestEventOnceInAnyOrder(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	published := 0
	w.Bus.EventStored.Subscribe(func(m bus.EventStored) { published++ })
	for _, seq := range []int64{1, 2, 2, 5, 1, 3, 5, 4, 3} {
		if err := w.event(id, seq, fmt.Sprintf("E%d", seq), "", ""); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.events(id); !slices.Equal(got, []string{"E1", "E2", "E5", "E3", "E4"}) || published != 5 {
		t.Errorf("%v, published %d", got, published)
	}
	w.restart()
	for _, seq := range []int64{1, 2, 3, 4, 5, 6} {
		if err := w.event(id, seq, fmt.Sprintf("E%d", seq), "", ""); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.events(id); !slices.Equal(got, []string{"E1", "E2", "E5", "E3", "E4", "E6"}) {
		t.Errorf("after a restart: %v", got)
	}
	// Another queue of the same device begins from 1; another device has its own numbers.
	other := w.enrol(uuidB)
	if err := w.event(other, 1, "B1", "", ""); err != nil {
		t.Fatal(err)
	}
	if err := w.Event(t.Context(), id, []byte(`{"epoch":"new","seq":1,"type":"N1"}`), w.clock.now()); err != nil {
		t.Fatal(err)
	}
	if got := w.events(id); got[len(got)-1] != "N1" || len(got) != 7 {
		t.Errorf("%v", got)
	}
	if got := w.events(other); !slices.Equal(got, []string{"B1"}) {
		t.Errorf("%v", got)
	}
}

func TestEventDeletedByAgeIsNoNewOne(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	for seq := range int64(3) {
		if err := w.event(id, seq+1, "E", "", ""); err != nil {
			t.Fatal(err)
		}
	}
	w.clock.add(w.EventAge + time.Hour)
	if err := w.expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.events(id); len(got) != 0 {
		t.Fatalf("kept %v", got)
	}
	if err := w.event(id, 2, "E", "", ""); err != nil {
		t.Fatal(err)
	}
	if got := w.events(id); len(got) != 0 {
		t.Errorf("stored again: %v", got)
	}
}

func TestHostileEventsWedgeNothing(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	if err := w.Event(t.Context(), id, []byte(`garbage`), w.clock.now()); !errors.Is(err, ErrInvalid) {
		t.Errorf("garbage: %v", err)
	}
	if err := w.Event(t.Context(), id, []byte(`{"epoch":"e1","seq":1,"type":{}}`), w.clock.now()); err != nil {
		t.Errorf("malformed: %v", err)
	}
	if err := w.event(id, 2, "PrintStarted", "j", `{"name":5,"size":"big","time":-1}`); err != nil {
		t.Errorf("wrong types within: %v", err)
	}
	if got := w.events(id); !slices.Equal(got, []string{EventMalformed, "PrintStarted"}) {
		t.Errorf("%v", got)
	}
	for i := range maxEpochs * 3 {
		w.clock.add(time.Second)
		body := fmt.Sprintf(`{"epoch":"x%d","seq":1,"type":"X"}`, i)
		if err := w.Event(t.Context(), id, []byte(body), w.clock.now()); err != nil {
			t.Fatal(err)
		}
	}
	n, err := w.db.Read.NewSelect().Model((*epochRow)(nil)).Count(t.Context())
	if err != nil || n > maxEpochs {
		t.Errorf("%d epochs remembered, %v", n, err)
	}
}

func TestEventTimes(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	unix := func(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
	for _, c := range []struct {
		name   string
		at     float64
		offset time.Duration
		want   time.Time
	}{
		{"good clock, sent at once", unix(at), 0, at},
		{"good clock, kept for three days", unix(at.Add(-72 * time.Hour)), 0, at.Add(-72 * time.Hour)},
		{"clock an hour behind", unix(at.Add(-61 * time.Minute)), time.Hour, at.Add(-time.Minute)},
		{"clock a year ahead", unix(at.AddDate(1, 0, 0)), at.Sub(at.AddDate(1, 0, 0)), at},
		{"in the future", unix(at.Add(time.Hour)), 0, at},
		{"1970", 100, 0, at},
		{"none", 0, 0, at},
		{"a small error is no error", unix(at.Add(-10 * time.Second)), 5 * time.Second, at.Add(-10 * time.Second)},
	} {
		if got := when(c.at, at, c.offset); got.Sub(c.want).Abs() > time.Millisecond {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestEventPages(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	var wg sync.WaitGroup
	for i := range int64(40) { // from several goroutines: ids stay in the order of storing
		wg.Go(func() {
			if err := w.event(id, i+1, fmt.Sprintf("E%d", i+1), "", ""); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	ctx := context.Background()
	newest, more, err := w.Events(ctx, id.PrinterID, EventPage{Limit: 15})
	if err != nil || !more || len(newest) != 15 {
		t.Fatal(len(newest), more, err)
	}
	older, more, err := w.Events(ctx, id.PrinterID, EventPage{Before: newest[14].ID, Limit: 100})
	if err != nil || more || len(older) != 25 {
		t.Fatal(len(older), more, err)
	}
	since, more, err := w.Events(ctx, id.PrinterID, EventPage{After: older[0].ID, Limit: 100})
	if err != nil || more || len(since) != 15 || since[0].ID != newest[14].ID || since[14].ID != newest[0].ID {
		t.Fatal(len(since), more, err)
	}
}

// What is nested without end is neither kept nor shown, and what else the device says goes on.
func TestDeepMessages(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	deep := strings.Repeat("[", 4000) + strings.Repeat("]", 4000)
	if err := w.event(id, 1, "X", "", `{"x":`+deep+`}`); err != nil {
		t.Fatal(err)
	}
	if got := w.events(id); !slices.Equal(got, []string{EventMalformed}) {
		t.Errorf("stored %v", got)
	}
	w.status(id, `{"ts":1,"state":{"text":"Operational","flags":{"operational":true}},"axes":`+deep+`,"other":`+deep+`}`)
	if v := w.view(uuidA); v.State.Text != "Operational" || len(v.Axes) != 0 {
		t.Errorf("%q, axes %.40s", v.State.Text, v.Axes)
	}
	for _, said := range []string{`{"online":true,"agent":"1.2.3","more":` + deep + `}`, `{"online":true,"caps":` + deep + `}`} {
		if err := w.Presence(t.Context(), id, []byte(said), w.clock.now(), false); err != nil && !errors.Is(err, ErrInvalid) {
			t.Error(err)
		}
	}
	b, err := json.Marshal(w.view(uuidA))
	if err != nil || strings.Contains(string(b), "[[[") {
		t.Errorf("%v %.200s", err, b)
	}
}

package printer

import (
	"slices"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/bus"
)

// A whole queue of an agent passes at once, and what a busy printer says passes for ever.
func TestQuota_RealAgentsAreNeverHit(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var q quota
	for range 20 << 20 / 450 {
		if !q.take(450, now) {
			t.Fatal("a backlog of 20 MB does not pass")
		}
	}
	for range 3 * 24 * 60 {
		now = now.Add(time.Minute)
		for range 20 {
			if !q.take(450, now) {
				t.Fatal("20 events a minute do not pass")
			}
		}
	}
}

func TestQuota_Bounds(t *testing.T) {
	for _, size := range []int{100, 16 << 10} {
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		var q quota
		events, bytes := 0, 0
		const hours = 48
		for range hours * 3600 * 3 { // three a second
			now = now.Add(time.Second / 3)
			if q.take(size, now) {
				events++
				bytes += size
			}
		}
		if events > burstEvents+hours*quotaEvents || bytes > burstBytes+hours*quotaBytes {
			t.Errorf("of %d bytes: %d events, %d bytes", size, events, bytes)
		}
		if events < hours*quotaEvents && bytes < hours*quotaBytes {
			t.Errorf("of %d bytes: no more than %d events, %d bytes", size, events, bytes)
		}
	}
}

func TestEventsOverTheQuota(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	var published []string
	w.Bus.EventStored.Subscribe(func(m bus.EventStored) { published = append(published, string(m.JSON)) })
	tw := w.twin(uuidA)
	seq := int64(0)
	send := func(n int) {
		t.Helper()
		for range n {
			seq++
			if err := w.event(id, seq, "E", "", ""); err != nil {
				t.Fatal(err)
			}
		}
	}
	tw.quota = quota{events: burstEvents - 2, at: w.clock.now()}
	send(7)
	check := func(types []string, count string) {
		t.Helper()
		list, _, err := w.Events(t.Context(), id.PrinterID, EventPage{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		if got := w.events(id); !slices.Equal(got, types) {
			t.Fatalf("stored %v, want %v", got, types)
		}
		for _, e := range list {
			if e.Type == EventDropped {
				if string(e.Data) != count {
					t.Errorf("said %s, want %s", e.Data, count)
				}
				break
			}
		}
	}
	check([]string{"E", "E", EventDropped}, `{"count":5}`)
	if len(published) != 3 {
		t.Errorf("published %v", published)
	}
	// One that was dropped is acknowledged: it is nothing new when it comes again, and is not counted twice.
	seq -= 2
	send(2)
	check([]string{"E", "E", EventDropped}, `{"count":5}`)
	// A little later there is a little room, which does not bring a word for each event.
	w.clock.add(10 * time.Second)
	send(3)
	check([]string{"E", "E", EventDropped}, `{"count":8}`)
	w.clock.add(10 * time.Minute)
	send(1)
	tw.quota = quota{bytes: burstBytes, at: w.clock.now()}
	send(2)
	check([]string{"E", "E", EventDropped, "E", EventDropped}, `{"count":2}`)
	// The word itself may be gone by age.
	if _, err := deleteSome(t.Context(), w.db.File, "DELETE FROM events"); err != nil {
		t.Fatal(err)
	}
	send(1)
	check([]string{EventDropped}, `{"count":1}`)
}

func TestPrintsAreDeletedByAge(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	for i, kind := range []string{"PrintStarted", "PrintDone", "PrintStarted"} {
		if err := w.event(id, int64(i+1), kind, []string{"j1", "j1", "j2"}[i], `{"name":"x"}`); err != nil {
			t.Fatal(err)
		}
		w.clock.add(time.Minute)
	}
	count := func() int {
		list, _, err := w.jobs.Jobs(t.Context(), id.PrinterID, time.Time{}, 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	if err := w.expire(t.Context()); err != nil || count() != 2 {
		t.Fatalf("%d prints, %v", count(), err)
	}
	w.clock.add(w.EventAge)
	if err := w.expire(t.Context()); err != nil || count() != 1 {
		t.Fatalf("%d prints a year later, %v", count(), err)
	}
}

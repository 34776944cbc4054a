package job

import (
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// TestOurAgentNamesEveryPrint has our agent report a print without its name, as it may for a moment after its own
// start: that is no print of its own.
func TestOurAgentNamesEveryPrint(t *testing.T) {
	w := open(t)
	ours := &wire.Snapshot{Status: wire.StatusPrinting, Job: wire.Job{File: wire.File{Name: "a.gcode"}}}
	w.Observe(printerID, ours, wire.StatusPrinting, w.at)
	w.work(t.Context())
	w.expect()
	published := &wire.Snapshot{Job: ours.Job}
	w.Observe(printerID, published, wire.StatusPrinting, w.at)
	w.work(t.Context())
	if n := len(w.rows()); n != 1 {
		t.Errorf("the published plugin's print makes %d rows, want 1", n)
	}
}

// TestPublishedPluginNamesItsPrintsAndSendsNoEvents has the published plugin's print end: it is over with the next
// snapshot, also after a restart of the server, since nobody is going to say more of it.
func TestPublishedPluginNamesItsPrintsAndSendsNoEvents(t *testing.T) {
	for name, between := range map[string]func(*world){"the server stays": func(*world) {}, "the server restarts": (*world).restart} {
		t.Run(name, func(t *testing.T) {
			w := open(t)
			published := func(id string, status wire.Status, completion float64) {
				w.seeOf(&wire.Snapshot{}, time.Second, id, "cube.gcode", status, completion, 60)
			}
			published(jobA, wire.StatusPrinting, 99)
			between(w)
			published(jobA, wire.StatusFinishing, 100)
			published("", wire.StatusFinishing, 100)
			w.expect("cube.gcode:")
			published("", wire.StatusIdle, 100)
			w.expect("cube.gcode:done")
		})
	}
}

package job

import (
	"testing"

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

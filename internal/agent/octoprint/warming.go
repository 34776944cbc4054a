package octoprint

import (
	"strings"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// warming tells a job that waits for its temperatures from one that prints. OctoPrint says "Printing" for both, and the
// push socket carries no G-code, so it is read from temperatures and from how far the file has been sent: a printer
// that waits (M109, M190) takes no further lines.
type warming struct {
	heating bool

	started   bool // the nozzle has been at its target in this job
	extruding bool // and the file went on from there: from now on only a standstill counts as heating
	hotAt     int64
	coldAt    int64 // where the file stood when a heater was last below its target
	filepos   int64
	movedAt   time.Time
}

const (
	belowTarget = 3.0             // °C that count as reached: firmwares settle within 1 to 2 (Marlin TEMP_WINDOW)
	farBelow    = 10.0            // °C in the middle of a print: less is the controller's own swing
	standstill  = 3 * time.Second // without a line taken, in the middle of a print
	startLines  = int64(2 << 10)  // bytes of a start script that may follow the nozzle's temperature
)

// begin starts a new job.
func (w *warming) begin() { *w = warming{} }

// observe takes a reading. Statuses other than printing leave what is known of the job alone.
func (w *warming) observe(status wire.Status, heaters map[string]reading, filepos *int64, now time.Time) {
	if !status.Active() {
		*w = warming{}
		return
	}
	var pos int64
	if filepos != nil {
		pos = *filepos
	}
	if pos != w.filepos || w.movedAt.IsZero() {
		w.filepos, w.movedAt = pos, now
	}
	if status != wire.StatusPrinting {
		w.movedAt = now
		w.heating = false
		return
	}
	missing, toolHot := 0.0, false
	for name, r := range heaters {
		if !r.actual.known || !r.target.known || r.target.value <= 0 {
			continue
		}
		below := r.target.value - r.actual.value
		missing = max(missing, below)
		if strings.HasPrefix(name, "tool") && below <= belowTarget {
			toolHot = true
		}
	}
	if toolHot && !w.started {
		w.started, w.hotAt = true, pos
	}
	if w.started && (missing <= belowTarget || pos > w.hotAt+startLines) {
		w.extruding = true
	}
	switch {
	case w.extruding:
		w.heating = missing > farBelow && now.Sub(w.movedAt) >= standstill
	case missing > belowTarget:
		w.heating, w.coldAt = true, pos
	default: // between bed and nozzle: scripts heat one after the other
		w.heating = w.heating && !w.started && pos <= w.coldAt+startLines
	}
}

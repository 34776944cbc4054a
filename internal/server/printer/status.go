package printer

import (
	"strings"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// stateIDs are OctoPrint's constants (octoprint.util.comm, STATE_…) as PrinterStateChanged carries them in state_id.
var stateIDs = map[string]wire.Status{
	"NONE": wire.StatusOffline, "OFFLINE": wire.StatusOffline, "CLOSED": wire.StatusOffline,
	"OPEN_SERIAL": wire.StatusConnecting, "DETECT_SERIAL": wire.StatusConnecting,
	"DETECT_BAUDRATE": wire.StatusConnecting, "CONNECTING": wire.StatusConnecting,
	"OPERATIONAL": wire.StatusIdle,
	"STARTING":    wire.StatusPrinting, "PRINTING": wire.StatusPrinting,
	"PAUSING": wire.StatusPausing, "PAUSED": wire.StatusPaused, "RESUMING": wire.StatusResuming,
	"CANCELLING": wire.StatusCancelling, "FINISHING": wire.StatusFinishing,
	"ERROR": wire.StatusError, "CLOSED_WITH_ERROR": wire.StatusError, "OFFLINE_AFTER_ERROR": wire.StatusError,
	// A file on its way to the printer's card: no job, but nothing can be done meanwhile either.
	"TRANSFERING_FILE": wire.StatusUnknown, "TRANSFERRING_FILE": wire.StatusUnknown,
}

// statePrefixes are the texts of OctoPrint 1.4…2.0 (getStateString), the longer ones first. OctoPrint never
// translates them. Some have an explanation behind them: "Offline (Error: …)", "Error: Too many consecutive timeouts".
var statePrefixes = []struct {
	prefix string
	status wire.Status
}{
	{"offline (error", wire.StatusError}, {"offline after error", wire.StatusError}, {"offline", wire.StatusOffline},
	{"error", wire.StatusError},
	{"opening serial", wire.StatusConnecting}, {"detecting", wire.StatusConnecting}, {"connecting", wire.StatusConnecting},
	{"starting to send", wire.StatusUnknown}, {"sending file", wire.StatusUnknown}, {"transferring file", wire.StatusUnknown},
	{"starting", wire.StatusPrinting}, {"printing", wire.StatusPrinting},
	{"pausing", wire.StatusPausing}, {"paused", wire.StatusPaused}, {"resuming", wire.StatusResuming},
	{"cancelling", wire.StatusCancelling}, {"finishing", wire.StatusFinishing},
	{"operational", wire.StatusIdle},
}

// flagStatuses decide where the text is missing or unknown: the first flag that is set.
var flagStatuses = []struct {
	flag   string
	status wire.Status
}{
	{"cancelling", wire.StatusCancelling}, {"pausing", wire.StatusPausing}, {"paused", wire.StatusPaused},
	{"resuming", wire.StatusResuming}, {"finishing", wire.StatusFinishing}, {"printing", wire.StatusPrinting},
	{"error", wire.StatusError}, {"closedOrError", wire.StatusOffline},
	{"ready", wire.StatusIdle}, {"operational", wire.StatusIdle},
}

// A heater that is this much below its target while nothing has been printed yet makes the status "heating". M109
// waits until the target is met to about 1 °C; below that the reading's own noise would flicker.
const (
	heatingBelow      = 4.0 // °C
	heatingCompletion = 1.0 // %
)

// statusOf gives the status of a snapshot: the agent's own word, else what the state's text and flags mean.
func statusOf(s *wire.Snapshot) wire.Status {
	if s.Status != "" {
		return s.Status
	}
	status := statusOfState(s.State.Text, s.State.Flags)
	if status == wire.StatusPrinting && heating(s) {
		return wire.StatusHeating
	}
	return status
}

func statusOfState(text string, flags map[string]bool) wire.Status {
	for _, p := range statePrefixes {
		if len(text) >= len(p.prefix) && strings.EqualFold(text[:len(p.prefix)], p.prefix) {
			return p.status
		}
	}
	for _, f := range flagStatuses {
		if flags[f.flag] {
			return f.status
		}
	}
	return wire.StatusUnknown
}

// statusOfBare gives the status of a bare PrinterStateChanged.
func statusOfBare(s *wire.Snapshot) wire.Status {
	if status, ok := stateIDs[strings.ToUpper(s.StateID)]; ok {
		return status
	}
	return statusOfState(s.StateString, nil)
}

// heating tells whether a job that has hardly begun waits for a temperature.
func heating(s *wire.Snapshot) bool {
	if s.Progress.Completion != nil && *s.Progress.Completion >= heatingCompletion {
		return false
	}
	for _, t := range s.Temperatures {
		if t.Target != nil && t.Actual != nil && *t.Target > 0 && *t.Actual < *t.Target-heatingBelow {
			return true
		}
	}
	return false
}

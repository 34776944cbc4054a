package octoprint

import (
	"strings"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// states are OctoPrint's states (util/comm.py, STATE_*) as its event PrinterStateChanged names them, with the flags
// that its next regular message will carry. The event comes at once, that message up to a second later.
var states = map[string]struct {
	status wire.Status
	flags  []string
}{
	"NONE":              {wire.StatusOffline, []string{"closedOrError"}},
	"OFFLINE":           {wire.StatusOffline, []string{"closedOrError"}},
	"CLOSED":            {wire.StatusOffline, []string{"closedOrError"}},
	"OPEN_SERIAL":       {wire.StatusConnecting, nil},
	"DETECT_SERIAL":     {wire.StatusConnecting, nil},
	"DETECT_BAUDRATE":   {wire.StatusConnecting, nil},
	"CONNECTING":        {wire.StatusConnecting, nil},
	"OPERATIONAL":       {wire.StatusIdle, []string{"operational", "ready"}},
	"STARTING":          {wire.StatusPrinting, []string{"operational", "printing"}},
	"PRINTING":          {wire.StatusPrinting, []string{"operational", "printing"}},
	"PAUSING":           {wire.StatusPausing, []string{"operational", "printing", "pausing"}},
	"PAUSED":            {wire.StatusPaused, []string{"operational", "paused"}},
	"RESUMING":          {wire.StatusResuming, []string{"operational", "printing", "resuming"}},
	"CANCELLING":        {wire.StatusCancelling, []string{"operational", "printing", "cancelling"}},
	"FINISHING":         {wire.StatusFinishing, []string{"operational", "printing", "finishing"}},
	"TRANSFERING_FILE":  {wire.StatusPrinting, []string{"operational", "printing"}},
	"ERROR":             {wire.StatusError, []string{"error", "closedOrError"}},
	"CLOSED_WITH_ERROR": {wire.StatusError, []string{"error", "closedOrError"}},
	"UNKNOWN":           {wire.StatusUnknown, nil},
}

// flagNames are the flags that every OctoPrint since 1.4.0 sends.
var flagNames = []string{"operational", "printing", "paused", "pausing", "resuming", "cancelling", "finishing",
	"error", "closedOrError", "ready"}

// statusOf derives our status from a regular message. Texts decide only where old versions have no flag.
func statusOf(s *stateMessage) wire.Status {
	f := s.Flags
	switch {
	case f["error"]:
		return wire.StatusError
	case f["closedOrError"]:
		if s.Error != "" || strings.Contains(strings.ToLower(string(s.Text)), "error") {
			return wire.StatusError // "Offline after error", "Offline (Error: …)"
		}
		return wire.StatusOffline
	case f["cancelling"]:
		return wire.StatusCancelling
	case f["finishing"]:
		return wire.StatusFinishing
	case f["resuming"]:
		return wire.StatusResuming
	case f["pausing"]:
		return wire.StatusPausing
	case f["paused"]:
		return wire.StatusPaused
	case f["printing"]:
		return wire.StatusPrinting
	case f["operational"]:
		return wire.StatusIdle
	case s.Text == "":
		return wire.StatusUnknown
	}
	return wire.StatusConnecting // neither open nor closed: opening, detecting, connecting
}

package wire

// Status is the state of a printer in FACTOR's own words. Translations, alerts and other printers' adapters hang
// on it, never on OctoPrint's texts.
type Status string

// The statuses a printer can have.
const (
	StatusOffline    Status = "offline"    // no connection to the device, or the device has none to the printer
	StatusConnecting Status = "connecting" // the device is opening its serial connection
	StatusIdle       Status = "idle"
	StatusHeating    Status = "heating" // a job has begun and waits for its temperatures
	StatusPrinting   Status = "printing"
	StatusPausing    Status = "pausing"
	StatusPaused     Status = "paused"
	StatusResuming   Status = "resuming"
	StatusCancelling Status = "cancelling"
	StatusFinishing  Status = "finishing"
	StatusError      Status = "error"
	StatusUnknown    Status = "unknown"
)

// Statuses lists every status, in the order of the constants.
var Statuses = []Status{StatusOffline, StatusConnecting, StatusIdle, StatusHeating, StatusPrinting, StatusPausing,
	StatusPaused, StatusResuming, StatusCancelling, StatusFinishing, StatusError, StatusUnknown}

// Valid tells whether s is one of Statuses.
func (s Status) Valid() bool {
	for _, t := range Statuses {
		if s == t {
			return true
		}
	}
	return false
}

// Active tells whether a job is under way: it has begun and has not ended.
func (s Status) Active() bool {
	switch s {
	case StatusHeating, StatusPrinting, StatusPausing, StatusPaused, StatusResuming, StatusCancelling, StatusFinishing:
		return true
	}
	return false
}

// Attention is a reason for a person to look at a printer.
type Attention string

// The reasons known so far.
const (
	AttentionError                Attention = "error"                  // the printer or OctoPrint reports an error
	AttentionPrintFailed          Attention = "print_failed"           // the last print failed and nobody has looked since
	AttentionOfflineWhilePrinting Attention = "offline_while_printing" // the device went away during a job
	AttentionKeyRefused           Attention = "key_refused"            // OctoPrint refuses the agent's key
	AttentionOctoPrintUnreachable Attention = "octoprint_unreachable"  // the agent runs but cannot reach OctoPrint
	AttentionUUIDContested        Attention = "uuid_contested"         // somebody else tried to connect under this UUID
)

// Attentions lists every reason.
var Attentions = []Attention{AttentionError, AttentionPrintFailed, AttentionOfflineWhilePrinting, AttentionKeyRefused,
	AttentionOctoPrintUnreachable, AttentionUUIDContested}

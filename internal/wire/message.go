package wire

import "encoding/json"

// Proto is the version of the protocol that this code speaks; the server serves it and the one before.
const Proto = 1

// Presence is device/{id}/presence, also the Last Will (then with Online false).
type Presence struct {
	Online bool     `json:"online"`
	Agent  string   `json:"agent,omitzero"` // version of the agent, such as "1.2.3"
	Proto  int      `json:"proto,omitzero"`
	Caps   []string `json:"caps,omitzero"`
	Epoch  string   `json:"epoch,omitzero"` // of the event queue
	Since  float64  `json:"since,omitzero"` // Unix seconds, device clock

	// What the agent runs beside, shown under "connection and versions".
	OctoPrint string `json:"octoprint,omitzero"` // version
	Python    string `json:"python,omitzero"`
	OS        string `json:"os,omitzero"` // such as "linux/arm64"
	Host      string `json:"host,omitzero"`

	// What OctoPrint's owner lets the agent do beyond the usual.
	Rights []string       `json:"rights,omitzero"` // RightSystem, RightTerminal
	System []SystemAction `json:"system,omitzero"` // with RightSystem: what there is to do
}

// Rights that OctoPrint's owner may tick for the agent's account.
const (
	RightSystem   = "system"
	RightTerminal = "terminal"
)

// SystemAction is one of OctoPrint's own system commands.
type SystemAction struct {
	Action string `json:"action"`        // source/action, such as core/restart
	Name   string `json:"name,omitzero"` // as OctoPrint's owner sees it
	Ask    bool   `json:"ask,omitzero"`  // OctoPrint itself asks before it does it
}

// MaxSystem is how many system commands an agent tells of.
const MaxSystem = 32

// TimeRequest is device/{id}/time. T0 is the device's own reading, given back unread.
type TimeRequest struct {
	T0 float64 `json:"t0"`
}

// TimeReply is device/{id}/time/reply: the server's clock as Unix seconds.
type TimeReply struct {
	T0     float64 `json:"t0"`
	Server float64 `json:"server"`
}

// Watch is device/{id}/watch.
type Watch struct {
	Watched  bool `json:"watched"`
	Terminal bool `json:"terminal,omitzero"` // somebody looks at the terminal, too
}

// Event is octoprint/event/{id}. (Epoch, Seq) names it for good: the server stores a pair once, however often it comes.
type Event struct {
	Epoch string          `json:"epoch"` // random per queue file, 1…64 letters, digits, - or _
	Seq   int64           `json:"seq"`   // from 1, without holes within an epoch
	At    float64         `json:"at"`    // Unix seconds, device clock
	Type  string          `json:"type"`  // PrintStarted, PrintDone, …, gap
	Job   string          `json:"job,omitzero"`
	Data  json.RawMessage `json:"data,omitzero"` // what OctoPrint said, an object, or {"count":n} of a gap
}

// Event types that FACTOR itself acts on. Others are stored and shown as they come.
const (
	EventPrintStarted   = "PrintStarted"
	EventPrintDone      = "PrintDone"
	EventPrintFailed    = "PrintFailed"
	EventPrintCancelled = "PrintCancelled"
	EventPrintPaused    = "PrintPaused"
	EventPrintResumed   = "PrintResumed"
	EventError          = "Error"
	EventConnected      = "Connected"
	EventDisconnected   = "Disconnected"
	EventFilamentChange = "FilamentChange"
	EventGap            = "gap" // the queue overflowed: data.count events are missing here
)

// Registration is device/{id}/registration.
type Registration struct {
	Status       string `json:"status"` // registered, registration_confirmed, timeout or failed
	DeviceName   string `json:"device_name,omitzero"`
	Pending      bool   `json:"pending,omitzero"`       // its owner has not completed the printer yet
	RegisteredAt string `json:"registered_at,omitzero"` // RFC 3339
	Error        string `json:"error,omitzero"`
	ErrorCode    string `json:"error_code,omitzero"`
	AttemptedAt  string `json:"attempted_at,omitzero"`
}

// RegistrationAck is device/{id}/registration/ack.
type RegistrationAck struct {
	Status      string `json:"status"` // confirmed
	InstanceID  string `json:"instance_id"`
	ConfirmedAt string `json:"confirmed_at,omitzero"`
}

// Files is octoprint/files/{id}: the device's own files. Both lists are flat, paths with "/" between folders.
type Files struct {
	Local   []DeviceFile `json:"local"`
	SDCard  []DeviceFile `json:"sdcard"`
	Omitted int          `json:"omitted,omitzero"` // files beyond MaxTreeSize
}

// DeviceFile is a printable file on the device.
type DeviceFile struct {
	Path string  `json:"path"`
	Size int64   `json:"size,omitzero"` // bytes
	Date float64 `json:"date,omitzero"` // Unix seconds, device clock
}

package wire

// CommandType names what a command asks of a device.
type CommandType string

// The commands. The published plugin knows those up to CommandSetFanSpeed; the rest is our agent's, which names in its
// presence what it can do.
const (
	CommandPause          CommandType = "pause"
	CommandResume         CommandType = "resume"
	CommandCancel         CommandType = "cancel"
	CommandHome           CommandType = "home"
	CommandMove           CommandType = "move"
	CommandSetTemperature CommandType = "set_temperature"
	CommandSetFeedRate    CommandType = "set_feed_rate"
	CommandSetFanSpeed    CommandType = "set_fan_speed"

	CommandSetFlowRate   CommandType = "set_flow_rate"
	CommandExtrude       CommandType = "extrude"
	CommandSelectTool    CommandType = "select_tool"
	CommandEmergencyStop CommandType = "emergency_stop"
	CommandConnect       CommandType = "connect"    // OctoPrint to its printer
	CommandDisconnect    CommandType = "disconnect" // OctoPrint from its printer
	CommandSystem        CommandType = "system"     // one of OctoPrint's own system commands
	CommandGCode         CommandType = "gcode"      // one line of the terminal

	CommandPrint      CommandType = "print"       // a file that the device has
	CommandDeleteFile CommandType = "delete_file" // on the device
	CommandFetchFile  CommandType = "fetch_file"  // from the server to the device
	CommandSendFile   CommandType = "send_file"   // from the device to the server's library
)

// Command is control/{id}. Fields that its type does not use are absent.
type Command struct {
	Type    CommandType `json:"type"`
	ID      string      `json:"id,omitzero"`      // a UUID; absent towards the published plugin, which knows none
	Expires float64     `json:"expires,omitzero"` // server time, Unix seconds: not to be begun after it

	Axes        string   `json:"axes,omitzero"`        // home: of the letters XYZ
	Mode        string   `json:"mode,omitzero"`        // move: relative (default) or absolute
	X           *float64 `json:"x,omitzero"`           // mm
	Y           *float64 `json:"y,omitzero"`           // mm
	Z           *float64 `json:"z,omitzero"`           // mm
	E           *float64 `json:"e,omitzero"`           // mm
	FeedRate    *float64 `json:"feedrate,omitzero"`    // move, extrude: mm/min
	Tool        *int     `json:"tool,omitzero"`        // set_temperature, extrude, select_tool: −1 bed, −2 chamber, 0… extruder
	Temperature *float64 `json:"temperature,omitzero"` // °C
	Wait        bool     `json:"wait,omitzero"`        // set_temperature: the printer waits until it is reached
	Factor      *float64 `json:"factor,omitzero"`      // set_feed_rate, set_flow_rate: %
	Speed       *float64 `json:"speed,omitzero"`       // set_fan_speed: %
	Amount      *float64 `json:"amount,omitzero"`      // extrude: mm of filament, negative retracts
	Line        string   `json:"line,omitzero"`        // gcode: one line of the terminal
	Lines       []string `json:"lines,omitzero"`       // gcode: a macro's, one after the other until one is refused; instead of line
	Macro       string   `json:"macro,omitzero"`       // gcode: the name of the macro that lines are of, for the audit
	Action      string   `json:"action,omitzero"`      // system: source/action as OctoPrint names it, such as core/restart

	Origin string     `json:"origin,omitzero"` // print, delete_file, send_file: local or sdcard
	Path   string     `json:"path,omitzero"`   // print, delete_file, send_file: as in the device's file tree
	Fetch  *FetchFile `json:"fetch,omitzero"`  // fetch_file
	Send   *SendFile  `json:"send,omitzero"`   // send_file
}

// FetchFile has the device get a file of the library by GET /api/device/files/{token} and put it into OctoPrint.
type FetchFile struct {
	Transfer string `json:"transfer"` // id that its progress is reported under
	Token    string `json:"token"`    // bound to the file and the device, ends 1 h after its last use
	Name     string `json:"name"`     // as OctoPrint is to store it; a name that is taken gets a number, never overwritten
	Size     int64  `json:"size"`     // bytes
	SHA256   string `json:"sha256"`   // lower-case hex
	Target   string `json:"target"`   // local or sdcard
	Print    bool   `json:"print,omitzero"`
}

// SendFile has the device put a file of its own into the library by PUT /api/device/files/{token}.
type SendFile struct {
	Transfer string `json:"transfer"`
	Token    string `json:"token"`
}

// CommandResult is control/{id}/result: the last word on a command.
type CommandResult struct {
	ID      string     `json:"id"`
	OK      bool       `json:"ok"`
	Code    ResultCode `json:"code,omitzero"`
	Message string     `json:"message,omitzero"` // the device's own words, for people who look closer
	At      float64    `json:"at"`               // Unix seconds, server time as the device knows it
}

// ResultCode is what became of a command.
type ResultCode string

// What can become of a command.
const (
	ResultDone           ResultCode = "done"
	ResultNotNow         ResultCode = "not_now"         // the printer's state does not allow it
	ResultStarting       ResultCode = "starting"        // the printer was starting a print all the time, when nothing can be paused
	ResultOutOfRange     ResultCode = "out_of_range"    // a value is beyond what the device allows
	ResultExpired        ResultCode = "expired"         // it came too late and was not begun
	ResultNoClock        ResultCode = "no_clock"        // the device does not know the server's time yet
	ResultOutcomeUnknown ResultCode = "outcome_unknown" // the device was interrupted between beginning and end
	ResultFailed         ResultCode = "failed"          // OctoPrint refused it or could not do it
)

// ResultCodes are all of them.
var ResultCodes = []ResultCode{ResultDone, ResultNotNow, ResultStarting, ResultOutOfRange, ResultExpired, ResultNoClock, ResultOutcomeUnknown, ResultFailed}

// Transfer is device/{id}/transfer: how far a file is on its way between library and device.
type Transfer struct {
	ID      string        `json:"id"`
	Stage   TransferStage `json:"stage"`
	Bytes   int64         `json:"bytes,omitzero"` // of this stage so far
	Total   int64         `json:"total,omitzero"`
	Path    string        `json:"path,omitzero"` // with done: where OctoPrint has it
	Code    string        `json:"code,omitzero"` // with failed: no_space, name_refused, checksum, octoprint_refused, unreachable, cancelled, too_large
	Message string        `json:"message,omitzero"`
}

// TransferStage is a part of a transfer.
type TransferStage string

// The stages, in their order.
const (
	TransferWaiting   TransferStage = "waiting"   // the device has not begun
	TransferFetching  TransferStage = "fetching"  // server → device, or device → server
	TransferChecking  TransferStage = "checking"  // SHA-256
	TransferUploading TransferStage = "uploading" // device → OctoPrint, or → SD card
	TransferStarting  TransferStage = "starting"  // the print begins
	TransferDone      TransferStage = "done"
	TransferFailed    TransferStage = "failed"
)

// Valid tells whether s is one of the stages.
func (s TransferStage) Valid() bool {
	switch s {
	case TransferWaiting, TransferFetching, TransferChecking, TransferUploading, TransferStarting, TransferDone, TransferFailed:
		return true
	}
	return false
}

// Terminal is device/{id}/terminal: new lines of OctoPrint's terminal, sent only while somebody looks at it.
type Terminal struct {
	Lines   []string `json:"lines"`
	Skipped int      `json:"skipped,omitzero"` // lines that were too many to send
}

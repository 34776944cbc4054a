package wire

// Need is the least that somebody must be in a printer's workspace to give a command.
type Need string

// Who may give a command.
const (
	NeedOperator Need = "operator"
	NeedOwner    Need = "owner"
)

// FieldRule says what a field of a command may hold.
type FieldRule struct {
	Name     string   `json:"name"`
	Required bool     `json:"required,omitzero"`
	Min      float64  `json:"min,omitzero"` // of a number
	Max      float64  `json:"max,omitzero"`
	Whole    bool     `json:"whole,omitzero"`
	Unit     string   `json:"unit,omitzero"`
	OneOf    []string `json:"one_of,omitzero"`
	Longest  int      `json:"longest,omitzero"` // of a text, in bytes
	Lines    int      `json:"lines,omitzero"`   // of a list of texts
}

// CommandRule says when a command may be given, by whom and with what.
type CommandRule struct {
	Type   CommandType `json:"type"`
	Need   Need        `json:"need"`
	Fields []FieldRule `json:"fields"`
	During []Status    `json:"during"` // in which the printer must be; empty: any, as long as the device is there
	// Published is when the published plugin may be sent it; empty: never, it does not know it. It says nothing about
	// commands that do not fit, so these are narrower where it would do harm.
	Published []Status `json:"-"`
	// Cap is what an agent's presence must name for it, beside being ours; "" where CapCommands is enough.
	Cap string `json:"-"`
	// Internal ones are sent by the server's own parts, never as a person's words.
	Internal bool `json:"-"`
	// Again: doing it twice does no more than once, so that a person may repeat it when the outcome is unknown.
	Again bool `json:"again,omitzero"`
}

// Capabilities that an agent's presence names.
const (
	CapCommands = "commands" // it answers commands
	CapTransfer = "transfer" // it fetches and sends files
)

// Groups of statuses that rules share.
var (
	resting     = []Status{StatusIdle}
	standing    = []Status{StatusIdle, StatusPaused}
	running     = []Status{StatusHeating, StatusPrinting}
	stoppable   = []Status{StatusHeating, StatusPrinting, StatusPausing, StatusPaused, StatusResuming}
	operational = []Status{StatusIdle, StatusHeating, StatusPrinting, StatusPausing, StatusPaused, StatusResuming,
		StatusCancelling, StatusFinishing}
	stopping     = append([]Status{StatusConnecting, StatusError, StatusUnknown}, operational...)
	disconnected = []Status{StatusOffline, StatusError}
	unhurried    = []Status{StatusIdle, StatusConnecting, StatusError, StatusUnknown}
)

// Bounds of a command's numbers. A printer's own limits are narrower, see Limits.
const (
	MaxMove      = 1000.0 // mm, of one relative move
	MaxExtrude   = 200.0  // mm of filament at once
	MinFeedRate  = 1.0    // mm/min
	MaxFeedRate  = 60_000.0
	MaxTools     = 10 // an extruder's number is below it
	MaxLine      = 250
	MaxLines     = 100 // of a macro
	MaxAction    = 200
	MaxCommandID = 64
	ToolBed      = -1
	ToolChamber  = -2
)

// CommandRules are all commands, in the order of their constants.
var CommandRules = []CommandRule{
	{Type: CommandPause, Need: NeedOperator, During: running, Published: running, Again: true},
	{Type: CommandResume, Need: NeedOperator, During: []Status{StatusPaused}, Published: []Status{StatusPaused}, Again: true},
	{Type: CommandCancel, Need: NeedOperator, During: stoppable, Published: stoppable, Again: true},
	{Type: CommandHome, Need: NeedOperator, During: resting, Published: resting, Again: true,
		Fields: []FieldRule{{Name: "axes", Required: true, Longest: 3}}},
	{Type: CommandMove, Need: NeedOperator, During: standing, Published: resting, Fields: []FieldRule{
		{Name: "mode", OneOf: []string{MoveRelative, MoveAbsolute}},
		{Name: "x", Min: -MaxMove, Max: MaxMove, Unit: "mm"}, {Name: "y", Min: -MaxMove, Max: MaxMove, Unit: "mm"},
		{Name: "z", Min: -MaxMove, Max: MaxMove, Unit: "mm"},
		{Name: "e", Min: -MaxExtrude, Max: MaxExtrude, Unit: "mm"},
		{Name: "feedrate", Min: MinFeedRate, Max: MaxFeedRate, Unit: "mm/min"}}},
	{Type: CommandSetTemperature, Need: NeedOperator, During: operational, Published: operational, Again: true, Fields: []FieldRule{
		{Name: "tool", Required: true, Min: ToolChamber, Max: MaxTools - 1, Whole: true},
		{Name: "temperature", Required: true, Min: 0, Max: DefaultMaxTool, Unit: "°C"}, {Name: "wait"}}},
	{Type: CommandSetFeedRate, Need: NeedOperator, During: operational, Published: operational, Again: true,
		Fields: []FieldRule{{Name: "factor", Required: true, Min: 10, Max: 500, Unit: "%"}}},
	{Type: CommandSetFanSpeed, Need: NeedOperator, During: operational, Published: operational, Again: true,
		Fields: []FieldRule{{Name: "speed", Required: true, Min: 0, Max: 100, Unit: "%"}}},

	{Type: CommandSetFlowRate, Need: NeedOperator, During: operational, Again: true,
		Fields: []FieldRule{{Name: "factor", Required: true, Min: 50, Max: 150, Unit: "%"}}},
	{Type: CommandExtrude, Need: NeedOperator, During: standing, Fields: []FieldRule{
		{Name: "amount", Required: true, Min: -MaxExtrude, Max: MaxExtrude, Unit: "mm"},
		{Name: "feedrate", Min: MinFeedRate, Max: MaxFeedRate, Unit: "mm/min"},
		{Name: "tool", Min: 0, Max: MaxTools - 1, Whole: true}}},
	{Type: CommandSelectTool, Need: NeedOperator, During: standing, Again: true,
		Fields: []FieldRule{{Name: "tool", Required: true, Min: 0, Max: MaxTools - 1, Whole: true}}},
	{Type: CommandEmergencyStop, Need: NeedOperator, During: stopping, Again: true},
	{Type: CommandConnect, Need: NeedOperator, During: disconnected, Again: true},
	{Type: CommandDisconnect, Need: NeedOperator, During: unhurried, Again: true},
	{Type: CommandSystem, Need: NeedOwner, Fields: []FieldRule{{Name: "action", Required: true, Longest: MaxAction}}},
	{Type: CommandGCode, Need: NeedOperator, During: operational, Fields: []FieldRule{
		{Name: "line", Longest: MaxLine}, {Name: "lines", Longest: MaxLine, Lines: MaxLines},
		{Name: "macro", Longest: 2 * MaxText}}},

	{Type: CommandPrint, Need: NeedOperator, During: resting, Fields: fileFields},
	{Type: CommandDeleteFile, Need: NeedOperator, Fields: fileFields, Again: true},
	{Type: CommandFetchFile, Need: NeedOperator, Internal: true, Cap: CapTransfer, Fields: []FieldRule{{Name: "fetch", Required: true}}},
	{Type: CommandSendFile, Need: NeedOperator, Internal: true, Cap: CapTransfer, Fields: append(fileFields[:len(fileFields):len(fileFields)], FieldRule{Name: "send", Required: true})},
}

var fileFields = []FieldRule{
	{Name: "origin", Required: true, OneOf: []string{OriginLocal, OriginSDCard}},
	{Name: "path", Required: true, Longest: MaxPath},
}

// Modes of a move, and where a device has a file.
const (
	MoveRelative = "relative"
	MoveAbsolute = "absolute"
	OriginLocal  = "local"
	OriginSDCard = "sdcard"
)

var rules = func() map[CommandType]*CommandRule {
	m := make(map[CommandType]*CommandRule, len(CommandRules))
	for i := range CommandRules {
		m[CommandRules[i].Type] = &CommandRules[i]
	}
	return m
}()

// RuleOf gives the rule of a command; false: there is no such command.
func RuleOf(t CommandType) (*CommandRule, bool) {
	r, ok := rules[t]
	return r, ok
}

// Hindrance is why a command cannot be given now: a closed list that pages translate.
type Hindrance string

// What can be in the way of a command.
const (
	Unhindered          Hindrance = ""
	HindranceDevice     Hindrance = "device_offline"  // the device is not connected to the server
	HindrancePrinter    Hindrance = "printer_offline" // OctoPrint is not connected to the printer, or the agent not to OctoPrint
	HindranceConnecting Hindrance = "connecting"
	HindrancePrinting   Hindrance = "printing" // a job is under way
	HindrancePaused     Hindrance = "paused"
	HindranceIdle       Hindrance = "not_printing"
	HindranceNotPaused  Hindrance = "not_paused"
	HindranceBusy       Hindrance = "busy"  // pausing, resuming, cancelling, finishing: in a moment
	HindranceError      Hindrance = "error" // the printer reports an error
	HindranceConnected  Hindrance = "connected"
	HindranceUnknown    Hindrance = "state_unknown"
	HindrancePlugin     Hindrance = "plugin_cannot" // what runs beside the printer does not know the command
	HindranceRole       Hindrance = "role"          // the asker is no owner
	HindranceRight      Hindrance = "right_missing" // OctoPrint's owner has not ticked the right for the agent's account
	HindranceTool       Hindrance = "other_tool"    // a tool other than the active one, during a print
)

// Hinders tells what is in the way of a command to a printer that has this status, with one device or the other.
func (r *CommandRule) Hinders(s Status, published bool) Hindrance {
	allowed := r.During
	if published {
		if allowed = r.Published; len(allowed) == 0 {
			return HindrancePlugin
		}
	}
	if len(allowed) == 0 || has(allowed, s) {
		return Unhindered
	}
	switch {
	case has(r.During, StatusOffline): // to connect
		return HindranceConnected
	case s == StatusOffline:
		return HindrancePrinter
	case s == StatusConnecting:
		return HindranceConnecting
	case s == StatusError:
		return HindranceError
	case s == StatusPausing || s == StatusResuming || s == StatusCancelling || s == StatusFinishing:
		return HindranceBusy
	case s == StatusIdle && has(r.During, StatusPaused) && !has(r.During, StatusPrinting):
		return HindranceNotPaused
	case s == StatusIdle:
		return HindranceIdle
	case s == StatusPaused:
		return HindrancePaused
	case s.Active():
		if r.Type == CommandResume {
			return HindranceNotPaused
		}
		return HindrancePrinting
	}
	return HindranceUnknown
}

func has(list []Status, s Status) bool {
	for _, t := range list {
		if t == s {
			return true
		}
	}
	return false
}

package wire

import "github.com/go-json-experiment/json/jsontext"

// Snapshot is octoprint/status/{id}: what a printer is doing now. Every field can be missing; a nil pointer means
// that the device did not say, which is something else than zero.
type Snapshot struct {
	TS           float64                `json:"ts,omitzero"`     // Unix seconds, device clock
	Status       Status                 `json:"status,omitzero"` // our agent only; the server derives it otherwise
	Attention    []Attention            `json:"attention,omitzero"`
	State        State                  `json:"state,omitzero"`
	Progress     Progress               `json:"progress,omitzero"`
	Job          Job                    `json:"job,omitzero"`
	Axes         jsontext.Value         `json:"axes,omitzero"` // kept as it came: nothing reads it yet
	Temperatures map[string]Temperature `json:"temperatures,omitzero"`
	Connection   Connection             `json:"connection,omitzero"`
	Overrides    Overrides              `json:"overrides,omitzero"`
	CurrentZ     *float64               `json:"current_z,omitzero"` // mm, our agent only
	Interval     float64                `json:"interval,omitzero"`  // s until the next snapshot at the latest, our agent only

	// The published plugin forwards OctoPrint's event PrinterStateChanged bare, on the same topic. See Bare.
	StateID     string `json:"state_id,omitzero"` // OctoPrint's constant, such as PRINTING
	StateString string `json:"state_string,omitzero"`
}

// Bare tells whether this is no snapshot but OctoPrint's event PrinterStateChanged: nothing but StateID and StateString counts.
func (s *Snapshot) Bare() bool { return s.StateID != "" || s.StateString != "" }

// State is OctoPrint's own state.
type State struct {
	Text  string          `json:"text,omitzero"`
	Flags map[string]bool `json:"flags,omitzero"`
}

// Starting tells whether OctoPrint is between the order to print and the first line of the file: "Starting", "Starting
// print from SD". A pause in it is lost without a word, as what was prepared before turns the state to Printing behind it
// (util/comm.py, startPrint and setPause).
func (s State) Starting() bool { return s.Text == "Starting" || s.Text == "Starting print from SD" }

// Progress is how far a job has come.
type Progress struct {
	Completion     *float64 `json:"completion"` // 0…100 %
	FilePos        *int64   `json:"filepos,omitzero"`
	FileSize       *int64   `json:"file_size,omitzero"`
	PrintTime      *float64 `json:"print_time"` // s so far
	TimeLeft       *float64 `json:"time_left"`  // s, an estimate
	TimeLeftOrigin string   `json:"time_left_origin,omitzero"`
}

// Job is what is being printed, or what is loaded while idle (then without an ID).
type Job struct {
	ID            string              `json:"id,omitzero"` // made by the agent at the start of a print
	File          File                `json:"file,omitzero"`
	EstimatedTime *float64            `json:"estimated_time,omitzero"` // s, by the slicer or OctoPrint's analysis
	LastTime      *float64            `json:"last_time,omitzero"`      // s that the last print of this file took
	Filament      map[string]Filament `json:"filament,omitzero"`       // by tool
}

// File names a file on the device.
type File struct {
	Name   string   `json:"name,omitzero"`
	Origin string   `json:"origin,omitzero"` // local or sdcard
	Path   string   `json:"path,omitzero"`
	Size   *int64   `json:"size,omitzero"` // bytes
	Date   *float64 `json:"date,omitzero"` // Unix seconds, device clock
}

// Filament is what a print needs of one tool.
type Filament struct {
	Length *float64 `json:"length,omitzero"` // mm
	Volume *float64 `json:"volume,omitzero"` // cm³
}

// Temperature is one heater's reading in °C.
type Temperature struct {
	Actual *float64 `json:"actual"`
	Target *float64 `json:"target"`
	Offset *float64 `json:"offset,omitzero"`
}

// Overrides are the printer's own speed settings.
type Overrides struct {
	Feedrate *float64 `json:"feedrate,omitzero"` // %
	Flowrate *float64 `json:"flowrate,omitzero"` // %
}

// Connection is the device's serial connection to its printer. The published plugin sends it as the list
// [state, port, baudrate, profile], our agent as an object.
type Connection struct {
	State    string  `json:"state,omitzero"`
	Port     string  `json:"port,omitzero"`
	Baudrate int     `json:"baudrate,omitzero"`
	Profile  Profile `json:"profile,omitzero"`
}

// Profile is the printer profile chosen in OctoPrint.
type Profile struct {
	ID        string `json:"id,omitzero"`
	Name      string `json:"name,omitzero"`
	Model     string `json:"model,omitzero"`
	Volume    Volume `json:"volume,omitzero"`
	HeatedBed bool   `json:"heatedBed,omitzero"`
	Extruders int    `json:"extruders,omitzero"` // our agent only
}

// Volume is the build volume in mm.
type Volume struct {
	Origin string  `json:"origin,omitzero"`     // where x = y = 0 is: lowerleft or center
	Form   string  `json:"formFactor,omitzero"` // rectangular or circular
	Width  float64 `json:"width,omitzero"`
	Depth  float64 `json:"depth,omitzero"`
	Height float64 `json:"height,omitzero"`
}

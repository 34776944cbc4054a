package printer

import (
	"encoding/json"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// View is a printer as the API shows it to somebody with a role.
type View struct {
	ID              string         `json:"id" doc:"FACTOR's own id, for good"`
	UUID            string         `json:"uuid" doc:"UUID of the device in use"`
	Name            string         `json:"name"`
	Description     string         `json:"description"`
	Workspace       ViewWorkspace  `json:"workspace,omitzero"`
	Role            workspace.Role `json:"role,omitempty" enum:"owner,operator,viewer" doc:"What the asker may do with it"`
	Pending         bool           `json:"pending" doc:"The device registered itself; the owner has not completed it yet"`
	UUIDLogin       bool           `json:"uuid_login" doc:"May connect by its UUID alone, where the server allows it"`
	Unauthenticated bool           `json:"unauthenticated" doc:"Is connected by its UUID alone: anybody who knows the UUID could be it"`
	CreatedAt       time.Time      `json:"created_at"`

	Online      bool       `json:"online" doc:"The device is connected"`
	ConnectedAt *time.Time `json:"connected_since,omitempty"`
	LastSeen    *time.Time `json:"last_seen,omitempty" doc:"When the device was last heard of, server clock"`
	ReportedAt  *time.Time `json:"reported_at,omitempty" doc:"When what is shown here was received, server clock"`
	DeviceTime  *time.Time `json:"device_time,omitempty" doc:"The same by the device's own clock, which may be wrong"`
	Interval    float64    `json:"interval" doc:"Seconds between two reports of the device"`
	Stale       bool       `json:"stale" doc:"What is shown is older than three intervals, at least 15 s"`

	Status       wire.Status                `json:"status" enum:"offline,connecting,idle,heating,printing,pausing,paused,resuming,cancelling,finishing,error,unknown"`
	Since        *time.Time                 `json:"status_since,omitempty" doc:"Since when it has this status"`
	Attention    []wire.Attention           `json:"attention" doc:"Reasons for a person to look at it"`
	State        ViewState                  `json:"state"`
	Progress     ViewProgress               `json:"progress"`
	Job          *ViewJob                   `json:"job"`
	Transfer     *ViewTransfer              `json:"transfer,omitempty" doc:"A file on its way to the printer or from it; none: left out"`
	LastJob      *LastJob                   `json:"last_job"`
	Temperatures map[string]ViewTemperature `json:"temperatures" doc:"By heater: tool0…, bed, chamber; °C"`
	CurrentZ     *float64                   `json:"current_z,omitempty" doc:"mm"`
	Axes         json.RawMessage            `json:"axes,omitempty" doc:"As the device sent it"`
	Overrides    wire.Overrides             `json:"overrides"`
	Connection   wire.Connection            `json:"connection" doc:"The device's serial connection to the printer"`
	Agent        *ViewAgent                 `json:"agent" doc:"What runs on the device; null for the published plugin"`
	Cameras      []Camera                   `json:"cameras"`
	UplinkKbps   int                        `json:"uplink_kbps,omitempty" doc:"What its cameras may take of its uplink together, kbit/s; none: as much as they like"`
}

// ViewWorkspace names whose a printer is.
type ViewWorkspace struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// ViewState is OctoPrint's own state.
type ViewState struct {
	Text  string          `json:"text"`
	Flags map[string]bool `json:"flags"`
}

// ViewProgress is how far a job has come.
type ViewProgress struct {
	Completion     *float64   `json:"completion" doc:"0…100 %"`
	PrintTime      *float64   `json:"print_time" doc:"s so far"`
	TimeLeft       *float64   `json:"time_left" doc:"s, an estimate"`
	TimeLeftOrigin string     `json:"time_left_origin,omitempty" doc:"Whose estimate it is, in OctoPrint's words"`
	FinishAt       *time.Time `json:"finish_at,omitempty" doc:"When the job is likely to end, server clock; moves only when the estimate really does"`
	FilePos        *int64     `json:"filepos,omitempty"`
	FileSize       *int64     `json:"file_size,omitempty"`
}

// ViewJob is what is printed, or loaded.
type ViewJob struct {
	ID            string                   `json:"id,omitempty" doc:"Of this print; none while only loaded"`
	File          *ViewFile                `json:"file"`
	EstimatedTime *float64                 `json:"estimated_time,omitempty" doc:"s"`
	LastTime      *float64                 `json:"last_time,omitempty" doc:"s that the last print of this file took"`
	StartedAt     *time.Time               `json:"started_at,omitempty"`
	Filament      map[string]wire.Filament `json:"filament,omitempty"`
}

// ViewTransfer is a file on its way between the library and the printer's device.
type ViewTransfer struct {
	ID        string             `json:"id"`
	Name      string             `json:"name"`
	Direction string             `json:"direction" enum:"to_printer,to_library"`
	Target    string             `json:"target" enum:"local,sdcard" doc:"Where on the device"`
	Print     bool               `json:"print" doc:"It is to be printed"`
	Stage     wire.TransferStage `json:"stage" enum:"waiting,fetching,checking,uploading,starting"`
	Bytes     int64              `json:"bytes" doc:"Of this stage so far"`
	Total     int64              `json:"total" doc:"Of this stage; 0: not known"`
}

// ViewFile names a file on the device.
type ViewFile struct {
	Name   string `json:"name"`
	Origin string `json:"origin"`
	Path   string `json:"path"`
	Size   *int64 `json:"size,omitempty" doc:"bytes"`
}

// ViewTemperature is one heater.
type ViewTemperature struct {
	Actual *float64 `json:"actual"`
	Target *float64 `json:"target"`
}

// LastJob is the print that ended last.
type LastJob struct {
	ID        string     `json:"id"`
	FileName  string     `json:"file_name"`
	Result    string     `json:"result" enum:"done,failed,cancelled"`
	StartedAt time.Time  `json:"started_at"`
	EndedAt   *time.Time `json:"ended_at"`
	PrintTime *float64   `json:"print_time" doc:"s"`
}

// ViewAgent is what runs on the device.
type ViewAgent struct {
	Version   string     `json:"version"`
	Proto     int        `json:"proto"`
	Caps      []string   `json:"caps"`
	OctoPrint string     `json:"octoprint"`
	Python    string     `json:"python"`
	OS        string     `json:"os"`
	Host      string     `json:"host"`
	Since     *time.Time `json:"since,omitempty" doc:"Since when it runs, by its own clock"`
}

// Camera is one camera of a printer.
type Camera struct {
	ID        string `json:"id,omitempty" required:"false" doc:"Stays the same when the camera is renamed; leave away for a new one"`
	Name      string `json:"name" maxLength:"400"`
	StreamURL string `json:"stream_url,omitempty" required:"false" maxLength:"4096" doc:"Where the agent finds the stream. May hold a password: shown to owners only"`
	Rotation  int    `json:"rotation,omitempty" required:"false" doc:"0, 90, 180 or 270 degrees clockwise"`
	FlipH     bool   `json:"flip_h,omitempty" required:"false"`
	FlipV     bool   `json:"flip_v,omitempty" required:"false"`
	Encode    Encode `json:"encode,omitempty" required:"false" enum:"auto,always,never" doc:"Whether the device turns MJPEG into H.264 with ffmpeg, which takes less of its uplink and more of its processor. auto (the same as none): while its uplink, or max_kbps, cannot carry the pictures at a useful rate"`
	MaxKbps   int    `json:"max_kbps,omitempty" required:"false" doc:"Of the printer's uplink for this camera, 100…50000 kbit/s; 0: no limit"`
}

// Encode is whether a camera's JPEGs are turned into video: auto, always, never; "" is auto.
type Encode string

// UnmarshalJSON takes the yes or no that this was at first, too: printers are stored with it.
func (e *Encode) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case "true":
		*e = "always"
	case "false":
		*e = ""
	default:
		return json.Unmarshal(b, (*string)(e))
	}
	return nil
}

// Event is something that happened to a printer.
type Event struct {
	ID         string          `json:"id"`
	At         time.Time       `json:"at" doc:"When it happened, as well as the server can tell"`
	ReceivedAt time.Time       `json:"received_at" doc:"When the server stored it"`
	DeviceAt   *time.Time      `json:"device_at,omitempty" doc:"When it happened by the device's own clock, where that is wrong"`
	Type       string          `json:"type" doc:"OctoPrint's event, or gap, dropped, malformed, online, offline"`
	Epoch      string          `json:"epoch,omitempty"`
	Seq        int64           `json:"seq,omitempty"`
	Job        string          `json:"job,omitempty" doc:"Id of the print it belongs to"`
	Data       json.RawMessage `json:"data,omitempty"`
}

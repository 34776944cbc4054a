// Package publish sends a camera's pictures to the server while somebody looks. Each camera has a process of its own:
// what a hostile stream does to it ends there, and the memory that pictures take goes back to the machine. The agent
// itself (Publisher) starts, steers and ends those processes.
package publish

import (
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// Command is the argument with which the program becomes a publishing process: see Child.
const Command = "publish-camera"

// Order is what the agent writes to a publishing process, one JSON object a line: the first says everything, each later
// one takes its place. It goes over standard input, which no other user of the machine can read.
type Order struct {
	Server string `json:"server"`          // base URL
	CA     string `json:"ca,omitzero"`     // PEM; "" for the system's roots
	UUID   string `json:"uuid"`            // of the device
	Token  string `json:"token"`           // of the device
	Camera string `json:"camera"`          // id
	Link   string `json:"link"`            // that the server waits for
	Clock  *Clock `json:"clock,omitempty"` // nil: not known

	Source  wire.CameraInput  `json:"source"`
	Options wire.MediaOptions `json:"options"`
	Encoder string            `json:"encoder,omitzero"` // of ffmpeg, that was found to work before
}

// Clock is the server's time at a moment of this machine's clock, both Unix µs.
type Clock struct {
	Server int64 `json:"server"`
	Here   int64 `json:"here"`
}

// Told is what a publishing process writes, one JSON object a line.
type Told struct {
	wire.CameraReport
	Info    *wire.MediaInfo `json:"info,omitempty"`
	Encoder string          `json:"encoder,omitzero"`
	Link    string          `json:"link,omitzero"` // why there is none to the server
}

// serverTime gives a moment by the server's clock, on which nobody who sets this machine's has an influence.
type serverTime struct {
	known  bool
	here   time.Time
	server time.Time
}

// maxHandOver is how long the way from the agent to its process may have taken.
const maxHandOver = 30 * time.Second

func newServerTime(c *Clock) serverTime {
	if c == nil {
		return serverTime{}
	}
	now := time.Now()
	late := now.Sub(time.UnixMicro(c.Here))
	if late < 0 || late > maxHandOver { // somebody has set the clock in between
		late = 0
	}
	return serverTime{true, now, time.UnixMicro(c.Server).Add(late)}
}

// micros gives Unix µs by the server's clock; 0 when that is not known.
func (s serverTime) micros(at time.Time) uint64 {
	if !s.known {
		return 0
	}
	return uint64(max(s.server.Add(at.Sub(s.here)).UnixMicro(), 0))
}

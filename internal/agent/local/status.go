// Package local is what programs on the same machine can ask of a running agent, over a Unix socket in its data folder.
package local

import (
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/broker"
	"github.com/kangbyounggwan/factor/internal/agent/camera/publish"
	"github.com/kangbyounggwan/factor/internal/agent/queue"
	"github.com/kangbyounggwan/factor/internal/agent/uplink"
)

// Status is the state of a running agent, as `factor-agent status --json` prints it.
type Status struct {
	Version   string          `json:"version"`
	PID       int             `json:"pid"`
	StartedAt time.Time       `json:"started_at"`
	RSS       int64           `json:"rss"` // bytes, 0 where it cannot be told
	UUID      string          `json:"uuid"`
	Name      string          `json:"name"`
	Pending   bool            `json:"pending,omitzero"` // its owner has not completed the printer on the server's page yet
	Server    Server          `json:"server"`
	OctoPrint OctoPrint       `json:"octoprint"`
	Printer   Printer         `json:"printer"`
	Queue     queue.Stats     `json:"queue"`
	Broker    broker.State    `json:"broker"`
	Cameras   []publish.State `json:"cameras,omitempty"` // that somebody looks at, or did a moment ago
	Errors    []Complaint     `json:"errors"`            // the newest last
}

// Server is the session with the server.
type Server struct {
	URL string `json:"url"`
	uplink.State
	Watched bool     `json:"watched"`
	Offset  *float64 `json:"clock_offset"` // s that the server's clock is ahead of ours, null until known
}

// OctoPrint is the connection to OctoPrint.
type OctoPrint struct {
	URL     string    `json:"url"`
	Health  string    `json:"health"` // connecting, connected, key_refused, unreachable
	Since   time.Time `json:"since,omitzero"`
	Version string    `json:"version,omitzero"`
	Error   string    `json:"error,omitzero"`
}

// Printer is what OctoPrint says of its printer.
type Printer struct {
	Status     string   `json:"status"`
	Text       string   `json:"text"`
	Completion *float64 `json:"completion"` // %
	Job        string   `json:"job,omitzero"`
	File       string   `json:"file,omitzero"`
}

// Complaint is a warning or an error of the last time.
type Complaint struct {
	At    time.Time `json:"at"`
	Text  string    `json:"text"`
	Code  string    `json:"code,omitzero"` // what kind of trouble, where it is a known one
	Count int       `json:"count"`         // how often in a row
}

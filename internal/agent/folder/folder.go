// Package folder is the agent's data folder: what the enrolment left there, and who may use it now.
package folder

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/kangbyounggwan/factor/internal/agent/durable"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// Config is config.json: what an enrolment got. It holds secrets, so the file is readable by its owner only.
type Config struct {
	Server    string    `json:"server"` // base URL of the server, without a slash at its end
	UUID      string    `json:"uuid"`
	Token     string    `json:"token,omitzero"` // device token; empty while an enrolment is unfinished
	Name      string    `json:"name"`
	Pending   bool      `json:"pending,omitzero"` // its owner has not completed the printer on the server's page yet
	MQTT      MQTT      `json:"mqtt"`
	CA        string    `json:"ca,omitzero"` // PEM; empty means the system's roots
	OctoPrint OctoPrint `json:"octoprint"`
}

// MQTT is where the server takes devices.
type MQTT struct {
	Host          string `json:"host"`
	Port          int    `json:"port"`
	TLS           bool   `json:"tls"`
	WebsocketPath string `json:"websocket_path,omitzero"` // on Server; empty means there is no such way
}

// OctoPrint is how to reach OctoPrint.
type OctoPrint struct {
	URL string `json:"url"` // may have a path, such as http://host/octoprint
	Key string `json:"key"`
}

// ErrNotEnrolled says that the folder holds no finished enrolment.
var ErrNotEnrolled = errors.New("this folder holds no enrolment")

// ErrInUse says that another agent runs on the same folder.
var ErrInUse = errors.New("another agent uses this folder")

// Validate tells what is missing or malformed, by field.
func (c *Config) Validate() error {
	switch {
	case !wire.ValidUUID(c.UUID):
		return fmt.Errorf("uuid: %w", wire.ErrUUID)
	case c.Token == "":
		return fmt.Errorf("token: %w", ErrNotEnrolled)
	case c.MQTT.Host == "" || c.MQTT.Port < 1 || c.MQTT.Port > 65535:
		return errors.New("mqtt: no usable host and port")
	}
	if u, err := url.Parse(c.Server); err != nil || u.Host == "" {
		return errors.New("server: not a URL")
	}
	if u, err := url.Parse(c.OctoPrint.URL); err != nil || u.Host == "" {
		return errors.New("octoprint.url: not a URL")
	}
	return nil
}

// Folder is a data folder.
type Folder struct {
	Path string
}

// Open makes the folder if it is missing, readable by its owner only.
func Open(path string) (*Folder, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	return &Folder{Path: path}, nil
}

// Join names a file inside.
func (f *Folder) Join(name string) string { return filepath.Join(f.Path, name) }

// Config reads config.json; ErrNotEnrolled when there is none. It may be unfinished: see Validate.
func (f *Folder) Config() (*Config, error) {
	content, err := os.ReadFile(f.Join("config.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, ErrNotEnrolled
	}
	if err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	var c Config
	if err := json.Unmarshal(content, &c); err != nil {
		return nil, fmt.Errorf("config.json is damaged: %w", err)
	}
	return &c, nil
}

// SaveConfig writes config.json durably.
func (f *Folder) SaveConfig(c *Config) error {
	content, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("save config: %w", err)
	}
	return durable.WriteFile(f.Join("config.json"), append(content, '\n'))
}

// Forget removes a file of the folder, if it is there.
func (f *Folder) Forget(name string) { os.Remove(f.Join(name)) }

// ForgetPrinter removes the registration and what is kept of its printer: events and answers that wait, the print under way. Nobody
// may use the folder's queue meanwhile.
func (f *Folder) ForgetPrinter() error {
	if err := os.Remove(f.Join("config.json")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("forget registration: %w", err)
	}
	if err := durable.SyncDir(f.Path); err != nil {
		return fmt.Errorf("forget registration: %w", err)
	}
	for _, name := range []string{"events", "job.json", "files.sent", "commands", "transfers"} {
		if err := os.RemoveAll(f.Join(name)); err != nil {
			return fmt.Errorf("forget printer: %w", err)
		}
	}
	return nil
}

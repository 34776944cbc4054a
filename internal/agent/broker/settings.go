// Package broker is an MQTT broker that the printer's owner has, such as a home automation's: what is set for it, whether
// it can be reached, and what is published to it beside the server.
package broker

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/kangbyounggwan/factor/internal/agent/durable"
	"github.com/kangbyounggwan/factor/internal/agent/folder"
)

const fileName = "mqtt.json"

// Settings is mqtt.json.
type Settings struct {
	Enabled  bool    `json:"enabled"`
	Host     string  `json:"host"`
	Port     int     `json:"port"`
	Username string  `json:"username"`
	Password string  `json:"password,omitzero"` // never answered
	TLS      bool    `json:"tls"`
	CA       string  `json:"ca"`     // PEM: certificates to trust besides the system's; "" for none
	Prefix   string  `json:"prefix"` // first levels of every topic
	QoS      byte    `json:"qos"`    // 0, 1 or 2
	Retain   bool    `json:"retain"`
	Publish  Publish `json:"publish"`
	Interval float64 `json:"interval"` // s between two messages of a kind
}

// Publish says what goes to the broker.
type Publish struct {
	Status      bool `json:"status"`
	Progress    bool `json:"progress"`
	Temperature bool `json:"temperature"`
	Events      bool `json:"events"`
}

// Defaults are those of the published plugin.
var Defaults = Settings{Port: 1883, Prefix: "octoprint", Interval: 1, Publish: Publish{true, true, true, true}}

// Read reads the settings of a data folder; the defaults where there are none.
func Read(f *folder.Folder) (Settings, error) {
	b := Defaults
	content, err := os.ReadFile(f.Join(fileName))
	if errors.Is(err, os.ErrNotExist) {
		return b, nil
	}
	if err != nil {
		return b, fmt.Errorf("read broker: %w", err)
	}
	if err := json.Unmarshal(content, &b); err != nil {
		return b, fmt.Errorf("%s is damaged", fileName)
	}
	return b, nil
}

// Save writes them durably.
func (b *Settings) Save(f *folder.Folder) error {
	content, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return fmt.Errorf("save broker: %w", err)
	}
	return durable.WriteFile(f.Join(fileName), append(content, '\n'))
}

// Check tells which field is wrong and why; "" for none.
func (b *Settings) Check() (field, message string) {
	switch {
	case (b.Host == "" && b.Enabled) || len(b.Host) > 253 || strings.ContainsAny(b.Host, " /\\@?#\t\r\n"):
		return "host", "the host is a name or an IP address, without mqtt:// and port"
	case b.Port < 1 || b.Port > 65535:
		return "port", "the port is a number from 1 to 65535"
	case b.QoS > 2:
		return "qos", "the QoS is 0, 1 or 2"
	case b.Interval < 0.5 || b.Interval > 3600:
		return "interval", "the interval is 0.5 to 3600 seconds"
	case b.Prefix == "" || len(b.Prefix) > 200 || strings.ContainsAny(b.Prefix, "+#\x00"):
		return "prefix", "the prefix is part of a topic: no + and #"
	case len(b.Username) > 1000 || len(b.Password) > 1000:
		return "password", "the user name or the password is too long"
	}
	if _, err := folder.Roots(b.CA); err != nil {
		return "ca", "the CA is a certificate as PEM: -----BEGIN CERTIFICATE-----"
	}
	return "", ""
}

package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/kangbyounggwan/factor/internal/agent/durable"
	"github.com/kangbyounggwan/factor/internal/agent/folder"
)

const brokerName = "mqtt.json"

// Broker is mqtt.json: the MQTT broker of somebody who has one of his own.
type Broker struct {
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
}

// defaults are those of the published plugin.
var defaults = Broker{Port: 1883, Prefix: "octoprint", Interval: 1, Publish: Publish{true, true, true}}

// broker reads the settings; the defaults where there are none.
func (a *API) broker() (Broker, error) {
	b := defaults
	content, err := os.ReadFile(a.Folder.Join(brokerName))
	if errors.Is(err, os.ErrNotExist) {
		return b, nil
	}
	if err != nil {
		return b, fmt.Errorf("read broker: %w", err)
	}
	if err := json.Unmarshal(content, &b); err != nil {
		return b, fmt.Errorf("%s is damaged", brokerName)
	}
	return b, nil
}

func (a *API) getMQTT(w http.ResponseWriter, _ *http.Request) {
	b, err := a.broker()
	if err != nil {
		sayError(w, err)
		return
	}
	b.Password = ""
	say(w, http.StatusOK, b)
}

// given reads the settings of a request. A password that is left out is the kept one, but only for the place that it was
// given for: else whoever may test could have it sent to himself.
func (a *API) given(r *http.Request) (*Broker, *Trouble) {
	kept, err := a.broker()
	if err != nil {
		kept = defaults // which saving mends
	}
	b := defaults
	var password struct {
		Password *string `json:"password"`
	}
	if t := read(r, &brokerAndPassword{&b, &password}); t != nil {
		return nil, t
	}
	b.Host, b.Prefix = strings.TrimSpace(b.Host), strings.Trim(strings.TrimSpace(b.Prefix), "/")
	if password.Password == nil && b.Host == kept.Host && b.Port == kept.Port && b.Username == kept.Username && b.TLS == kept.TLS {
		b.Password = kept.Password
	}
	return &b, b.check()
}

// brokerAndPassword decodes the same object twice: to see whether there is a password in it at all.
type brokerAndPassword struct{ broker, password any }

func (b *brokerAndPassword) UnmarshalJSON(content []byte) error {
	return errors.Join(json.Unmarshal(content, b.broker), json.Unmarshal(content, b.password))
}

func (b *Broker) check() *Trouble {
	wrong := func(field, message string) *Trouble {
		return &Trouble{Code: "bad_" + field, Message: message, status: http.StatusUnprocessableEntity}
	}
	switch {
	case (b.Host == "" && b.Enabled) || len(b.Host) > 253 || strings.ContainsAny(b.Host, " /\\@?#\t\r\n"):
		return wrong("host", "the host is a name or an IP address, without mqtt:// and port")
	case b.Port < 1 || b.Port > 65535:
		return wrong("port", "the port is a number from 1 to 65535")
	case b.QoS > 2:
		return wrong("qos", "the QoS is 0, 1 or 2")
	case b.Interval < 0.5 || b.Interval > 3600:
		return wrong("interval", "the interval is 0.5 to 3600 seconds")
	case b.Prefix == "" || len(b.Prefix) > 200 || strings.ContainsAny(b.Prefix, "+#\x00"):
		return wrong("prefix", "the prefix is part of a topic: no + and #")
	case len(b.Username) > 1000 || len(b.Password) > 1000:
		return wrong("password", "the user name or the password is too long")
	}
	if _, err := folder.Roots(b.CA); err != nil {
		return wrong("ca", "the CA is a certificate as PEM: -----BEGIN CERTIFICATE-----")
	}
	return nil
}

func (a *API) saveMQTT(w http.ResponseWriter, r *http.Request) {
	a.entering.Lock()
	defer a.entering.Unlock()
	b, t := a.given(r)
	if t != nil {
		say(w, t.status, t)
		return
	}
	content, err := json.MarshalIndent(b, "", "  ")
	if err == nil {
		err = durable.WriteFile(a.Folder.Join(brokerName), append(content, '\n'))
	}
	if err != nil {
		sayError(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

package local

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/kangbyounggwan/factor/internal/agent/broker"
)

func (a *API) getMQTT(w http.ResponseWriter, _ *http.Request) {
	b, err := broker.Read(a.Folder)
	if err != nil {
		sayError(w, err)
		return
	}
	b.Password = ""
	say(w, http.StatusOK, b)
}

// given reads the settings of a request. A password that is left out is the kept one, but only for the place that it was
// given for: else whoever may test could have it sent to himself.
func (a *API) given(r *http.Request) (*broker.Settings, *Trouble) {
	kept, err := broker.Read(a.Folder)
	if err != nil {
		kept = broker.Defaults // which saving mends
	}
	b := broker.Defaults
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
	if field, message := b.Check(); field != "" {
		return nil, &Trouble{Code: "bad_" + field, Message: message, status: http.StatusUnprocessableEntity}
	}
	return &b, nil
}

// brokerAndPassword decodes the same object twice: to see whether there is a password in it at all.
type brokerAndPassword struct{ broker, password any }

func (b *brokerAndPassword) UnmarshalJSON(content []byte) error {
	return errors.Join(json.Unmarshal(content, b.broker), json.Unmarshal(content, b.password))
}

// saveMQTT keeps the settings; the agent publishes by them from now on.
func (a *API) saveMQTT(w http.ResponseWriter, r *http.Request) {
	a.entering.Lock()
	defer a.entering.Unlock()
	b, t := a.given(r)
	if t != nil {
		say(w, t.status, t)
		return
	}
	if err := b.Save(a.Folder); err != nil {
		sayError(w, err)
		return
	}
	a.Agent.BrokerChanged()
	w.WriteHeader(http.StatusNoContent)
}

func (a *API) testMQTT(w http.ResponseWriter, r *http.Request) {
	b, t := a.given(r)
	if t != nil {
		say(w, t.status, t)
		return
	}
	if b.Host == "" {
		say(w, http.StatusUnprocessableEntity, &Trouble{Code: "bad_host", Message: "a host is needed"})
		return
	}
	steps := b.Try(r.Context())
	say(w, http.StatusOK, map[string]any{"ok": steps[len(steps)-1].OK, "steps": steps})
}

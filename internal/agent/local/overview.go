package local

import (
	"net/http"
	"os"
	"runtime"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/broker"
)

// Overview is GET /v1/status: what the plugin's page shows.
type Overview struct {
	State string `json:"state"` // see state
	Agent struct {
		Version string `json:"version"`
		Uptime  int64  `json:"uptime"`    // s
		RSS     int64  `json:"rss_bytes"` // 0 where it cannot be told
		PID     int    `json:"pid"`
		OS      string `json:"os"`
		Arch    string `json:"arch"`
	} `json:"agent"`
	Server struct {
		URL       string    `json:"url"`
		Reachable bool      `json:"reachable"`
		Connected bool      `json:"connected"`
		Since     time.Time `json:"since,omitzero"`
		LastError *Trouble  `json:"last_error,omitempty"`
	} `json:"server"`
	OctoPrint struct {
		Reachable bool     `json:"reachable"`
		State     string   `json:"state"`
		LastError *Trouble `json:"last_error,omitempty"`
	} `json:"octoprint"`
	InstanceID string         `json:"instance_id"`
	Account    *accountShown  `json:"account"`
	Printer    *printerShown  `json:"printer"`
	Camera     cameraShown    `json:"camera"`
	Broker     brokerShown    `json:"broker"`
	FFmpeg     ffmpegShown    `json:"ffmpeg"`
	Queue      queueShown     `json:"queue"`
	Clock      clockShown     `json:"clock"`
	Errors     []errorInShort `json:"errors"` // the newest last
}

type (
	accountShown struct {
		Email string `json:"email"`
	}
	printerShown struct {
		Name string `json:"name"`
	}
	cameraShown struct {
		StreamURLSet bool     `json:"stream_url_set"` // never the URL: it may hold a password
		State        string   `json:"state"`          // none, saved, sent (to the server)
		LastError    *Trouble `json:"last_error,omitempty"`
	}
	// brokerShown is somebody's own broker.
	brokerShown struct {
		Enabled   bool      `json:"enabled"`
		Connected bool      `json:"connected"`
		Since     time.Time `json:"since,omitzero"`
		LastError *Trouble  `json:"last_error,omitempty"`
	}
	ffmpegShown struct {
		Found   bool   `json:"found"`
		Version string `json:"version,omitzero"`
	}
	queueShown struct {
		Events int64 `json:"events"`
		Bytes  int64 `json:"bytes"`
	}
	clockShown struct {
		Offset *float64 `json:"offset_s"` // s that the server's clock is ahead of ours, null until known
	}
	errorInShort struct {
		At      time.Time `json:"at"`
		Code    string    `json:"code"`
		Message string    `json:"message"`
	}
)

// The states of a registration.
const (
	stateNone         = "no_instance_id"       // nothing is registered
	stateStarting     = "starting"             // registered, the first connection is under way
	stateDisconnected = "disconnected"         // the server cannot be reached
	stateRefused      = "not_subscribed"       // reached, but it does not let us in
	statePending      = "pending_registration" // let in; the owner has yet to complete the printer
	stateReady        = "ready"
)

func state(s *Status) string {
	switch {
	case s.Server.Refused:
		return stateRefused
	case !s.Server.Connected && s.Server.Attempts > 0:
		return stateDisconnected
	case s.Pending:
		return statePending
	case !s.Server.Connected:
		return stateStarting
	}
	return stateReady
}

func (a *API) getStatus(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, a.overview()) }

// getAgent answers what `factor-agent status` prints.
func (a *API) getAgent(w http.ResponseWriter, _ *http.Request) {
	s, ok := a.Agent.Status()
	if !ok {
		sayError(w, ErrNotRegistered)
		return
	}
	say(w, http.StatusOK, s)
}

func (a *API) overview() *Overview {
	o := &Overview{State: stateNone}
	o.Agent.Version, o.Agent.Uptime, o.Agent.RSS = a.Version, int64(time.Since(a.started).Seconds()), RSS()
	o.Agent.PID, o.Agent.OS, o.Agent.Arch = os.Getpid(), runtime.GOOS, runtime.GOARCH
	o.Server.URL = a.confirmed().URL
	if account := a.signedIn(); account != nil {
		o.Account = &accountShown{account.Email()}
	}
	if s, ok := a.Agent.Status(); ok {
		o.of(&s)
	} else {
		o.InstanceID = a.drafted()
		a.mu.Lock()
		if a.about.URL != "" { // not looked at before there is a printer
			o.OctoPrint.State = "known"
		}
		a.mu.Unlock()
	}
	if b, err := broker.Read(a.Folder); err == nil {
		o.Broker.Enabled = b.Enabled
	}
	o.Camera.State = "none"
	if c, ok := a.camera(); ok {
		o.Camera.StreamURLSet, o.Camera.State = true, "saved"
		if c.Sent {
			o.Camera.State = "sent"
		}
	}
	a.mu.Lock()
	o.Camera.LastError = a.looked
	a.mu.Unlock()
	if f := a.ffmpeg.Load(); f != nil {
		o.FFmpeg = ffmpegShown{Found: f.Path != "", Version: f.Version}
	}
	o.Errors = []errorInShort{}
	for _, c := range a.Errors() {
		o.Errors = append(o.Errors, errorInShort{c.At, c.Code, clean(c.Text)})
	}
	return o
}

// of takes over what a running agent says.
func (o *Overview) of(s *Status) {
	o.State, o.InstanceID = state(s), s.UUID
	o.Printer = &printerShown{s.Name}
	o.Server.URL, o.Server.Connected, o.Server.Since = s.Server.URL, s.Server.Connected, s.Server.Since
	o.Server.Reachable = s.Server.Connected || s.Server.Refused
	if !s.Server.Connected && s.Server.Error != "" {
		o.Server.LastError = &Trouble{Code: codeOf(s.Server.Fault), Message: clean(s.Server.Error)}
	}
	o.OctoPrint.Reachable = s.OctoPrint.Health == "connected"
	o.OctoPrint.State = s.Printer.Text
	if s.OctoPrint.Error != "" {
		o.OctoPrint.LastError = &Trouble{Code: "octoprint_" + s.OctoPrint.Health, Message: clean(s.OctoPrint.Error)}
	}
	o.Broker.Connected, o.Broker.Since = s.Broker.Connected, s.Broker.Since
	if s.Broker.Code != "" {
		o.Broker.LastError = &Trouble{Code: s.Broker.Code, Message: s.Broker.Error}
	}
	o.Queue = queueShown{Events: s.Queue.Length, Bytes: s.Queue.Bytes}
	o.Clock.Offset = s.Server.Offset
}

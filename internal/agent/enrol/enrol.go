// Package enrol makes a printer known to a server under somebody's account, and keeps what is needed to serve it.
package enrol

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/kangbyounggwan/factor/internal/agent/folder"
	"github.com/kangbyounggwan/factor/internal/agent/octoprint"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// Enrolment is what a person gives. Either Email and Password, or APIToken.
type Enrolment struct {
	Folder       *folder.Folder // locked by the caller
	Server       string         // https://…, or http:// on this machine
	OctoPrintURL string
	OctoPrintKey string
	Name         string // of the printer
	Email        string
	Password     string
	APIToken     string // fct_…
	UUID         string // "" keeps the one in the folder, or makes one
	CA           []byte // PEM: certificates to trust besides the system's
	Fingerprint  string // SHA-256 of the server's own CA, hex, as the server's pages show it
}

// Result is what came of it.
type Result struct {
	UUID      string
	Name      string
	OctoPrint string // version
	Server    string // version
	Renewed   bool   // the printer was known before
}

// Fault is a reason why an enrolment failed, for the words that a person reads.
type Fault string

// The faults.
const (
	FaultServerURL       Fault = "server_url"       // no URL, or http to another machine, which would show the password
	FaultServerAway      Fault = "server_away"      // does not answer
	FaultServerName      Fault = "server_name"      // its name is not known
	FaultCertificate     Fault = "certificate"      // nobody we trust vouches for the server
	FaultExpired         Fault = "expired"          // its certificate is no longer or not yet valid
	FaultClock           Fault = "clock"            // this machine's clock is wrong, so that no certificate is valid
	FaultFingerprint     Fault = "fingerprint"      // the server's CA is another one
	FaultNotFactor       Fault = "not_factor"       // answers, but not as a FACTOR server
	FaultCredentials     Fault = "credentials"      // e-mail, password or API token wrong
	FaultUnverified      Fault = "unverified"       // the account's e-mail is not verified
	FaultDisabled        Fault = "disabled"         // the account is
	FaultCode            Fault = "code"             // wrong, used or too old
	FaultSlowDown        Fault = "slow_down"        // too many attempts
	FaultTaken           Fault = "uuid_taken"       // the UUID belongs to another account
	FaultRefused         Fault = "refused"          // the server says no, in its own words
	FaultOctoPrintURL    Fault = "octoprint_url"    // no URL
	FaultOctoPrintAway   Fault = "octoprint_away"   // does not answer
	FaultOctoPrintKey    Fault = "octoprint_key"    // OctoPrint refuses the key
	FaultUUID            Fault = "uuid"             // malformed
	FaultName            Fault = "name"             // empty or too long
	FaultFolder          Fault = "folder"           // cannot be written
	FaultNotOctoPrint    Fault = "not_octoprint"    // answers, but not as OctoPrint
	FaultNoAuthorization Fault = "no_authorization" // neither password nor API token given
)

// Error is a fault with what caused it.
type Error struct {
	Fault      Fault
	Err        error
	RetryAfter int // s, of FaultSlowDown; 0 when it is not known
}

func (e *Error) Error() string {
	if e.Err == nil {
		return string(e.Fault)
	}
	return string(e.Fault) + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

func fault(f Fault, err error) error { return &Error{Fault: f, Err: err} }

// Do enrols. Doing it again with the same folder keeps the UUID and, if it is the same account, everything on the
// server. It can be broken off anywhere and done again.
func (e *Enrolment) Do(ctx context.Context) (*Result, error) {
	c, err := e.prepare()
	if err != nil {
		return nil, err
	}
	version, err := e.checkOctoPrint(ctx)
	if err != nil {
		return nil, err
	}
	server, err := e.connect(ctx, c)
	if err != nil {
		return nil, err
	}
	defer server.close()
	about, err := server.about(ctx)
	if err != nil {
		return nil, err
	}
	c.MQTT = folder.MQTT{Host: about.MQTT.Host, Port: about.MQTT.Port, TLS: about.MQTT.TLS, WebsocketPath: about.MQTT.WebsocketPath}
	if c.MQTT.Host == "" {
		c.MQTT.Host = server.base.Hostname()
	}
	if err := server.login(ctx, e); err != nil {
		return nil, err
	}
	defer server.logout(ctx)
	// The UUID is written down before the server hears of it: whatever breaks from here on, the next try uses the same.
	if err := e.Folder.SaveConfig(c); err != nil {
		return nil, fault(FaultFolder, err)
	}
	token, renewed, err := server.register(ctx, c.UUID, e.Name)
	if err != nil {
		return nil, err
	}
	if token == "" && c.Token == "" { // an earlier try broke off before it could keep the token
		if token, err = server.newToken(ctx, c.UUID); err != nil {
			return nil, err
		}
	}
	if token != "" {
		c.Token = token
	}
	if err := e.Folder.SaveConfig(c); err != nil {
		return nil, fault(FaultFolder, err)
	}
	e.Folder.Forget("files.sent") // the server may be another one
	return &Result{UUID: c.UUID, Name: e.Name, OctoPrint: plain(version), Server: plain(about.Version), Renewed: renewed}, nil
}

// prepare checks what was given and merges it with what the folder holds.
func (e *Enrolment) prepare() (*folder.Config, error) {
	u, err := url.Parse(e.Server)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, fault(FaultServerURL, errors.New("no http:// or https:// URL"))
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return nil, fault(FaultServerURL, errors.New("http:// to another machine would show the password to everybody on the way"))
	}
	if e.APIToken == "" && (e.Email == "" || e.Password == "") {
		return nil, fault(FaultNoAuthorization, nil)
	}
	e.Name = strings.TrimSpace(e.Name)
	if e.Name == "" || len([]rune(e.Name)) > 100 {
		return nil, fault(FaultName, nil)
	}
	c, err := e.Folder.Config()
	if errors.Is(err, folder.ErrNotEnrolled) {
		c = &folder.Config{}
	} else if err != nil {
		return nil, fault(FaultFolder, err)
	}
	base := &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/")}
	if e.UUID != "" && e.UUID != c.UUID {
		c.UUID, c.Token = e.UUID, ""
	}
	if c.UUID == "" {
		c.UUID = wire.NewUUID()
	}
	if !wire.ValidUUID(c.UUID) {
		return nil, fault(FaultUUID, wire.ErrUUID)
	}
	if c.Server != base.String() {
		c.Server, c.Token = base.String(), "" // a token is good for the server that gave it only
	}
	c.Name = e.Name
	c.OctoPrint = folder.OctoPrint{URL: strings.TrimRight(e.OctoPrintURL, "/"), Key: e.OctoPrintKey}
	return c, nil
}

func (e *Enrolment) checkOctoPrint(ctx context.Context) (version string, err error) {
	client, err := octoprint.NewClient(e.OctoPrintURL, e.OctoPrintKey)
	if err != nil {
		return "", fault(FaultOctoPrintURL, err)
	}
	defer client.Close()
	version, err = client.Version(ctx)
	switch {
	case errors.Is(err, octoprint.ErrKeyRefused):
		return "", fault(FaultOctoPrintKey, err)
	case errors.Is(err, octoprint.ErrNotOctoPrint):
		return "", fault(FaultNotOctoPrint, err)
	case err != nil:
		return "", fault(FaultOctoPrintAway, err)
	}
	return version, nil
}

// about is what GET /api/v1/server tells, as far as a device needs it.
type about struct {
	Version   string `json:"version"`
	PublicURL string `json:"public_url"`
	MQTT      *struct {
		Host          string `json:"host"`
		Port          int    `json:"port"`
		TLS           bool   `json:"tls"`
		WebsocketPath string `json:"websocket_path"`
	} `json:"mqtt"`
}

func (s *server) about(ctx context.Context) (*about, error) {
	var a about
	if err := s.call(ctx, http.MethodGet, "/api/v1/server", nil, &a); err != nil {
		return nil, err
	}
	if a.Version == "" || a.MQTT == nil || a.MQTT.Port < 1 || a.MQTT.Port > 65535 {
		return nil, fault(FaultNotFactor, fmt.Errorf("%s: no mqtt address", s.base))
	}
	return &a, nil
}

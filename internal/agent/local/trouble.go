package local

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"syscall"

	"github.com/kangbyounggwan/factor/internal/agent/enrol"
	"github.com/kangbyounggwan/factor/internal/agent/octoprint"
	"github.com/kangbyounggwan/factor/internal/agent/uplink"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// Trouble is an error as programs read it; a page has its words by code. The message is for diagnosis, in English, and
// holds no secret.
type Trouble struct {
	Code       string `json:"code"`
	Message    string `json:"message"`
	RetryAfter int    `json:"retry_after,omitzero"` // s
	status     int
}

// codes gives each fault its code and HTTP status.
var codes = map[enrol.Fault]struct {
	code   string
	status int
}{
	enrol.FaultServerURL:   {"bad_url", http.StatusUnprocessableEntity},
	enrol.FaultServerAway:  {"server_unreachable", http.StatusBadGateway},
	enrol.FaultServerName:  {"name_not_found", http.StatusBadGateway},
	enrol.FaultCertificate: {"tls_untrusted", http.StatusBadGateway},
	enrol.FaultExpired:     {"tls_expired", http.StatusBadGateway},
	enrol.FaultClock:       {"clock_wrong", http.StatusBadGateway},
	enrol.FaultNotFactor:   {"not_factor", http.StatusBadGateway},
	enrol.FaultCredentials: {"invalid_credentials", http.StatusUnauthorized},
	enrol.FaultUnverified:  {"email_unverified", http.StatusForbidden},
	enrol.FaultDisabled:    {"account_disabled", http.StatusForbidden},
	enrol.FaultCode:        {"code_invalid", http.StatusUnprocessableEntity},
	enrol.FaultSlowDown:    {"slow_down", http.StatusTooManyRequests},
	enrol.FaultTaken:       {"uuid_taken", http.StatusConflict},
	enrol.FaultUUID:        {"uuid_invalid", http.StatusUnprocessableEntity},
	enrol.FaultRefused:     {"refused_by_server", http.StatusConflict},
}

// troubleOf makes an error readable by programs.
func troubleOf(err error) *Trouble {
	t := &Trouble{Code: "internal", Message: clean(err.Error()), status: http.StatusInternalServerError}
	var e *enrol.Error
	switch {
	case errors.As(err, &e):
		if c, ok := codes[e.Fault]; ok {
			t.Code, t.status, t.RetryAfter = c.code, c.status, e.RetryAfter
		}
	case errors.Is(err, ErrNotRegistered):
		t.Code, t.status = "not_registered", http.StatusConflict
	case errors.Is(err, octoprint.ErrKeyRefused):
		t.Code = "octoprint_key_refused"
	case errors.Is(err, octoprint.ErrNotOctoPrint):
		t.Code = "not_octoprint"
	default:
		if code := codeOf(err); code != "" {
			t.Code = code
		}
	}
	return t
}

const codeNoSpace = "no_space"

// codeOf tells what kind of trouble with the network or the server an error is; "" for none that is known.
func codeOf(err error) string {
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	var wrongName x509.HostnameError
	var name *net.DNSError
	var network net.Error
	var e *enrol.Error
	switch {
	case errors.As(err, &e):
		return codes[e.Fault].code
	case uplink.Refused(err):
		return "refused_by_server"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "tls_expired"
	case errors.As(err, &unknown), errors.As(err, &wrongName), errors.As(err, &invalid):
		return "tls_untrusted"
	case errors.As(err, &name):
		return "name_not_found"
	case errors.Is(err, syscall.ENOSPC):
		return codeNoSpace
	case errors.As(err, &network):
		return "server_unreachable"
	}
	return ""
}

// clean makes a text of another program fit to be shown.
func clean(s string) string {
	s, _ = wire.CleanText(s, 500)
	return s
}

func say(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) // one who is gone needs no answer
}

func sayError(w http.ResponseWriter, err error) {
	t := troubleOf(err)
	say(w, t.status, t)
}

// read decodes the request's JSON object; a request without a body leaves v as it is. Unknown fields are left out, so
// that a newer plugin can talk to an older agent.
func read(r *http.Request, v any) *Trouble {
	content, err := io.ReadAll(r.Body)
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return &Trouble{Code: "too_large", Message: "the request is too large", status: http.StatusRequestEntityTooLarge}
	}
	if err != nil {
		return &Trouble{Code: "not_json", Message: "the request was cut off", status: http.StatusBadRequest}
	}
	if len(content) == 0 {
		return nil
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "application/json" || json.Unmarshal(content, v) != nil {
		return &Trouble{Code: "not_json", Message: "the request is no such JSON object as was expected", status: http.StatusBadRequest}
	}
	return nil
}

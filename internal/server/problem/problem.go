// Package problem is how FACTOR says no over HTTP: RFC 9457 problem details with a stable code that the pages
// translate and programs decide on. What is no Problem is an internal error and is shown as such, without its text.
package problem

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Problem is one answer. It is an error, and what huma writes as application/problem+json.
type Problem struct {
	Type   string `json:"type" doc:"Always about:blank: the code says what it is"`
	Title  string `json:"title" doc:"The HTTP status in words"`
	Status int    `json:"status" doc:"The HTTP status"`
	Detail string `json:"detail,omitempty" doc:"What happened and what to do next, in English"`
	Code   string `json:"code" doc:"Stable name of this problem"`
	Field  string `json:"field,omitempty" doc:"The field that is at fault"`
	Reason string `json:"reason,omitempty" doc:"With some codes: which of several reasons it is, a stable name"`

	// RetryAfter is how many seconds to wait; it also goes out as the header Retry-After.
	RetryAfter int              `json:"retry_after,omitempty" doc:"Seconds to wait before the next try"`
	Errors     []ValidationFail `json:"errors,omitempty" doc:"Every field that is at fault"`
}

// ValidationFail is one field that does not fit the API's description.
type ValidationFail struct {
	Field   string `json:"field" doc:"Where, such as body.name"`
	Message string `json:"message" doc:"What is wrong"`
}

// New makes a problem.
func New(status int, code, detail string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
}

// Field makes a 422 problem about one field of the request.
func Field(code, field, detail string) *Problem {
	p := New(http.StatusUnprocessableEntity, code, detail)
	p.Field = field
	return p
}

// SlowDown makes the 429 problem for somebody who tries too often.
func SlowDown(wait time.Duration) *Problem {
	p := New(http.StatusTooManyRequests, "slow_down", "Too many attempts. Wait before you try again.")
	p.RetryAfter = max(1, int(math.Ceil(wait.Seconds())))
	return p
}

// NotFound is the answer for what is not there, and for what the asker may not know to be there.
func NotFound(what string) *Problem {
	return New(http.StatusNotFound, "not_found", "There is no such "+what+".")
}

// The problems that every part needs.
var (
	ErrNotAllowed  = New(http.StatusForbidden, "not_allowed", "You may look at this, but not change it. Ask its owner.")
	ErrNotSignedIn = New(http.StatusUnauthorized, "not_signed_in", "Sign in first.")
)

func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus is what huma asks for the status line.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType makes huma send application/problem+json.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders is what huma adds to the answer.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	return h
}

// Write answers with the problem.
func (p *Problem) Write(w http.ResponseWriter) {
	body, err := json.Marshal(p)
	if err != nil {
		body = []byte(`{"code":"internal"}`)
	}
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // the asker is gone: nobody to tell
}

// Is makes errors.Is compare problems by their code.
func (p *Problem) Is(target error) bool {
	t, ok := target.(*Problem)
	return ok && t.Code == p.Code
}

// Code gives the code of a problem within err, or "" where there is none.
func Code(err error) string {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p.Code
	}
	return ""
}

// Huma is what huma.NewError is set to: it turns huma's own refusals (validation, content type, size) into problems.
// Causes with a 5xx status are not shown.
func Huma(status int, msg string, errs ...error) huma.StatusError {
	for _, err := range errs {
		if p, ok := errors.AsType[*Problem](err); ok {
			return p
		}
	}
	if status >= 500 {
		return New(http.StatusInternalServerError, "internal", "Something went wrong on the server. Its log says what.")
	}
	p := New(status, codeOf(status), msg)
	for _, err := range errs {
		if d, ok := err.(huma.ErrorDetailer); ok {
			e := d.ErrorDetail()
			field := fieldOf(e)
			p.Errors = append(p.Errors, ValidationFail{Field: field, Message: e.Message})
			if p.Field == "" {
				p.Field = field
			}
		}
	}
	return p
}

// fieldOf names the field in the words of who filled it in. huma reports a missing one at the object around it.
func fieldOf(e *huma.ErrorDetail) string {
	field := e.Location
	if _, missing, ok := strings.Cut(e.Message, "expected required property "); ok {
		missing, _, _ = strings.Cut(missing, " ")
		field += "." + missing
	}
	return strings.TrimPrefix(field, "body.")
}

func codeOf(status int) string {
	switch status {
	case http.StatusUnprocessableEntity, http.StatusBadRequest:
		return "invalid"
	case http.StatusNotFound:
		return "not_found"
	case http.StatusMethodNotAllowed:
		return "method_not_allowed"
	case http.StatusRequestEntityTooLarge:
		return "too_large"
	case http.StatusUnsupportedMediaType:
		return "unsupported_media_type"
	case http.StatusNotAcceptable:
		return "not_acceptable"
	case http.StatusUnauthorized:
		return "not_signed_in"
	case http.StatusForbidden:
		return "not_allowed"
	}
	return "refused"
}

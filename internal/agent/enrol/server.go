package enrol

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

const (
	callTimeout = 30 * time.Second
	maxAnswer   = 1 << 20 // bytes
	maxShown    = 500     // bytes of a text of the server
)

// server is a conversation with a FACTOR server over HTTP.
type server struct {
	base    *url.URL
	http    *http.Client
	bearer  string
	session bool
}

func newServer(base *url.URL, roots *x509.CertPool) (*server, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &server{base: base, http: &http.Client{
		Timeout: callTimeout, Jar: jar,
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
			TLSHandshakeTimeout: 15 * time.Second, MaxResponseHeaderBytes: 64 << 10, MaxIdleConns: 1,
		},
		// Following one could carry the password to another machine.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func (s *server) close() { s.http.CloseIdleConnections() }

// problem is an error of the server (RFC 9457).
type problem struct {
	Code   string `json:"code"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Field  string `json:"field"`
	Wait   int    `json:"retry_after"` // s
}

// faults gives the fault of a problem's code; others are FaultRefused.
var faults = map[string]Fault{
	"invalid_credentials": FaultCredentials,
	"not_signed_in":       FaultCredentials,
	"email_unverified":    FaultUnverified,
	"account_disabled":    FaultDisabled,
	"code_invalid":        FaultCode,
	"slow_down":           FaultSlowDown,
	"uuid_taken":          FaultTaken,
}

// call asks and decodes the answer into out, if that is not nil.
func (s *server) call(ctx context.Context, method, path string, body, out any) error {
	_, err := s.do(ctx, method, path, body, out)
	return err
}

func (s *server) do(ctx context.Context, method, path string, body, out any) (status int, err error) {
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		content = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.base.String()+path, content)
	if err != nil {
		return 0, fault(FaultServerURL, err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if s.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+s.bearer)
	}
	res, err := s.http.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return 0, s.unreachable(ctx, err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return 0, fault(FaultServerAway, err)
	}
	if res.StatusCode/100 != 2 {
		return res.StatusCode, refusal(res.StatusCode, answer)
	}
	if out != nil && json.Unmarshal(answer, out) != nil {
		return 0, fault(FaultNotFactor, fmt.Errorf("%s%s does not answer as a FACTOR server", s.base, path))
	}
	return res.StatusCode, nil
}

// refusal makes an error of an answer that says no.
func refusal(status int, answer []byte) error {
	var p problem
	if json.Unmarshal(answer, &p) != nil || p.Code == "" {
		if status == http.StatusUnauthorized {
			return fault(FaultCredentials, nil)
		}
		return fault(FaultNotFactor, fmt.Errorf("answered with status %d", status))
	}
	if f, ok := faults[p.Code]; ok {
		return &Error{Fault: f, RetryAfter: p.Wait}
	}
	if status == http.StatusUnauthorized {
		return fault(FaultCredentials, nil)
	}
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	if p.Field != "" {
		text = p.Field + ": " + text
	}
	return fault(FaultRefused, fmt.Errorf("%s (%s)", plain(text), plain(p.Code)))
}

// plain makes what another program said fit for a terminal, which would obey control characters.
func plain(s string) string {
	s, _ = wire.CleanText(s, maxShown)
	return s
}

func (s *server) login(ctx context.Context, e *Enrolment) error {
	if e.APIToken != "" {
		s.bearer = e.APIToken
		return nil
	}
	body := map[string]string{"email": e.Email, "password": e.Password}
	if err := s.call(ctx, http.MethodPost, "/api/v1/session", body, nil); err != nil {
		return err
	}
	s.session = true
	return nil
}

// logout ends the session that login made: the device token is all that is needed from here on.
func (s *server) logout(ctx context.Context) {
	if s.session {
		s.call(ctx, http.MethodDelete, "/api/v1/session", nil, nil) // it would end by itself
	}
}

// register makes the printer known. Without a token in the answer the old one stays valid.
func (s *server) register(ctx context.Context, uuid, name string) (token string, renewed bool, err error) {
	var p struct {
		UUID  string `json:"uuid"`
		Token string `json:"device_token"`
	}
	status, err := s.do(ctx, http.MethodPost, "/api/v1/printers", map[string]string{"uuid": uuid, "name": name}, &p)
	if err != nil {
		return "", false, err
	}
	return p.Token, status == http.StatusOK, nil
}

func (s *server) newToken(ctx context.Context, uuid string) (string, error) {
	var t struct {
		Token string `json:"device_token"`
	}
	if err := s.call(ctx, http.MethodPost, "/api/v1/printers/"+uuid+"/token", nil, &t); err != nil {
		return "", err
	}
	if t.Token == "" {
		return "", fault(FaultNotFactor, errors.New("no device token in the answer"))
	}
	return t.Token, nil
}

// loopback tells whether a host is this machine.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

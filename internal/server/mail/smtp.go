package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// smtpTimeout bounds connecting, and each exchange with the mail server after that.
const smtpTimeout = 30 * time.Second

// server is the mail server of the setting.
type server struct {
	host           string
	port           int
	user, password string
	implicitTLS    bool // smtps: TLS from the first byte
	loopback       bool // this machine: nobody listens in between
}

// parseServer reads smtp(s)://user:pass@host:port. Its errors never show the setting, which holds a password.
func parseServer(raw string) (server, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || (u.Scheme != "smtp" && u.Scheme != "smtps") {
		return server{}, errors.New("smtp: write it as smtp://user:password@host:587 or smtps://user:password@host:465; " +
			"special characters of the password as %XX")
	}
	srv := server{host: u.Hostname(), implicitTLS: u.Scheme == "smtps", port: 587}
	if srv.implicitTLS {
		srv.port = 465
	}
	if p := u.Port(); p != "" {
		if srv.port, err = strconv.Atoi(p); err != nil || srv.port < 1 || srv.port > 65535 {
			return server{}, errors.New("smtp: the port must be 1 to 65535")
		}
	}
	srv.user = u.User.Username()
	srv.password, _ = u.User.Password()
	ip := net.ParseIP(srv.host)
	srv.loopback = srv.host == "localhost" || (ip != nil && ip.IsLoopback())
	return srv, nil
}

// client makes a connection's settings. smtps is TLS throughout. smtp takes STARTTLS where it is offered, and where
// a password would have to travel to another machine it refuses to go on without.
func (srv server) client() (*gomail.Client, error) {
	opts := []gomail.Option{
		gomail.WithPort(srv.port), gomail.WithTimeout(smtpTimeout),
		gomail.WithTLSConfig(&tls.Config{ServerName: srv.host, MinVersion: tls.VersionTLS12}),
	}
	switch {
	case srv.implicitTLS:
		opts = append(opts, gomail.WithSSL())
	case srv.user != "" && !srv.loopback:
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSMandatory))
	default:
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	}
	if srv.user != "" {
		opts = append(opts, gomail.WithUsername(srv.user), gomail.WithPassword(srv.password))
		if srv.loopback {
			opts = append(opts, gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc))
		} else {
			opts = append(opts, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover))
		}
	}
	return gomail.NewClient(srv.host, opts...)
}

// Step is where a delivery failed.
type Step string

// The steps, in their order.
const (
	StepConnect   Step = "connect"
	StepTLS       Step = "tls"
	StepGreeting  Step = "greeting"
	StepLogin     Step = "login"
	StepSender    Step = "sender"
	StepRecipient Step = "recipient"
	StepMessage   Step = "message"
)

// cures say what to do, by the step that failed.
var cures = map[Step]string{
	StepConnect:   "The mail server cannot be reached. Check host and port of the setting smtp and the firewall.",
	StepTLS:       "No secure connection to the mail server. Check whether the port wants smtps:// or smtp://, and its certificate.",
	StepGreeting:  "The mail server does not answer as one. Check the port of the setting smtp.",
	StepLogin:     "The mail server refuses the user name or the password of the setting smtp.",
	StepSender:    "The mail server refuses the sender. Check the setting mail-from.",
	StepRecipient: "The mail server refuses the recipient.",
	StepMessage:   "The mail server refuses the message.",
}

// SendError says at which step a delivery failed.
type SendError struct {
	Step Step
	Code int   // the mail server's reply code, 0 when it gave none
	Err  error // its words
}

func (e *SendError) Error() string {
	return fmt.Sprintf("%s (step %s: %v)", cures[e.Step], e.Step, e.Err)
}

func (e *SendError) Unwrap() error { return e.Err }

// hopeless tells that trying again cannot help: the mail server does not take mail for this recipient.
func (e *SendError) hopeless() bool { return e.Step == StepRecipient && e.Code >= 500 && e.Code < 600 }

// Check connects and logs in to the mail server and sends nothing. Errors: *SendError with the step.
func (s *Sender) Check(ctx context.Context) error {
	client, err := s.server.client()
	if err != nil {
		return &SendError{Step: StepConnect, Err: err}
	}
	if err := client.DialWithContext(ctx); err != nil {
		return dialError(err)
	}
	client.Close() // it said yes; how it says good-bye does not matter
	return nil
}

// deliver hands one message to the mail server. Errors: *SendError with the step.
func (s *Sender) deliver(ctx context.Context, msg *gomail.Msg) error {
	client, err := s.server.client()
	if err != nil {
		return &SendError{Step: StepConnect, Err: err}
	}
	if err := client.DialWithContext(ctx); err != nil {
		return dialError(err)
	}
	defer client.Close()
	if err := client.Send(msg); err != nil {
		return sendError(err)
	}
	return nil
}

func dialError(err error) *SendError {
	var (
		op     *net.OpError
		dns    *net.DNSError
		record tls.RecordHeaderError
		cert   *tls.CertificateVerificationError
		author x509.UnknownAuthorityError
	)
	text := err.Error()
	step := StepGreeting
	switch {
	case errors.As(err, &record), errors.As(err, &cert), errors.As(err, &author), strings.Contains(text, "STARTTLS"), strings.Contains(text, "tls: "):
		step = StepTLS
	case strings.Contains(text, "AUTH"):
		step = StepLogin
	case errors.As(err, &dns), errors.As(err, &op) && op.Op == "dial":
		step = StepConnect
	}
	return &SendError{Step: step, Err: err}
}

func sendError(err error) *SendError {
	e := &SendError{Step: StepMessage, Err: err}
	var se *gomail.SendError
	if errors.As(err, &se) {
		e.Code = se.ErrorCode()
		switch se.Reason {
		case gomail.ErrSMTPMailFrom, gomail.ErrGetSender:
			e.Step = StepSender
		case gomail.ErrSMTPRcptTo, gomail.ErrGetRcpts:
			e.Step = StepRecipient
		}
	}
	return e
}

package mail

import (
	"context"
	"errors"
	"net/http"
	"net/mail"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// Register adds the administrator's test call to api.
func (s *Sender) Register(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "test-mail", Method: http.MethodPost, Path: "/api/v1/admin/mail/test", Tags: []string{"Administration"},
		Summary: "Send a test mail and wait for the mail server's word", DefaultStatus: http.StatusOK,
		Description: "Problems: mail_not_configured (409), mail_failed (502) with the step that failed: connect, tls, greeting, login, sender, recipient, message.",
		Security:    []map[string][]string{{"session": {}}, {"token": {}}},
		Metadata:    map[string]any{"access": "admin"}, MaxBodyBytes: 4 << 10,
	}, s.apiTest)
}

type testAnswer struct {
	Body struct {
		OK bool `json:"ok"`
	}
}

func (s *Sender) apiTest(ctx context.Context, in *struct {
	Body struct {
		To string `json:"to" maxLength:"254"`
	}
}) (*testAnswer, error) {
	actor, err := workspace.RequireAdmin(ctx)
	if err != nil {
		return nil, err
	}
	if !s.Configured() {
		return nil, ErrNotConfigured
	}
	to, err := mail.ParseAddress(in.Body.To)
	if err != nil || to.Address != in.Body.To {
		return nil, problem.Field("email_invalid", "to", "This is not an e-mail address.")
	}
	if err := s.Test(ctx, in.Body.To, actor.Language); err != nil {
		return nil, failed(err)
	}
	out := &testAnswer{}
	out.Body.OK = true
	return out, nil
}

// ErrNotConfigured is the answer where a mail is needed and there is no mail server.
var ErrNotConfigured = problem.New(http.StatusConflict, "mail_not_configured", "This server sends no mail. Its operator sets --smtp, --mail-from and --public-url.")

// failed shows the administrator what the mail server said: he is the one who can mend it.
func failed(err error) error {
	se := (*SendError)(nil)
	if !errors.As(err, &se) {
		return err
	}
	p := problem.New(http.StatusBadGateway, "mail_failed", se.Error())
	p.Errors = []problem.ValidationFail{{Field: string(se.Step), Message: se.Err.Error()}}
	return p
}

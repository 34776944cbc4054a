package account

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

func (s *Service) registerSignup(api huma.API) {
	huma.Register(api, describe(status(op(http.MethodPost, "/signup", "sign-up", forAll, "Make an account"), http.StatusCreated),
		"With a set-up code, an invitation that was mailed to this address, or any invitation where the server sends no mail, the account "+
			"is ready and signed in; else a mail with a link is on its way, which uses the invitation up. An address that "+
			"has an account gets the same answer, and its owner a mail."), s.apiSignup)
	huma.Register(api, describe(status(op(http.MethodPost, "/signup/resend", "resend-sign-up", forAll, "Mail the link again"), http.StatusAccepted),
		"The answer is the same whether or not somebody signed up with that address."), s.apiResend)
	huma.Register(api, op(http.MethodGet, "/invitation", "look-up-invitation", forAll, "Whether an invitation still works"), s.apiLookUpInvitation)
	huma.Register(api, status(op(http.MethodPost, "/verify", "verify-email", forAll, "Take the token of a mailed link: finish a sign-up, or put a new e-mail address in force"),
		http.StatusOK), s.apiVerify)
	huma.Register(api, describe(status(op(http.MethodPost, "/password/forgot", "forgot-password", forAll, "Mail a link to choose a new password"), http.StatusAccepted),
		"The answer is the same whether or not the address has an account."), s.apiForgot)
	huma.Register(api, describe(op(http.MethodPost, "/password/reset", "reset-password", forAll, "Choose a new password with the mailed link; every session ends"),
		"API tokens stay valid: end them one by one."), s.apiReset)
}

type signupAnswer struct {
	SetCookie []http.Cookie `header:"Set-Cookie"`
	Body      struct {
		State string `json:"state" enum:"verify,ready" doc:"verify: a mail is on its way; ready: signed in"`
		User  *User  `json:"user,omitempty"`
	}
}

func (s *Service) apiSignup(ctx context.Context, in *struct {
	Device string `cookie:"factor_device" doc:"Set by an earlier log-in: failures of others do not slow this browser down"`
	Body   struct {
		Email      string `json:"email" maxLength:"320"`
		Name       string `json:"name" maxLength:"320"`
		Password   string `json:"password" maxLength:"1000" doc:"10 to 200 characters, not one that is tried first"`
		Language   string `json:"language,omitempty" enum:"ko,en"`
		TimeZone   string `json:"time_zone,omitempty" maxLength:"64" doc:"IANA name"`
		SetupCode  string `json:"setup_code,omitempty" maxLength:"64" doc:"Makes the first account, an administrator's"`
		Invitation string `json:"invitation,omitempty" maxLength:"128"`
	}
}) (*signupAnswer, error) {
	b := in.Body
	state, login, err := s.Signup(ctx, Signup{
		Email: b.Email, Name: b.Name, Password: b.Password, Language: b.Language, TimeZone: b.TimeZone, SetupCode: b.SetupCode, Invitation: b.Invitation,
	}, in.Device)
	if err != nil {
		return nil, err
	}
	out := &signupAnswer{SetCookie: login.cookies(ctx)}
	out.Body.State = state
	if state == StateReady {
		out.Body.User = &login.User
	}
	return out, nil
}

type emailIn struct {
	Body struct {
		Email string `json:"email" maxLength:"320"`
	}
}

func (s *Service) apiResend(ctx context.Context, in *emailIn) (*struct{}, error) {
	return nil, s.ResendSignup(ctx, in.Body.Email)
}

func (s *Service) apiForgot(ctx context.Context, in *emailIn) (*struct{}, error) {
	return nil, s.ForgotPassword(ctx, in.Body.Email)
}

type invitationAnswer struct {
	Body struct {
		Valid    bool   `json:"valid"`
		Email    string `json:"email,omitempty" doc:"Only this address may use it"`
		Language string `json:"language,omitempty" enum:"ko,en"`
	}
}

func (s *Service) apiLookUpInvitation(ctx context.Context, in *struct {
	Token string `query:"token" required:"true" maxLength:"128"`
}) (*invitationAnswer, error) {
	out := &invitationAnswer{}
	found, err := s.LookUpInvitation(ctx, in.Token)
	if err != nil {
		if isRefusal(err) {
			return out, nil
		}
		return nil, err
	}
	out.Body.Valid, out.Body.Email, out.Body.Language = true, found.Email, found.Language
	return out, nil
}

type verifyAnswer struct {
	SetCookie []http.Cookie `header:"Set-Cookie"`
	Body      struct {
		User    User   `json:"user"`
		Purpose string `json:"purpose" enum:"signup,email" doc:"signup: signed in now; email: the new address is in force"`
	}
}

func (s *Service) apiVerify(ctx context.Context, in *struct {
	Device string `cookie:"factor_device" doc:"Set by an earlier log-in: failures of others do not slow this browser down"`
	Body   struct {
		Token string `json:"token" maxLength:"128"`
	}
}) (*verifyAnswer, error) {
	login, purpose, err := s.Verify(ctx, in.Body.Token, in.Device)
	if err != nil {
		return nil, err
	}
	out := &verifyAnswer{SetCookie: login.cookies(ctx)}
	out.Body.User, out.Body.Purpose = login.User, purpose
	return out, nil
}

func (s *Service) apiReset(ctx context.Context, in *struct {
	Body struct {
		Token    string `json:"token" maxLength:"128"`
		Password string `json:"password" maxLength:"1000"`
	}
}) (*struct{}, error) {
	return nil, s.ResetPassword(ctx, in.Body.Token, in.Body.Password)
}

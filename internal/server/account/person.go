package account

import (
	"net/http"
	"time"
	_ "time/tzdata" // a small machine may have no time zones of its own

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// The problems that more than one call answers with.
var (
	errInvalidCredentials = about("password", problem.New(http.StatusUnauthorized, "invalid_credentials", "The e-mail address or the password is wrong."))
	errUnverified         = problem.New(http.StatusForbidden, "email_unverified", "Follow the link in the mail that we sent you first. Look in the spam folder, too.")
	errDisabled           = problem.New(http.StatusForbidden, "account_disabled", "The administrator of this server has disabled this account.")
	errWrongPassword      = about("password", problem.New(http.StatusForbidden, "invalid_credentials", "The password is wrong."))
	errEmailTaken         = about("email", problem.New(http.StatusConflict, "email_taken", "This e-mail address has an account already."))
	errTokenInvalid       = problem.New(http.StatusGone, "token_invalid", "This link was used already or is not complete. Ask for a new one.")
	errTokenExpired       = problem.New(http.StatusGone, "token_expired", "This link is too old. Ask for a new one.")
	errLastAdmin          = problem.New(http.StatusConflict, "last_admin", "The last administrator cannot go while others have accounts here. Make somebody else administrator first.")
	errSessionNeeded      = problem.New(http.StatusForbidden, "session_required", "An API token cannot do this. Sign in on the page.")
)

// about names the field that a problem is about.
func about(field string, p *problem.Problem) *problem.Problem {
	p.Field = field
	return p
}

// person is what an account begins with, checked and tidy.
type person struct {
	email    Email
	name     string
	password string
	language string
	timeZone string
}

// newPerson checks what somebody wants his account to be. Errors: problems about the field at fault.
func newPerson(email, name, password, language, timeZone string) (person, error) {
	var p person
	var err error
	if p.email, err = ParseEmail("email", email); err != nil {
		return p, err
	}
	if p.name, err = workspace.TidyName("name", name); err != nil {
		return p, err
	}
	if err = checkPassword("password", password, p.email.Key, p.name); err != nil {
		return p, err
	}
	p.password = password
	if p.language, err = checkLanguage(language); err != nil {
		return p, err
	}
	p.timeZone, err = checkTimeZone(timeZone)
	return p, err
}

// checkLanguage takes ko, en, or "" for en.
func checkLanguage(language string) (string, error) {
	switch language {
	case "ko", "en":
		return language, nil
	case "":
		return "en", nil
	}
	return "", problem.Field("language_invalid", "language", "Choose ko or en.")
}

// checkTimeZone takes an IANA name, or "" for UTC.
func checkTimeZone(name string) (string, error) {
	if name == "" {
		return "UTC", nil
	}
	if _, err := time.LoadLocation(name); err != nil || name == "Local" || len(name) > 64 {
		return "", problem.Field("time_zone_invalid", "time_zone", "This is not the name of a time zone, such as Asia/Seoul.")
	}
	return name, nil
}

package web

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/kangbyounggwan/factor/internal/server/problem"
)

const maxLoginBytes = 4 << 10

// pluginLogin is POST /api/auth/login, with which the 1.x plugin signs in. What it gets is good for an hour and for
// the plugin's own calls.
func (s *Server) pluginLogin(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Email    string `json:"email"`
		Password string `json:"password"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxLoginBytes)).Decode(&in); err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			writeProblem(w, problem.New(http.StatusRequestEntityTooLarge, "too_large", "A log-in is shorter than that."))
			return
		}
		writeProblem(w, problem.New(http.StatusBadRequest, "invalid", `Send {"email":"…","password":"…"} as JSON.`))
		return
	}
	login, err := s.Accounts.LoginPlugin(r.Context(), in.Email, in.Password)
	if err != nil {
		if problem.Code(err) == "" {
			s.Log.Error("the plugin could not be signed in", "id", visitOf(r.Context()).id, "error", err)
		}
		writeProblem(w, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token": login.AccessToken,
		"token_type":   "bearer",
		"expires_in":   int(login.ExpiresIn.Seconds()),
		"user":         map[string]string{"id": login.User.ID, "email": login.User.Email, "name": login.User.Name},
	})
}

package web

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/kangbyounggwan/factor/internal/server/problem"
)

// writeProblem answers with err where it is a problem, else with an internal error that tells nothing.
func writeProblem(w http.ResponseWriter, err error) {
	p, ok := errors.AsType[*problem.Problem](err)
	if !ok {
		p = errInternal
	}
	p.Write(w)
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		writeProblem(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

package problem

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

func serve(t *testing.T, answer error) http.Handler {
	t.Helper()
	was := huma.NewError
	huma.NewError = Huma
	t.Cleanup(func() { huma.NewError = was })
	mux := http.NewServeMux()
	api := humago.New(mux, huma.DefaultConfig("test", "1"))
	huma.Post(api, "/x", func(context.Context, *struct {
		Body struct {
			Name string `json:"name" maxLength:"5"`
		}
	}) (*struct{}, error) {
		return nil, answer
	})
	return mux
}

func ask(t *testing.T, h http.Handler, body string) (*httptest.ResponseRecorder, Problem) {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/x", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	h.ServeHTTP(w, r)
	var p Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	return w, p
}

func TestProblem_OverHTTP(t *testing.T) {
	w, p := ask(t, serve(t, fmt.Errorf("log in: %w", SlowDown(1500*time.Millisecond))), `{"name":"a"}`)
	if w.Code != 429 || p.Code != "slow_down" || p.RetryAfter != 2 || w.Header().Get("Retry-After") != "2" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if ct := w.Header().Get("Content-Type"); ct != "application/problem+json" {
		t.Errorf("content type %s", ct)
	}
}

func TestProblem_InternalSaysNothing(t *testing.T) {
	w, p := ask(t, serve(t, errors.New("password is hunter2")), `{"name":"a"}`)
	if w.Code != 500 || p.Code != "internal" || strings.Contains(w.Body.String(), "hunter2") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestProblem_ValidationNamesTheField(t *testing.T) {
	w, p := ask(t, serve(t, nil), `{"name":"abcdefgh"}`)
	if w.Code != 422 || p.Code != "invalid" || p.Field != "name" || len(p.Errors) != 1 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if _, p := ask(t, serve(t, nil), `{"name":`); p.Code != "invalid" {
		t.Errorf("cut off: %+v", p)
	}
}

func TestCode(t *testing.T) {
	if c := Code(fmt.Errorf("x: %w", ErrNotAllowed)); c != "not_allowed" {
		t.Error(c)
	}
	if c := Code(errors.New("x")); c != "" {
		t.Error(c)
	}
	if !errors.Is(NotFound("printer"), NotFound("file")) || errors.Is(NotFound("printer"), ErrNotAllowed) {
		t.Error("problems compare by code")
	}
}

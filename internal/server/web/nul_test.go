package web

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestRefuseNUL(t *testing.T) {
	h := refuseNUL(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	for target, want := range map[string]int{
		"/api/v1/files/%00": 400, "/api/v1/files?q=a%00b": 400, "/api/v1/files?%00=": 400,
		"/api/v1/files/%ff": 400, "/api/v1/files?q=a%c3": 400, "/api/v1/files?q=%ed%94%84": 204, "/api/v1/files?q=%": 204,
		"/api/v1/files?q=%2500": 204, "/api/v1/files/00?q=0%200": 204,
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", target, w.Code, want)
		}
	}
}

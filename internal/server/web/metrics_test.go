package web

import (
	"strings"
	"testing"
)

func TestServer_Metrics_NameTheRoute(t *testing.T) {
	h := newHouse(t, nil)
	for _, headers := range [][]string{{"Authorization: Bearer admin"}, {"Cookie: factor_session=user"}} {
		h.ask("POST", "/api/v1/sample/user", `{"name":"x"}`, append(headers, "Content-Type: application/json")...)
	}
	body := h.ask("GET", "/metrics", "", "Authorization: Bearer admin").Body.String()
	if !strings.Contains(body, `factor_http_requests_total{method="POST",route="/api/v1/sample/user",status="2xx"} 2`) {
		t.Errorf("requests of people signed in are counted without their route:\n%s", body)
	}
}

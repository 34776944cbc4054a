package web

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/kangbyounggwan/factor/internal/server/loglimit"
)

func TestLogOfStrangersIsBounded(t *testing.T) {
	h := newHouse(t, nil)
	for range 500 {
		r := httptest.NewRequest(http.MethodPost, "http://pi.local/api/v1/nothing", nil)
		h.Handler().ServeHTTP(httptest.NewRecorder(), r)
	}
	// A minute may end meanwhile.
	if n := bytes.Count(h.log.Bytes(), []byte(`"level":"INFO","msg":"request"`)); n < loglimit.PerMinute || n > 2*loglimit.PerMinute {
		t.Errorf("%d lines of 500", n)
	}
	if n := bytes.Count(h.log.Bytes(), []byte(`"msg":"request"`)); n != 500 {
		t.Errorf("%d lines at debug", n)
	}
}

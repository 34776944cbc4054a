package web

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestLogOfStrangersIsBounded(t *testing.T) {
	h := newHouse(t, nil)
	for range 500 {
		r := httptest.NewRequest(http.MethodPost, "http://pi.local/api/v1/nothing", nil)
		h.Handler().ServeHTTP(httptest.NewRecorder(), r)
	}
	// A minute may end meanwhile.
	if n := bytes.Count(h.log.Bytes(), []byte(`"level":"INFO","msg":"request"`)); n < loggedComplaints || n > 2*loggedComplaints {
		t.Errorf("%d lines of 500", n)
	}
	if n := bytes.Count(h.log.Bytes(), []byte(`"msg":"request"`)); n != 500 {
		t.Errorf("%d lines at debug", n)
	}
}

func TestSparing(t *testing.T) {
	var s sparing
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	for i := range 3 * loggedComplaints {
		want := slog.LevelInfo
		if i >= loggedComplaints {
			want = slog.LevelDebug
		}
		if got := s.level(slog.LevelInfo, now); got != want {
			t.Fatalf("line %d at %v", i, got)
		}
	}
	if s.level(slog.LevelInfo, now.Add(time.Minute)) != slog.LevelInfo {
		t.Error("those of another minute are not logged")
	}
}

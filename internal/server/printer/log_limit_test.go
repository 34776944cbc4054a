package printer

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/loglimit"
)

func TestLogOfWhatDevicesSendIsBounded(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	var log bytes.Buffer
	w.log = slog.New(slog.NewTextHandler(&log, nil))
	send := func() {
		t.Helper()
		for range 500 {
			if err := w.Event(t.Context(), id, []byte("garbage"), w.clock.now()); !errors.Is(err, ErrInvalid) {
				t.Fatal(err)
			}
		}
	}
	send()
	if n := strings.Count(log.String(), "event dropped"); n != loglimit.PerMinute {
		t.Errorf("%d lines", n)
	}
	w.clock.add(time.Minute)
	send()
	if n := strings.Count(log.String(), "event dropped"); n != 2*loglimit.PerMinute {
		t.Errorf("%d lines after another minute", n)
	}
}

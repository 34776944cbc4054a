package octoprint_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/octoprint"
	"github.com/kangbyounggwan/factor/internal/agent/octoprint/octoprinttest"
	"github.com/kangbyounggwan/factor/internal/wire"
)

const (
	printing = `{"current":{"state":{"text":"Printing","flags":{"operational":true,"printing":true}},"job":{"file":{"name":"a.gcode","path":"a.gcode","origin":"local"}}}}`
	idle     = `{"current":{"state":{"text":"Operational","flags":{"operational":true,"ready":true}}}}`
)

func TestAdapter_Run_BelowAPath(t *testing.T) {
	d := octoprinttest.NewDouble(t)
	d.Prefix = "/octoprint"
	l := follow(t, d.URL+"/octoprint/", octoprinttest.Key)
	l.awaitStatus(wire.StatusIdle)
	l.await("profile", func() bool { return l.view.Snapshot.Connection.Profile.Name == "Default" })
}

func TestAdapter_Run_NonsenseOnTheSocket(t *testing.T) {
	d := octoprinttest.NewDouble(t)
	l := follow(t, d.URL, octoprinttest.Key)
	for _, s := range []string{`x`, `[]`, `{"current":7}`, `{"current":{"state":NaN}}`, "\xff\xfe", `{"event":null}`, `{"event":{"type":"PrintDone","payload":[1]}}`,
		`{"plugin":"` + strings.Repeat("x", 3<<20) + `"}`, `{"current":` + strings.Repeat("[", 20000)} {
		d.Push(t, s)
	}
	d.Push(t, printing)
	l.awaitStatus(wire.StatusPrinting)
	if n := d.Logins(); n != 1 {
		t.Errorf("%d log-ins: nonsense broke the socket", n)
	}
}

func TestAdapter_Run_SessionEnds(t *testing.T) {
	d := octoprinttest.NewDouble(t)
	l := follow(t, d.URL, octoprinttest.Key)
	l.awaitStatus(wire.StatusIdle)
	d.Push(t, `{"reauthRequired":{"reason":"stale"}}`)
	l.await("another log-in", func() bool { return l.synced == 2 })
	if l.view.Health != octoprint.Connected {
		t.Errorf("health %s", l.view.Health)
	}
}

func TestAdapter_Run_KeyTakenAway(t *testing.T) {
	d := octoprinttest.NewDouble(t)
	l := follow(t, d.URL, octoprinttest.Key)
	l.awaitStatus(wire.StatusIdle)
	d.SetKey("another")
	d.Push(t, `{"reauthRequired":{"reason":"removed"}}`)
	l.await("that it is said", func() bool {
		return l.view.Health == octoprint.KeyRefused && l.view.Snapshot.Status == wire.StatusUnknown && l.view.Snapshot.Temperatures == nil
	})
}

func TestAdapter_Run_FilesNotWhilePrinting(t *testing.T) {
	d := octoprinttest.NewDouble(t)
	asked := make(chan bool, 100)
	d.Answer("/api/files", func(w http.ResponseWriter, _ *http.Request) {
		asked <- true
		fmt.Fprint(w, `{"files":[{"type":"folder","path":"f","children":[{"type":"machinecode","path":"f/a.gcode","origin":"local","size":7}]},
			{"type":"model","path":"b.stl","origin":"local"},{"type":"machinecode","path":"C.GCO","origin":"sdcard"}]}`)
	})
	l := follow(t, d.URL, octoprinttest.Key)
	d.Push(t, printing)
	l.awaitStatus(wire.StatusPrinting)
	for range 10 {
		d.Push(t, `{"event":{"type":"UpdatedFiles","payload":{"type":"printables"}}}`)
	}
	d.Push(t, `{"event":{"type":"PrintPaused","payload":{}}}`)
	l.awaitEvent(wire.EventPrintPaused)
	if len(asked) > 0 {
		t.Error("the file list was asked for during a print")
	}
	d.Push(t, idle)
	l.await("the files", func() bool { return len(l.files) == 1 })
	f := l.files[0]
	if len(f.Local) != 1 || f.Local[0] != (wire.DeviceFile{Path: "f/a.gcode", Size: 7}) || len(f.SDCard) != 1 || f.SDCard[0].Path != "C.GCO" {
		t.Errorf("%+v", f)
	}
	if len(asked) != 1 {
		t.Errorf("asked %d times", len(asked))
	}
}

// hang answers nothing until the asker goes away, which the server notices only once the body has been read.
func hang(_ http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func TestAdapter_Run_EndsWhileOctoPrintHangs(t *testing.T) {
	for _, path := range []string{"/api/version", "/api/login", "/sockjs/websocket", "/api/connection"} {
		t.Run(path, func(t *testing.T) {
			d := octoprinttest.NewDouble(t)
			entered := make(chan bool, 1)
			d.Answer(path, func(w http.ResponseWriter, r *http.Request) {
				entered <- true
				hang(w, r)
			})
			follow(t, d.URL, octoprinttest.Key) // its clean-up waits for the end
			<-entered
		})
	}
}

func TestClient_Version_Fault(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		want   error
	}{
		{"Refused", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, octoprint.ErrKeyRefused},
		{"Unauthorized", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, octoprint.ErrKeyRefused},
		{"AnotherProgram", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") }, octoprint.ErrNotOctoPrint},
		{"AnotherAPI", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"version":1}`) }, octoprint.ErrNotOctoPrint},
		{"Endless", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}, octoprint.ErrNotOctoPrint},
		{"Redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/elsewhere" {
					t.Error("followed, with the key")
				}
				c.answer(w, r)
			}))
			defer s.Close()
			client, err := octoprint.NewClient(s.URL, "SECRET")
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			_, err = client.Version(ctx)
			if err == nil || (c.want != nil && !errors.Is(err, c.want)) || strings.Contains(err.Error(), "SECRET") {
				t.Errorf("got %v", err)
			}
		})
	}
}

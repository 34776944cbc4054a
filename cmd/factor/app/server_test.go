package app

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

type printerJSON struct {
	UUID   string `json:"uuid"`
	Online bool   `json:"online"`
	Status string `json:"status"`
	Role   string `json:"role"`
	Job    *struct {
		File struct{ Name string } `json:"file"`
	} `json:"job"`
	Progress     struct{ Completion *float64 }
	Temperatures map[string]struct{ Actual, Target float64 }
}

func snapshot(completion, nozzle float64) wire.Snapshot {
	return wire.Snapshot{
		TS: float64(time.Now().Unix()), Status: wire.StatusPrinting, Interval: 1,
		State:        wire.State{Text: "Printing", Flags: map[string]bool{"operational": true, "printing": true}},
		Progress:     wire.Progress{Completion: &completion},
		Job:          wire.Job{ID: "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", File: wire.File{Name: "cube.gcode", Origin: "local", Path: "cube.gcode"}},
		Temperatures: map[string]wire.Temperature{"tool0": {Actual: &nozzle, Target: &nozzle}},
	}
}

// From the set-up code to a live page, and over a restart.
func TestServer_SetUpToLivePage(t *testing.T) {
	dir := t.TempDir()
	s := mustServe(t, dir)
	code, err := s.Accounts.SetupCode(t.Context())
	if err != nil || code == "" {
		t.Fatalf("no set-up code: %v", err)
	}
	owner := s.visitor(t)
	var signup struct {
		State string
		User  struct {
			ID    string
			Admin bool
		}
	}
	owner.must(t, http.StatusCreated, "POST", "/api/v1/signup", map[string]string{
		"email": "owner@example.com", "name": "Owner", "password": password, "setup_code": code,
	}, &signup)
	if signup.State != "ready" || !signup.User.Admin {
		t.Fatalf("%+v", signup)
	}
	uuid, token := owner.enrol(t, "프린터 1")

	page := owner.watch(t)
	first, err := page.Subscribe(t.Context(), "printer:"+uuid, true)
	if err != nil {
		t.Fatal(err)
	}
	var p printerJSON
	if err := json.Unmarshal(first, &p); err != nil || p.UUID != uuid || p.Online {
		t.Fatalf("%s %v", first, err)
	}
	if strings.Contains(string(first), `"role"`) || strings.Contains(string(first), "stream_url") {
		t.Errorf("what everybody gets tells what is one's own: %s", first)
	}

	device := s.device(t, uuid, token)
	publish(t, device, wire.KindStatus.Topic(uuid), 0, snapshot(12.5, 210))
	end := time.After(patience)
	for p = (printerJSON{}); p.Progress.Completion == nil; {
		select {
		case m, ok := <-page.Messages:
			if !ok {
				t.Fatalf("the push ended: %v", page.Err())
			}
			if err := json.Unmarshal(m.Data, &p); err != nil {
				t.Fatalf("%s: %v", m.Data, err)
			}
		case <-end:
			t.Fatal("the page never heard of the snapshot")
		}
	}
	if !p.Online || p.Status != "printing" || *p.Progress.Completion != 12.5 || p.Temperatures["tool0"].Actual != 210 || p.Job.File.Name != "cube.gcode" {
		t.Errorf("%+v", p)
	}
	owner.must(t, http.StatusOK, "GET", "/api/v1/printers/"+uuid, nil, &p)
	if p.Role != "owner" || *p.Progress.Completion != 12.5 {
		t.Errorf("%+v", p)
	}

	// The events of the device arrive on their channel, stored before they are acknowledged.
	if _, err := page.Subscribe(t.Context(), "events:"+uuid, false); err != nil {
		t.Fatal(err)
	}
	publish(t, device, wire.KindEvent.Topic(uuid), 1, wire.Event{Epoch: "e1", Seq: 1, At: float64(time.Now().Unix()), Type: wire.EventPrintStarted})
	until(t, "the event on the page", func() bool {
		select {
		case m := <-page.Messages:
			return m.Channel == "events:"+uuid && strings.Contains(string(m.Data), wire.EventPrintStarted)
		case <-time.After(patience):
			return false
		}
	})

	begun := time.Now()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("the stop took %v", took)
	}
	mustNotExist(t, filepath.Join(dir, runFile))

	// A restarted server shows at once what was known.
	again := mustServe(t, dir)
	owner.site = again
	p = printerJSON{}
	owner.must(t, http.StatusOK, "GET", "/api/v1/printers/"+uuid, nil, &p)
	if p.Online || p.Progress.Completion == nil || *p.Progress.Completion != 12.5 {
		t.Errorf("after a restart: %+v", p)
	}
	var events struct{ Items []struct{ Type string } }
	owner.must(t, http.StatusOK, "GET", "/api/v1/printers/"+uuid+"/events", nil, &events)
	if len(events.Items) == 0 {
		t.Error("the acknowledged event is lost")
	}
}

func TestServer_HTTPSAndAuthority(t *testing.T) {
	s := mustServe(t, t.TempDir())
	v := s.visitor(t)
	resp, err := v.http.Get(s.secure + "/ca.crt")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/x-x509-ca-cert" {
		t.Errorf("%d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	if status, body := v.call(t, "GET", "/readyz", nil); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
	info, err := os.Stat(filepath.Join(s.Settings.Data, runFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("run.json: %v %v", info, err)
	}
}

func TestServer_OneProcessAFolder(t *testing.T) {
	s := mustServe(t, t.TempDir())
	other := &Server{Settings: settings(s.Settings.Data), Version: "1.2.3"}
	err := other.Run(t.Context())
	if !errors.Is(err, ErrRunning) || !strings.Contains(err.Error(), s.Settings.Data) {
		t.Errorf("%v", err)
	}
	if run, running := Running(s.Settings.Data); !running || run.HTTP != s.Addresses().HTTP {
		t.Errorf("%v %+v", running, run)
	}
	// Commands work beside it.
	people, err := OpenPeople(t.Context(), &s.Settings, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := people.Accounts.AddUser(t.Context(), "cli@example.com", "CLI", password, false); err != nil {
		t.Error(err)
	}
	if err := people.Close(); err != nil {
		t.Error(err)
	}
	v := s.visitor(t)
	v.must(t, http.StatusOK, "POST", "/api/v1/session", map[string]string{"email": "cli@example.com", "password": password}, nil)
}

func TestServer_WordsForWhatIsInTheWay(t *testing.T) {
	s := mustServe(t, t.TempDir())
	t.Run("PortTaken", func(t *testing.T) {
		taken := settings(t.TempDir())
		if err := taken.HTTP.UnmarshalText([]byte(s.Addresses().HTTP)); err != nil {
			t.Fatal(err)
		}
		err := (&Server{Settings: taken}).Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), "--http") || !strings.Contains(err.Error(), "taken") {
			t.Errorf("%v", err)
		}
		if _, running := Running(taken.Data); running {
			t.Error("a failed start keeps the folder")
		}
	})
	t.Run("FolderIsAFile", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		err := (&Server{Settings: settings(path)}).Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), "--data") {
			t.Errorf("%v", err)
		}
	})
	t.Run("NotADatabase", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "main.db"), []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
			t.Fatal(err)
		}
		err := (&Server{Settings: settings(dir)}).Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), "--data") {
			t.Errorf("%v", err)
		}
	})
}

// What is opened with a session ends with it, within 5 s.
func TestServer_EndedSessionEndsThePush(t *testing.T) {
	s := mustServe(t, t.TempDir())
	ann := s.account(t, "ann", false)
	page := ann.watch(t)
	ann.must(t, http.StatusNoContent, "DELETE", "/api/v1/session", nil, nil)
	end := time.After(patience)
	for {
		select {
		case _, ok := <-page.Messages:
			if !ok {
				return
			}
		case <-end:
			t.Fatal("the push goes on after the log-out")
		}
	}
}

func TestServer_DisabledAccountsDevices(t *testing.T) {
	s := mustServe(t, t.TempDir())
	admin, ann := s.account(t, "admin", true), s.account(t, "ann", false)
	uuid, token := ann.enrol(t, "p")
	device := s.device(t, uuid, token)
	admin.must(t, http.StatusOK, "PATCH", "/api/v1/admin/users/"+ann.id, map[string]bool{"disabled": true}, nil)
	until(t, "the device is sent off", func() bool { return !device.IsConnectionOpen() })
	if _, err := s.tryDevice(uuid, token); err == nil {
		t.Error("the device of a disabled account may connect")
	}
	admin.must(t, http.StatusOK, "PATCH", "/api/v1/admin/users/"+ann.id, map[string]bool{"disabled": false}, nil)
	s.device(t, uuid, token)
}

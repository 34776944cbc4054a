package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kangbyounggwan/factor/internal/agent/folder"
	"github.com/kangbyounggwan/factor/internal/agent/octoprint/octoprinttest"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// agentProgram builds the agent as it is shipped, once.
var agentProgram = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "factor-agent")
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "factor-agent")
	cmd := exec.Command("go", "build", "-o", program, "../../factor-agent")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return program, nil
})

// realAgent is the agent's program beside an OctoPrint, which can be killed.
type realAgent struct {
	t   *testing.T
	dir string
	cmd *exec.Cmd
}

func (s *site) realAgent(t *testing.T, uuid, token string, o *octoprinttest.OctoPrint) *realAgent {
	t.Helper()
	f, err := folder.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	host, port := hostPort(t, s.Addresses().MQTTS)
	c := &folder.Config{Server: s.secure, UUID: uuid, Token: token, Name: "Ender", CA: string(s.Certs.Authority().PEM),
		MQTT: folder.MQTT{Host: host, TLS: true, WebsocketPath: "/mqtt"}, OctoPrint: folder.OctoPrint{URL: o.URL, Key: octoprinttest.Key}}
	fmt.Sscan(port, &c.MQTT.Port)
	if err := f.SaveConfig(c); err != nil {
		t.Fatal(err)
	}
	a := &realAgent{t: t, dir: f.Path}
	a.start()
	t.Cleanup(a.kill)
	return a
}

func (a *realAgent) start() {
	a.t.Helper()
	program, err := agentProgram()
	if err != nil {
		a.t.Fatal(err)
	}
	a.cmd = exec.Command(program, "run", "--data", a.dir)
	a.cmd.Stderr = os.Stderr
	if err := a.cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
}

func (a *realAgent) kill() {
	if a.cmd != nil {
		_ = a.cmd.Process.Kill()
		_ = a.cmd.Wait()
		a.cmd = nil
	}
}

// transferred is a transfer as the API shows it.
type transferred struct {
	ID, Stage, Code, Message, Path, Name string
	FileID                               string  `json:"file_id"`
	Bytes                                int64   `json:"bytes"`
	EndedAt                              *string `json:"ended_at"`
}

func (v *visitor) transfer(t *testing.T, uuid, id string) (found transferred) {
	t.Helper()
	var list struct{ Items []transferred }
	v.must(t, http.StatusOK, "GET", "/api/v1/printers/"+uuid+"/transfers", nil, &list)
	i := slices.IndexFunc(list.Items, func(tr transferred) bool { return tr.ID == id })
	if i < 0 {
		t.Fatalf("no transfer %s in %+v", id, list)
	}
	return list.Items[i]
}

// send asks for a file to be brought to a printer, again for as long as its device is not ready for it.
func (v *visitor) send(t *testing.T, uuid string, body map[string]any) (tr transferred) {
	t.Helper()
	patient(t, "the device takes the task", func() bool {
		status, text := v.call(t, "POST", "/api/v1/printers/"+uuid+"/print", body)
		tr = transferred{}
		if status == http.StatusConflict && (strings.Contains(string(text), "device_offline") || strings.Contains(string(text), "agent_too_old") || strings.Contains(string(text), `"not_now"`)) {
			return false
		}
		if err := json.Unmarshal(text, &tr); err != nil || status != http.StatusAccepted {
			t.Fatalf("%d %s", status, text)
		}
		return tr.Code != string(wire.ResultNoClock)
	})
	return tr
}

func (v *visitor) awaitTransfer(t *testing.T, uuid, id string) (end transferred) {
	t.Helper()
	patient(t, "the transfer ends", func() bool {
		end = v.transfer(t, uuid, id)
		return end.EndedAt != nil
	})
	return end
}

func has(o *octoprinttest.OctoPrint, origin, path string) string {
	return string(o.Call("GET", "/downloads/files/"+origin+"/"+path, ""))
}

// Files go to a real OctoPrint and back through the real agent, which is killed on the way.
func TestTransfer_RealOctoPrint(t *testing.T) {
	t.Parallel()
	o := octoprinttest.Start(t)
	s := mustServe(t, t.TempDir())
	owner := s.account(t, "mina", false)
	uuid, token := owner.enrol(t, "Ender")
	agent := s.realAgent(t, uuid, token, o)
	page := owner.watch(t)
	if _, err := page.Subscribe(t.Context(), "transfers:"+uuid, false); err != nil {
		t.Fatal(err)
	}
	o.Upload("moves.gcode", octoprinttest.Print(5), false)

	// Nothing is overwritten, and an agent that is killed goes on.
	large := octoprinttest.Print(20) + strings.Repeat("; what makes it long: forty bytes a line\n", 200_000)
	id := owner.bringText(t, "moves.gcode", large)
	tr := owner.send(t, uuid, map[string]any{"file": id, "print": false})
	for range 3 {
		agent.kill()
		agent.start()
	}
	end := owner.awaitTransfer(t, uuid, tr.ID)
	if end.Stage != "done" || end.Path == "moves.gcode" {
		t.Fatalf("%+v", end)
	}
	if has(o, "local", strings.ReplaceAll(end.Path, " ", "%20")) != large {
		t.Error("OctoPrint has another content")
	}
	if has(o, "local", "moves.gcode") != octoprinttest.Print(5) {
		t.Error("the file that was there is another one now")
	}

	// Brought and printed.
	id = owner.bringText(t, "정사각형 둘.gcode", octoprinttest.Print(60))
	tr = owner.send(t, uuid, map[string]any{"file": id})
	if end := owner.awaitTransfer(t, uuid, tr.ID); end.Stage != "done" || end.Path == "" {
		t.Fatalf("%+v", end)
	}
	o.Await(func(state, file string) bool { return state == "Printing" && strings.Contains(file, "정사각형") }, "the print of what was brought")
	o.Await(func(state, _ string) bool { return state == "Operational" }, "the end of the print")

	// And one of the device's own into the library.
	var bring transferred
	patient(t, "the device takes the task", func() bool {
		status, text := owner.call(t, "POST", "/api/v1/printers/"+uuid+"/files/bring", map[string]any{"origin": "local", "path": "moves.gcode", "folder": "Ender"})
		return status == http.StatusAccepted && json.Unmarshal(text, &bring) == nil
	})
	end = owner.awaitTransfer(t, uuid, bring.ID)
	if end.Stage != "done" || end.FileID == "" {
		t.Fatalf("%+v", end)
	}
	if _, text := owner.call(t, "GET", "/api/v1/files/"+end.FileID+"/download", nil); string(text) != octoprinttest.Print(5) {
		t.Error("the library has another content")
	}
	onCard(t, o, owner, uuid)
}

// onCard has a file of the library brought to the printer's SD card, listed, printed from there and deleted.
func onCard(t *testing.T, o *octoprinttest.OctoPrint, owner *visitor, uuid string) {
	t.Helper()
	listed := func(path string) bool {
		var tree struct{ SDCard []struct{ Path string } }
		owner.must(t, http.StatusOK, "GET", "/api/v1/printers/"+uuid+"/files", nil, &tree)
		return slices.ContainsFunc(tree.SDCard, func(f struct{ Path string }) bool { return f.Path == path })
	}
	command := func(body map[string]any) {
		patient(t, fmt.Sprint("the printer does ", body), func() bool {
			status, text := owner.call(t, "POST", "/api/v1/printers/"+uuid+"/commands", body)
			var out struct{ OK bool }
			return status == http.StatusOK && json.Unmarshal(text, &out) == nil && out.OK
		})
	}
	id := owner.bringText(t, "on the card.gcode", octoprinttest.Print(20))
	end := owner.awaitTransfer(t, uuid, owner.send(t, uuid, map[string]any{"file": id, "target": "sdcard", "print": false}).ID)
	if end.Stage != "done" || end.Path == "" {
		t.Fatalf("%+v", end)
	}
	if has := string(o.Call("GET", "/api/files/sdcard", "")); !strings.Contains(has, end.Path) {
		t.Fatalf("OctoPrint lists no %q on the card: %s", end.Path, has)
	}
	patient(t, "the file on the card is listed", func() bool { return listed(end.Path) })
	command(map[string]any{"type": "print", "origin": "sdcard", "path": end.Path})
	patient(t, "the print from the card is done", func() bool { // the virtual printer does it in no time
		_, events := owner.call(t, "GET", "/api/v1/printers/"+uuid+"/events?limit=200", nil)
		var list struct {
			Items []struct {
				Type string
				Data struct{ Origin, Path string }
			}
		}
		if err := json.Unmarshal(events, &list); err != nil {
			t.Fatalf("%v in %s", err, events)
		}
		for _, e := range list.Items {
			if e.Type == "PrintDone" && e.Data.Origin == "sdcard" && e.Data.Path == end.Path {
				return true
			}
		}
		return false
	})
	command(map[string]any{"type": "delete_file", "origin": "sdcard", "path": end.Path})
	patient(t, "the deleted file is listed no more", func() bool { return !listed(end.Path) })
	if has := string(o.Call("GET", "/api/files/sdcard", "")); strings.Contains(has, end.Path) {
		t.Errorf("OctoPrint still has %q: %s", end.Path, has)
	}
}

// The published plugin gets a file in pieces and prints it.
func TestTransfer_Published(t *testing.T) {
	t.Parallel()
	s := mustServe(t, t.TempDir())
	owner := s.account(t, "mina", false)
	o, uuid := startWithCredentials(t, s, owner)
	owner.awaitShown(t, uuid, "Ender")

	content := octoprinttest.Print(60) + strings.Repeat("; several pieces of it, of 48 KB each\n", 8000)
	id := owner.bringText(t, "cube.gcode", content)
	tr := owner.send(t, uuid, map[string]any{"file": id, "print": false})
	end := owner.awaitTransfer(t, uuid, tr.ID)
	if end.Stage != "done" || has(o, "local", end.Path) != content {
		t.Fatalf("%+v", end)
	}
	o.Await(func(state, _ string) bool { return state == "Operational" }, "no print: none was asked for")

	tr = owner.send(t, uuid, map[string]any{"file": id})
	end = owner.awaitTransfer(t, uuid, tr.ID)
	if end.Stage != "done" || end.Name != "cube (2).gcode" || has(o, "local", strings.ReplaceAll(end.Path, " ", "%20")) != content {
		t.Fatalf("%+v", end)
	}
	o.Await(func(state, file string) bool { return state == "Printing" && strings.Contains(file, "(2)") }, "the print of what was brought")
}

// Only the device that a file is for gets it, with its own UUID and token, and only while it is on its way.
func TestTransfers_Devices(t *testing.T) {
	s := mustServe(t, t.TempDir())
	owner := s.account(t, "mina", false)
	uuid, secret := owner.enrol(t, "Ender")
	other, otherSecret := owner.enrol(t, "Prusa")
	p := &puppet{t: t, uuid: uuid, answer: done}
	p.connect(s, secret)
	p.present(wire.Presence{Caps: []string{wire.CapCommands, wire.CapTransfer}})
	p.status(wire.StatusIdle)
	owner.shows(t, uuid, wire.StatusIdle)
	id := owner.bring(t, "x.gcode")
	var tr transferred
	owner.must(t, http.StatusAccepted, "POST", "/api/v1/printers/"+uuid+"/print", map[string]any{"file": id}, &tr)
	given := p.took()
	path := "/api/device/files/" + given[len(given)-1].Fetch.Token
	get := func(method, user, password string) int {
		r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth(user, password)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	for _, c := range []struct {
		name, method, user, password string
		want                         int
	}{
		{"its device", "GET", uuid, secret, http.StatusOK},
		{"another device of the same owner", "GET", other, otherSecret, http.StatusGone},
		{"its UUID alone", "GET", uuid, "", http.StatusUnauthorized},
		{"with another's token", "GET", uuid, otherSecret, http.StatusUnauthorized},
		{"a person", "GET", "mina@example.com", password, http.StatusUnauthorized},
		{"the other way", "PUT", uuid, secret, http.StatusGone},
		{"asking for what it does not send", "HEAD", uuid, secret, http.StatusGone},
	} {
		if got := get(c.method, c.user, c.password); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	publish(t, p.mqtt, wire.KindTransfer.Topic(uuid), 1, wire.Transfer{ID: tr.ID, Stage: wire.TransferDone, Path: "x.gcode"})
	until(t, "its end is known", func() bool { return owner.transfer(t, uuid, tr.ID).Stage == "done" })
	if got := get("GET", uuid, secret); got != http.StatusGone {
		t.Errorf("after its end: %d", got)
	}
}

package printer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// site is the HTTP side. The header X-User says who asks, in the place of what the web server finds out.
func (w *world) site() *httptest.Server {
	huma.NewError = problem.Huma
	mux := http.NewServeMux()
	api := humago.New(mux, huma.DefaultConfig("FACTOR", "test"))
	w.Register(api)
	w.jobs.Register(api)
	mux.HandleFunc("GET /api/printers/summary", w.PluginSummary)
	mux.HandleFunc("POST /api/printer/register", w.PluginRegister)
	site := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if user := r.Header.Get("X-User"); user != "" {
			r = r.WithContext(workspace.WithActor(r.Context(), workspace.Actor{UserID: user, Name: user, Via: workspace.ViaSession}))
		}
		mux.ServeHTTP(rw, r)
	}))
	w.t.Cleanup(site.Close)
	return site
}

type answered struct {
	status int
	body   map[string]any
	raw    string
}

func (w *world) ask(site *httptest.Server, user, method, path, body string) answered {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.(*testing.T).Context(), method, site.URL+path, bytes.NewReader([]byte(body)))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("X-User", user)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := site.Client().Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	a := answered{status: res.StatusCode, raw: string(raw)}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &a.body); err != nil {
			w.t.Fatalf("%s %s: %v in %s", method, path, err, raw)
		}
	}
	return a
}

func TestAPIOfAPrinter(t *testing.T) {
	w := open(t)
	site := w.site()
	one := "/api/v1/printers/" + uuidA
	made := w.ask(site, "mina", "POST", "/api/v1/printers", fmt.Sprintf(`{"uuid":%q,"name":"octopi","pending":true}`, uuidA))
	token, _ := made.body["device_token"].(string)
	if made.status != 201 || token == "" || made.body["pending"] != true || made.body["role"] != "owner" || made.body["uuid"] != uuidA {
		t.Fatalf("%+v", made)
	}
	done := w.ask(site, "mina", "POST", "/api/v1/printers", fmt.Sprintf(`{"uuid":%q,"name":"거실","description":"3층"}`, uuidA))
	if done.status != 200 || done.body["device_token"] != nil || done.body["name"] != "거실" || done.body["pending"] != false {
		t.Fatalf("%+v", done)
	}
	if a := w.ask(site, "eve", "POST", "/api/v1/printers", fmt.Sprintf(`{"uuid":%q,"name":"x"}`, uuidA)); a.status != 409 || a.body["code"] != "uuid_taken" {
		t.Errorf("%+v", a)
	}
	id := w.connect(uuidA, token)
	w.status(id, fmt.Sprintf(printing, 1, 41.5, 600, 840))
	if a := w.ask(site, "mina", "GET", one, ""); a.status != 200 || a.body["status"] != "printing" || a.body["workspace"].(map[string]any)["name"] != "mina" {
		t.Errorf("%+v", a)
	}
	list := w.ask(site, "mina", "GET", "/api/v1/printers", "")
	if items := list.body["items"].([]any); len(items) != 1 || items[0].(map[string]any)["online"] != true {
		t.Errorf("%s", list.raw)
	}
	if a := w.ask(site, "eve", "GET", "/api/v1/printers", ""); !strings.Contains(a.raw, `"items":[]`) {
		t.Errorf("%s", a.raw)
	}
	if a := w.ask(site, "mina", "PATCH", one, `{"name":"작업실"}`); a.status != 200 || a.body["name"] != "작업실" || a.body["description"] != "3층" {
		t.Errorf("%+v", a)
	}
	if a := w.ask(site, "mina", "PATCH", one, `{"name":""}`); a.status != 422 || a.body["field"] != "name" || a.body["code"] != "name_invalid" {
		t.Errorf("%+v", a)
	}
	if a := w.ask(site, "mina", "PUT", one+"/cameras", `{"items":[{"name":"앞","stream_url":"http://u:p@cam/","rotation":180,"flip_h":true}]}`); a.status != 200 || !strings.Contains(a.raw, `"id"`) {
		t.Errorf("%+v", a)
	}
	if a := w.ask(site, "mina", "PUT", one+"/cameras", `{"items":[{"name":"앞","stream_url":"file:///x"}]}`); a.status != 422 || a.body["field"] != "items[0].stream_url" {
		t.Errorf("%+v", a)
	}
	if a := w.ask(site, "mina", "GET", one+"/cameras", ""); !strings.Contains(a.raw, "u:p@cam") {
		t.Errorf("%s", a.raw)
	}
	if a := w.ask(site, "mina", "POST", one+"/token", ""); a.status != 200 || a.body["device_token"] == token || a.body["device_token"] == "" {
		t.Errorf("%+v", a)
	}
	if a := w.ask(site, "mina", "POST", one+"/attention/ack", ""); a.status != 204 {
		t.Errorf("%+v", a)
	}
	if a := w.ask(site, "mina", "DELETE", one, ""); a.status != 204 {
		t.Errorf("%+v", a)
	}
	if a := w.ask(site, "mina", "GET", one, ""); a.status != 404 || a.body["code"] != "not_found" {
		t.Errorf("%+v", a)
	}
}

func TestAPIOfThePast(t *testing.T) {
	w := open(t)
	site := w.site()
	one := "/api/v1/printers/" + uuidA
	id := w.enrol(uuidA)
	w.run(id, 5*60e9, warm)
	for seq := range int64(5) {
		if err := w.event(id, seq+1, "PrintStarted", fmt.Sprint("job", seq), `{"name":"a.gcode"}`); err != nil {
			t.Fatal(err)
		}
	}
	events := w.ask(site, "mina", "GET", one+"/events?limit=2", "")
	items := events.body["items"].([]any)
	if len(items) != 2 || items[0].(map[string]any)["seq"] != 5.0 || events.body["next"] == nil {
		t.Errorf("%s", events.raw)
	}
	last := items[1].(map[string]any)["id"].(string)
	if a := w.ask(site, "mina", "GET", one+"/events?after="+last, ""); len(a.body["items"].([]any)) != 1 {
		t.Errorf("%s", a.raw)
	}
	history := w.ask(site, "mina", "GET", one+"/history?to="+w.clock.now().Format("2006-01-02T15:04:05Z"), "")
	if history.body["step"] != 10.0 || len(history.body["t"].([]any)) != 30 || history.body["columns"].(map[string]any)["tool0.target"].([]any)[0] != 210.0 {
		t.Errorf("%s", history.raw)
	}
	if a := w.ask(site, "mina", "GET", one+"/history?step=7", ""); a.status != 422 {
		t.Errorf("%+v", a)
	}
	if a := w.ask(site, "mina", "GET", one+"/history?from=yesterday", ""); a.status != 422 {
		t.Errorf("%+v", a)
	}
	if a := w.ask(site, "mina", "GET", one+"/jobs", ""); a.status != 200 || !strings.Contains(a.raw, `"file_name":"a.gcode"`) {
		t.Errorf("%s", a.raw)
	}
	if a := w.ask(site, "mina", "GET", one+"/files", ""); a.status != 200 || a.body["at"] != nil {
		t.Errorf("%s", a.raw)
	}
	tree := `{"local":[{"path":"폴더/a.gcode","size":5,"date":1},{"path":"b\u0007"},{"path":""},{"path":"c","size":-1}],"sdcard":null}`
	told := ""
	defer w.Bus.DeviceFiles.Subscribe(func(m bus.DeviceFiles) { told = m.UUID + string(m.JSON) })()
	if err := w.Files(t.Context(), id, []byte(tree), w.clock.now()); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(told, id.UUID+`{"at":"`) {
		t.Errorf("those who look are told %q", told)
	}
	if a := w.ask(site, "mina", "GET", one+"/files", ""); len(a.body["local"].([]any)) != 2 || a.body["omitted"] != 2.0 || len(a.body["sdcard"].([]any)) != 0 {
		t.Errorf("%s", a.raw)
	}
	for _, path := range []string{"", "/events", "/history", "/jobs", "/files", "/cameras"} {
		if a := w.ask(site, "eve", "GET", one+path, ""); a.status != 404 {
			t.Errorf("%s by another: %d", path, a.status)
		}
	}
}

func TestAPIBadInput(t *testing.T) {
	w := open(t)
	site := w.site()
	w.enrol(uuidB)
	for _, body := range []string{`{`, `[]`, `{"uuid":5,"name":"x"}`, `{"uuid":"` + uuidA + `"}`, `{"uuid":"x","name":"y"}`,
		`{"uuid":"` + uuidA + `","name":"` + strings.Repeat("x", 5000) + `"}`, `{"uuid":"` + uuidA + `","name":"x","surprise":1}`} {
		if a := w.ask(site, "mina", "POST", "/api/v1/printers", body); a.status < 400 || a.status >= 500 || a.body["code"] == nil {
			t.Errorf("%.60s: %+v", body, a)
		}
	}
	if n := len(w.twins()); n != 1 {
		t.Errorf("%d printers", n)
	}
	if a := w.ask(site, "", "GET", "/api/v1/printers", ""); a.status != 401 {
		t.Errorf("nobody: %+v", a)
	}
	if a := w.ask(site, "mina", "GET", "/api/v1/printers/"+uuidB+"/events?limit=9999", ""); a.status != 422 {
		t.Errorf("%+v", a)
	}
}

func TestPluginCalls(t *testing.T) {
	w := open(t)
	site := w.site()
	body := fmt.Sprintf(`{"payload":{"client":{"uuid":%q},"printer":{"connection":["Operational","/dev/ttyUSB0",115200,{"name":"Ender 3","model":"V2"}],
		"state":{"text":"Operational"},"registration":{"is_new":true}},"camera":{"uuid":"c","stream_url":"http://cam:8080/?action=stream"},
		"software":{"octoprint":"1.9.3"}},"user":{"id":"1"}}`, uuidA)
	if a := w.ask(site, "mina", "POST", "/api/printer/register", body); a.status != 200 || a.body["device_uuid"] != uuidA || a.body["created"] != true {
		t.Fatalf("%+v", a)
	}
	v := w.view(uuidA)
	if !v.Pending || v.Name != "Ender 3" || len(v.Cameras) != 1 || v.UUIDLogin {
		t.Errorf("%+v", v)
	}
	if a := w.ask(site, "mina", "POST", "/api/printer/register", body); a.status != 200 || a.body["created"] != false {
		t.Errorf("again: %+v", a)
	}
	if a := w.ask(site, "eve", "POST", "/api/printer/register", body); a.status != 409 || a.body["code"] != "uuid_taken" {
		t.Errorf("another: %+v", a)
	}
	if a := w.ask(site, "mina", "GET", "/api/printers/summary", ""); a.status != 200 || !strings.Contains(a.raw, uuidA) || !strings.Contains(a.raw, `"name":"Ender 3"`) {
		t.Errorf("%s", a.raw)
	}
	if a := w.ask(site, "eve", "GET", "/api/printers/summary", ""); a.raw != `{"items":[]}` {
		t.Errorf("%s", a.raw)
	}
	for _, c := range []struct {
		user, body string
		status     int
	}{
		{"", body, 401}, {"mina", "{", 400}, {"mina", "{}", 422}, {"mina", `{"payload":{"client":{"uuid":"x"}}}`, 422},
		{"mina", `{"payload":[]}`, 400}, {"mina", `{"payload":"` + strings.Repeat("x", maxPluginBody) + `"}`, 400},
	} {
		if a := w.ask(site, c.user, "POST", "/api/printer/register", c.body); a.status != c.status {
			t.Errorf("%.40s: %+v", c.body, a)
		}
	}
}

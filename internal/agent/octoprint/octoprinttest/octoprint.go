// Package octoprinttest starts a real OctoPrint with its virtual printer for tests.
package octoprinttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Patience is how long a test waits for what must come. It is generous: timing never decides a test.
const Patience = 90 * time.Second

// Key is an application key of an administrator of every OctoPrint started here.
const Key = "0123456789ABCDEF0123456789ABCDEF"

const config = `server:
  firstRun: false
  onlineCheck: {enabled: false}
  pluginBlacklist: {enabled: false}
  seenWizards: {}
serial: {autoconnect: true, port: VIRTUAL, baudrate: 115200}
plugins:
  virtual_printer: {enabled: true}
  _disabled: [announcements, discovery, errortracking, tracking, backup, healthcheck, achievements, softwareupdate]
`

// OctoPrint is a running OctoPrint on loopback.
type OctoPrint struct {
	URL string

	t       testing.TB
	program string
	dir     string
	port    string
	process *exec.Cmd
	log     *os.File
}

// Start starts a fresh OctoPrint and ends it with the test. The variable FACTOR_TEST_OCTOPRINT names the program;
// without it the test is skipped, or fails if FACTOR_TEST_REQUIRE is set.
func Start(t testing.TB) *OctoPrint {
	t.Helper()
	return StartWith(t, "FACTOR_TEST_OCTOPRINT", "")
}

// StartWith is Start for another program, which variable names, and with more settings of plugins: YAML that stands
// under plugins, indented by two.
func StartWith(t testing.TB, variable, plugins string) *OctoPrint {
	t.Helper()
	program := os.Getenv(variable)
	if program == "" {
		if os.Getenv("FACTOR_TEST_REQUIRE") != "" {
			t.Fatalf("%s must name the octoprint program", variable)
		}
		t.Skipf("%s does not name the octoprint program", variable)
	}
	o := &OctoPrint{t: t, program: program, dir: t.TempDir()}
	write := func(name, content string) {
		path := filepath.Join(o.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("config.yaml", config+plugins)
	write("data/appkeys/keys.yaml", "owner: [{api_key: "+Key+", app_id: factor-agent}]\n")
	out, err := exec.Command(program, "--basedir", o.dir, "user", "add", "owner", "--password", "a-password-of-tests", "--admin").CombinedOutput()
	if err != nil {
		t.Fatalf("octoprint user add: %v\n%s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, o.port, _ = net.SplitHostPort(l.Addr().String())
	l.Close()
	o.URL = "http://127.0.0.1:" + o.port
	if o.log, err = os.Create(filepath.Join(o.dir, "output")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		o.Stop()
		o.log.Close()
		if t.Failed() {
			if b, err := os.ReadFile(o.log.Name()); err == nil {
				t.Logf("OctoPrint said at its end:\n%s", b[max(0, len(b)-3000):])
			}
		}
	})
	o.Up()
	return o
}

// Up starts the program again after Stop, on the same folder and port, and waits until its printer is connected.
func (o *OctoPrint) Up() {
	o.t.Helper()
	o.process = exec.Command(o.program, "serve", "--iknowwhatimdoing", "--basedir", o.dir, "--host", "127.0.0.1", "--port", o.port)
	o.process.Stdout, o.process.Stderr = o.log, o.log
	if err := o.process.Start(); err != nil {
		o.t.Fatal(err)
	}
	o.Await(func(state, _ string) bool { return state == "Operational" }, "a connected printer")
}

// Stop ends the program, hard.
func (o *OctoPrint) Stop() {
	if o.process != nil {
		o.process.Process.Kill()
		o.process.Wait()
		o.process = nil
	}
}

// Await waits for OctoPrint's own state text and file name.
func (o *OctoPrint) Await(ok func(state, file string) bool, what string) {
	o.t.Helper()
	last := ""
	for end := time.Now().Add(Patience); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		var j struct {
			State string `json:"state"`
			Job   struct {
				File struct {
					Name string `json:"name"`
				} `json:"file"`
			} `json:"job"`
		}
		status, body, err := o.try("GET", "/api/job", nil, "")
		if err != nil || status != 200 || json.Unmarshal(body, &j) != nil {
			continue
		}
		if last = j.State; ok(j.State, j.Job.File.Name) {
			return
		}
	}
	o.t.Fatalf("OctoPrint never had %s, last state %q", what, last)
}

// Call sends JSON to the API; an answer that is no success fails the test.
func (o *OctoPrint) Call(method, path, body string) []byte {
	o.t.Helper()
	status, answer, err := o.try(method, path, strings.NewReader(body), "application/json")
	if err != nil || status/100 != 2 {
		o.t.Fatalf("OctoPrint %s %s: %d %v\n%s", method, path, status, err, answer)
	}
	return answer
}

// Command sends a line to the printer, such as one of the virtual printer's !!DEBUG lines.
func (o *OctoPrint) Command(line string) {
	o.t.Helper()
	o.Call("POST", "/api/printer/command", fmt.Sprintf(`{"command":%q}`, line))
}

// Job sends a job command: start, cancel, or pause with an action.
func (o *OctoPrint) Job(command, action string) {
	o.t.Helper()
	o.Call("POST", "/api/job", fmt.Sprintf(`{"command":%q,"action":%q}`, command, action))
}

// Upload puts a file into OctoPrint, and starts it if print is set.
func (o *OctoPrint) Upload(name, content string, print bool) {
	o.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	// filename*, RFC 8187, is the only way that every version takes for a name beyond ASCII.
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {fmt.Sprintf(`form-data; name="file"; filename*=UTF-8''%s`, url.PathEscape(name))},
		"Content-Type":        {"application/octet-stream"}})
	if err != nil {
		o.t.Fatal(err)
	}
	io.WriteString(part, content) // to memory
	form.WriteField("print", fmt.Sprint(print))
	form.Close()
	status, answer, err := o.try("POST", "/api/files/local", &body, form.FormDataContentType())
	if err != nil || status/100 != 2 {
		o.t.Fatalf("upload: %d %v\n%s", status, err, answer)
	}
}

func (o *OctoPrint) try(method, path string, body io.Reader, kind string) (int, []byte, error) {
	req, err := http.NewRequest(method, o.URL+path, body)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("X-Api-Key", Key)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	client := &http.Client{Timeout: 20 * time.Second}
	res, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	return res.StatusCode, answer, err
}

// Print makes a G-code file that heats to low temperatures, so that the virtual printer is soon there, and then moves
// to and fro. A quiet machine prints 1,300 lines a second, a busy one 100.
func Print(lines int) string {
	var g strings.Builder
	g.WriteString("; for tests\nM190 S40\nM104 S60\nG28\nM109 S60\nG1 Z0.3 F60000\n")
	for i := range lines {
		fmt.Fprintf(&g, "G1 X%d E%.3f F60000\n", 10+i%2, float64(i)*0.02)
	}
	g.WriteString("M104 S0\nM140 S0\n")
	return g.String()
}

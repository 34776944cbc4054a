package agent_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/kangbyounggwan/factor/internal/agent/local"
	"github.com/kangbyounggwan/factor/internal/agent/octoprint/octoprinttest"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// maxRSS is what the agent may take in RAM, at any moment.
const maxRSS = 20 << 20

// mustBuild builds the real program as it is shipped.
func mustBuild(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "factor-agent")
	cmd := exec.Command("go", "build", "-ldflags", "-s -w", "-o", program, "../../cmd/factor-agent")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// bigLibrary answers with more files than are kept, each with the analysis that OctoPrint adds to it: some 12 MB.
func bigLibrary(w http.ResponseWriter, _ *http.Request) {
	io.WriteString(w, `{"files":[`)
	for i := range wire.MaxTreeSize + 1000 {
		if i > 0 {
			io.WriteString(w, ",")
		}
		fmt.Fprintf(w, `{"type":"machinecode","origin":"local","date":%d,"size":%d,"path":"folder-%d/a-file-with-a-name-as-people-give-them-%d.gcode",
			"gcodeAnalysis":{"filament":{"tool0":{"length":1.5,"volume":2.5}},"note":"%s"}}`, 1700000000+i, i, i%50, i, strings.Repeat("x", 1800))
	}
	io.WriteString(w, `]}`)
}

func TestMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	program := mustBuild(t)
	d := octoprinttest.NewDouble(t)
	d.Answer("/api/files", bigLibrary)
	p := newPlatform(t)
	f := p.enrolled(d.URL, octoprinttest.Key)
	c := exec.Command(program, "run", "--data", f.Path, "--stdin-watch")
	stdin, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill() })
	p.await("the file list", func() bool {
		return len(p.files) == 1 && len(p.files[0].Local) == wire.MaxTreeSize && p.files[0].Omitted == 1000
	})
	printing := `{"current":{"state":{"text":"Printing","flags":{"operational":true,"printing":true}},"progress":{"completion":%d},
		"job":{"file":{"name":"a.gcode","path":"a.gcode","origin":"local","size":7}},"temps":[%s],"logs":[%s]}}`
	temps := strings.TrimSuffix(strings.Repeat(`{"time":1,"tool0":{"actual":210.1,"target":210},"bed":{"actual":60,"target":60}},`, 300), ",")
	logs := strings.TrimSuffix(strings.Repeat(`"Send: N100 G1 X10.1 Y20.2 E0.333*77",`, 1000), ",")
	for i := range 500 {
		d.Push(t, fmt.Sprintf(printing, i%100, temps, logs))
		d.Push(t, `{"event":{"type":"FilamentChange","payload":{"note":"`+strings.Repeat("x", 300)+`"}}}`)
	}
	p.await("every event", func() bool { return strings.Count(p.told(), "FilamentChange") == 500 })
	var status *local.Status
	p.await("every acknowledgement", func() bool {
		var err error
		if status, err = local.Ask(f.Path); err != nil {
			t.Fatal(err)
		}
		return status.Queue.Length == 0
	})
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	peak, _ := strconv.ParseInt(string(regexp.MustCompile(`VmHWM:\s+(\d+)`).FindSubmatch(content)[1]), 10, 64)
	t.Logf("%.1f MB, at most %.1f MB", float64(status.RSS)/(1<<20), float64(peak)/(1<<10))
	if status.RSS > maxRSS || peak<<10 > maxRSS {
		t.Errorf("takes more than %d MB", maxRSS>>20)
	}
	if status.RSS == 0 || status.OctoPrint.Health != "connected" || status.Queue.Length != 0 || len(status.Errors) > 0 {
		t.Errorf("%+v", status)
	}

	stdin.Close() // as the end of the program that started it does
	if err := c.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
	p.await("its goodbye", func() bool { return p.wills == 0 && !p.presence[len(p.presence)-1].Online })
	if c.ProcessState.Sys().(syscall.WaitStatus).Signaled() {
		t.Error("ended by a signal")
	}
}

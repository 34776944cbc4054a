package arch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"strings"
	"testing"
)

const module = "github.com/kangbyounggwan/factor/"

// A layer names folders and what their packages may import of ours, besides their own subfolders.
type layer struct {
	name    string
	folders []string // relative to the module; a trailing /… takes everything below as one
	imports []string // names of layers
	itself  bool     // whether folders of the layer may import each other
}

// layers is every folder with Go code, lowest first. A folder that is not here fails the test: decide where it belongs.
var layers = []layer{
	{name: "wire", folders: []string{"internal/wire"}},
	{name: "version", folders: []string{"internal/version"}},
	// How both programs are told what to do.
	{name: "line", folders: []string{"internal/line"}},
	// What is embedded, and nothing else.
	{name: "assets", folders: []string{"web", "plugin", "docs", "internal/server/agents"}},
	// What every capability stands on: who is asking, may he, where it is kept, what is told to whom.
	{name: "foundation", folders: []string{
		"internal/server/store", "internal/server/bus", "internal/server/problem", "internal/server/workspace",
		"internal/server/audit", "internal/server/config", "internal/server/mail", "internal/server/work",
		"internal/server/loglimit",
	}, imports: []string{"wire", "line"}, itself: true},
	{name: "capability", folders: []string{
		"internal/server/account", "internal/server/printer", "internal/server/job", "internal/server/command",
		"internal/server/file", "internal/server/camera", "internal/server/plugin",
	}, imports: []string{"wire", "foundation"}},
	{name: "gateway", folders: []string{"internal/server/gateway"}, imports: []string{"wire", "foundation", "capability"}},
	{name: "web", folders: []string{"internal/server/web"}, imports: []string{"wire", "assets", "foundation", "capability"}},
	{name: "agent", folders: []string{"internal/agent/…"}, imports: []string{"wire"}},
	{name: "sim", folders: []string{"internal/sim"}, imports: []string{"wire"}},
	{name: "cmd/factor", folders: []string{"cmd/factor"}, imports: []string{
		"wire", "line", "assets", "foundation", "capability", "gateway", "web", "sim", "version",
	}},
	{name: "cmd/factor-agent", folders: []string{"cmd/factor-agent"}, imports: []string{"wire", "line", "agent", "version"}},
	// Programs of the bench and of the tests drive the real ones and may reach for anything.
	{name: "tools", folders: []string{"bench/…", "e2e/…", "scripts/…", "internal/arch"}, imports: []string{
		"wire", "assets", "foundation", "capability", "gateway", "web", "agent", "sim",
	}, itself: true},
}

type goPackage struct {
	ImportPath string
	Imports    []string
	Error      *struct{ Err string }
}

func TestDependencyArrows(t *testing.T) {
	for _, p := range listPackages(t) {
		folder := strings.TrimPrefix(p.ImportPath, module)
		from, home := layerOf(folder)
		if from == nil {
			t.Errorf("%s belongs to no layer: place it in internal/arch/arch_test.go", folder)
			continue
		}
		for _, imported := range p.Imports {
			target, ours := strings.CutPrefix(imported, module)
			if !ours {
				continue
			}
			to, targetHome := layerOf(target)
			if to == nil {
				continue // said once, at its own turn
			}
			if !from.allows(to, home == targetHome) {
				t.Errorf("%s (%s) imports %s (%s): not one of the arrows", folder, from.name, target, to.name)
			}
		}
	}
}

// heavy are packages of which one use makes both programs a sixth larger: they call methods by names that are made up at
// run time, for which the linker keeps every exported method of everything. See internal/line and
// internal/server/mail/layout.go for what does without.
var heavy = map[string]bool{"text/template": true, "html/template": true, "net/rpc": true, "github.com/alecthomas/kong": true}

func TestProgramsStaySmall(t *testing.T) {
	for _, p := range listPackages(t) {
		if from, _ := layerOf(strings.TrimPrefix(p.ImportPath, module)); from == nil || from.name == "tools" {
			continue
		}
		for _, imported := range p.Imports {
			if heavy[imported] {
				t.Errorf("%s imports %s", p.ImportPath, imported)
			}
		}
	}
}

func TestLayersNameOnlyLayers(t *testing.T) {
	known := map[string]bool{}
	for _, l := range layers {
		for _, name := range l.imports {
			if !known[name] {
				t.Errorf("layer %s imports %q, which is not a layer below it", l.name, name)
			}
		}
		known[l.name] = true
	}
}

func (l *layer) allows(to *layer, sameHome bool) bool {
	if l == to {
		return l.itself || sameHome
	}
	for _, name := range l.imports {
		if name == to.name {
			return true
		}
	}
	return false
}

// layerOf returns the layer of a folder and the entry in it that holds the folder.
func layerOf(folder string) (*layer, string) {
	for i := range layers {
		for _, entry := range layers[i].folders {
			root := strings.TrimSuffix(entry, "/…")
			if folder == root || strings.HasPrefix(folder, root+"/") {
				return &layers[i], root
			}
		}
	}
	return nil, ""
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	// -e: a package that does not compile is the compiler's to report, its arrows are still looked at.
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Imports,Error", "./...")
	cmd.Dir = path.Join("..", "..")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("list packages: %v\n%s", err, stderr.String())
	}
	var packages []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(fmt.Errorf("read package list: %w", err))
		}
		packages = append(packages, p)
	}
	if len(packages) < 2 {
		t.Fatalf("found %d packages: the test looks at nothing", len(packages))
	}
	return packages
}

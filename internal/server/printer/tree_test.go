package printer

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

func paths(list []wire.DeviceFile) (p []string) {
	for _, f := range list {
		p = append(p, f.Path)
	}
	slices.Sort(p)
	return p
}

func TestFlatten(t *testing.T) {
	deep := strings.Repeat(`{"x":{"type":"folder","children":`, 3000) + `{}` + strings.Repeat(`}}`, 3000)
	for _, c := range []struct {
		name, tree  string
		local, card []string
	}{
		{"flat", `{"local":[{"name":"a","path":"a","type":"machinecode","size":5,"date":7}],"sdcard":[{"name":"B~1.GCO"}]}`, []string{"a"}, []string{"B~1.GCO"}},
		{"folders, as list and as object", `{"local":[{"type":"folder","name":"f","children":{"b":{"path":"f/b"},"c":{"type":"folder","children":[{"path":"f/c/d"}]}}}]}`,
			[]string{"f/b", "f/c/d"}, nil},
		{"by name", `{"local":{"a":{"path":"a","type":"machinecode"},"m":{"path":"m.stl","type":"model"}}}`, []string{"a"}, nil},
		{"wrong types", `{"local":[5,"x",null,{"path":7},{"path":"a","size":"big","date":{}}],"sdcard":7}`, []string{"a"}, nil},
		{"no object", `[1,2]`, nil, nil},
		{"deep", `{"local":` + deep + `}`, nil, nil},
	} {
		got := flatten([]byte(c.tree))
		if !slices.Equal(paths(got.Local), c.local) || !slices.Equal(paths(got.SDCard), c.card) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func FuzzFlatten(f *testing.F) {
	f.Add([]byte(`{"sd":{"local":[{"type":"folder","name":"f","children":{"b":{"path":"f/b"}}}],"sdcard":[{"name":"x"}]}}`))
	f.Add([]byte(`{"sd":{"local":{"a":{"path":"a","children":[[]]}}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		tree := flatten(fieldOf(b, "sd"))
		if len(tree.Local) > wire.MaxTreeSize || len(tree.SDCard) > wire.MaxTreeSize {
			t.Error(len(tree.Local), len(tree.SDCard))
		}
	})
}

func TestTreeOfThePublishedPlugin(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	body, err := os.ReadFile("../../wire/testdata/published.json")
	if err != nil {
		t.Fatal(err)
	}
	waiting := func() int { return len(w.trees) }
	for range 5 {
		w.status(id, string(body))
	}
	if waiting() != 1 {
		t.Fatalf("%d trees found, want 1", waiting())
	}
	if err := w.storeTree(t.Context(), <-w.trees); err != nil {
		t.Fatal(err)
	}
	tree, err := w.FileTree(t.Context(), id.PrinterID)
	if err != nil || len(tree.Local) != 1 || tree.Local[0].Size != 1000000 {
		t.Errorf("%+v %v", tree, err)
	}
	w.clock.add(2 * treeEvery)
	w.status(id, string(body))
	if waiting() != 0 {
		t.Error("the same tree is stored again")
	}
	w.clock.add(2 * treeEvery)
	w.status(id, `{"state":{"text":"Operational"},"sd":{"local":[{"path":"new"}]}}`)
	if waiting() != 1 {
		t.Error("another tree is not seen")
	}
	for i := range 100 { // nobody takes them: the status path goes on
		w.clock.add(2 * treeEvery)
		w.status(id, fmt.Sprintf(`{"state":{"text":"Operational"},"sd":{"local":[{"path":"%d"}]}}`, i))
	}
	// An agent says its files elsewhere.
	if err := w.Presence(t.Context(), id, []byte(`{"online":true}`), w.clock.now(), false); err != nil {
		t.Fatal(err)
	}
	tw := w.twin(uuidA)
	tw.mu.Lock()
	defer tw.mu.Unlock()
	if tw.wantsTree(w.clock.now().Add(time.Hour)) {
		t.Error("looked for in the snapshots of an agent")
	}
}

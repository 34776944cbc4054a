package file

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"testing"

	"github.com/kangbyounggwan/factor/internal/server/file/gcode"
)

func TestToolpath(t *testing.T) {
	h := newHouse(t)
	f := h.upload("kim", cube, "filename", "cube.gcode")
	for range 2 { // drawn, then kept
		a := h.do("kim", "GET", "/api/v1/files/"+f.ID+"/toolpath", nil)
		if a.status != 200 || !bytes.HasPrefix(a.body, []byte(gcode.ToolpathMagic)) {
			t.Fatalf("%d %.100q", a.status, a.body)
		}
	}
	if _, err := os.Stat(h.toolpathPath(f.ID)); err != nil {
		t.Error(err)
	}
	// What an earlier version drew is drawn anew.
	var old bytes.Buffer
	zipped := gzip.NewWriter(&old)
	fmt.Fprint(zipped, "FTP1 and more")
	zipped.Close()
	for _, was := range [][]byte{old.Bytes(), []byte("no gzip")} {
		if err := os.WriteFile(h.toolpathPath(f.ID), was, 0o600); err != nil {
			t.Fatal(err)
		}
		if a := h.do("kim", "GET", "/api/v1/files/"+f.ID+"/toolpath", nil); a.status != 200 || !bytes.HasPrefix(a.body, []byte(gcode.ToolpathMagic)) {
			t.Errorf("%d %.100q", a.status, a.body)
		}
	}
	if a := h.do("lee", "GET", "/api/v1/files/"+f.ID+"/toolpath", nil); a.status != 404 {
		t.Errorf("somebody else: %d", a.status)
	}
	if a := h.do("kim", "DELETE", "/api/v1/files/"+f.ID, nil); a.status != 204 {
		t.Fatalf("%d", a.status)
	}
	if _, err := os.Stat(h.toolpathPath(f.ID)); !os.IsNotExist(err) {
		t.Errorf("what was drawn of a deleted file: %v", err)
	}
}

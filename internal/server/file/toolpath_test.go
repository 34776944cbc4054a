package file

import (
	"bytes"
	"os"
	"testing"
)

func TestToolpath(t *testing.T) {
	h := newHouse(t)
	f := h.upload("kim", cube, "filename", "cube.gcode")
	for range 2 { // drawn, then kept
		a := h.do("kim", "GET", "/api/v1/files/"+f.ID+"/toolpath", nil)
		if a.status != 200 || !bytes.HasPrefix(a.body, []byte("FTP1")) {
			t.Fatalf("%d %.100q", a.status, a.body)
		}
	}
	if _, err := os.Stat(h.toolpathPath(f.ID)); err != nil {
		t.Error(err)
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

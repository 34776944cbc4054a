package octoprint

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/kangbyounggwan/factor/internal/wire"
)

func TestReadFiles_Caps(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"free":1,"files":[`)
	for i := range wire.MaxTreeSize + 7 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"type":"machinecode","path":"%d/%s.gcode","origin":"local","gcodeAnalysis":{"x":[%d]}}`, i, strings.Repeat(`\"`, 40), i)
	}
	b.WriteString(`]}`)
	f, err := readFiles(strings.NewReader(b.String()))
	if err != nil || len(f.Local) != wire.MaxTreeSize || f.Omitted != 7 {
		t.Errorf("%d files, %d omitted, %v", len(f.Local), f.Omitted, err)
	}
	long := strings.Repeat("긴", wire.MaxPath/3)
	r, w := io.Pipe()
	go func() {
		io.WriteString(w, `{"files":[`)
		for i := range 5000 {
			if i > 0 {
				io.WriteString(w, ",")
			}
			fmt.Fprintf(w, `{"type":"machinecode","path":"%s","origin":"sdcard"}`, long)
		}
		io.WriteString(w, `]}`)
		w.Close()
	}()
	f, err = readFiles(r)
	if err != nil || len(f.SDCard)+f.Omitted != 5000 || f.Omitted == 0 {
		t.Errorf("%d files, %d omitted, %v", len(f.SDCard), f.Omitted, err)
	}
	if m, err := json.Marshal(f); err != nil || len(m) > wire.MaxFiles {
		t.Errorf("a message of %d bytes, %v", len(m), err)
	}
}

func FuzzReadFiles(f *testing.F) {
	f.Add(`{"files":[{"type":"folder","path":"f","children":[{"type":"machinecode","path":"f/a","origin":"local","size":7,"date":1.5}]}]}`)
	f.Add(`{"files":[{"children":[{"children":[{"type":"machinecode","path":"\ud800"}]}]}]}`)
	f.Fuzz(func(t *testing.T, s string) {
		files, err := readFiles(strings.NewReader(s))
		if err != nil {
			return
		}
		if m, err := json.Marshal(files); err != nil || len(m) > wire.MaxFiles {
			t.Errorf("a message of %d bytes, %v", len(m), err)
		}
	})
}

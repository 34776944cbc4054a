package agents

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"testing"
)

func TestOpen_UnknownPlatform(t *testing.T) {
	for _, platform := range []string{"", "linux-riscv64", "../agents", "linux-amd64.zst"} {
		if _, err := Open(platform); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Open(%q): %v, want fs.ErrNotExist", platform, err)
		}
	}
}

// Says something only in a release build: `go test -tags embedagents`.
func TestOpen_EveryPlatformIsAProgram(t *testing.T) {
	for _, platform := range Platforms() {
		r, err := Open(platform)
		if err != nil {
			t.Fatal(err)
		}
		program, err := io.ReadAll(r)
		if err != nil {
			t.Errorf("%s: %v", platform, err)
		}
		if !bytes.HasPrefix(program, []byte("\x7fELF")) || len(program) < 1<<20 {
			t.Errorf("%s: %d bytes that are not a Linux program", platform, len(program))
		}
		r.Close()
	}
}

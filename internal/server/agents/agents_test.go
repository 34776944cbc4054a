package agents

import (
	"bytes"
	"debug/elf"
	"errors"
	"io"
	"io/fs"
	"slices"
	"testing"
)

func TestOpen_UnknownPlatform(t *testing.T) {
	for _, platform := range []string{"", "linux-riscv64", "../agents", "linux-amd64.zst"} {
		if _, err := Open(platform); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Open(%q): %v, want fs.ErrNotExist", platform, err)
		}
	}
}

func TestInside(t *testing.T) {
	for platform, want := range map[string]string{"linux-armv7": "linux-armv6", "linux-armv6": "linux-armv6", "linux-amd64": "linux-amd64"} {
		if got := Inside(platform); got != want {
			t.Errorf("%s is given %s, want %s", platform, got, want)
		}
	}
}

// Says something only in a release build: `go test -tags embedagents`.
func TestOpen_EveryPlatformIsAProgram(t *testing.T) {
	if list := Platforms(); len(list) > 0 && !slices.Equal(list, []string{"linux-amd64", "linux-arm64", "linux-armv6", "linux-armv7"}) {
		t.Errorf("inside: %v", list)
	}
	machines := map[string]elf.Machine{"linux-amd64": elf.EM_X86_64, "linux-arm64": elf.EM_AARCH64, "linux-armv6": elf.EM_ARM, "linux-armv7": elf.EM_ARM}
	for _, platform := range Platforms() {
		r, err := Open(platform)
		if err != nil {
			t.Fatal(err)
		}
		program, err := io.ReadAll(r)
		if err != nil {
			t.Errorf("%s: %v", platform, err)
		}
		file, err := elf.NewFile(bytes.NewReader(program))
		if err != nil || file.Type != elf.ET_EXEC || file.Machine != machines[platform] {
			t.Errorf("%s: %d bytes that are not a Linux program of it: %v", platform, len(program), err)
		}
		r.Close()
	}
}

// Packagents builds factor-agent for the Linux machines that printers hang on and leaves it compressed where the
// server embeds it. Run from the top of the tree, by `make agents`.
package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

const folder = "internal/server/agents"

// A Raspberry Pi 1 or Zero is armv6, a later one with a 64-bit system arm64; an armv7, such as a Pi 2, is given the
// program for armv6 (package agents says why).
var platforms = []struct{ name, goarch, goarm string }{
	{"linux-amd64", "amd64", ""},
	{"linux-arm64", "arm64", ""},
	{"linux-armv6", "arm", "6"},
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "packagents:", err)
		os.Exit(1)
	}
}

// run passes its arguments (such as -ldflags) on to go build.
func run(buildFlags []string) error {
	scratch, err := os.MkdirTemp("", "factor-agents-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	for _, p := range platforms {
		program := filepath.Join(scratch, p.name)
		args := append([]string{"build", "-trimpath", "-o", program}, buildFlags...)
		cmd := exec.Command("go", append(args, "./cmd/factor-agent")...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+p.goarch, "GOARM="+p.goarm)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("build for %s: %w", p.name, err)
		}
		packed := filepath.Join(folder, "factor-agent-"+p.name+".zst")
		from, to, err := compress(program, packed)
		if err != nil {
			return fmt.Errorf("compress for %s: %w", p.name, err)
		}
		fmt.Printf("%-12s %5.1f MB, compressed %4.1f MB\n", p.name, float64(from)/1e6, float64(to)/1e6)
	}
	return nil
}

// compress writes beside the target first, so that a build that is stopped leaves the last good one.
func compress(source, target string) (from, to int64, err error) {
	in, err := os.Open(source)
	if err != nil {
		return 0, 0, err
	}
	defer in.Close()
	out, err := os.Create(target + ".part")
	if err != nil {
		return 0, 0, err
	}
	defer out.Close()
	encoder, err := zstd.NewWriter(out, zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	if err != nil {
		return 0, 0, err
	}
	if from, err = io.Copy(encoder, in); err != nil {
		return 0, 0, err
	}
	if err := encoder.Close(); err != nil {
		return 0, 0, err
	}
	info, err := out.Stat()
	if err != nil {
		return 0, 0, err
	}
	return from, info.Size(), os.Rename(target+".part", target)
}

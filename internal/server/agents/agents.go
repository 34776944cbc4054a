// Package agents carries factor-agent for the Linux machines that printers hang on, compressed, so that one server
// binary is all there is to install. They are inside only in a release build (`make release`, build tag
// embedagents); without the tag [Platforms] is empty and everything still compiles and runs.
package agents

import (
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
)

const (
	prefix = "factor-agent-"
	suffix = ".zst"
)

// sameAs names the platforms that are given another's program. An armv7 runs what is built for armv6: the compiler has
// two instructions more for it (trailing zeros, memory barrier; for armv6 a few of the others, and the kernel's helper),
// and the programs are of the same size. That leaves 5 MB out of the server.
var sameAs = map[string]string{"linux-armv7": "linux-armv6"}

// Platforms lists what is served: linux-amd64, linux-arm64, linux-armv6, linux-armv7.
func Platforms() []string {
	names, err := fs.Glob(embedded, prefix+"*"+suffix)
	if err != nil {
		return nil // only a malformed pattern fails
	}
	for i, name := range names {
		names[i] = strings.TrimSuffix(strings.TrimPrefix(name, prefix), suffix)
	}
	for platform, other := range sameAs {
		if slices.Contains(names, other) {
			names = append(names, platform)
		}
	}
	slices.Sort(names)
	return names
}

// Inside gives the platform whose program a platform is given: most often its own.
func Inside(platform string) string {
	if other, ok := sameAs[platform]; ok {
		return other
	}
	return platform
}

// Open reads the agent of a platform, decompressed on the way. A platform that is not inside is [fs.ErrNotExist].
func Open(platform string) (io.ReadCloser, error) {
	if !slices.Contains(Platforms(), platform) {
		return nil, fmt.Errorf("agent for %q: %w", platform, fs.ErrNotExist)
	}
	file, err := embedded.Open(prefix + Inside(platform) + suffix)
	if err != nil {
		return nil, fmt.Errorf("open agent for %s: %w", platform, err)
	}
	// One goroutine and a bounded window: several Pis may fetch at once.
	reader, err := zstd.NewReader(file, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return nil, fmt.Errorf("open agent for %s: %w", platform, err)
	}
	return reader.IOReadCloser(), nil
}

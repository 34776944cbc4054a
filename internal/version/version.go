// Package version knows which FACTOR this is. Both programs of a build have the same version.
package version

import (
	"runtime/debug"
	"strings"
)

// number is set by the build: -ldflags "-X github.com/kangbyounggwan/factor/internal/version.number=1.2.3".
var number string

// String gives the version, such as "1.2.3": the build's, else what Go knows of the source, else "0.0.0-dev".
func String() string {
	if number != "" {
		return number
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "0.0.0-dev"
	}
	return strings.TrimPrefix(info.Main.Version, "v")
}

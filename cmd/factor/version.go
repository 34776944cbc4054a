package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// version can be set by the build: -ldflags "-X main.version=1.2.3". Otherwise it is what Go knows of the source.
var version = sourceVersion()

func sourceVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "0.0.0-dev"
	}
	return strings.TrimPrefix(info.Main.Version, "v")
}

type versionCommand struct{}

func (versionCommand) Run(s *streams) error {
	_, err := fmt.Fprintf(s.out, "factor %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

package main

import (
	"context"
	"fmt"
	"runtime"

	ver "github.com/kangbyounggwan/factor/internal/version"
)

var version = ver.String()

type versionCommand struct{}

func (versionCommand) Run(_ context.Context, s *streams) error {
	_, err := fmt.Fprintf(s.out, "factor %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

package main

import (
	"fmt"

	ver "github.com/kangbyounggwan/factor/internal/version"
)

var version = ver.String()

type versionCommand struct{}

func (versionCommand) Run(s *streams) error {
	_, err := fmt.Fprintln(s.out, version)
	return err
}

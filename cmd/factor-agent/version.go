package main

import (
	"fmt"

	ver "github.com/kangbyounggwan/factor/internal/version"
)

var version = ver.String()

func versionLine(s *streams) *command {
	return &command{name: "version", help: "Print the version.", run: func() error {
		_, err := fmt.Fprintln(s.out, version)
		return err
	}}
}

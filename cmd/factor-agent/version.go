package main

import (
	"fmt"

	"github.com/kangbyounggwan/factor/internal/line"
	ver "github.com/kangbyounggwan/factor/internal/version"
)

var version = ver.String()

func versionLine(s *streams) *line.Command {
	return &line.Command{Name: "version", Help: "Print the version.", Run: func() error {
		_, err := fmt.Fprintln(s.out, version)
		return err
	}}
}

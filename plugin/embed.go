// Package plugin carries the source of the OctoPrint plugin, which the server makes into a zip for itself. It is Python;
// this file is all the Go there is.
package plugin

import "embed"

// Sources is what belongs in the zip, and maybe what a developer's machine left beside it.
//
//go:embed setup.py requirements.txt all:octoprint_factor_mqtt
var Sources embed.FS

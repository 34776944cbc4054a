package gcode

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxName is the longest file name, in bytes: what file systems and the published plugin take.
const MaxName = 255

// extensions are the names that OctoPrint and Prusa's printers take for G-code.
var extensions = map[string]bool{".gcode": true, ".gco": true, ".g": true, ".bgcode": true, ".bgc": true}

// reserved are names that mean a device on Windows, where agents run too.
var reserved = map[string]bool{"con": true, "prn": true, "aux": true, "nul": true}

// CheckName refuses a file name that is a path, has characters that nobody sees, or is not that of a G-code file.
func CheckName(name string) error {
	switch {
	case name == "" || len(name) > MaxName:
		return refuse(HostileName, "a file name has 1 to %d bytes: rename the file", MaxName)
	case !utf8.ValidString(name):
		return refuse(HostileName, "the file name is not UTF-8: rename the file")
	case strings.ContainsAny(name, `/\`) || strings.HasPrefix(name, "."):
		return refuse(HostileName, "the file name has path parts: rename the file")
	case strings.TrimSpace(name) != name:
		return refuse(HostileName, "the file name begins or ends with a space: rename the file")
	}
	for _, r := range name {
		// unicode.Cf has the marks that turn the direction of writing, by which "edocg.exe" can look like "exe.gcode".
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && r != '\u200d' || r == unicode.ReplacementChar {
			return refuse(HostileName, "the file name has a character that nobody sees (%U): rename the file", r)
		}
	}
	extension := strings.ToLower(path.Ext(name))
	if !extensions[extension] {
		return refuse(UnknownExtension, "the file name ends in none of .gcode, .gco, .g, .bgcode: slice the model first")
	}
	if reserved[strings.ToLower(strings.TrimSuffix(name, path.Ext(name)))] {
		return refuse(HostileName, "the file name means a device on some systems: rename the file")
	}
	return nil
}

package wire

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Extensions are the ends of names of printable files, in lower case.
var Extensions = []string{".gcode", ".gco", ".g", ".bgcode"}

// BinaryExtension is the end of names of binary G-code, which few printers read.
const BinaryExtension = ".bgcode"

// NameFault is what is wrong with a file's name.
type NameFault string

// What can be wrong with a name.
const (
	NameEmpty     NameFault = "name_empty"
	NameLong      NameFault = "name_too_long"
	NamePath      NameFault = "name_path"      // holds a part of a path
	NameCharacter NameFault = "name_character" // holds a character that cannot be shown, or hides others
	NameHidden    NameFault = "name_hidden"    // begins with a dot
	NameReserved  NameFault = "name_reserved"  // means a device on Windows, where OctoPrint runs, too
	NameExtension NameFault = "name_extension" // is no printable file's
)

var nameFaults = map[NameFault]string{
	NameEmpty:     "The name is empty.",
	NameLong:      "The name is longer than 255 bytes.",
	NamePath:      "The name must not hold / or \\, nor be . or ..",
	NameCharacter: "The name holds a control character, or one that hides others.",
	NameHidden:    "The name must not begin with a dot.",
	NameReserved:  "The name means a device on Windows.",
	NameExtension: "The name must end with .gcode, .gco, .g or .bgcode.",
}

func (f NameFault) Error() string { return nameFaults[f] }

// unseen tells of characters that nobody sees: two files whose names differ in them alone look the same. The joiners of
// emoji and of Indic scripts are not among them, nor are the Arabic signs that stand before a number.
func unseen(r rune) bool {
	if r == '\u200c' || r == '\u200d' {
		return false
	}
	return unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) ||
		unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r)
}

// visible tells of characters without which a name looks like none.
func visible(r rune) bool {
	const blankBraille = '\u2800'
	return r != blankBraille && (unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsSymbol(r) || unicode.IsPunct(r))
}

// reserved are names that mean a device on Windows, whatever follows them after a dot.
var reserved = map[string]bool{"con": true, "prn": true, "aux": true, "nul": true,
	"com1": true, "com2": true, "com3": true, "com4": true, "com5": true, "com6": true, "com7": true, "com8": true, "com9": true,
	"lpt1": true, "lpt2": true, "lpt3": true, "lpt4": true, "lpt5": true, "lpt6": true, "lpt7": true, "lpt8": true, "lpt9": true}

// CheckName checks a name of a file or folder by itself. Its error is a NameFault.
func CheckName(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return NameEmpty
	case len(name) > MaxFileName:
		return NameLong
	case strings.ContainsAny(name, `/\`) || name == "." || name == "..":
		return NamePath
	case !utf8.ValidString(name) || strings.IndexFunc(name, unprintable) >= 0 || strings.IndexFunc(name, unseen) >= 0:
		return NameCharacter
	case name[0] == '.':
		return NameHidden
	case strings.IndexFunc(name, visible) < 0:
		return NameEmpty
	}
	return nil
}

// CheckFileName checks the name of a printable file. Its error is a NameFault.
func CheckFileName(name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	base, extension := SplitExtension(name)
	switch {
	case extension == "":
		return NameExtension
	case strings.IndexFunc(base, visible) < 0:
		return NameEmpty
	}
	if device, _, _ := strings.Cut(name, "."); reserved[strings.ToLower(strings.TrimSpace(device))] {
		return NameReserved
	}
	return nil
}

// SplitExtension takes the extension of a printable file off its name; "" where it has none of them.
func SplitExtension(name string) (base, extension string) {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return name, ""
	}
	for _, known := range Extensions {
		if strings.EqualFold(name[i:], known) {
			return name[:i], name[i:]
		}
	}
	return name, ""
}

// IsBinaryName tells whether a name is one of binary G-code.
func IsBinaryName(name string) bool {
	_, extension := SplitExtension(name)
	return strings.EqualFold(extension, BinaryExtension)
}

// NumberedName gives the n-th name to try for a file when name is taken: cube (2).gcode; the first is name itself. It stays
// within MaxFileName bytes.
func NumberedName(name string, n int) string {
	if n <= 1 {
		return name
	}
	base, extension := SplitExtension(name)
	suffix := fmt.Sprintf(" (%d)%s", n, extension)
	for len(base)+len(suffix) > MaxFileName {
		_, size := utf8.DecodeLastRuneInString(base)
		base = base[:len(base)-size]
	}
	return base + suffix
}

package workspace

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/kangbyounggwan/factor/internal/server/problem"
)

// NameLength is the most characters that the name of a person, workspace or token may have.
const NameLength = 80

// TidyName gives the form in which a name is kept: NFC (macOS types Hangul as single letters), single spaces, none
// at the ends. Errors: problem name_invalid about field, when it is empty, longer than NameLength, or holds what
// cannot be seen or turns the direction of writing around.
func TidyName(field, raw string) (string, error) {
	name := strings.Join(strings.Fields(norm.NFC.String(raw)), " ")
	switch {
	case !utf8.ValidString(raw) || strings.ContainsRune(name, utf8.RuneError):
		return "", problem.Field("name_invalid", field, "This name is not valid Unicode text.")
	case utf8.RuneCountInString(name) > NameLength || len(name) > 4*NameLength:
		return "", problem.Field("name_invalid", field, fmt.Sprintf("A name has at most %d characters.", NameLength))
	}
	if strings.ContainsFunc(raw, unicode.IsControl) {
		return "", problem.Field("name_invalid", field, "A name cannot hold control characters.")
	}
	visible, marks := false, 0
	for _, r := range name {
		switch {
		case unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsSymbol(r) || unicode.IsPunct(r):
			visible, marks = visible || !isFiller(r), 0
		case unicode.IsMark(r):
			marks++
		case r == ' ' || r == '\u200c' || r == '\u200d': // joiners make some scripts and emoji
		default:
			return "", problem.Field("name_invalid", field, "A name cannot hold characters that nobody sees.")
		}
		if marks > 8 {
			return "", problem.Field("name_invalid", field, "This name piles too many accents on one letter.")
		}
	}
	if !visible {
		return "", problem.Field("name_invalid", field, "A name needs at least one character.")
	}
	return name, nil
}

// isFiller tells letters that look like nothing: the Hangul fillers and the blank Braille pattern.
func isFiller(r rune) bool {
	switch r {
	case '\u115f', '\u1160', '\u3164', '\uffa0', '\u2800':
		return true
	}
	return false
}

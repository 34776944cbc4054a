package account

import (
	_ "embed"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/kangbyounggwan/factor/internal/server/problem"
)

// Lengths in characters. Length is what makes a password strong (NIST SP 800-63B section 5.1.1.2); no rule asks for
// special characters.
const (
	passwordLeast = 10
	passwordMost  = 200
)

//go:embed common.txt
var commonText string

// common holds words that people put their digits behind, and whole passwords of 10 characters and more that are on
// every list.
var common = func() map[string]bool {
	words := map[string]bool{}
	for line := range strings.Lines(commonText) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			words[line] = true
		}
	}
	return words
}()

// normalPassword gives the form in which a password is hashed: NFC, since the same key strokes give other letters
// on macOS than elsewhere.
func normalPassword(password string) string { return norm.NFC.String(password) }

// checkPassword refuses passwords that are found by trying. Errors: problem password_weak about field.
func checkPassword(field, password, email, name string) error {
	weak := func(detail string) error { return problem.Field("password_weak", field, detail) }
	p := normalPassword(password)
	switch n := utf8.RuneCountInString(p); {
	case n < passwordLeast:
		return weak(fmt.Sprintf("A password needs at least %d characters.", passwordLeast))
	case n > passwordMost:
		return weak(fmt.Sprintf("A password has at most %d characters.", passwordMost))
	case strings.ContainsFunc(p, unicode.IsControl) || strings.ContainsRune(p, utf8.RuneError):
		return weak("A password cannot hold control characters.")
	}
	p = strings.ToLower(p)
	local, _, _ := strings.Cut(strings.ToLower(email), "@")
	for _, own := range []string{email, local, name, strings.ReplaceAll(name, " ", "")} {
		own = strings.ToLower(own)
		if own != "" && (p == own || bare(p) == own || strings.ReplaceAll(p, own, "") == "") {
			return weak("Your e-mail address or name is the first thing that is tried as a password.")
		}
	}
	if common[p] || common[bare(p)] || common[unleet(bare(p))] || common[bare(unleet(p))] {
		return weak("This password is on the list of those that are tried first.")
	}
	if isPattern([]rune(p)) {
		return weak("This password is a simple pattern.")
	}
	return nil
}

// bare takes away what people put around a word: digits and signs.
func bare(p string) string {
	return strings.TrimFunc(p, func(r rune) bool { return !unicode.IsLetter(r) })
}

var leet = strings.NewReplacer("@", "a", "4", "a", "0", "o", "1", "i", "3", "e", "$", "s", "5", "s", "7", "t")

func unleet(p string) string { return leet.Replace(p) }

// isPattern tells repetitions of up to 4 characters (121212…), counting up or down (abcdef…), and next to no variety.
func isPattern(p []rune) bool {
	distinct := map[rune]bool{}
	for _, r := range p {
		distinct[r] = true
	}
	if len(distinct) < 5 {
		return true
	}
	for unit := 1; unit <= 4; unit++ {
		if repeats(p, unit) {
			return true
		}
	}
	up, down := 0, 0
	for i := 1; i < len(p); i++ {
		switch p[i] - p[i-1] {
		case 1:
			up++
		case -1:
			down++
		}
	}
	return max(up, down) >= len(p)-2 // 1234567890 turns once
}

func repeats(p []rune, unit int) bool {
	for i := unit; i < len(p); i++ {
		if p[i] != p[i-unit] {
			return false
		}
	}
	return true
}

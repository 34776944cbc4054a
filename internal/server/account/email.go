package account

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/kangbyounggwan/factor/internal/server/problem"
)

// Limits of RFC 5321 section 4.5.3.1 (local part 64 octets) and of its erratum 1690 (whole address 254).
const (
	emailBytes = 254
	localBytes = 64
)

// domains follows the rules for looking a domain up, and its DNS lengths besides.
var domains = idna.New(idna.MapForLookup(), idna.StrictDomainName(true), idna.ValidateLabels(true),
	idna.CheckHyphens(true), idna.CheckJoiners(true), idna.BidiRule(), idna.VerifyDNSLength(true))

// Email is an address in two forms.
type Email struct {
	Address string // as typed, without spaces around; the domain in ASCII, so that any mail server takes it
	Key     string // in lower case, for comparing: nobody gets a second account by writing his address in capitals
}

// ParseEmail reads an address. Errors: problem email_invalid about field. Refused are addresses that hardly any mail
// server takes: quoted local parts, address literals, letters outside ASCII before the @, and domains without a dot
// (but localhost, for trying things out).
func ParseEmail(field, raw string) (Email, error) {
	address := norm.NFC.String(strings.TrimSpace(raw))
	at := strings.LastIndexByte(address, '@')
	if len(raw) > 4*emailBytes || at < 1 || !utf8.ValidString(raw) {
		return Email{}, emailInvalid(field)
	}
	local, domain := address[:at], address[at+1:]
	if len(local) > localBytes || !isDotAtom(local) {
		return Email{}, emailInvalid(field)
	}
	ascii, err := domains.ToASCII(domain)
	if err != nil || strings.HasSuffix(ascii, ".") || (!strings.Contains(ascii, ".") && ascii != "localhost") {
		return Email{}, emailInvalid(field)
	}
	if again, err := domains.ToASCII(ascii); err != nil || again != ascii {
		return Email{}, emailInvalid(field) // letters that may be encoded but not be looked up, U+FFFD for one
	}
	if last := ascii[strings.LastIndexByte(ascii, '.')+1:]; strings.Trim(last, "0123456789") == "" {
		return Email{}, emailInvalid(field) // an IP address, or nothing that exists
	}
	if len(local)+1+len(ascii) > emailBytes {
		return Email{}, emailInvalid(field)
	}
	return Email{Address: local + "@" + ascii, Key: strings.ToLower(local + "@" + ascii)}, nil
}

func emailInvalid(field string) *problem.Problem {
	return problem.Field("email_invalid", field, "This is not an e-mail address that mail can be sent to.")
}

// isDotAtom tells the usual form of a local part (RFC 5322 section 3.2.3): words joined by single dots.
func isDotAtom(s string) bool {
	for word := range strings.SplitSeq(s, ".") {
		if word == "" {
			return false
		}
		for _, c := range []byte(word) {
			if !isAtomByte(c) {
				return false
			}
		}
	}
	return true
}

func isAtomByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}

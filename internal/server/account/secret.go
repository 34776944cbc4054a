package account

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash/crc32"
	"math/big"
	"strings"
)

// newSecret gives 256 random bits for a cookie or a link, 43 characters that need no escaping.
func newSecret() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails: crypto/rand ends the process instead
	return base64.RawURLEncoding.EncodeToString(b)
}

// secretLength is the most that anybody hands in for one of our secrets; longer is not hashed.
const secretLength = 128

// hashSecret gives what is kept of a secret.
func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

const (
	tokenRandom   = 30 // characters: 178 bits
	tokenChecksum = 6  // characters: CRC-32 in base 62, so that a token copied wrongly is known without asking the database
	tokenPrefix   = len(TokenPrefix) + 6
)

// newToken gives an API token: fct_, 30 random characters, 6 of checksum.
func newToken() string {
	var b strings.Builder
	b.WriteString(TokenPrefix)
	top := big.NewInt(int64(len(base62)))
	for range tokenRandom {
		n, err := rand.Int(rand.Reader, top)
		if err != nil {
			panic(err) // crypto/rand never fails
		}
		b.WriteByte(base62[n.Int64()])
	}
	return b.String() + checksum(b.String())
}

// isToken tells whether s has the form of an API token and its checksum fits.
func isToken(s string) bool {
	if len(s) != len(TokenPrefix)+tokenRandom+tokenChecksum || !strings.HasPrefix(s, TokenPrefix) {
		return false
	}
	if strings.Trim(s[len(TokenPrefix):], base62) != "" {
		return false
	}
	body := s[:len(s)-tokenChecksum]
	return checksum(body) == s[len(body):]
}

func checksum(s string) string {
	out := [tokenChecksum]byte{}
	sum := crc32.ChecksumIEEE([]byte(s))
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = base62[sum%62]
		sum /= 62
	}
	return string(out[:])
}

// newSetupCode gives a code that is typed by hand: 60 random bits in Crockford's base 32, which has no I, L, O, U.
func newSetupCode() string {
	b := typedCode(12)
	return b[:4] + "-" + b[4:8] + "-" + b[8:]
}

// typedCode gives n characters of 5 random bits each.
func typedCode(n int) string {
	const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	b := make([]byte, n)
	rand.Read(b)
	for i := range b {
		b[i] = alphabet[b[i]%32]
	}
	return string(b)
}

// tidySetupCode forgives how a code is typed: small letters, spaces, dashes, and letters that look like digits.
func tidySetupCode(code string) string {
	return strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(code))
}

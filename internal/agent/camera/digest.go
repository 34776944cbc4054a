package camera

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

var digestField = regexp.MustCompile(`([a-zA-Z]+)=(?:"([^"]*)"|([^\s,]+))`)

// digest answers a challenge of RFC 7616 (MD5 or SHA-256, qop auth or none); "" when there is none that we can answer.
func digest(challenges []string, u *url.URL, method string) string {
	for _, challenge := range challenges {
		scheme, rest, _ := strings.Cut(challenge, " ")
		if !strings.EqualFold(scheme, "Digest") {
			continue
		}
		given := map[string]string{}
		for _, m := range digestField.FindAllStringSubmatch(rest, 16) {
			given[strings.ToLower(m[1])] = m[2] + m[3]
		}
		var sum func(string) string
		switch strings.ToUpper(given["algorithm"]) {
		case "", "MD5":
			sum = func(s string) string { h := md5.Sum([]byte(s)); return hex.EncodeToString(h[:]) }
		case "SHA-256":
			sum = func(s string) string { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) }
		default:
			continue
		}
		password, _ := u.User.Password()
		name, realm, nonce, uri := u.User.Username(), given["realm"], given["nonce"], u.RequestURI()
		if strings.ContainsAny(name, "\"\\\r\n") {
			return ""
		}
		answer := fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s"`, name, realm, nonce, uri)
		ha1, ha2 := sum(name+":"+realm+":"+password), sum(method+":"+uri)
		if strings.Contains(given["qop"], "auth") {
			cnonce := rand.Text()
			answer += fmt.Sprintf(`, qop=auth, nc=00000001, cnonce="%s", response="%s"`, cnonce,
				sum(strings.Join([]string{ha1, nonce, "00000001", cnonce, "auth", ha2}, ":")))
		} else {
			answer += fmt.Sprintf(`, response="%s"`, sum(ha1+":"+nonce+":"+ha2))
		}
		if a := given["algorithm"]; a != "" {
			answer += ", algorithm=" + a
		}
		if o, ok := given["opaque"]; ok {
			answer += fmt.Sprintf(`, opaque="%s"`, o)
		}
		return answer
	}
	return ""
}

package config

import (
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/kangbyounggwan/factor/internal/line"
)

// Address is host:port to listen on; "" is off.
type Address string

// Off tells whether nothing listens.
func (a Address) Off() bool { return a == "" }

func (a Address) String() string {
	if a.Off() {
		return "off"
	}
	return string(a)
}

// UnmarshalText reads host:port, :port or off.
func (a *Address) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if s == "" || strings.EqualFold(s, "off") {
		*a = ""
		return nil
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return line.Tell("%q is no address: write host:port, :port for all interfaces, or off",
			"%q: 주소가 아닙니다. 호스트:포트, 모든 인터페이스면 :포트, 또는 off로 적으세요", s)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return line.Tell("%q has no port from 0 to 65535", "%q: 포트가 0~65535가 아닙니다", s)
	}
	*a = Address(net.JoinHostPort(host, strconv.FormatUint(n, 10)))
	return nil
}

// Bytes is a size. Its units are powers of ten, as disks are sold.
type Bytes int64

var byteUnits = []struct {
	name string
	size Bytes
}{{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1}}

func (b Bytes) String() string {
	if b == 0 {
		return "off"
	}
	for _, u := range byteUnits {
		if b%u.size == 0 {
			return strconv.FormatInt(int64(b/u.size), 10) + u.name
		}
	}
	return "" // the last unit divides everything
}

// UnmarshalText reads a number with KB, MB, GB or TB behind it, or off for 0.
func (b *Bytes) UnmarshalText(text []byte) error {
	s := strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(string(text)), " ", ""))
	if s == "OFF" || s == "0" {
		*b = 0
		return nil
	}
	unit := Bytes(1)
	for _, u := range byteUnits {
		if rest, ok := strings.CutSuffix(s, u.name); ok {
			s, unit = rest, u.size
			break
		}
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || !(n > 0 && n*float64(unit) < 1<<62) {
		return line.Tell("%q is no size: write 500MB, 20GB or off", "%q: 크기가 아닙니다. 500MB, 20GB 또는 off로 적으세요", text)
	}
	*b = Bytes(n * float64(unit))
	return nil
}

// OnOff is a switch: --uuid-login, --uuid-login=on and --uuid-login on all turn it on.
type OnOff bool

func (o OnOff) String() string {
	if o {
		return "on"
	}
	return "off"
}

// UnmarshalText reads on and off, and what else people write for them.
func (o *OnOff) UnmarshalText(text []byte) error {
	v, ok := line.OnOff(string(text))
	if !ok {
		return line.Tell("%q is neither on nor off", "%q: on이나 off가 아닙니다", text)
	}
	*o = OnOff(v)
	return nil
}

// Secret is a setting that never appears in logs or errors.
type Secret string

// String hides what must not be read by others: of a URL its user and password.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	u, err := url.Parse(string(s))
	if err != nil || u.Host == "" {
		return "(set)"
	}
	if u.User != nil {
		u.User = url.User("…")
	}
	u.RawQuery, u.Fragment = "", ""
	text, err := url.PathUnescape(u.String())
	if err != nil {
		return "(set)"
	}
	return text
}

// LogValue hides the secret from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// MarshalText hides the secret from JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Reveal gives the secret itself.
func (s Secret) Reveal() string { return string(s) }

package config

import (
	"errors"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/kangbyounggwan/factor/internal/line"
)

// Validate checks every setting and what they need of each other. Its error names each setting that is at fault
// and what to do, a line for each.
func (s *Settings) Validate() error {
	var faults []error
	fault := func(setting, english, korean string, args ...any) {
		faults = append(faults, line.At("--"+setting, line.Tell(english, korean, args...)))
	}

	if strings.TrimSpace(s.Data) == "" {
		fault("data", "is empty. Name the folder that FACTOR keeps everything in", "비어 있습니다. FACTOR가 모든 것을 보관할 폴더를 적으세요")
	}
	if s.HTTP.Off() && s.HTTPS.Off() {
		fault("https", "--http and --https are both off. Leave one of them on, or nobody can reach the pages",
			"--http와 --https가 모두 꺼져 있습니다. 하나는 켜 두어야 페이지를 열 수 있습니다")
	}
	s.checkPorts(fault)
	if s.PublicURL != "" {
		if _, err := publicURL(s.PublicURL); err != nil {
			fault("public-url", "%[1]q %[2]v", "%[1]q: %[3]s", s.PublicURL, err, line.InKorean(err))
		}
	}
	for _, name := range s.Names {
		if !validHost(name) {
			fault("names", "%q is no host name or address. Leave away https:// and the port",
				"%q: 호스트 이름이나 주소가 아닙니다. https://와 포트를 빼고 적으세요", name)
		}
	}
	for _, p := range s.TrustedProxies {
		if _, err := network(p); err != nil {
			fault("trusted-proxies", "%q is no address or network. Write 10.0.0.5 or 10.0.0.0/8",
				"%q: 주소나 네트워크가 아닙니다. 10.0.0.5나 10.0.0.0/8처럼 적으세요", p)
		}
	}
	for _, text := range s.WebRTCAddress {
		if a, err := netip.ParseAddr(strings.TrimSpace(text)); err != nil || a.IsUnspecified() || a.IsMulticast() {
			fault("webrtc-address", "%q is no IP address of this server. Write the one that its router has on the internet, such as 203.0.113.7",
				"%q: 이 서버의 IP 주소가 아닙니다. 공유기가 인터넷에서 쓰는 주소를 203.0.113.7처럼 적으세요", text)
		}
	}
	s.checkTURN(fault)
	if s.FFmpeg != "" && s.FFmpeg != "auto" && s.FFmpeg != "off" {
		if info, err := os.Stat(s.FFmpeg); err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
			fault("ffmpeg", "%q is no program. Name the file, such as /usr/bin/ffmpeg, or write auto or off",
				"%q: 프로그램이 아닙니다. /usr/bin/ffmpeg처럼 파일을 적거나 auto 또는 off를 쓰세요", s.FFmpeg)
		}
	}
	s.checkTLS(fault)
	s.checkMail(fault)
	for _, n := range []struct {
		setting string
		value   int
	}{{"max-connections", s.MaxConnections}, {"max-connections-per-address", s.MaxConnectionsPerAddress},
		{"max-web-connections-per-address", s.MaxWebConnectionsPerAddress}, {"audit-days", s.AuditDays}} {
		if n.value < 1 {
			fault(n.setting, "must be at least 1, not %d", "1 이상이어야 합니다(지금 %d)", n.value)
		}
	}
	return errors.Join(faults...)
}

// faultFunc takes what is wrong with a setting, in both languages with the same arguments.
type faultFunc func(setting, english, korean string, args ...any)

// checkPorts finds two listeners that were given the same fixed port.
func (s *Settings) checkPorts(fault faultFunc) {
	taken := map[string]string{}
	for _, l := range []struct {
		name string
		addr Address
	}{{"http", s.HTTP}, {"https", s.HTTPS}, {"mqtts", s.MQTTS}, {"mqtt", s.MQTT}, {"webrtc", s.WebRTC}, {"rtsp", s.RTSP}} {
		if l.addr.Off() {
			continue
		}
		_, port, err := net.SplitHostPort(string(l.addr))
		if err != nil || port == "0" {
			continue
		}
		if other, ok := taken[port]; ok {
			fault(l.name, "has the same port %s as --%s. Give each its own", "포트 %s이(가) --%s의 포트와 같습니다. 서로 다른 포트를 주세요", port, other)
		}
		taken[port] = l.name
	}
}

func (s *Settings) checkTLS(fault faultFunc) {
	switch {
	case s.TLSCert != "" && s.TLSKey == "":
		fault("tls-key", "is missing. --tls-cert needs the private key that belongs to it", "없습니다. --tls-cert에는 짝이 되는 개인 키가 필요합니다")
	case s.TLSKey != "" && s.TLSCert == "":
		fault("tls-cert", "is missing. --tls-key needs the certificate that belongs to it", "없습니다. --tls-key에는 짝이 되는 인증서가 필요합니다")
	case s.TLSCert != "" && len(s.ACMEDomain) > 0:
		fault("acme-domain", "does not go together with --tls-cert. Take one of them away", "--tls-cert와 함께 쓸 수 없습니다. 둘 중 하나를 빼세요")
	}
	for _, given := range []struct{ setting, path string }{{"tls-cert", s.TLSCert}, {"tls-key", s.TLSKey}} {
		if given.path == "" {
			continue
		}
		if f, err := os.Open(given.path); err != nil {
			fault(given.setting, "cannot be read: %[1]v", "%[2]s 파일을 읽을 수 없습니다: %[3]s", err, given.path, line.Reason(err))
		} else {
			f.Close()
		}
	}
	for _, d := range s.ACMEDomain {
		if _, err := netip.ParseAddr(d); err == nil || !validHost(d) || !strings.Contains(d, ".") {
			fault("acme-domain", "%q is no public host name such as factor.example.com", "%q: factor.example.com 같은 공개 호스트 이름이 아닙니다", d)
		}
	}
	if len(s.ACMEDomain) > 0 && s.HTTPS.Off() {
		fault("acme-domain", "needs HTTPS, which --https turns off", "HTTPS가 필요한데 --https가 꺼져 있습니다")
	}
	if s.ACMEEmail != "" {
		if _, err := mail.ParseAddress(s.ACMEEmail); err != nil {
			fault("acme-email", "%q is no e-mail address", "%q: 이메일 주소가 아닙니다", s.ACMEEmail)
		}
	}
}

func (s *Settings) checkMail(fault faultFunc) {
	if s.SMTP == "" {
		return
	}
	// The value itself stays out of the words: it holds a password.
	u, err := url.Parse(s.SMTP.Reveal())
	switch {
	case err != nil:
		fault("smtp", "cannot be read. Write smtp://user:password@host:587; a character such as @ or / in the password is written %%40 or %%2F",
			"읽을 수 없습니다. smtp://user:password@host:587처럼 적으세요. 비밀번호의 @나 /는 %%40, %%2F로 적습니다")
	case u.Scheme != "smtp" && u.Scheme != "smtps":
		fault("smtp", "must begin with smtp:// or smtps://", "smtp://나 smtps://로 시작해야 합니다")
	case u.Hostname() == "":
		fault("smtp", "names no host. Write smtp://user:password@host:587", "호스트가 없습니다. smtp://user:password@host:587처럼 적으세요")
	case u.Path != "" && u.Path != "/":
		fault("smtp", "has something after the port. A / in the password is written %%2F", "포트 뒤에 다른 것이 있습니다. 비밀번호의 /는 %%2F로 적습니다")
	case u.Port() != "" && !validPort(u.Port()):
		fault("smtp", "has no port from 1 to 65535", "포트가 1~65535가 아닙니다")
	}
	if s.MailFrom == "" {
		fault("mail-from", "is missing. With --smtp it says who mails come from, such as factor@example.com",
			"없습니다. --smtp를 쓰면 메일을 보내는 사람을 factor@example.com처럼 적어야 합니다")
	} else if _, err := mail.ParseAddress(s.MailFrom); err != nil {
		fault("mail-from", "%q is no e-mail address. Write factor@example.com or FACTOR <factor@example.com>",
			"%q: 이메일 주소가 아닙니다. factor@example.com이나 FACTOR <factor@example.com>처럼 적으세요", s.MailFrom)
	}
}

func validPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

func publicURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return nil, line.Tell("is no web address. Write https://factor.example.com", "웹 주소가 아닙니다. https://factor.example.com처럼 적으세요")
	case u.User != nil:
		return nil, line.Tell("must not hold a user or password", "사용자 이름이나 비밀번호가 들어가면 안 됩니다")
	case (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "":
		return nil, line.Tell("must end after the host: %s://%s. FACTOR does not live in a subfolder",
			"호스트에서 끝나야 합니다: %s://%s. FACTOR는 하위 폴더에서 실행되지 않습니다", u.Scheme, u.Host)
	case !validHost(u.Hostname()):
		return nil, line.Tell("has no valid host name", "호스트 이름이 올바르지 않습니다")
	case u.Port() != "" && !validPort(u.Port()):
		return nil, line.Tell("has no port from 1 to 65535", "포트가 1~65535가 아닙니다")
	}
	u.Path = ""
	u.Host = strings.ToLower(u.Host)
	return u, nil
}

func network(text string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// validHost tells whether s is an IP address or a host name (RFC 1123, 2.1).
func validHost(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

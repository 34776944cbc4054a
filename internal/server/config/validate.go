package config

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
)

// Validate checks every setting and what they need of each other. Its error names each setting that is at fault
// and what to do, a line for each.
func (s *Settings) Validate() error {
	var faults []error
	fault := func(setting, format string, args ...any) {
		faults = append(faults, fmt.Errorf("--%s: %s", setting, fmt.Sprintf(format, args...)))
	}

	if strings.TrimSpace(s.Data) == "" {
		fault("data", "is empty. Name the folder that FACTOR keeps everything in")
	}
	if s.HTTP.Off() && s.HTTPS.Off() {
		fault("https", "--http and --https are both off. Leave one of them on, or nobody can reach the pages")
	}
	s.checkPorts(fault)
	if s.PublicURL != "" {
		if _, err := publicURL(s.PublicURL); err != nil {
			fault("public-url", "%q %v", s.PublicURL, err)
		}
	}
	for _, name := range s.Names {
		if !validHost(name) {
			fault("names", "%q is no host name or address. Leave away https:// and the port", name)
		}
	}
	for _, p := range s.TrustedProxies {
		if _, err := network(p); err != nil {
			fault("trusted-proxies", "%q is no address or network. Write 10.0.0.5 or 10.0.0.0/8", p)
		}
	}
	for _, text := range s.WebRTCAddress {
		if a, err := netip.ParseAddr(strings.TrimSpace(text)); err != nil || a.IsUnspecified() || a.IsMulticast() {
			fault("webrtc-address", "%q is no IP address of this server. Write the one that its router has on the internet, such as 203.0.113.7", text)
		}
	}
	s.checkTURN(fault)
	if s.FFmpeg != "" && s.FFmpeg != "auto" && s.FFmpeg != "off" {
		if info, err := os.Stat(s.FFmpeg); err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
			fault("ffmpeg", "%q is no program. Name the file, such as /usr/bin/ffmpeg, or write auto or off", s.FFmpeg)
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
			fault(n.setting, "must be at least 1, not %d", n.value)
		}
	}
	return errors.Join(faults...)
}

type faultFunc func(setting, format string, args ...any)

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
			fault(l.name, "has the same port %s as --%s. Give each its own", port, other)
		}
		taken[port] = l.name
	}
}

func (s *Settings) checkTLS(fault faultFunc) {
	switch {
	case s.TLSCert != "" && s.TLSKey == "":
		fault("tls-key", "is missing. --tls-cert needs the private key that belongs to it")
	case s.TLSKey != "" && s.TLSCert == "":
		fault("tls-cert", "is missing. --tls-key needs the certificate that belongs to it")
	case s.TLSCert != "" && len(s.ACMEDomain) > 0:
		fault("acme-domain", "does not go together with --tls-cert. Take one of them away")
	}
	for _, given := range []struct{ setting, path string }{{"tls-cert", s.TLSCert}, {"tls-key", s.TLSKey}} {
		if given.path == "" {
			continue
		}
		if f, err := os.Open(given.path); err != nil {
			fault(given.setting, "cannot be read: %v", err)
		} else {
			f.Close()
		}
	}
	for _, d := range s.ACMEDomain {
		if _, err := netip.ParseAddr(d); err == nil || !validHost(d) || !strings.Contains(d, ".") {
			fault("acme-domain", "%q is no public host name such as factor.example.com", d)
		}
	}
	if len(s.ACMEDomain) > 0 && s.HTTPS.Off() {
		fault("acme-domain", "needs HTTPS, which --https turns off")
	}
	if s.ACMEEmail != "" {
		if _, err := mail.ParseAddress(s.ACMEEmail); err != nil {
			fault("acme-email", "%q is no e-mail address", s.ACMEEmail)
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
		fault("smtp", "cannot be read. Write smtp://user:password@host:587; a character such as @ or / in the password is written %%40 or %%2F")
	case u.Scheme != "smtp" && u.Scheme != "smtps":
		fault("smtp", "must begin with smtp:// or smtps://")
	case u.Hostname() == "":
		fault("smtp", "names no host. Write smtp://user:password@host:587")
	case u.Path != "" && u.Path != "/":
		fault("smtp", "has something after the port. A / in the password is written %%2F")
	case u.Port() != "" && !validPort(u.Port()):
		fault("smtp", "has no port from 1 to 65535")
	}
	if s.MailFrom == "" {
		fault("mail-from", "is missing. With --smtp it says who mails come from, such as factor@example.com")
	} else if _, err := mail.ParseAddress(s.MailFrom); err != nil {
		fault("mail-from", "%q is no e-mail address. Write factor@example.com or FACTOR <factor@example.com>", s.MailFrom)
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
		return nil, errors.New("is no web address. Write https://factor.example.com")
	case u.User != nil:
		return nil, errors.New("must not hold a user or password")
	case (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("must end after the host: %s://%s. FACTOR does not live in a subfolder", u.Scheme, u.Host)
	case !validHost(u.Hostname()):
		return nil, errors.New("has no valid host name")
	case u.Port() != "" && !validPort(u.Port()):
		return nil, errors.New("has no port from 1 to 65535")
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

package discover

import (
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// kinds are the services of DNS-SD behind which cameras are, and the scheme of their address.
var kinds = map[string]string{"_rtsp._tcp.local.": "rtsp", "_http._tcp.local.": "http"}

// likely are names of web servers that are cameras' own; most are something else.
var likely = regexp.MustCompile(`(?i)cam|video|stream|mjpg|mjpeg|motioneye|go2rtc|frigate|kamera|카메라|웹캠`)

// mdnsQuery asks for both kinds. From a port of our own, the answer comes back to it alone (RFC 6762, 6.7).
func mdnsQuery() []byte {
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{})
	b.EnableCompression()
	if b.StartQuestions() != nil {
		return nil
	}
	for name := range kinds {
		b.Question(dnsmessage.Question{Name: dnsmessage.MustNewName(name), Type: dnsmessage.TypePTR, Class: dnsmessage.ClassINET})
	}
	query, err := b.Finish()
	if err != nil {
		return nil
	}
	return query
}

const maxRecords = 200 // of an answer

// instance is a service that an answer names.
type instance struct {
	port uint16
	path string
}

// mdnsReply reads an answer. As with ONVIF, a camera's address is the one that it answers from.
func mdnsReply(reply []byte, from net.IP) (found []Offer) {
	var p dnsmessage.Parser
	if h, err := p.Start(reply); err != nil || !h.Response || p.SkipAllQuestions() != nil {
		return nil
	}
	known := map[string]*instance{}
	at := func(name string) *instance {
		name = strings.ToLower(name)
		if known[name] == nil {
			known[name] = &instance{}
		}
		return known[name]
	}
	named := map[string]string{} // instance: kind
	take := func(r dnsmessage.Resource) {
		name := r.Header.Name.String()
		switch body := r.Body.(type) {
		case *dnsmessage.PTRResource:
			if kinds[strings.ToLower(name)] != "" {
				named[body.PTR.String()] = strings.ToLower(name)
			}
		case *dnsmessage.SRVResource:
			at(name).port = body.Port
		case *dnsmessage.TXTResource:
			for _, t := range body.TXT {
				if path, ok := strings.CutPrefix(t, "path="); ok {
					at(name).path = path
				}
			}
		}
	}
	records := 0
	for _, section := range []func() (dnsmessage.Resource, error){p.Answer, p.Authority, p.Additional} {
		for ; records < maxRecords; records++ {
			r, err := section()
			if err == dnsmessage.ErrSectionDone {
				break
			}
			if err != nil {
				return nil
			}
			take(r)
		}
	}
	for name, kind := range named {
		i := at(name)
		label := strings.TrimSuffix(name, "."+kind)
		if !strings.HasSuffix(strings.ToLower(name), kind) || i.port == 0 || (kinds[kind] == "http" && !likely.MatchString(label+i.path)) {
			continue
		}
		path := "/" + strings.TrimLeft(i.path, "/")
		u, err := url.Parse(path)
		if err != nil || u.Host != "" || u.Scheme != "" {
			continue
		}
		u.Scheme, u.Host = kinds[kind], net.JoinHostPort(from.String(), strconv.Itoa(int(i.port)))
		found = append(found, Offer{From: "mdns", Name: strings.ReplaceAll(label, `\`, ""), URL: u.String(), Complete: i.path != ""})
	}
	return found
}

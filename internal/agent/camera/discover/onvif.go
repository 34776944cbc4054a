package discover

import (
	"bytes"
	"encoding/xml"
	"net"
	"net/url"
	"strings"

	"github.com/google/uuid"
)

// probe asks for video transmitters.
func probe() []byte {
	return []byte(`<?xml version="1.0" encoding="utf-8"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" ` +
		`xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" ` +
		`xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header><w:MessageID>uuid:` + uuid.NewString() + `</w:MessageID>` +
		`<w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>` +
		`<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header>` +
		`<e:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>`)
}

// matches reads an answer. The camera's address is the one that it answers from, whatever the answer says: nobody can
// have another machine offered.
func matches(reply []byte, from net.IP) (found []Offer) {
	var answer struct {
		Matches []struct {
			Types  string
			Scopes string
			XAddrs string
		} `xml:"Body>ProbeMatches>ProbeMatch"`
	}
	if xml.NewDecoder(bytes.NewReader(reply)).Decode(&answer) != nil || len(answer.Matches) == 0 {
		return nil
	}
	var name, model string
	host := from.String()
	for _, m := range answer.Matches[:1] {
		if !strings.Contains(m.Types, "NetworkVideoTransmitter") {
			return nil
		}
		for _, text := range strings.Fields(m.XAddrs) { // of which the port counts, and nothing else
			if u, err := url.Parse(text); err == nil && u.Scheme == "http" && u.Port() != "" {
				host = net.JoinHostPort(host, u.Port())
				break
			}
		}
		for _, scope := range strings.Fields(m.Scopes) {
			kind, value, _ := strings.Cut(strings.TrimPrefix(scope, "onvif://www.onvif.org/"), "/")
			plain, err := url.PathUnescape(value)
			if err != nil {
				continue
			}
			switch kind {
			case "name":
				name = plain
			case "hardware":
				model = plain
			}
		}
	}
	if name == "" {
		name = model
	} else if model != "" && model != name {
		name += " " + model
	}
	if name == "" {
		name = from.String()
	}
	return []Offer{{From: "onvif", Name: name, URL: (&url.URL{Scheme: "onvif", Host: host, Path: "/"}).String()}}
}

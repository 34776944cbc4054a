package config

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
)

func (s *Settings) checkTURN(fault faultFunc) {
	relays := 0
	for _, text := range s.TURN {
		if err := checkRelay(text); err != nil {
			fault("turn", "%q %v", text, err)
		}
		if strings.HasPrefix(text, "turn") {
			relays++
		}
	}
	switch {
	case relays > 0 && s.TURNSecret == "":
		fault("turn-secret", "is missing. It is what the relays of --turn know as static-auth-secret")
	case len(s.TURN) == 0 && s.TURNSecret != "":
		fault("turn", "is missing. --turn-secret is for the relays that it names")
	case len(s.TURN) > 0 && s.WebRTC.Off():
		fault("turn", "needs WebRTC, which --webrtc turns off")
	case len(s.TURN) > 8:
		fault("turn", "names %d relays. A browser looks at a few only: name 8 at most", len(s.TURN))
	}
}

// checkRelay tells what is wrong with the URL of a relay (RFC 7064, RFC 7065).
func checkRelay(text string) error {
	scheme, rest, _ := strings.Cut(text, ":")
	stun := scheme == "stun" || scheme == "stuns"
	if !stun && scheme != "turn" && scheme != "turns" {
		return errors.New("must begin with turn:, turns: or stun:, as turn:relay.example.com:3478 does")
	}
	address, query, asked := strings.Cut(rest, "?")
	if asked && (stun || query != "transport=udp" && query != "transport=tcp") {
		return errors.New("has something behind the port: only turn: and turns: may have ?transport=udp or ?transport=tcp")
	}
	u, err := url.Parse("http://" + address)
	if err != nil || !validHost(u.Hostname()) || u.User != nil || u.Path != "" || u.Fragment != "" || strings.HasSuffix(address, ":") {
		return errors.New("is not like turn:turn.example.com:3478. The login is made of --turn-secret")
	}
	if net.ParseIP(u.Hostname()) == nil && strings.Contains(u.Hostname(), ":") {
		return errors.New("has no host behind the scheme")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return errors.New("has no port from 1 to 65535")
		}
	}
	return nil
}

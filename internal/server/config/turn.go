package config

import (
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/kangbyounggwan/factor/internal/line"
)

func (s *Settings) checkTURN(fault faultFunc) {
	relays := 0
	for _, text := range s.TURN {
		if err := checkRelay(text); err != nil {
			fault("turn", "%[1]q %[2]v", "%[1]q: %[3]s", text, err, line.InKorean(err))
		}
		if strings.HasPrefix(text, "turn") {
			relays++
		}
	}
	switch {
	case relays > 0 && s.TURNSecret == "":
		fault("turn-secret", "is missing. It is what the relays of --turn know as static-auth-secret",
			"없습니다. --turn의 중계 서버가 static-auth-secret으로 아는 값입니다")
	case len(s.TURN) == 0 && s.TURNSecret != "":
		fault("turn", "is missing. --turn-secret is for the relays that it names", "없습니다. --turn-secret은 --turn에 적은 중계 서버에 씁니다")
	case len(s.TURN) > 0 && s.WebRTC.Off():
		fault("turn", "needs WebRTC, which --webrtc turns off", "WebRTC가 필요한데 --webrtc가 꺼져 있습니다")
	case len(s.TURN) > 8:
		fault("turn", "names %d relays. A browser looks at a few only: name 8 at most",
			"중계 서버가 %d개입니다. 브라우저는 몇 개만 쓰므로 8개까지만 적으세요", len(s.TURN))
	}
}

// checkRelay tells what is wrong with the URL of a relay (RFC 7064, RFC 7065).
func checkRelay(text string) error {
	scheme, rest, _ := strings.Cut(text, ":")
	stun := scheme == "stun" || scheme == "stuns"
	if !stun && scheme != "turn" && scheme != "turns" {
		return line.Tell("must begin with turn:, turns: or stun:, as turn:relay.example.com:3478 does",
			"turn:relay.example.com:3478처럼 turn:, turns:, stun: 가운데 하나로 시작해야 합니다")
	}
	address, query, asked := strings.Cut(rest, "?")
	if asked && (stun || query != "transport=udp" && query != "transport=tcp") {
		return line.Tell("has something behind the port: only turn: and turns: may have ?transport=udp or ?transport=tcp",
			"포트 뒤에 다른 것이 있습니다. turn:과 turns:에만 ?transport=udp나 ?transport=tcp를 쓸 수 있습니다")
	}
	u, err := url.Parse("http://" + address)
	if err != nil || !validHost(u.Hostname()) || u.User != nil || u.Path != "" || u.Fragment != "" || strings.HasSuffix(address, ":") {
		return line.Tell("is not like turn:turn.example.com:3478. The login is made of --turn-secret",
			"turn:turn.example.com:3478 같은 모양이 아닙니다. 로그인 정보는 --turn-secret으로 만듭니다")
	}
	if net.ParseIP(u.Hostname()) == nil && strings.Contains(u.Hostname(), ":") {
		return line.Tell("has no host behind the scheme", "호스트가 없습니다")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return line.Tell("has no port from 1 to 65535", "포트가 1~65535가 아닙니다")
		}
	}
	return nil
}

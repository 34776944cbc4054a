package camera

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"
	"github.com/pion/webrtc/v4"
)

// relay is a TURN server of another's make, which knows the secret and nobody's name.
func relay(t *testing.T, secret string) (udp, tcp string) {
	t.Helper()
	packets, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stream, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	by := &turn.RelayAddressGeneratorStatic{RelayAddress: net.IPv4(127, 0, 0, 1), Address: "127.0.0.1"}
	permit := func(net.Addr, net.IP) bool { return true }
	quiet := &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled}
	server, err := turn.NewServer(turn.ServerConfig{Realm: "test", LoggerFactory: quiet, AuthHandler: turn.LongTermTURNRESTAuthHandler(secret, quiet.NewLogger("turn")),
		PacketConnConfigs: []turn.PacketConnConfig{{PacketConn: packets, RelayAddressGenerator: by, PermissionHandler: permit}},
		ListenerConfigs:   []turn.ListenerConfig{{Listener: stream, RelayAddressGenerator: by, PermissionHandler: permit}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return "turn:" + packets.LocalAddr().String() + "?transport=udp", "turn:" + stream.Addr().String() + "?transport=tcp"
}

// A viewer who may use nothing but the relay sees the camera, with the login that he is told before his offer.
func TestTURN_PlaysThroughTheRelayAlone(t *testing.T) {
	t.Parallel()
	udp, tcp := relay(t, "what both know")
	s := mustServe(t, func(s *Service) {
		s.TURN = TURN{URLs: []string{udp, tcp, "stun:127.0.0.1:9"}, Secret: "what both know"}
	})
	s.device.gives(rtspInfo, accessUnits(t))

	var d struct {
		ICE []ICEServer `json:"ice_servers"`
	}
	resp := do(t, s.request(t, "viewer", "GET", camPath+"?wait=false", nil))
	if err := json.NewDecoder(resp.Body).Decode(&d); err != nil || len(d.ICE) != 2 || d.ICE[0].Credential != "" || len(d.ICE[1].URLs) != 2 {
		t.Fatalf("%v %+v", err, d)
	}
	login := d.ICE[1]
	for _, url := range login.URLs {
		p, status, body := s.tryPlayBy(t, "viewer", webrtc.Configuration{ICETransportPolicy: webrtc.ICETransportPolicyRelay,
			ICEServers: []webrtc.ICEServer{{URLs: []string{url}, Username: login.Username, Credential: login.Credential}}})
		if status != http.StatusCreated {
			t.Fatalf("%s: %d %s", url, status, body)
		}
		p.frames(t, 30)
		pair, err := p.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
		if err != nil || pair.Local.Typ != webrtc.ICECandidateTypeRelay {
			t.Errorf("%s: %v %v", url, pair, err)
		}
		_ = p.pc.Close()
	}
}

// RFC 9725, section 4.6: players are told by Link headers, before the offer and with the answer; nobody else is.
func TestTURN_ToldByLinkHeaders(t *testing.T) {
	t.Parallel()
	s := mustServe(t, func(s *Service) {
		s.TURN = TURN{URLs: []string{"turns:turn.example.com:443?transport=tcp"}, Secret: "what both know"}
	})
	s.device.gives(rtspInfo, accessUnits(t))
	resp := do(t, s.request(t, "owner", "OPTIONS", camPath+"/whep", nil))
	link := resp.Header.Get("Link")
	if resp.StatusCode != http.StatusNoContent || resp.Header.Get("Accept-Post") != "application/sdp" ||
		!strings.HasPrefix(link, `<turns:turn.example.com:443?transport=tcp>; rel="ice-server"; username="`) || !strings.HasSuffix(link, `; credential-type="password"`) ||
		strings.Contains(link, "what both know") {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	for _, user := range []string{"", "stranger"} {
		resp := do(t, s.request(t, user, "OPTIONS", camPath+"/whep", nil))
		if body, _ := io.ReadAll(resp.Body); resp.StatusCode < 400 || resp.Header.Get("Link") != "" || strings.Contains(string(body), "turns:") {
			t.Errorf("%q: %d %v %s", user, resp.StatusCode, resp.Header, body)
		}
	}
	p := s.play(t, "owner")
	if !strings.Contains(p.links, "turns:turn.example.com:443") {
		t.Errorf("with the answer: %q", p.links)
	}
}

func TestTURN_LoginEnds(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	list := TURN{URLs: []string{"turn:h"}, Secret: "north"}.servers("someone", now)
	// As computed by openssl: printf 1700003600:someone | openssl dgst -sha1 -hmac north -binary | base64
	if len(list) != 1 || list[0].Username != "1700003600:someone" || list[0].Credential != "A0EHJrCmy1bS3eCkU00NPWxXEn8=" {
		t.Errorf("%+v", list)
	}
	if got := (TURN{}).servers("someone", now); got != nil {
		t.Errorf("%+v", got)
	}
}

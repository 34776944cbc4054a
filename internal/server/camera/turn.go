package camera

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// relayLogin is how long what a viewer is told of the relay can begin something. What has begun goes on.
const relayLogin = time.Hour

// TURN is relays for viewers whose network lets neither UDP nor TCP through to the camera port. They are another
// program's, such as coturn (use-auth-secret): a relay of this server's would hide behind the same firewall rule. A
// viewer logs in to them with what this server derives from the secret that both know (draft-uberti-behave-turn-rest-00).
type TURN struct {
	URLs   []string // RFC 7064 and 7065: turn:host:3478?transport=udp, turns:host:443?transport=tcp, stun:host:3478
	Secret string
}

// ICEServer is a relay as a browser's RTCPeerConnection takes it.
type ICEServer struct {
	URLs       []string `json:"urls" doc:"turn:, turns: or stun: URLs (RFC 7064, RFC 7065)"`
	Username   string   `json:"username,omitempty" doc:"Good for an hour to begin with"`
	Credential string   `json:"credential,omitempty"`
}

// servers gives the relays with a login for one person.
func (t TURN) servers(userID string, now time.Time) []ICEServer {
	var open, closed ICEServer
	for _, u := range t.URLs {
		if strings.HasPrefix(u, "stun") {
			open.URLs = append(open.URLs, u)
		} else {
			closed.URLs = append(closed.URLs, u)
		}
	}
	var list []ICEServer
	if len(open.URLs) > 0 {
		list = append(list, open)
	}
	if len(closed.URLs) > 0 {
		closed.Username = strconv.FormatInt(now.Add(relayLogin).Unix(), 10) + ":" + userID
		mac := hmac.New(sha1.New, []byte(t.Secret)) // the draft's: what coturn checks
		mac.Write([]byte(closed.Username))
		closed.Credential = base64.StdEncoding.EncodeToString(mac.Sum(nil))
		list = append(list, closed)
	}
	return list
}

// iceServers is what a viewer is told; nothing where there is no WebRTC.
func (s *Service) iceServers(p place, now time.Time) []ICEServer {
	if !s.webrtc.on(s) {
		return nil
	}
	return s.TURN.servers(p.actor.UserID, now)
}

// links gives them as WHIP's Link headers (RFC 9725, section 4.6).
func links(list []ICEServer) []string {
	var out []string
	for _, one := range list {
		for _, u := range one.URLs {
			link := "<" + u + `>; rel="ice-server"`
			if one.Credential != "" {
				link += `; username="` + one.Username + `"; credential="` + one.Credential + `"; credential-type="password"`
			}
			out = append(out, link)
		}
	}
	return out
}

type optionsAnswer struct {
	Accept string   `header:"Accept-Post"`
	Links  []string `header:"Link" doc:"Relays for those whom neither UDP nor TCP reaches, with a login good for an hour"`
}

// apiWHEPOptions tells a player of the relays before it makes its offer.
func (s *Service) apiWHEPOptions(ctx context.Context, in *View) (*optionsAnswer, error) {
	p, err := s.at(ctx, in, RungWHEP)
	if err != nil {
		return nil, err
	}
	if !s.webrtc.on(s) {
		return nil, errWebRTCOff
	}
	return &optionsAnswer{Accept: "application/sdp", Links: links(s.iceServers(p, time.Now()))}, nil
}

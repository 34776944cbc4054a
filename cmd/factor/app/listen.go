package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"syscall"

	"github.com/kangbyounggwan/factor/internal/line"
	"github.com/kangbyounggwan/factor/internal/server/config"
)

// listeners are the open ports; nil is off.
type listeners struct {
	http, https, mqtts, mqtt net.Listener
	webrtc, rtsp             net.Listener
	webrtcUDP                net.PacketConn
}

// The camera ports of a server whose operator chose none: when another program has them, any other will do, since
// viewers and devices are told which one it is.
var cameraDefaults = map[string]config.Address{"webrtc": ":8189", "rtsp": ":8554"}

// listen opens every port of the settings, or none.
func listen(ctx context.Context, s *config.Settings, log *slog.Logger) (*listeners, error) {
	l := &listeners{}
	for _, p := range []struct {
		setting string
		address config.Address
		to      *net.Listener
	}{{"http", s.HTTP, &l.http}, {"https", s.HTTPS, &l.https}, {"mqtts", s.MQTTS, &l.mqtts}, {"mqtt", s.MQTT, &l.mqtt},
		{"rtsp", s.RTSP, &l.rtsp}, {"webrtc", s.WebRTC, &l.webrtc}} {
		if p.address.Off() {
			continue
		}
		open := func(address config.Address) (err error) {
			if p.setting == "webrtc" {
				l.webrtc, l.webrtcUDP, err = listenBoth(ctx, string(address))
			} else {
				*p.to, err = new(net.ListenConfig).Listen(ctx, "tcp", string(address))
			}
			return err
		}
		err := open(p.address)
		if IsSpare(p.setting, p.address, err) {
			log.Warn("the camera port is taken by another program; a free one is used", "setting", p.setting, "port", string(p.address))
			err = open(":0")
		}
		if err != nil {
			l.close()
			return nil, WhyNotListening(p.setting, p.address, err)
		}
	}
	return l, nil
}

// IsSpare tells of a port that could not be opened whether the server takes a free one instead.
func IsSpare(setting string, address config.Address, err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) && cameraDefaults[setting] == address
}

// Probe opens the port of a setting as the server does, and closes it again.
func Probe(ctx context.Context, setting string, address config.Address) error {
	if setting == "webrtc" {
		l, c, err := listenBoth(ctx, string(address))
		if err == nil {
			err = errors.Join(l.Close(), c.Close())
		}
		return err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", string(address))
	if err == nil {
		err = l.Close()
	}
	return err
}

// listenBoth opens a TCP and a UDP port of the same number. A free one is looked for some times, since the other
// protocol's may be taken.
func listenBoth(ctx context.Context, address string) (l net.Listener, c net.PacketConn, err error) {
	for range 10 {
		if l, err = new(net.ListenConfig).Listen(ctx, "tcp", address); err != nil {
			return nil, nil, err
		}
		host, _, _ := net.SplitHostPort(address)
		if c, err = new(net.ListenConfig).ListenPacket(ctx, "udp", net.JoinHostPort(host, strconv.Itoa(portOf(l)))); err == nil {
			return l, c, nil
		}
		l.Close()
		if _, port, _ := net.SplitHostPort(address); port != "0" {
			break
		}
	}
	return nil, nil, err
}

// WhyNotListening says in words why a port could not be opened, and what to do.
func WhyNotListening(setting string, address config.Address, err error) error {
	_, port, _ := net.SplitHostPort(string(address))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return line.Tell("--%[1]s: port %[2]s is taken by another program. Stop that one, or choose another port with --%[1]s; :0 takes a free one (%[3]v)",
			"--%[1]s: 포트 %[2]s을(를) 다른 프로그램이 쓰고 있습니다. 그 프로그램을 멈추거나 --%[1]s(으)로 다른 포트를 고르세요. :0은 빈 포트를 고릅니다", setting, port, err)
	case errors.Is(err, syscall.EACCES):
		return line.Tell("--%[1]s: port %[2]s is for the administrator of this machine only. Choose one from 1024 on, or forward it, or give factor the capability CAP_NET_BIND_SERVICE (%[3]v)",
			"--%[1]s: 포트 %[2]s은(는) 이 컴퓨터의 관리자만 열 수 있습니다. 1024 이상을 고르거나, 포워딩하거나, factor에 CAP_NET_BIND_SERVICE 권한을 주세요", setting, port, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return line.Tell("--%[1]s: %[4]s is no address of this machine. Write :%[2]s to listen on all of them (%[3]v)",
			"--%[1]s: %[4]s은(는) 이 컴퓨터의 주소가 아닙니다. :%[2]s(으)로 적으면 모든 주소에서 받습니다", setting, port, err, address)
	}
	return line.Tell("--%s: listen on %s: %v", "--%s: %s을(를) 열 수 없습니다: %v", setting, address, err)
}

func (l *listeners) close() {
	for _, one := range []net.Listener{l.http, l.https, l.mqtts, l.mqtt, l.webrtc, l.rtsp} {
		if one != nil {
			one.Close()
		}
	}
	if l.webrtcUDP != nil {
		l.webrtcUDP.Close()
	}
}

func addressOf(l net.Listener) string {
	if l == nil {
		return ""
	}
	return l.Addr().String()
}

func portOf(l net.Listener) int {
	_, port, err := net.SplitHostPort(addressOf(l))
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return 0
	}
	return n
}

func orOff(address string) string {
	if address == "" {
		return "off"
	}
	return address
}

package app

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"os"

	"github.com/kangbyounggwan/factor/internal/server/web"
	"github.com/kangbyounggwan/factor/internal/server/web/certs"
)

func pid() int { return os.Getpid() }

func (s *Server) serveDevices() {
	if s.open.mqtts != nil {
		s.serveMQTT(tls.NewListener(s.open.mqtts, s.Certs.DeviceTLS()))
	}
	if s.open.mqtt != nil {
		s.serveMQTT(s.open.mqtt)
	}
}

func (s *Server) serveMQTT(l net.Listener) {
	go func() { // ends with its listener, which Gateway.Close closes
		if err := s.Gateway.Serve(l); err != nil && !errors.Is(err, net.ErrClosed) {
			s.Log.Error("printers cannot connect any more", "address", l.Addr().String(), "error", err)
		}
	}()
}

// ready tells whether the server can do its work.
func (s *Server) ready(ctx context.Context) error {
	return errors.Join(s.DB.Ping(ctx), s.DB.History.Ping(ctx))
}

// Addresses gives where the server really listens.
func (s *Server) Addresses() RunInfo {
	return RunInfo{
		PID: pid(), Version: s.Version, StartedAt: s.started.UTC(),
		HTTP: addressOf(s.open.http), HTTPS: addressOf(s.open.https), MQTTS: addressOf(s.open.mqtts), MQTT: addressOf(s.open.mqtt),
		WebRTC: addressOf(s.open.webrtc), RTSP: addressOf(s.open.rtsp),
	}
}

func (s *Server) description() web.Description {
	mqtt, secure := s.open.mqtts, true
	if mqtt == nil && s.open.mqtt != nil {
		mqtt, secure = s.open.mqtt, false
	}
	return web.Description{
		Mail: s.Mail.Configured(), UUIDLogin: bool(s.Settings.UUIDLogin), MQTTTLS: secure,
		MQTTPort: func() int { return portOf(mqtt) },
		MQTTHost: func(asked string) string {
			if u := s.Settings.Public(); u != nil {
				return u.Hostname()
			}
			return asked
		},
		Admin: s.describeAdmin,
	}
}

// plainPort tells where HTTP without TLS answers those who know this server by host: a port that is open to this machine
// alone serves no other.
func (s *Server) plainPort(host string) int {
	if s.open.http == nil {
		return 0
	}
	at, ok := s.open.http.Addr().(*net.TCPAddr)
	ip, err := netip.ParseAddr(host)
	if !ok || (at.IP.IsLoopback() && host != "localhost" && (err != nil || !ip.IsLoopback())) {
		return 0
	}
	return at.Port
}

func (s *Server) describeAdmin(ctx context.Context) (web.AdminServer, error) {
	at := s.Addresses()
	d := web.AdminServer{
		Version: s.Version, StartedAt: at.StartedAt, PublicURL: s.Settings.PublicURL, DataDir: s.Settings.Data,
		HTTP: orOff(at.HTTP), HTTPS: orOff(at.HTTPS), MQTTS: orOff(at.MQTTS), MQTT: orOff(at.MQTT),
		MailFrom: s.Settings.MailFrom, SMTPHost: s.Mail.Host(), UUIDLogin: bool(s.Settings.UUIDLogin),
		WebRTC: orOff(at.WebRTC), RTSP: orOff(at.RTSP), FFmpeg: orOff(s.Cameras.Decoder()), TURN: append([]string{}, s.Settings.TURN...),
		WebRTCAddresses: append([]string{}, s.Settings.WebRTCAddress...),
	}
	cert := s.Certs.Info()
	d.Certificate.Source, d.Certificate.Names = cert.Source, cert.Names
	d.Certificate.NotAfter, d.Certificate.SHA256 = cert.NotAfter.UTC(), cert.SHA256
	d.Certificate.AuthoritySHA256 = certs.Fingerprint(s.Certs.Authority().Certificate)
	users, err := s.Accounts.Count(ctx)
	if err != nil {
		return d, err
	}
	d.Counts.Users = users
	d.Counts.Printers, d.Counts.Online = s.Printers.Counts()
	d.Counts.Connections = s.Push.Connections()
	d.Database.Bytes = s.DB.Bytes() + s.DB.History.Bytes()
	return d, nil
}

package camera

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"golang.org/x/net/netutil"
)

// Times and sizes of WebRTC.
const (
	iceDisconnected = 3 * time.Second
	iceFailed       = 10 * time.Second
	iceKeepAlive    = 2 * time.Second
	connectTimeout  = 20 * time.Second // from the answer to the first packet
	gatherTimeout   = 3 * time.Second
	maxTCP          = 2000      // ICE-TCP connections at a time
	tcpSendBuffer   = 128 << 10 // stale video must not queue in the kernel
	udpBuffer       = 4 << 20
	resendWindow    = 512 // packets that can be sent again: about two seconds of 2 Mbit/s
	burstPackets    = 24  // are sent without a pause while a viewer catches up
)

// rtcDoor is WebRTC's one UDP and one TCP port. It is opened for the first viewer: what the library needs stays out of
// an idle server's memory. mu guards all of it.
type rtcDoor struct {
	mu     sync.Mutex
	api    *webrtc.API
	udp    ice.UDPMux
	tcp    ice.TCPMux
	closed bool
}

func (d *rtcDoor) on(s *Service) bool { return s.UDP != nil || s.TCP != nil }

// open gives the API, made at the first call.
func (d *rtcDoor) open(s *Service) (*webrtc.API, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errStopping
	}
	if d.api != nil {
		return d.api, nil
	}
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	quiet.ScopeLevels = map[string]logging.LogLevel{}
	e := webrtc.SettingEngine{LoggerFactory: quiet}
	e.SetICETimeouts(iceDisconnected, iceFailed, iceKeepAlive)
	e.SetDTLSRetransmissionInterval(100 * time.Millisecond)
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.DisableActiveTCP(true)
	var types []webrtc.NetworkType
	if s.UDP != nil {
		if u, ok := s.UDP.(*net.UDPConn); ok {
			_, _ = u.SetReadBuffer(udpBuffer/8), u.SetWriteBuffer(udpBuffer)
		}
		d.udp = ice.NewUDPMuxDefault(ice.UDPMuxParams{Logger: quiet.NewLogger("ice"), UDPConn: s.UDP})
		e.SetICEUDPMux(d.udp)
		types = append(types, webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6)
	}
	if s.TCP != nil {
		d.tcp = ice.NewTCPMuxDefault(ice.TCPMuxParams{Logger: quiet.NewLogger("ice"), ReadBufferSize: 8,
			Listener: smallBuffers{netutil.LimitListener(s.TCP, maxTCP)}, FirstStunBindTimeout: 10 * time.Second})
		e.SetICETCPMux(d.tcp)
		types = append(types, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
	}
	e.SetNetworkTypes(types)
	e.SetIncludeLoopbackCandidate(s.withLoopback())
	if len(s.PublicAddresses) > 0 {
		rule := webrtc.ICEAddressRewriteRule{AsCandidateType: webrtc.ICECandidateTypeHost, Mode: webrtc.ICEAddressRewriteAppend}
		for _, a := range s.PublicAddresses {
			rule.External = append(rule.External, a.String())
		}
		if err := e.SetICEAddressRewriteRules(rule); err != nil {
			return nil, fmt.Errorf("--webrtc-address: %w", err)
		}
	}
	m := &webrtc.MediaEngine{}
	if err := registerH264(m); err != nil {
		return nil, err
	}
	d.api = webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(e), webrtc.WithInterceptorRegistry(&interceptor.Registry{}))
	return d.api, nil
}

// withLoopback tells whether viewers on this machine can come by its loopback address.
func (s *Service) withLoopback() bool {
	for _, a := range []net.Addr{addrOf(s.UDP), listenAddr(s.TCP)} {
		switch a := a.(type) {
		case *net.UDPAddr:
			return a.IP.IsLoopback() || a.IP.IsUnspecified()
		case *net.TCPAddr:
			return a.IP.IsLoopback() || a.IP.IsUnspecified()
		}
	}
	return false
}

func addrOf(c net.PacketConn) net.Addr {
	if c == nil {
		return nil
	}
	return c.LocalAddr()
}

func listenAddr(l net.Listener) net.Addr {
	if l == nil {
		return nil
	}
	return l.Addr()
}

func (d *rtcDoor) close(s *Service) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.udp != nil {
		_ = d.udp.Close()
	}
	if d.tcp != nil {
		_ = d.tcp.Close()
	}
	if s.UDP != nil {
		_ = s.UDP.Close()
	}
	if s.TCP != nil {
		_ = s.TCP.Close()
	}
}

// smallBuffers keeps what waits in the kernel for a viewer short.
type smallBuffers struct{ net.Listener }

func (l smallBuffers) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if t, ok := c.(interface{ SetWriteBuffer(int) error }); ok {
		_ = t.SetWriteBuffer(tcpSendBuffer)
	}
	return c, err
}

const playoutDelay = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"

// registerH264 offers H.264 in every profile that browsers ask by; each decodes them all.
func registerH264(m *webrtc.MediaEngine) error {
	feedback := []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}}
	for i, profile := range []string{"42e01f", "42001f", "4d001f", "64001f", "640c1f", "640032"} {
		if err := m.RegisterCodec(webrtc.RTPCodecParameters{
			RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264, ClockRate: 90000, RTCPFeedback: feedback,
				SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=" + profile},
			PayloadType: webrtc.PayloadType(102 + i),
		}, webrtc.RTPCodecTypeVideo); err != nil {
			return err
		}
	}
	return m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: playoutDelay}, webrtc.RTPCodecTypeVideo,
		webrtc.RTPTransceiverDirectionSendonly)
}

// rtcSession is one viewer's peer connection. It is also the track that is sent: the library asks it by Bind.
type rtcSession struct {
	s  *Service
	v  *viewer
	pc *webrtc.PeerConnection

	bound     chan struct{} // closed by Bind
	connected chan struct{} // closed when the way is open
	once      sync.Once
	writer    webrtc.TrackLocalWriter
	header    rtp.Header

	mu     sync.Mutex // of what can be sent again
	resend [resendWindow]sentPacket
	next   uint16 // sequence number
	told   int    // candidates that the viewer has sent after its offer

	clockBase time.Time
	tsBase    uint32
	lastTS    uint32
}

// maxCandidates is how many addresses a viewer may name: this server sends to each of them before it is known to be his.
const maxCandidates = 50

type sentPacket struct {
	seq    uint16
	ts     uint32
	marker bool
	data   []byte
}

// beginWebRTC answers an offer and sends the stream until the viewer ends. Errors: errOffer, errStopping.
func (s *Service) beginWebRTC(ctx context.Context, v *viewer, p place, offer string) (string, error) {
	api, err := s.webrtc.open(s)
	if err != nil {
		return "", err
	}
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return "", fmt.Errorf("begin WebRTC: %w", err)
	}
	x := &rtcSession{s: s, v: v, pc: pc, bound: make(chan struct{}), connected: make(chan struct{})}
	answer, err := x.answer(ctx, offer)
	if err != nil {
		_ = pc.Close()
		return "", err
	}
	one := &session{v: v, rung: RungWHEP, key: p.key(), rtc: x, used: time.Now(), byToken: p.token}
	s.keep(one)
	if s.isStopping() {
		v.end(errServerStops)
	}
	s.running.Add(1)
	go func() {
		defer s.running.Done()
		defer s.drop(one)
		x.serve()
	}()
	return answer, nil
}

func (x *rtcSession) answer(ctx context.Context, offer string) (string, error) {
	x.pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		switch state {
		case webrtc.PeerConnectionStateConnected:
			x.once.Do(func() { close(x.connected) })
		case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
			x.v.end(errLeft)
		}
	})
	sender, err := x.pc.AddTrack(x)
	if err != nil {
		return "", fmt.Errorf("begin WebRTC: %w", err)
	}
	if err := x.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", errOffer
	}
	answer, err := x.pc.CreateAnswer(nil)
	if err != nil {
		return "", errOffer
	}
	gathered := webrtc.GatheringCompletePromise(x.pc)
	if err := x.pc.SetLocalDescription(answer); err != nil {
		return "", errOffer
	}
	select {
	case <-gathered:
	case <-time.After(gatherTimeout):
	case <-ctx.Done():
		return "", ctx.Err()
	}
	x.s.running.Go(func() { x.listen(sender) })
	return x.pc.LocalDescription().SDP, nil
}

// serve sends frames until the viewer ends.
func (x *rtcSession) serve() {
	defer func() {
		x.v.end(errLeft)
		_ = x.pc.Close()
	}()
	ctx, cancel := context.WithTimeout(x.v.ended, connectTimeout)
	defer cancel()
	for _, step := range []chan struct{}{x.connected, x.bound} {
		select {
		case <-step:
		case <-ctx.Done():
			return
		}
	}
	x.s.count.rtc(x.transport()).Inc()
	x.v.catchUp()
	var b [4]byte
	_, _ = rand.Read(b[:])
	x.tsBase = binary.BigEndian.Uint32(b[:])
	var frames []*frame
	for {
		var err error
		if frames, err = x.v.next(x.v.ended, frames); err != nil {
			return
		}
		for i, f := range frames {
			if err := x.send(f, len(frames)-1-i); err != nil {
				x.s.log.Debug("a WebRTC viewer cannot be sent to", slog.Any("error", err))
				return
			}
		}
	}
}

// transport tells what the viewer's packets go by: udp or tcp.
func (x *rtcSession) transport() string {
	if sctp := x.pc.SCTP(); sctp != nil && sctp.Transport() != nil {
		if pair, err := sctp.Transport().ICETransport().GetSelectedCandidatePair(); err == nil && pair != nil {
			return pair.Local.Protocol.String()
		}
	}
	for _, sender := range x.pc.GetSenders() {
		if t := sender.Transport(); t != nil {
			if pair, err := t.ICETransport().GetSelectedCandidatePair(); err == nil && pair != nil {
				return pair.Local.Protocol.String()
			}
		}
	}
	return "unknown"
}

// send writes one frame. behind is how many wait after it: frames of the past are stamped as if they had just been
// taken one after the other, so that the viewer's player shows them as fast as it can and is live at once.
func (x *rtcSession) send(f *frame, behind int) error {
	if x.clockBase.IsZero() {
		x.clockBase = f.at
	}
	ts := x.tsBase + uint32(f.at.Sub(x.clockBase)*90/time.Millisecond)
	if behind > 2 {
		ts = x.tsBase + uint32(time.Since(x.clockBase)*90/time.Millisecond) - uint32(behind)*90
	}
	if x.lastTS != 0 && int32(ts-x.lastTS) <= 0 {
		ts = x.lastTS + 9
	}
	x.lastTS = ts
	for i, p := range f.packed() {
		if behind > 2 && i%burstPackets == burstPackets-1 {
			time.Sleep(time.Millisecond) // a key frame's burst must not overrun the way's queues
		}
		if err := x.write(sentPacket{seq: x.next, ts: ts, marker: p.Marker, data: p.Payload}); err != nil {
			return err
		}
	}
	x.v.sent(f)
	return nil
}

func (x *rtcSession) write(p sentPacket) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.resend[p.seq%resendWindow] = p
	if p.seq == x.next {
		x.next++
	}
	x.header.SequenceNumber, x.header.Timestamp, x.header.Marker = p.seq, p.ts, p.marker
	_, err := x.writer.WriteRTP(&x.header, p.data)
	return err
}

// listen takes what the viewer says of the packets it gets.
func (x *rtcSession) listen(sender *webrtc.RTPSender) {
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			switch p := p.(type) {
			case *rtcp.TransportLayerNack:
				x.again(p.Nacks)
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				x.v.startOver()
			}
		}
	}
}

// again sends packets that were lost on the way.
func (x *rtcSession) again(nacks []rtcp.NackPair) {
	sent := 0
	for _, pair := range nacks {
		for _, seq := range pair.PacketList() {
			x.mu.Lock()
			p := x.resend[seq%resendWindow]
			x.mu.Unlock()
			if p.data == nil || p.seq != seq {
				continue
			}
			if sent++; sent > 100 {
				return
			}
			if x.write(p) != nil {
				return
			}
			x.s.count.resent.Inc()
		}
	}
}

// trickle adds the viewer's ICE candidates (RFC 8840). Errors: errFragment.
func (x *rtcSession) trickle(fragment string) error {
	mid, n := "0", 0
	for line := range strings.Lines(fragment) {
		line = strings.TrimSpace(line)
		if m, ok := strings.CutPrefix(line, "a=mid:"); ok {
			mid = m
		}
		c, ok := strings.CutPrefix(line, "a=")
		if !ok || !strings.HasPrefix(c, "candidate:") {
			continue
		}
		x.mu.Lock()
		x.told++
		many := x.told > maxCandidates
		x.mu.Unlock()
		if n++; many {
			return errFragment
		}
		if err := x.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: c, SDPMid: &mid}); err != nil {
			return errFragment
		}
	}
	if n == 0 && !strings.Contains(fragment, "a=end-of-candidates") && !strings.Contains(fragment, "a=ice-ufrag") {
		return errFragment
	}
	return nil
}

// Bind is webrtc.TrackLocal's: the two sides have agreed.
func (x *rtcSession) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	for _, codec := range c.CodecParameters() {
		if !strings.EqualFold(codec.MimeType, webrtc.MimeTypeH264) {
			continue
		}
		x.writer = c.WriteStream()
		x.header = rtp.Header{Version: 2, PayloadType: uint8(codec.PayloadType), SSRC: uint32(c.SSRC())}
		for _, ext := range c.HeaderExtensions() {
			if ext.URI == playoutDelay && ext.ID > 0 && ext.ID < 15 {
				// 0 to 0 ms: show each picture as soon as it is there. A printer moves no faster for being smooth.
				if err := x.header.SetExtension(uint8(ext.ID), []byte{0, 0, 0}); err != nil {
					return codec, err
				}
			}
		}
		close(x.bound)
		return codec, nil
	}
	return webrtc.RTPCodecParameters{}, errors.New("the viewer takes no H.264")
}

// Unbind is webrtc.TrackLocal's.
func (x *rtcSession) Unbind(webrtc.TrackLocalContext) error { return nil }

// ID is webrtc.TrackLocal's.
func (x *rtcSession) ID() string { return "video" }

// RID is webrtc.TrackLocal's.
func (x *rtcSession) RID() string { return "" }

// StreamID is webrtc.TrackLocal's.
func (x *rtcSession) StreamID() string { return "camera" }

// Kind is webrtc.TrackLocal's.
func (x *rtcSession) Kind() webrtc.RTPCodecType { return webrtc.RTPCodecTypeVideo }

package camera

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/format/rtph264"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

// plain gives the HTTP scheme behind a scheme that names what is spoken over it.
var plain = map[string]string{"whep": "http", "wheps": "https", "webrtc": "http", "webrtcs": "https"}

// whep follows a WebRTC stream, whichever of the ways to agree on it the other side knows: see dialects.
func (f *follow) whep(ctx context.Context) error {
	u := *f.url
	if scheme := plain[u.Scheme]; scheme != "" {
		u.Scheme = scheme
	}
	f.is(Stream{WHEP, CodecH264})
	peer, err := newPeer()
	if err != nil {
		return err
	}
	client := newClient()
	defer client.CloseIdleConnections()
	var once sync.Once
	done, ended := make(chan error, 2), make(chan struct{})
	peer.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		once.Do(func() {
			defer close(ended)
			done <- f.receive(peer, t)
		})
	})
	peer.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateFailed {
			select {
			case done <- failure(Unreachable):
			default:
			}
		}
	})
	defer func() {
		peer.Close()
		once.Do(func() { close(ended) })
		<-ended // no frame comes from here on
	}()
	c := &call{client: client, peer: peer, url: &u}
	defer c.leave(ctx)
	if err := c.agree(ctx); err != nil {
		return err
	}
	select {
	case err = <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func newPeer() (*webrtc.PeerConnection, error) {
	media := &webrtc.MediaEngine{}
	for i, profile := range []string{"42e01f", "42001f", "4d001f", "64001f"} {
		err := media.RegisterCodec(webrtc.RTPCodecParameters{PayloadType: webrtc.PayloadType(102 + 2*i), RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeH264, ClockRate: 90000,
			SDPFmtpLine:  "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=" + profile,
			RTCPFeedback: []webrtc.RTCPFeedback{{Type: "nack", Parameter: "pli"}}}}, webrtc.RTPCodecTypeVideo)
		if err != nil {
			return nil, err
		}
	}
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetICETimeouts(3*time.Second, limit, time.Second)
	peer, err := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithSettingEngine(settings)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, err
	}
	_, err = peer.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
	if err != nil {
		peer.Close()
		return nil, err
	}
	return peer, nil
}

// receive takes the track's pictures.
func (f *follow) receive(peer *webrtc.PeerConnection, t *webrtc.TrackRemote) error {
	if !strings.EqualFold(t.Codec().MimeType, webrtc.MimeTypeH264) {
		return failure(UnsupportedCodec)
	}
	decoder := &rtph264.Decoder{PacketizationMode: 1}
	if err := decoder.Init(); err != nil {
		return failure(UnsupportedCodec)
	}
	var asked time.Time
	var first uint32
	var line timeline
	var sets Parameters
	for n, begun := 0, false; ; n++ {
		if now := time.Now(); (!begun || f.to.Wanted().KeyFrame) && now.Sub(asked) > time.Second { // a camera that can gives one at once
			asked = now
			peer.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(t.SSRC())}})
		}
		p, _, err := t.ReadRTP()
		if err != nil {
			return errEnded
		}
		if n == 0 {
			first = p.Timestamp
		}
		unit, err := decoder.Decode(p)
		if err != nil {
			continue
		}
		begun = sets.Take(CodecH264, unit) || begun
		pts := time.Duration(int32(p.Timestamp-first)) * time.Second / 90000
		f.unit(unit, line.at(pts, time.Now()), pts)
	}
}

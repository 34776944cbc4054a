package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/format/rtph264"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"
)

// player is one viewer by WebRTC. mu guards delays.
type player struct {
	pc    *webrtc.PeerConnection
	begun chan struct{} // closed with the first whole frame

	mu     sync.Mutex
	delays []time.Duration
}

// api is one for all viewers: their own cost is no matter here.
var api = sync.OnceValue(func() *webrtc.API {
	m := &webrtc.MediaEngine{}
	if err := m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264, ClockRate: 90000,
		SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"}, PayloadType: 102}, webrtc.RTPCodecTypeVideo); err != nil {
		panic(err) // it is a constant
	}
	e := webrtc.SettingEngine{LoggerFactory: &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled}}
	e.SetIncludeLoopbackCandidate(true)
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	return webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(e), webrtc.WithInterceptorRegistry(&interceptor.Registry{}))
})

func play(ctx context.Context, url string, header map[string]string) (*player, error) {
	pc, err := api().NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, err
	}
	p := &player{pc: pc, begun: make(chan struct{})}
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { p.read(track) })
	if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
		return nil, err
	}
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		return nil, err
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(offer); err != nil {
		return nil, err
	}
	<-gathered
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewBufferString(pc.LocalDescription().SDP))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/sdp")
	for k, v := range header {
		r.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusCreated {
		return nil, fmt.Errorf("WHEP: %s %s", resp.Status, answer)
	}
	return p, pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(answer)})
}

func (p *player) read(track *webrtc.TrackRemote) {
	d := &rtph264.Decoder{PacketizationMode: 1}
	if d.Init() != nil {
		return
	}
	var once sync.Once
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		units, err := d.Decode(packet)
		if err != nil {
			continue
		}
		if at, ok := stamped(units); ok {
			p.mu.Lock()
			p.delays = append(p.delays, time.Since(at))
			p.mu.Unlock()
		}
		once.Do(func() { close(p.begun) })
	}
}

func (p *player) reset() { p.mu.Lock(); p.delays = nil; p.mu.Unlock() }

func (p *player) taken() []time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.delays
}

func (p *player) close() { _ = p.pc.Close() }

package camera

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
)

func TestAllowed(t *testing.T) {
	sdp := "v=0\r\na=candidate:1 1 udp 1 192.168.0.2 5000 typ host\r\na=candidate:1 1 udp 1 169.254.169.254 80 typ host\r\na=candidate:1 1 udp 1 a.local 80 typ host\r\na=candidate:x\r\n"
	if got := allowed(sdp); got != "v=0\r\na=candidate:1 1 udp 1 192.168.0.2 5000 typ host\r\n" {
		t.Errorf("%q", got)
	}
}

func TestLook_WHEP_Faults(t *testing.T) {
	answer := func(status int) string {
		return site(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			io.WriteString(w, "hello")
		}) + "/cam/whep"
	}
	for url, code := range map[string]string{"http://169.254.169.254/cam/whep": AddressRefused, "http://169.254.169.254/api/webrtc?src=cam": AddressRefused, answer(404): NotFound, answer(401): RefusedLogin, answer(201): NotAStream} {
		if r := Look(context.Background(), url); r.Code != code || r.Kind != WHEP {
			t.Errorf("%+v, want %s", r, code)
		}
	}
}

// filmed gives the NAL units of three seconds of a test picture.
func filmed(t *testing.T) (units [][]byte) {
	t.Helper()
	needFFmpeg(t)
	file := filepath.Join(t.TempDir(), "a.h264")
	arguments := append([]string{"-loglevel", "error", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=10:duration=3"}, asH264...)
	if out, err := exec.Command("ffmpeg", append(arguments, "-profile:v", "baseline", "-f", "h264", file)...).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, unit := range bytes.Split(content, []byte{0, 0, 1}) {
		if unit = bytes.TrimRight(unit, "\x00"); len(unit) > 0 {
			units = append(units, unit)
		}
	}
	return units
}

// TestReal_WHEP plays to a peer that speaks WHEP as mediamtx does.
func TestReal_WHEP(t *testing.T) {
	units := filmed(t)
	ended := make(chan struct{}, 1)
	url := site(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			ended <- struct{}{}
			return
		}
		offer, _ := io.ReadAll(r.Body)
		answer, err := play(t, string(offer), units)
		if err != nil {
			t.Error(err)
			w.WriteHeader(500)
			return
		}
		w.Header().Set("Content-Type", "application/sdp")
		w.Header().Set("Location", "/cam/whep/1")
		w.WriteHeader(201)
		io.WriteString(w, answer)
	})
	seen(t, Look(context.Background(), url+"/cam/whep"), WHEP, "H264")
	select {
	case <-ended:
	case <-time.After(patience):
		t.Error("the session is not ended")
	}
}

// play answers an offer and sends the NAL units, ten pictures a second, again and again.
func play(t *testing.T, offer string, units [][]byte) (string, error) {
	peer, err := player(t, webrtc.MimeTypeH264, units)
	if err != nil {
		return "", err
	}
	if err := peer.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", err
	}
	answer, err := peer.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	return described(peer, answer)
}

// described sets a peer's own description and gives it with all addresses.
func described(peer *webrtc.PeerConnection, d webrtc.SessionDescription) (string, error) {
	gathered := webrtc.GatheringCompletePromise(peer)
	if err := peer.SetLocalDescription(d); err != nil {
		return "", err
	}
	<-gathered
	return peer.LocalDescription().SDP, nil
}

// player is a peer that sends, and knows one codec.
func player(t *testing.T, codec string, units [][]byte) (*webrtc.PeerConnection, error) {
	kind := webrtc.RTPCodecCapability{MimeType: codec, ClockRate: 90000}
	if codec == webrtc.MimeTypeH264 { // as libdatachannel has it
		kind.SDPFmtpLine = "profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1"
	}
	engine, settings := &webrtc.MediaEngine{}, webrtc.SettingEngine{}
	if err := engine.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: kind, PayloadType: 102}, webrtc.RTPCodecTypeVideo); err != nil {
		return nil, err
	}
	settings.SetIncludeLoopbackCandidate(true)
	peer, err := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithSettingEngine(settings)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	t.Cleanup(func() { cancel(); parts.Wait(); peer.Close() })
	track, err := webrtc.NewTrackLocalStaticSample(kind, "video", "cam")
	if err != nil {
		return nil, err
	}
	if _, err := peer.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}); err != nil {
		return nil, err
	}
	parts.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for i := 0; len(units) > 0; i = (i + 1) % len(units) {
			kind := h264.NALUType(units[i][0] & 0x1f)
			picture := kind == h264.NALUTypeIDR || kind == h264.NALUTypeNonIDR
			sample := media.Sample{Data: append([]byte{0, 0, 0, 1}, units[i]...)}
			if picture {
				sample.Duration = 100 * time.Millisecond
			}
			track.WriteSample(sample)
			if !picture {
				continue
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return peer, nil
}

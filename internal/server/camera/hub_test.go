package camera

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/bluenviron/gortsplib/v5/pkg/format/rtph264"

	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

var (
	mjpegInfo = wire.MediaInfo{Kind: "mjpeg", Codec: "jpeg", Source: "mjpeg", Width: 320, Height: 240, FPS: 25}
	rtspInfo  = wire.MediaInfo{Kind: "rtsp", Codec: "h264", Source: "h264", Width: 320, Height: 240, FPS: 25}
)

// readMJPEG reads parts of a multipart answer.
func readMJPEG(t *testing.T, resp *http.Response, n int) {
	t.Helper()
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != mjpegType {
		b, _ := io.ReadAll(resp.Body)
		t.Fatalf("%d %s %s", resp.StatusCode, resp.Header.Get("Content-Type"), b)
	}
	r := multipart.NewReader(bufio.NewReader(resp.Body), boundary)
	for range n {
		p, err := r.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(p)
		if err != nil || !isJPEG(b) {
			t.Fatalf("%v: %d bytes", err, len(b))
		}
	}
}

func TestHub_MJPEGToSeveralViewers(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	s.device.gives(mjpegInfo, jpegs(t))
	first := do(t, s.request(t, "owner", "GET", camPath+"/mjpeg", nil))
	readMJPEG(t, first, 5)
	second := do(t, s.request(t, "viewer", "GET", strings.Replace(camPath, "cam1", "%EB%85%B8%EC%A6%90%20%EC%BA%A0", 1)+"/mjpeg", nil))
	readMJPEG(t, second, 5)
	third := do(t, s.request(t, "viewer", "GET", "/api/v1/printers/"+testUUID+"/camera/mjpeg", nil))
	readMJPEG(t, third, 2)
	s.device.mu.Lock()
	defer s.device.mu.Unlock()
	if s.device.opened != 1 {
		t.Errorf("the device opened %d links", s.device.opened)
	}
	if c := s.device.commands[0]; c.Action != "open" || c.Camera != "cam1" || c.Source == nil || c.Source.URL != s.cameras[0].URL || c.Options.Pictures {
		t.Errorf("told %+v", c)
	}
}

func TestHub_StopsAfterTheLastViewer(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	s.device.gives(mjpegInfo, jpegs(t))
	ctx, cancel := context.WithCancel(t.Context())
	resp := do(t, s.request(t, "owner", "GET", camPath+"/mjpeg", nil).WithContext(ctx))
	readMJPEG(t, resp, 1)
	cancel()
	begun := time.Now()
	until(t, "the viewer is gone", func() bool { s.Service.mu.Lock(); defer s.Service.mu.Unlock(); return len(s.viewers) == 0 })
	until(t, "the stream ends", func() bool { return len(s.all()) == 0 })
	if took := time.Since(begun); took < linger-2*time.Second {
		t.Errorf("it ended after %v already", took)
	}
	until(t, "the link ends", func() bool { s.Service.mu.Lock(); defer s.Service.mu.Unlock(); return len(s.links) == 0 })
}

func TestHub_SnapshotIsShared(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	s.device.gives(mjpegInfo, jpegs(t))
	get := func(user string) (int, string, []byte) {
		resp := do(t, s.request(t, user, "GET", camPath+"/snapshot.jpg", nil))
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, resp.Header.Get("ETag"), b
	}
	status, tag, b := get("owner")
	if status != 200 || !isJPEG(b) {
		t.Fatalf("%d %s", status, b)
	}
	begun := time.Now()
	_, again, _ := get("viewer")
	if time.Since(begun) < time.Second && again != tag {
		t.Error("two viewers within two seconds got two pictures")
	}
	resp := do(t, s.request(t, "owner", "GET", camPath+"/snapshot.jpg", nil, "If-None-Match", again))
	if time.Since(begun) < time.Second && resp.StatusCode != http.StatusNotModified {
		t.Errorf("%d for the same picture", resp.StatusCode)
	}
	s.device.mu.Lock()
	defer s.device.mu.Unlock()
	if o := s.device.commands[0].Options; !o.Pictures || o.MaxFPS != 0.5 {
		t.Errorf("asked for %+v", o)
	}
}

func TestHub_SnapshotOfH264(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	s.device.gives(rtspInfo, accessUnits(t))
	resp := do(t, s.request(t, "owner", "GET", camPath+"/snapshot.jpg", nil))
	if b, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 || !isJPEG(b) {
		t.Fatalf("%d %s", resp.StatusCode, b)
	}
}

// The picture is larger than any camera's, and one gray: 700 bytes.
func TestDecode_PicturesTooLargeForMemory(t *testing.T) {
	t.Parallel()
	needFFmpeg(t)
	f, err := os.Open("testdata/8192x4352.h264.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	huge, err := io.ReadAll(unzipped)
	if err != nil {
		t.Fatal(err)
	}
	s := mustServe(t)
	s.ffmpegPath()
	for name, unit := range map[string][]byte{"Huge": huge, "Usual": accessUnits(t)[0]} {
		units, err := splitAnnexB(unit)
		if err != nil {
			t.Fatal(err)
		}
		picture, err := s.decode(t.Context(), &frame{kind: frameH264, units: units})
		if (err == nil) != (name == "Usual") {
			t.Errorf("%s: %d bytes, %v", name, len(picture), err)
		}
	}
}

func TestHub_SnapshotOfH264WithoutFFmpegSaysSo(t *testing.T) {
	t.Parallel()
	s := mustServe(t, func(s *Service) { s.FFmpeg = "off" })
	s.device.gives(rtspInfo, accessUnits(t))
	resp := do(t, s.request(t, "owner", "GET", camPath+"/snapshot.jpg", nil))
	mustProblem(t, resp, http.StatusConflict, TroubleNoPicture)
}

func TestHub_MJPEGOfH264(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	s.device.gives(rtspInfo, accessUnits(t))
	readMJPEG(t, do(t, s.request(t, "owner", "GET", camPath+"/mjpeg", nil)), 5)
}

// Nothing of a picture waits in ffmpeg for the next one, however many processors there are.
func TestDecoding_EachPictureAtOnce(t *testing.T) {
	t.Parallel()
	needFFmpeg(t)
	s := mustServe(t)
	c := exec.CommandContext(t.Context(), s.ffmpegPath(), decoding(0)...)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	st := newStream(s.Service, streamKey{}, testUUID, Camera{})
	d := &decoder{v: newViewer(RungWHEP, workspace.Actor{}, nil)}
	d.v.stream = st
	go func() { _ = d.feed(t.Context(), in) }()
	pictures := newViewer(RungMJPEG, workspace.Actor{}, nil)
	st.viewers[pictures] = struct{}{}
	go d.readJPEGs(st, bufio.NewReader(out))

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	at := time.Now()
	for i, unit := range accessUnits(t)[:30] {
		units, err := splitAnnexB(unit)
		if err != nil {
			t.Fatal(err)
		}
		at = at.Add(40 * time.Millisecond)
		d.v.offer(&frame{kind: frameH264, key: i == 0, at: at, units: units, data: unit})
		got, err := pictures.next(ctx, nil)
		if err != nil {
			t.Fatalf("picture %d: %v", i, err)
		}
		if !got[0].at.Equal(at) {
			t.Errorf("picture %d is said to be of %s, not of %s", i, got[0].at, at)
		}
	}
}

func mustProblem(t *testing.T, resp *http.Response, status int, code Trouble) {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var p struct{ Code, Detail string }
	if json.Unmarshal(b, &p) != nil || resp.StatusCode != status || p.Code != string(code) {
		t.Fatalf("%d %s, want %d %s", resp.StatusCode, b, status, code)
	}
}

// player is a WHEP viewer.
type player struct {
	pc       *webrtc.PeerConnection
	units    chan [][]byte
	location string
	links    string
}

func (s *site) play(t *testing.T, user string, network ...webrtc.NetworkType) *player {
	t.Helper()
	p, status, body := s.tryPlay(t, user, network...)
	if status != http.StatusCreated {
		t.Fatalf("%d %s", status, body)
	}
	return p
}

func (s *site) tryPlay(t *testing.T, user string, network ...webrtc.NetworkType) (*player, int, string) {
	t.Helper()
	return s.tryPlayBy(t, user, webrtc.Configuration{}, network...)
}

func (s *site) tryPlayBy(t *testing.T, user string, by webrtc.Configuration, network ...webrtc.NetworkType) (*player, int, string) {
	t.Helper()
	m := &webrtc.MediaEngine{}
	if err := registerH264(m); err != nil {
		t.Fatal(err)
	}
	e := webrtc.SettingEngine{}
	e.SetIncludeLoopbackCandidate(true)
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	if len(network) > 0 {
		e.SetNetworkTypes(network)
	}
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(e), webrtc.WithInterceptorRegistry(&interceptor.Registry{})).NewPeerConnection(by)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	p := &player{pc: pc, units: make(chan [][]byte, 1000)}
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		d := &rtph264.Decoder{PacketizationMode: 1}
		if d.Init() != nil {
			return
		}
		for {
			packet, _, err := track.ReadRTP()
			if err != nil {
				close(p.units)
				return
			}
			if units, err := d.Decode(&rtp.Packet{Header: packet.Header, Payload: packet.Payload}); err == nil {
				p.units <- units
			}
		}
	})
	if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
		t.Fatal(err)
	}
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	<-gathered
	resp := do(t, s.request(t, user, "POST", camPath+"/whep", []byte(pc.LocalDescription().SDP), "Content-Type", "application/sdp"))
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusCreated {
		return nil, resp.StatusCode, string(answer)
	}
	p.location, p.links = resp.Header.Get("Location"), strings.Join(resp.Header.Values("Link"), ", ")
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(answer)}); err != nil {
		t.Fatalf("%v in %s", err, answer)
	}
	return p, resp.StatusCode, ""
}

// frames reads n access units; the first must be one that a decoder can begin with.
func (p *player) frames(t *testing.T, n int) {
	t.Helper()
	var params parameters
	begun := false
	for range n {
		select {
		case units, ok := <-p.units:
			if !ok {
				t.Fatal("the track ended")
			}
			key, _ := params.learn(units)
			if !begun && (!key || params.sps == nil || params.pps == nil) {
				t.Fatal("the first frame cannot be decoded")
			}
			begun = true
		case <-time.After(patience):
			t.Fatal("no frame")
		}
	}
}

// more reads another access unit.
func (p *player) more(t *testing.T) {
	t.Helper()
	select {
	case _, ok := <-p.units:
		if !ok {
			t.Fatal("the track ended")
		}
	case <-time.After(patience):
		t.Fatal("no frame")
	}
}

func TestHub_WHEP(t *testing.T) {
	t.Parallel()
	for name, network := range map[string]webrtc.NetworkType{"UDP": webrtc.NetworkTypeUDP4, "TCP": webrtc.NetworkTypeTCP4} {
		t.Run(name, func(t *testing.T) {
			s := mustServe(t)
			s.device.gives(rtspInfo, accessUnits(t))
			p := s.play(t, "owner", network)
			p.frames(t, 40)
			second := s.play(t, "viewer", network)
			second.frames(t, 40)
			resp := do(t, s.request(t, "owner", "DELETE", p.location, nil))
			if resp.StatusCode != http.StatusNoContent {
				t.Fatalf("%d", resp.StatusCode)
			}
			until(t, "the session ends", func() bool { s.Service.mu.Lock(); defer s.Service.mu.Unlock(); return len(s.sessions) == 1 })
		})
	}
}

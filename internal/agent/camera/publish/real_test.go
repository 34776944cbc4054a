package publish

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// need skips where a program is missing, unless every test has to run.
func need(t *testing.T, path string, err error) string {
	t.Helper()
	if err == nil && path != "" {
		return path
	}
	if os.Getenv("FACTOR_TEST_REQUIRE") != "" {
		t.Fatal("a program is missing: run `make setup`")
	}
	t.Skip("needs a program that `make setup` installs")
	return ""
}

func needFFmpeg(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("ffmpeg")
	return need(t, path, err)
}

// source runs ffmpeg beside the test with a moving test picture as its input.
func source(t *testing.T, arguments ...string) {
	t.Helper()
	all := append([]string{"-nostdin", "-loglevel", "error", "-re", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=10"}, arguments...)
	c := exec.Command(needFFmpeg(t), all...)
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
}

var (
	asH264  = []string{"-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "10"}
	withB   = []string{"-c:v", "libx264", "-preset", "fast", "-bf", "2", "-pix_fmt", "yuv420p", "-g", "20"}
	asH265  = []string{"-c:v", "libx265", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-x265-params", "keyint=10:log-level=none"}
	asMJPEG = []string{"-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "5", "-huffman", "default"} // which RFC 2435 requires
)

// ports gives free ones of this machine, for programs that cannot choose themselves.
func ports(t *testing.T, n int) []any {
	t.Helper()
	free := make([]any, n)
	for i := range free {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		free[i] = l.Addr().(*net.TCPAddr).Port
	}
	return free
}

// peer runs a media server with a configuration.
func peer(t *testing.T, env, name, config string, arguments ...string) {
	t.Helper()
	program := need(t, os.Getenv(env), nil)
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, append(arguments, file)...)
	c.Dir = filepath.Dir(file)
	log := new(bytes.Buffer)
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
		if t.Failed() {
			t.Logf("%s", log)
		}
	})
}

func listens(t *testing.T, port any) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", port))
		if err == nil {
			c.Close()
			return
		}
		if time.Since(began) > patience {
			t.Fatal(err)
		}
	}
}

// answers waits until an address answers with success.
func answers(t *testing.T, url string) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		res, err := http.Get(url)
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Since(began) > patience {
			t.Fatalf("%s: %v", url, err)
		}
	}
}

// mediaMTX runs mediamtx; transports are those of its RTSP side. Without a name and password for reading, anybody may.
func mediaMTX(t *testing.T, transports, login string) (rtsp, hls, webrtc any) {
	t.Helper()
	p := ports(t, 7)
	auth := "authInternalUsers:\n- {user: any, permissions: [{action: publish}, {action: read}]}\n"
	if login != "" {
		auth = "authInternalUsers:\n- {user: any, permissions: [{action: publish}]}\n- {user: owner, pass: " + login + ", permissions: [{action: read}]}\n"
	}
	base := p[5].(int) &^ 1 // RTP's port is even, RTCP's the next one
	peer(t, "FACTOR_TEST_MEDIAMTX", "mediamtx.yml", fmt.Sprintf(`logLevel: warn
rtmp: no
srt: no
moq: no
rtspTransports: %s
rtspAddress: 127.0.0.1:%d
rtpAddress: 127.0.0.1:%d
rtcpAddress: 127.0.0.1:%d
hlsAddress: 127.0.0.1:%d
hlsVariant: fmp4
hlsSegmentDuration: 1s
hlsSegmentCount: 4
webrtcAddress: 127.0.0.1:%d
webrtcLocalUDPAddress: 127.0.0.1:%d
webrtcIPsFromInterfaces: no
webrtcAdditionalHosts: [127.0.0.1]
%spaths:
  all_others:
`, transports, p[0], base, base+1, p[1], p[2], p[3], auth))
	listens(t, p[0])
	return p[0], p[1], p[2]
}

// decoded has ffmpeg decode what came, and gives how many pictures of a size are in it.
func decoded(t *testing.T, got []message, width, height int) int {
	t.Helper()
	var in bytes.Buffer
	for _, m := range got {
		in.Write(m.payload)
	}
	c := exec.Command(needFFmpeg(t), "-nostdin", "-loglevel", "error", "-f", "h264", "-i", "pipe:0", "-vsync", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1")
	c.Stdin = &in
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	if len(out)%(width*height) != 0 {
		t.Fatalf("%d bytes are no pictures of %d×%d", len(out), width, height)
	}
	return len(out) / (width * height)
}

// isVideo looks at what came of a camera as H.264.
func isVideo(t *testing.T, f *far, kind, codec string) {
	t.Helper()
	f.await("video of "+kind, func() bool { return len(f.got) >= 25 })
	f.mu.Lock()
	defer f.mu.Unlock()
	first := f.got[0]
	if !first.key {
		t.Error("it does not begin with a key frame")
	}
	keys := 0
	for _, m := range f.got {
		if m.kind != wire.MediaH264 {
			t.Fatalf("%d", m.kind)
		}
		if i := m.info; i.Kind != kind || i.Source != codec || i.Codec != "h264" || i.Width != 320 || i.Height != 240 || i.Rotation != 90 {
			t.Fatalf("%+v", i)
		}
		if ahead := time.Until(time.UnixMicro(int64(m.at))); ahead < time.Hour-2*patience || ahead > time.Hour {
			t.Fatalf("filmed %s from now by the server's clock, which is an hour ahead", ahead)
		}
		if m.key {
			keys++
			if !bytes.HasPrefix(m.payload, []byte{0, 0, 0, 1, 0x67}) || !bytes.Contains(m.payload, []byte{0, 0, 0, 1, 0x68}) {
				t.Errorf("a key frame begins with % x", m.payload[:8])
			}
		}
	}
	if n := decoded(t, f.got, 320, 240); n < len(f.got)-3 {
		t.Errorf("%d pictures of %d access units", n, len(f.got))
	}
	if keys < 2 {
		t.Errorf("%d key frames in %d", keys, len(f.got))
	}
}

func (r *rig) close(f *far) {
	r.Command(wire.CameraCommand{Action: "close", Camera: "cam"})
	f.await("the end", func() bool { return f.live == 0 })
	f.update(func() { f.got, f.reports = nil, nil })
}

func TestReal_MediaMTX(t *testing.T) {
	rtsp, hls, webrtc := mediaMTX(t, "[tcp, udp]", "")
	publish := func(name string, encode []string) {
		source(t, append(append([]string{}, encode...), "-f", "rtsp", "-rtsp_transport", "tcp", fmt.Sprintf("rtsp://127.0.0.1:%d/%s", rtsp, name))...)
	}
	publish("live", asH264)
	answers(t, fmt.Sprintf("http://127.0.0.1:%d/live/index.m3u8", hls))
	f := newFar(t, false)
	r := newRig(t, f)
	for _, c := range []struct{ url, kind string }{
		{fmt.Sprintf("rtsp://127.0.0.1:%d/live", rtsp), "rtsp"},
		{fmt.Sprintf("http://127.0.0.1:%d/live/index.m3u8", hls), "hls"},
		{fmt.Sprintf("http://127.0.0.1:%d/live/whep", webrtc), "whep"},
		{fmt.Sprintf("http://127.0.0.1:%d/live/", webrtc), "whep"}, // its page
	} {
		t.Run(c.kind, func(t *testing.T) {
			r.open(c.url, wire.MediaOptions{})
			isVideo(t, f, c.kind, "h264")
			r.close(f)
		})
	}
	t.Run("KeyFramesOnly", func(t *testing.T) {
		r.open(fmt.Sprintf("rtsp://127.0.0.1:%d/live", rtsp), wire.MediaOptions{Pictures: true, MaxFPS: 0.5})
		f.await("two pictures", func() bool { return len(f.got) >= 2 })
		f.mu.Lock()
		for _, m := range f.got {
			if !m.key || decoded(t, []message{m}, 320, 240) != 1 {
				t.Errorf("%+v", m.info)
			}
		}
		f.mu.Unlock()
		r.close(f)
	})
	t.Run("MJPEG", func(t *testing.T) {
		publish("jpeg", asMJPEG)
		r.open(fmt.Sprintf("rtsp://127.0.0.1:%d/jpeg", rtsp), wire.MediaOptions{})
		f.await("pictures", func() bool { return len(f.got) >= 5 })
		f.mu.Lock()
		if m := f.got[0]; m.kind != wire.MediaJPEG || m.info.Kind != "rtsp" || m.info.Source != "mjpeg" || m.info.Width != 320 {
			t.Errorf("%+v", m.info)
		} else if w, h := sizeOf(t, m.payload); w != 320 || h != 240 {
			t.Errorf("%d×%d", w, h)
		}
		f.mu.Unlock()
		r.close(f)
	})
	t.Run("BFrames", func(t *testing.T) {
		publish("b", withB)
		r.open(fmt.Sprintf("rtsp://127.0.0.1:%d/b", rtsp), wire.MediaOptions{})
		f.await("that it has B-frames", func() bool { return len(f.got) > 0 && f.got[len(f.got)-1].info.BFrames })
		r.close(f)
	})
	t.Run("H265", func(t *testing.T) {
		publish("hevc", asH265)
		r.open(fmt.Sprintf("rtsp://127.0.0.1:%d/hevc", rtsp), wire.MediaOptions{})
		isVideo(t, f, "rtsp", "h265")
		f.mu.Lock()
		if f.got[0].info.Encoder == "" {
			t.Errorf("%+v", f.got[0].info)
		}
		if f.said("failed", string(wire.CameraFFmpegMissing))() {
			t.Error("while the rate is measured, ffmpeg is said to be missing")
		}
		f.mu.Unlock()
		r.close(f)
		t.Setenv("PATH", t.TempDir())
		r.open(fmt.Sprintf("rtsp://127.0.0.1:%d/hevc", rtsp), wire.MediaOptions{})
		f.await("that ffmpeg is missing", f.said("failed", string(wire.CameraFFmpegMissing)))
		r.close(f)
	})
	t.Run("NotThere", func(t *testing.T) {
		r.open(fmt.Sprintf("rtsp://127.0.0.1:%d/nothing", rtsp), wire.MediaOptions{})
		f.await("that there is none", f.said("failed", string(wire.CameraNotFound)))
		r.close(f)
	})
}

// TestReal_UDPOnly: a camera that answers 461 to TCP, with a login.
func TestReal_UDPOnly(t *testing.T) {
	rtsp, _, _ := mediaMTX(t, "[udp]", "hidden-pass")
	source(t, append(append([]string{}, asH264...), "-f", "rtsp", "-rtsp_transport", "udp", fmt.Sprintf("rtsp://127.0.0.1:%d/live", rtsp))...)
	f := newFar(t, false)
	r := newRig(t, f)
	r.open(fmt.Sprintf("rtsp://owner:hidden-pass@127.0.0.1:%d/live", rtsp), wire.MediaOptions{})
	isVideo(t, f, "rtsp", "h264")
	r.close(f)
	r.open(fmt.Sprintf("rtsp://owner:wrong@127.0.0.1:%d/live", rtsp), wire.MediaOptions{})
	f.await("a refusal", f.said("failed", string(wire.CameraRefusedLogin)))
	r.close(f)
	r.Close()
	if strings.Contains(r.log.String(), "hidden-pass") {
		t.Error("the log has the password")
	}
}

// networked tells whether this machine has an address of its own.
func networked() bool {
	addresses, _ := net.InterfaceAddrs()
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			return true
		}
	}
	return false
}

func TestReal_Go2RTC(t *testing.T) {
	needFFmpeg(t)
	p := ports(t, 3)
	peer(t, "FACTOR_TEST_GO2RTC", "go2rtc.yaml", fmt.Sprintf(`api: {listen: "127.0.0.1:%d"}
rtsp: {listen: "127.0.0.1:%d"}
webrtc: {listen: ":%d", ice_servers: []}
log: {level: error}
streams:
  live: "exec:ffmpeg -nostdin -loglevel error -re -f lavfi -i testsrc=size=320x240:rate=10 %s -f rtsp -rtsp_transport tcp {output}"
  jpeg: "exec:ffmpeg -nostdin -loglevel error -re -f lavfi -i testsrc=size=320x240:rate=10 %s -f mjpeg -"
`, p[0], p[1], p[2], strings.Join(asH264, " "), strings.Join(asMJPEG, " ")), "-config")
	listens(t, p[0])
	listens(t, p[1])
	f := newFar(t, false)
	r := newRig(t, f)
	for _, c := range []struct{ url, kind string }{
		{fmt.Sprintf("rtsp://127.0.0.1:%d/live", p[1]), "rtsp"},
		{fmt.Sprintf("http://127.0.0.1:%d/api/webrtc?src=live", p[0]), "whep"},
		{fmt.Sprintf("http://127.0.0.1:%d/api/stream.mjpeg?src=jpeg", p[0]), "mjpeg"},
		{fmt.Sprintf("http://127.0.0.1:%d/api/frame.jpeg?src=jpeg", p[0]), "jpeg"},
	} {
		t.Run(c.kind, func(t *testing.T) {
			if c.kind == "whep" && !networked() { // go2rtc's WebRTC does without loopback
				t.Skip("this machine has no network")
			}
			r.open(c.url, wire.MediaOptions{})
			if strings.HasSuffix(c.kind, "peg") {
				f.await("pictures", func() bool { return len(f.got) >= 3 && f.got[0].info.Kind == c.kind && f.got[0].info.Width == 320 })
			} else {
				isVideo(t, f, c.kind, "h264")
			}
			r.close(f)
		})
	}
}

// shim puts a program named ffmpeg before the real one on the PATH of the processes that are started from here on.
func shim(t *testing.T, script string) {
	t.Helper()
	real, dir := needFFmpeg(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ffmpeg"), []byte("#!/bin/sh\nreal="+real+"\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

func TestReal_Encode(t *testing.T) {
	needFFmpeg(t)
	f := newFar(t, false)
	r := newRig(t, f)
	_, url := newMJPEG(t, 320, 240, false, 50*time.Millisecond)
	r.open(url, wire.MediaOptions{Encode: true, MaxKbps: 500})
	f.await("H.264", func() bool { return len(f.got) > 40 && f.got[len(f.got)-20].kind == wire.MediaH264 })
	f.mu.Lock()
	var video []message
	for _, m := range f.got {
		if m.kind == wire.MediaH264 {
			video = append(video, m)
		}
	}
	if i := video[0].info; i.Codec != "h264" || i.Source != "mjpeg" || i.Encoder == "" || i.Width != 320 || !video[0].key {
		t.Errorf("%+v", i)
	}
	if n := decoded(t, video, 320, 240); n < len(video)-2 {
		t.Errorf("%d pictures of %d", n, len(video))
	}
	for i := 1; i < len(video); i++ {
		if video[i].at <= video[i-1].at {
			t.Errorf("filmed at %d after %d", video[i].at, video[i-1].at)
		}
	}
	f.mu.Unlock()
	f.want(wire.MediaOptions{})
	f.await("JPEG again", func() bool { return f.got[len(f.got)-1].kind == wire.MediaJPEG })
}

// TestReal_OverBudget: H.264 of a camera that is more than the uplink may take is made smaller where that is allowed, and
// otherwise left out up to key frames that fit.
func TestReal_OverBudget(t *testing.T) {
	rtsp, _, _ := mediaMTX(t, "[tcp]", "")
	big := []string{"-vf", "noise=alls=60:allf=t", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "10", "-x264-params", "nal-hrd=cbr", "-b:v", "2M", "-minrate", "2M", "-maxrate", "2M", "-bufsize", "1M"}
	source(t, append(big, "-f", "rtsp", "-rtsp_transport", "tcp", fmt.Sprintf("rtsp://127.0.0.1:%d/live", rtsp))...)
	f := newFar(t, false)
	r := newRig(t, f)
	url := fmt.Sprintf("rtsp://127.0.0.1:%d/live", rtsp)
	r.open(url, wire.MediaOptions{MaxKbps: 300})
	f.await("that the uplink is slow", f.said("running", string(wire.CameraUplinkSlow)))
	f.await("video", func() bool { return len(f.got) > 10 })
	f.mu.Lock()
	if n := decoded(t, f.got, 320, 240); n < len(f.got)-1 {
		t.Errorf("%d pictures of %d", n, len(f.got))
	}
	f.mu.Unlock()
	f.want(wire.MediaOptions{MaxKbps: 300, Encode: true})
	f.await("smaller video", func() bool { return len(f.got) > 20 && f.got[len(f.got)-20].info.Encoder != "" })
	r.close(f)
}

func TestReal_FFmpegDies(t *testing.T) {
	shim(t, `case "$*" in *rawvideo*) exec "$real" "$@";; esac
echo "rtsp://owner:hidden-pass@192.168.0.7/live: it went wrong" >&2
exit 1
`)
	f := newFar(t, false)
	r := newRig(t, f)
	_, url := newMJPEG(t, 320, 240, false, 50*time.Millisecond)
	r.open(url, wire.MediaOptions{Encode: true})
	f.await("that ffmpeg died", f.said("running", string(wire.CameraFFmpegDied)))
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, said := range f.reports {
		if said.Code == string(wire.CameraFFmpegDied) && (!strings.Contains(said.Lines, "it went wrong") || strings.ContainsAny(said.Lines, "@7")) {
			t.Errorf("%+v", said)
		}
	}
	if m := f.got[len(f.got)-1]; m.kind != wire.MediaJPEG {
		t.Errorf("%+v", m.info)
	}
}

// TestReal_HardwareEncoder: of the hardware that is there, the first that keeps what it promises encodes. No machine of the
// tests has any, so that ffmpeg's part in it is played.
func TestReal_HardwareEncoder(t *testing.T) {
	shim(t, `case "$*" in *h264_v4l2m2m*) echo "Could not find a valid device" >&2; exit 1;; esac
skip=
n=$#
while [ $n -gt 0 ]; do
	a=$1; shift; n=$((n-1))
	case "$a" in
	-vaapi_device) skip=1; continue;;
	h264_vaapi) a=libx264;;
	*hwupload*) a=$(echo "$a" | sed 's/format=nv12,hwupload/format=yuv420p/');;
	esac
	[ -n "$skip" ] && { skip=; continue; }
	set -- "$@" "$a"
done
exec "$real" "$@"
`)
	there := filepath.Join(t.TempDir(), "device")
	if err := os.WriteFile(there, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	before := encoders
	defer func() { encoders = before }()
	encoders = slices.Clone(encoders)
	for i := range encoders {
		if name := encoders[i].name; name == "h264_v4l2m2m" || name == "h264_vaapi" {
			encoders[i].needs, encoders[i].only = there, ""
		}
	}
	if e := new(chosen).find(t.Context(), ""); e == nil || e.name != "h264_vaapi" {
		t.Fatalf("%+v", e)
	}
	if e := new(chosen).find(t.Context(), "libx264"); e == nil || e.name != "libx264" {
		t.Errorf("the one that worked before: %+v", e)
	}
}

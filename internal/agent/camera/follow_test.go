package camera

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gohlslib/v2/pkg/playlist"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/sdpunmarshaler"
	"github.com/pion/rtp"
)

// pretend has v4l2 inputs of ffmpeg come from its own test picture instead: no kernel gives tests a camera. Whatever else
// the arguments say is done by the real program.
func pretend(t *testing.T, fault string) (asked string) {
	t.Helper()
	needFFmpeg(t)
	real, _ := exec.LookPath("ffmpeg")
	dir := t.TempDir()
	asked = filepath.Join(dir, "asked")
	script := `#!/bin/sh
echo "$*" >> ` + asked + `
case "$*" in *"-input_format mjpeg"*) echo "The device does not support mjpeg" >&2; exit 1;; esac
` + fault + `
exec ` + real + ` -nostdin -loglevel error -re -f lavfi -i testsrc=size=320x240:rate=10 -c:v mjpeg -pix_fmt yuvj420p -q:v 5 -huffman default -f mpjpeg -flush_packets 1 pipe:1
`
	if err := os.WriteFile(filepath.Join(dir, "ffmpeg"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	before := openable
	openable = func(string) error { return nil }
	t.Cleanup(func() { openable = before })
	return asked
}

func TestReal_V4L2(t *testing.T) {
	asked := pretend(t, "")
	seen(t, Look(context.Background(), "v4l2:///dev/video0?size=320x240&fps=10"), V4L2, "JPEG")
	content, err := os.ReadFile(asked)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	for i, want := range []string{"-f v4l2 -input_format mjpeg -video_size 320x240 -framerate 10 -i /dev/video0 -c:v copy", "-f v4l2 -video_size 320x240 -framerate 10 -i /dev/video0 -c:v mjpeg"} {
		if i >= len(lines) || !strings.Contains(lines[i], want) {
			t.Errorf("%d: %q", i, lines)
		}
	}
}

func TestReal_V4L2_Faults(t *testing.T) {
	for said, code := range map[string]string{
		"/dev/video0: Device or resource busy":              DeviceBusy,
		"Cannot open video device: Permission denied":       DeviceDenied,
		"ioctl(VIDIOC_G_INPUT): Inappropriate ioctl for it": FFmpegDied,
	} {
		t.Run(code, func(t *testing.T) {
			pretend(t, "echo '"+said+"' >&2; exit 1")
			if r := Look(context.Background(), "v4l2:///dev/video0"); r.Code != code || r.Cure == "" {
				t.Errorf("%+v", r)
			}
		})
	}
	for url, code := range map[string]string{"v4l2:///dev/video998": NotFound, "v4l2:///dev/sda": BadURL, "v4l2:///dev/../etc/passwd": BadURL,
		"v4l2://host/dev/video0": BadURL, "v4l2:///dev/v4l/by-id/../../sda": BadURL} {
		if r := Look(context.Background(), url); r.Code != code {
			t.Errorf("%s: %+v", url, r)
		}
	}
	pretend(t, "")
	for _, query := range []string{"size=0x0", "size=-i", "fps=a", "fps=0", "fps=1000"} {
		if r := Look(context.Background(), "v4l2:///dev/video0?"+query); r.Code != BadURL {
			t.Errorf("%s: %+v", query, r)
		}
	}
}

func TestLastWords(t *testing.T) {
	var w lastWords
	for range 100 {
		w.Write([]byte("[rtsp @ 0x55d0c8a3f2c0] http://owner:secret@192.168.0.7:8080/live failed, [fe80::1:2:3:4]:554 and 10.0.0.9:80 too\x1b[31m\n"))
	}
	got := w.String()
	if len(got) > maxWords || strings.ContainsAny(got, "@\x1b\n") || strings.Contains(got, "secret") || strings.Contains(got, "10.0") || strings.Contains(got, "fe80") || !strings.Contains(got, "failed") {
		t.Errorf("%d bytes: %q", len(got), got)
	}
}

// TestTimeline: pictures that come late get the time at which they were filmed.
func TestTimeline(t *testing.T) {
	var line timeline
	base := time.Unix(1e9, 0)
	for i := range 100 {
		pts := time.Duration(i) * 100 * time.Millisecond
		late := time.Duration(i%4) * 30 * time.Millisecond
		at := line.at(pts, base.Add(pts+late))
		if d := at.Sub(base.Add(pts)); d.Abs() > 5*time.Millisecond {
			t.Errorf("picture %d: off by %s", i, d)
		}
	}
	again := base.Add(time.Minute)
	if at := line.at(0, again); at.Sub(again).Abs() > time.Millisecond {
		t.Errorf("a stream that begins anew: %s", at.Sub(again))
	}
}

// collector is a viewer that keeps what it is shown and ends after so many.
type collector struct {
	stop   context.CancelFunc
	enough int
	stream Stream
	frames []Frame
}

func (c *collector) Found(s Stream) { c.stream = s }
func (c *collector) Wanted() Wanted { return Wanted{} }
func (c *collector) Frame(f Frame) {
	if c.frames = append(c.frames, f); len(c.frames) == c.enough {
		c.stop()
	}
}

// TestFollow_Ends: a stream that comes to its end is no fault, and pictures are completed by what cameras leave out.
func TestFollow_Ends(t *testing.T) {
	frame := still(t, 64, 48, false)
	url := site(t, multipart("multipart/x-mixed-replace; boundary=f", func(w io.Writer, f []byte) { w.Write(f) }, bare(frame)))
	ctx, cancel := context.WithCancel(context.Background())
	c := &collector{stop: cancel, enough: 1000}
	err := Follow(ctx, url, c)
	if Code(err) != "" || !errors.Is(err, errEnded) || len(c.frames) != 60 || c.stream != (Stream{MJPEG, CodecJPEG}) {
		t.Fatalf("%v after %d of %+v", err, len(c.frames), c.stream)
	}
	for _, f := range c.frames {
		if !bytes.Equal(f.JPEG, frame) { // its tables are back
			t.Fatal("another picture")
		}
	}
	c = &collector{stop: cancel, enough: 3}
	if err := Follow(ctx, url, c); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func FuzzHeadOf(f *testing.F) {
	frame := still(f, 16, 8, false)
	f.Add(frame)
	f.Add(bare(frame))
	f.Add([]byte("\xff\xd8\xff\xc0\x00\x08\x08\xff\xff\xff\xff\x01\xff\xda\x00\x02"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) < 2 {
			return
		}
		h, err := headOf(content)
		if err != nil {
			return
		}
		if h.Width < 1 || h.Height < 1 || h.Width*h.Height > maxPixels || h.data < 2 || h.data+4 > len(content) {
			t.Fatalf("%+v of %q", h, content)
		}
		whole := h.complete(content)
		if again, err := headOf(whole); err != nil || !again.tables || again.Width != h.Width {
			t.Fatalf("%+v %v", again, err)
		}
	})
}

func FuzzParameters(f *testing.F) {
	f.Add([]byte{0x67, 0x42, 0xc0, 0x0a}, true)
	f.Add([]byte{0x42, 1, 1, 1, 0x60}, false)
	f.Fuzz(func(t *testing.T, nal []byte, avc bool) {
		codec := CodecH265
		if avc {
			codec = CodecH264
		}
		var p Parameters
		p.Take(codec, [][]byte{nal, nil, slices.Concat(nal, nal)})
		if w, h, _, err := p.size(codec); err == nil && (w < 1 || h < 1 || w*h > maxPixels) {
			t.Fatalf("%d×%d", w, h)
		}
	})
}

// FuzzAllowed: whatever candidates an SDP answer has, none at a forbidden address is left.
func FuzzAllowed(f *testing.F) {
	f.Add("v=0\r\na=candidate:1 1 udp 1 192.168.0.2 5000 typ host\r\na=candidate:1 1 udp 1 169.254.169.254 80 typ host\r\n")
	f.Add("a=candidate:1 1 tcp 1 ::ffff:169.254.0.1 80 typ host tcptype passive\na=candidate:")
	f.Fuzz(func(t *testing.T, sdp string) {
		for line := range strings.SplitSeq(allowed(sdp), "\n") {
			if c, ok := strings.CutPrefix(line, "a=candidate:"); ok {
				if fields := strings.Fields(c); len(fields) < 6 || refusedCandidate(fields[4]) {
					t.Fatalf("%q", line)
				}
			}
		}
	})
}

// FuzzDigest: whatever a camera challenges with, the answer is one header line without the password.
func FuzzDigest(f *testing.F) {
	f.Add(`Digest realm="cam", nonce="n", qop="auth", algorithm=SHA-256, opaque="o"`)
	f.Add(`Digest realm="a\r\nX: y", nonce=n`)
	f.Fuzz(func(t *testing.T, challenge string) {
		if strings.ContainsAny(challenge, "\r\n") { // no header has those
			return
		}
		u, err := parse("http://owner:hidden-pass@cam/x")
		if err != nil {
			t.Fatal(err)
		}
		answer := digest([]string{challenge}, u, "GET")
		if strings.ContainsAny(answer, "\r\n") || (strings.Contains(answer, "hidden-pass") && !strings.Contains(challenge, "hidden-pass")) {
			t.Fatalf("%q", answer)
		}
	})
}

// SDP of a camera, read as rtsp does, gives a stream that can be followed or a code; RTP packets of it give pictures or
// nothing.
func FuzzDescription(f *testing.F) {
	const head = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
	h264 := head + "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0LAH9oBQBboQAAAAwBAAAAMA8YMqA==,aM48gA==\r\na=control:x\r\n"
	for _, seed := range []struct {
		sdp     string
		payload []byte
	}{
		{h264, []byte{0x65, 0x88, 0x84}},
		{h264, []byte{0x7c, 0x85, 1, 2, 3}},       // FU-A
		{h264, []byte{0x78, 0, 2, 0x67, 1, 0, 9}}, // STAP-A, cut off
		{head + "m=video 0 RTP/AVP 97\r\na=rtpmap:97 H265/90000\r\na=fmtp:97 sprop-vps=QAE=; sprop-sps=QgE=; sprop-pps=RAE=\r\n", []byte{0x62, 1, 0x93, 1}},
		{head + "m=video 0 RTP/AVP 26\r\n", []byte{0, 0, 0, 0, 1, 50, 40, 30, 1, 2, 3}},
		{head + "m=audio 0 RTP/AVP 0\r\n", nil},
	} {
		f.Add([]byte(seed.sdp), seed.payload, uint32(90), true)
	}
	f.Fuzz(func(t *testing.T, text, payload []byte, ts uint32, marker bool) {
		raw, err := sdpunmarshaler.Unmarshal(text)
		var d description.Session
		if err != nil || d.Unmarshal2(raw) != nil {
			return
		}
		packet := &rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: 1, Timestamp: ts, Marker: marker}, Payload: payload}
		var h4 *format.H264
		if d.FindFormat(&h4) != nil {
			if decoder, err := h4.CreateDecoder(); err == nil {
				unit, err := decoder.Decode(packet)
				var sets Parameters
				if err == nil {
					sets.Take(CodecH264, append([][]byte{h4.SPS, h4.PPS}, unit...))
				}
			}
		}
		var h5 *format.H265
		if d.FindFormat(&h5) != nil {
			if decoder, err := h5.CreateDecoder(); err == nil {
				unit, err := decoder.Decode(packet)
				var sets Parameters
				if err == nil {
					sets.Take(CodecH265, append([][]byte{h5.VPS, h5.SPS, h5.PPS}, unit...))
				}
			}
		}
		var j *format.MJPEG
		if d.FindFormat(&j) != nil {
			if decoder, err := j.CreateDecoder(); err == nil {
				if picture, err := decoder.Decode(packet); err == nil {
					_, _ = headOf(picture)
				}
			}
		}
	})
}

// A playlist of a camera is read or refused, whatever is in it.
func FuzzPlaylist(f *testing.F) {
	f.Add([]byte("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1.0,\nseg0.ts\n"))
	f.Add([]byte("#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"avc1.42c01f\",RESOLUTION=1x1\nhttp://169.254.169.254/x.m3u8\n"))
	f.Add([]byte("#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:2\n#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.5\n#EXT-X-PART-INF:PART-TARGET=0.2\n#EXT-X-MAP:URI=\"init.mp4\"\n#EXT-X-PART:DURATION=0.2,URI=\"p.mp4\",INDEPENDENT=YES\n#EXTINF:1,\ns.mp4\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"q.mp4\"\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if p, err := playlist.Unmarshal(text); err == nil && p == nil {
			t.Fatal("neither a playlist nor an error")
		}
	})
}

package camera

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

func TestKinds(t *testing.T) {
	for _, scheme := range wire.CameraSchemes {
		if kinds[scheme] == nil {
			t.Errorf("%s is taken, and nobody can follow it", scheme)
		}
	}
	for scheme := range kinds {
		if !slices.Contains(wire.CameraSchemes, scheme) {
			t.Errorf("%s is never taken", scheme)
		}
	}
}

func TestPlayed(t *testing.T) {
	for at, want := range map[string][2]string{
		"rtmp://cam/live":                                  {"/live", ""},
		"rtmp://cam/live/":                                 {"/live", ""},
		"rtmp://cam/live/one":                              {"/live", "one"},
		"rtmp://cam/app/instance/one":                      {"/app/instance", "one"},
		"rtmp://u:p@cam:1936/bcs/main.bcs?user=a&stream=0": {"/bcs", "main.bcs?user=a&stream=0"},
	} {
		u, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		got := played(u)
		if got.Path != want[0] || got.Fragment != want[1] || got.RawQuery != "" || got.Host != u.Host || got.User.String() != u.User.String() {
			t.Errorf("%s: %s", at, got)
		}
	}
}

// TestReal_RTMP has ffmpeg be the camera, which serves the first one who plays.
func TestReal_RTMP(t *testing.T) {
	needFFmpeg(t)
	at := freeAddress(t)
	ffmpeg(t, append(asH264, "-f", "flv", "-listen", "1", "rtmp://"+at+"/live/nozzle")...)
	var r Result
	for end := time.Now().Add(patience); r.Code == "" && !r.OK || r.Code == Unreachable; { // until it listens
		if r = Look(t.Context(), "rtmp://"+at+"/live/nozzle"); time.Now().After(end) {
			break
		}
	}
	if !r.OK || r.Kind != RTMP || r.Codec != "H264" || r.Width != 320 || r.Height != 240 || !strings.HasPrefix(r.Picture, "data:image/jpeg") {
		r.Picture = ""
		t.Errorf("%+v", r)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// answering gives a server that says something to everybody and hangs up.
func answering(t *testing.T, said string) (at string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { io.WriteString(c, said); io.CopyN(io.Discard, c, 1537); c.Close() }()
		}
	}()
	return l.Addr().String()
}

func TestRTMP_Faults(t *testing.T) {
	for address, code := range map[string]string{
		"rtmp://" + freeAddress(t) + "/live/x":                                               Unreachable,
		"rtmp://no-such-camera.invalid/live/x":                                               NameNotFound,
		"rtmp://169.254.169.254/live/x":                                                      AddressRefused,
		"rtmps://169.254.169.254/live/x":                                                     AddressRefused,
		"rtmp://" + answering(t, "HTTP/1.1 400 Bad Request\r\n\r\nprivate page") + "/live/x": NotAStream,
	} {
		if r := Look(t.Context(), address); r.OK || r.Code != code || r.Cure == "" {
			t.Errorf("%s: %+v, want %s", address, r, code)
		}
	}
}

// pipe is a connection on which everything is there already.
type pipe struct {
	net.Conn
	in *bytes.Reader
}

func (p *pipe) Read(b []byte) (int, error)  { return p.in.Read(b) }
func (p *pipe) Write(b []byte) (int, error) { return len(b), nil }
func (p *pipe) Close() error                { return nil }

// FuzzRTMP lets a server answer anything behind its handshake.
func FuzzRTMP(f *testing.F) {
	shake := append([]byte{3}, make([]byte, 2*1536)...)
	result := []byte("\x03\x00\x00\x00\x00\x00\x1d\x14\x00\x00\x00\x00\x02\x00\x07_result\x00\x3f\xf0\x00\x00\x00\x00\x00\x00\x05\x03\x00\x00\x09")
	config := []byte("\x06\x00\x00\x00\x00\x00\x10\x09\x01\x00\x00\x00\x17\x00\x00\x00\x00\x01\x42\xc0\x1e\xff\xe1\x00\x01\x67\x01\x00")
	f.Add([]byte{})
	f.Add(result)
	f.Add(append(slices.Clone(result), config...))
	f.Add(config)
	f.Fuzz(func(t *testing.T, said []byte) {
		u := &url.URL{Scheme: "rtmp", Host: "cam", Path: "/live/x"}
		to := func(context.Context, string, string) (net.Conn, error) {
			return &pipe{in: bytes.NewReader(append(slices.Clone(shake), said...))}, nil
		}
		l := &look{stop: func(error) {}}
		in := &follow{url: u, to: l, patience: time.NewTimer(time.Hour), stall: time.Hour}
		if err := in.rtmpBy(t.Context(), to, to); err == nil {
			t.Error("it never ends")
		}
	})
}

// FuzzRTMPVideo takes messages that are well formed as such.
func FuzzRTMPVideo(f *testing.F) {
	f.Add([]byte{0, 0, 0, 2, 0x65, 0x88})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, au []byte) {
		l := &look{stop: func(error) {}}
		in := &rtmpVideo{follow: &follow{to: l, patience: time.NewTimer(time.Hour), stall: time.Hour}}
		in.is(Stream{RTMP, CodecH264})
		if err := in.pass(au, time.Second); err != nil {
			t.Error(err)
		}
	})
}

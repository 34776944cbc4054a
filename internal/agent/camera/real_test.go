package camera

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/auth"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
	"github.com/pion/rtp"
)

const patience = 60 * time.Second

// needFFmpeg skips where there is none, unless every test has to run.
func needFFmpeg(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		if os.Getenv("FACTOR_TEST_REQUIRE") != "" {
			t.Fatal(err)
		}
		t.Skip("ffmpeg is not installed")
	}
}

// ffmpeg runs beside the test with a moving test picture as its input.
func ffmpeg(t *testing.T, arguments ...string) {
	t.Helper()
	all := append([]string{"-nostdin", "-loglevel", "error", "-re", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=10"}, arguments...)
	c := exec.Command("ffmpeg", all...)
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
}

var (
	asH264  = []string{"-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "10"}
	asMJPEG = []string{"-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "5", "-huffman", "default"} // which RFC 2435 requires
)

// relay is an RTSP server that gives readers what ffmpeg publishes to it.
type relay struct {
	*gortsplib.Server
	user, password string
	published      chan struct{}

	mu     sync.Mutex
	stream *gortsplib.ServerStream
}

func newRelay(t *testing.T, methods []auth.VerifyMethod) *relay {
	t.Helper()
	r := &relay{published: make(chan struct{})}
	r.Server = &gortsplib.Server{Handler: r, RTSPAddress: "127.0.0.1:0", AuthMethods: methods}
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func (r *relay) url() string { return "rtsp://" + r.NetListener().Addr().String() + "/live" }

func (r *relay) OnDescribe(ctx *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if r.user != "" && !ctx.Conn.VerifyCredentials(ctx.Request, r.user, r.password) {
		return &base.Response{StatusCode: base.StatusUnauthorized}, nil, liberrors.ErrServerAuth{}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stream == nil || !strings.Contains(ctx.Path, "live") {
		return &base.Response{StatusCode: base.StatusNotFound}, nil, nil
	}
	return &base.Response{StatusCode: base.StatusOK}, r.stream, nil
}

func (r *relay) OnAnnounce(ctx *gortsplib.ServerHandlerOnAnnounceCtx) (*base.Response, error) {
	s := &gortsplib.ServerStream{Server: r.Server, Desc: ctx.Description}
	if err := s.Initialize(); err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.stream = s
	r.mu.Unlock()
	return &base.Response{StatusCode: base.StatusOK}, nil
}

func (r *relay) OnSetup(ctx *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if ctx.Session.State() == gortsplib.ServerSessionStatePreRecord {
		return &base.Response{StatusCode: base.StatusOK}, nil, nil
	}
	return &base.Response{StatusCode: base.StatusOK}, r.stream, nil
}

func (r *relay) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	return &base.Response{StatusCode: base.StatusOK}, nil
}

func (r *relay) OnRecord(ctx *gortsplib.ServerHandlerOnRecordCtx) (*base.Response, error) {
	var once sync.Once
	ctx.Session.OnPacketRTPAny(func(m *description.Media, _ format.Format, p *rtp.Packet) {
		r.stream.WritePacketRTP(m, p)
		once.Do(func() { close(r.published) })
	})
	return &base.Response{StatusCode: base.StatusOK}, nil
}

func (r *relay) publish(t *testing.T, encode []string) {
	t.Helper()
	ffmpeg(t, append(append([]string{}, encode...), "-f", "rtsp", "-rtsp_transport", "tcp", r.url())...)
	select {
	case <-r.published:
	case <-time.After(patience):
		t.Fatal("ffmpeg publishes nothing")
	}
}

func seen(t *testing.T, r Result, kind, codec string) {
	t.Helper()
	if !r.OK || r.Kind != kind || r.Codec != codec || r.Width != 320 || r.Height != 240 || r.FPS < 5 || r.FPS > 15 {
		r.Picture = fmt.Sprint(len(r.Picture), " bytes")
		t.Fatalf("%+v", r)
	}
	if b := pictured(t, r).Bounds(); b.Dx() != 320 || b.Dy() != 240 {
		t.Errorf("%v", b)
	}
}

func TestReal_RTSP(t *testing.T) {
	needFFmpeg(t)
	for name, methods := range map[string][]auth.VerifyMethod{"Basic": {auth.VerifyMethodBasic}, "Digest": {auth.VerifyMethodDigestMD5}} {
		t.Run(name, func(t *testing.T) {
			r := newRelay(t, methods)
			r.publish(t, asH264)
			r.user, r.password = "user", "secret"
			seen(t, Look(context.Background(), strings.Replace(r.url(), "://", "://user:secret@", 1)), RTSP, "H264")
			for _, login := range []string{"", "user:wrong@"} {
				if got := Look(context.Background(), strings.Replace(r.url(), "://", "://"+login, 1)); got.Code != RefusedLogin {
					t.Errorf("%q: %+v", login, got)
				}
			}
			r.user = ""
			if got := Look(context.Background(), strings.Replace(r.url(), "live", "other", 1)); got.Code != NotFound {
				t.Errorf("%+v", got)
			}
		})
	}
	t.Run("MJPEG", func(t *testing.T) {
		r := newRelay(t, nil)
		r.publish(t, asMJPEG)
		seen(t, Look(context.Background(), r.url()), RTSP, "JPEG")
	})
	t.Run("NoFFmpeg", func(t *testing.T) {
		r := newRelay(t, nil)
		r.publish(t, asH264)
		t.Setenv("PATH", t.TempDir())
		if got := Look(context.Background(), r.url()); got.OK || got.Code != FFmpegMissing || got.Width != 320 || got.Height != 240 {
			t.Errorf("%+v", got)
		}
	})
}

func TestReal_HLS(t *testing.T) {
	needFFmpeg(t)
	for name, kind := range map[string][]string{"MPEGTS": nil, "FMP4": {"-hls_segment_type", "fmp4"}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			arguments := append(append([]string{}, asH264...), "-f", "hls", "-hls_time", "1", "-hls_list_size", "5")
			ffmpeg(t, append(append(arguments, kind...), filepath.Join(dir, "index.m3u8"))...)
			for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
				if content, err := os.ReadFile(filepath.Join(dir, "index.m3u8")); err == nil && strings.Count(string(content), "#EXTINF") >= 2 {
					break
				} else if time.Since(began) > patience {
					t.Fatal("ffmpeg writes no segment")
				}
			}
			s := httptest.NewServer(http.FileServer(http.Dir(dir)))
			defer s.Close()
			seen(t, Look(context.Background(), s.URL+"/index.m3u8"), HLS, "H264")
		})
	}
}

func TestReal_MJPEG(t *testing.T) {
	needFFmpeg(t)
	url := site(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "multipart/x-mixed-replace;boundary=ffmpeg")
		c := exec.CommandContext(r.Context(), "ffmpeg", "-nostdin", "-loglevel", "quiet", "-re", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=10",
			"-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-f", "mpjpeg", "pipe:1")
		out, err := c.StdoutPipe()
		if err != nil || c.Start() != nil {
			return
		}
		defer c.Wait()
		for buffer := make([]byte, 4096); ; {
			n, err := out.Read(buffer)
			if _, gone := w.Write(buffer[:n]); err != nil || gone != nil {
				c.Process.Kill()
				return
			}
			http.NewResponseController(w).Flush()
		}
	})
	seen(t, Look(context.Background(), url), MJPEG, "JPEG")
}

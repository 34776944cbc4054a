package camera

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// webcam is a camera that sends MJPEG over HTTP, as mjpg-streamer does.
func webcam(t *testing.T) string {
	frames := jpegs(t)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "multipart/x-mixed-replace;boundary=cam")
		for i := 0; ; i++ {
			f := frames[i%len(frames)]
			if _, err := fmt.Fprintf(w, "--cam\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n", len(f), f); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
			select {
			case <-time.After(40 * time.Millisecond):
			case <-r.Context().Done():
				return
			}
		}
	}))
	t.Cleanup(s.CloseClientConnections)
	return s.URL
}

// plugin285 does what version 2.8.5 of the published plugin does with camera/{id}/cmd, as protocol.md has it: one
// ffmpeg with these arguments, and its state after each command.
type plugin285 struct {
	t        *testing.T
	s        *site
	mu       sync.Mutex
	proc     *exec.Cmd
	exited   chan struct{}
	commands []wire.PluginCamera
	encoders []string
}

func (p *plugin285) command(c wire.PluginCamera) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.commands = append(p.commands, c)
	switch c.Action {
	case "restart", "start":
		p.stop()
		p.start(c.Options)
	case "stop":
		p.stop()
	}
	running := p.proc != nil
	if running {
		select {
		case <-p.exited:
			running = false
		default:
		}
	}
	b, _ := json.Marshal(map[string]any{"running": running, "pid": nil, "started_at": 1.5, "last_error": nil})
	go func() {
		if err := p.s.State("printer of "+testUUID, b); err != nil {
			p.t.Error(err)
		}
	}()
}

func (p *plugin285) stop() {
	if p.proc != nil {
		_ = p.proc.Process.Kill()
		<-p.exited
		p.proc = nil
	}
}

func (p *plugin285) start(o *wire.PluginCameraOptions) {
	if !regexp.MustCompile(`^[a-zA-Z0-9_-]{1,50}$`).MatchString(o.Name) || !strings.HasPrefix(o.RTSPBase, "rtsp://") || !strings.HasPrefix(o.WebRTCBase, "https://") {
		p.t.Errorf("the plugin refuses %+v", o)
	}
	codec := []string{"-c:v", "libx264", "-tune", "zerolatency"}
	if o.Encoder == "v4l2m2m" {
		codec = []string{"-c:v", "h264_v4l2m2m"}
	}
	p.encoders = append(p.encoders, o.Encoder)
	arguments := []string{"-hide_banner", "-loglevel", "error", "-reconnect", "1", "-reconnect_streamed", "1", "-reconnect_delay_max", "2",
		"-fflags", "nobuffer", "-use_wallclock_as_timestamps", "1", "-analyzeduration", "0", "-probesize", "32k", "-flags", "low_delay", "-i", o.Input,
		"-vf", fmt.Sprintf("fps=%d,format=yuv420p", o.FPS)}
	arguments = append(arguments, codec...)
	arguments = append(arguments, "-preset", "veryfast", "-profile:v", "baseline", "-g", fmt.Sprint(2*o.FPS), "-keyint_min", fmt.Sprint(2*o.FPS), "-sc_threshold", "0",
		"-b:v", fmt.Sprintf("%dk", o.BitrateKbps), "-maxrate", fmt.Sprintf("%dk", o.BitrateKbps*11/10), "-bufsize", fmt.Sprintf("%dk", o.BitrateKbps), "-an",
		"-f", "rtsp", "-rtsp_transport", "tcp", o.RTSPBase+"/"+o.Name)
	p.proc, p.exited = exec.Command("ffmpeg", arguments...), make(chan struct{})
	if err := p.proc.Start(); err != nil {
		p.t.Error(err)
	}
	go func(c *exec.Cmd, exited chan struct{}) { _ = c.Wait(); close(exited) }(p.proc, p.exited)
}

func mustServePlugin(t *testing.T, url string) (*site, *plugin285) {
	t.Helper()
	needFFmpeg(t)
	s := mustServe(t, func(s *Service) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s.RTSP = l
	})
	p := &plugin285{t: t, s: s}
	s.device.plugin = p.command
	s.mu.Lock()
	s.agent, s.cameras[0].URL, s.cameras[1].URL = false, url, url
	s.mu.Unlock()
	t.Cleanup(func() { p.mu.Lock(); p.stop(); p.mu.Unlock() })
	return s, p
}

func TestPublished_FFmpegToWHEP(t *testing.T) {
	t.Parallel()
	s, p := mustServePlugin(t, webcam(t))
	// The machine of the test has no v4l2m2m: the second encoder is tried by itself, while the viewer's call waits.
	var viewer *player
	until(t, "the stream comes", func() bool {
		var status int
		viewer, status, _ = s.tryPlay(t, "owner")
		return status == http.StatusCreated
	})
	viewer.frames(t, 20)
	p.mu.Lock()
	last, name := p.encoders[len(p.encoders)-1], p.commands[0].Options.Name
	if p.encoders[0] != "v4l2m2m" || last != "libx264" {
		t.Errorf("encoders %v", p.encoders)
	}
	p.mu.Unlock()

	var d Diagnosis
	resp := do(t, s.request(t, "owner", "GET", camPath, nil))
	if err := json.NewDecoder(resp.Body).Decode(&d); err != nil || d.State != "running" || d.Kind != "plugin" || d.Width != 320 || d.Encoder != "libx264" {
		t.Errorf("%v %+v", err, d)
	}
	// It has one camera at a time.
	mustProblem(t, do(t, s.request(t, "owner", "GET", strings.Replace(camPath, "cam1", "cam2", 1)+"/snapshot.jpg", nil)), http.StatusConflict, Trouble(wire.CameraBusy))

	// ffmpeg that dies is started again.
	p.mu.Lock()
	_ = p.proc.Process.Kill()
	n := len(p.encoders)
	p.mu.Unlock()
	until(t, "it is started again", func() bool { p.mu.Lock(); defer p.mu.Unlock(); return len(p.encoders) > n })
	viewer.more(t)

	// After the stop the key is good for nothing.
	s.change(func() { s.cameras = s.cameras[1:] })
	until(t, "it is told to stop", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, c := range p.commands {
			if c.Action == "stop" {
				return true
			}
		}
		return false
	})
	if out, err := publish(s, name); err == nil || !strings.Contains(out, "401") {
		t.Errorf("published after the stop: %v %s", err, out)
	}
}

func publish(s *site, name string) (string, error) {
	out, err := exec.Command("ffmpeg", "-hide_banner", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=5", "-t", "1", "-c:v", "libx264", "-f", "rtsp",
		"-rtsp_transport", "tcp", "rtsp://"+s.Service.RTSP.Addr().String()+"/"+name).CombinedOutput()
	return string(out), err
}

func TestPublished_RefusedInputs(t *testing.T) {
	t.Parallel()
	for url, code := range map[string]Trouble{
		"rtsp://192.0.2.1/live":             TroubleHTTPOnly,
		"v4l2:///dev/video0":                TroubleHTTPOnly,
		"http://192.0.2.1/?a=stream&b=fast": TroublePluginAddress,
	} {
		s, p := mustServePlugin(t, url)
		resp := do(t, s.request(t, "owner", "GET", camPath+"/snapshot.jpg", nil))
		mustProblem(t, resp, http.StatusConflict, code)
		p.mu.Lock()
		if len(p.commands) > 0 {
			t.Errorf("%s: the plugin was told %+v", url, p.commands)
		}
		p.mu.Unlock()
	}
}

// Before a camera is expected, nobody waits at the port: a queue of strangers would keep the first publisher out.
func TestPublished_NobodyQueuesBeforeOneIsExpected(t *testing.T) {
	t.Parallel()
	s, _ := mustServePlugin(t, webcam(t))
	for range 3 {
		c, err := net.Dial("tcp", s.Service.RTSP.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(patience))
		_, _ = c.Write([]byte("OPTIONS rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"))
		if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a stranger is not closed: %v", err)
		}
		_ = c.Close()
	}
	readMJPEG(t, do(t, s.request(t, "owner", "GET", camPath+"/mjpeg", nil)), 2)
}

func TestPublished_NobodyReadsAndStrangersPublishNothing(t *testing.T) {
	t.Parallel()
	s, _ := mustServePlugin(t, webcam(t))
	resp := do(t, s.request(t, "owner", "GET", camPath+"/mjpeg", nil)) // opens the door
	readMJPEG(t, resp, 2)
	if out, err := publish(s, "guessed"); err == nil || !strings.Contains(out, "401") {
		t.Errorf("%v %s", err, out)
	}
	s.rtsp.mu.Lock()
	var name string
	for n := range s.rtsp.names {
		name = n
	}
	s.rtsp.mu.Unlock()
	out, err := exec.Command("ffmpeg", "-hide_banner", "-loglevel", "error", "-rtsp_transport", "tcp", "-i", "rtsp://"+s.Service.RTSP.Addr().String()+"/"+name, "-f", "null", "-").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "404") && !strings.Contains(string(out), "400") && !strings.Contains(string(out), "501") && !strings.Contains(string(out), "Not") {
		t.Errorf("read: %v %s", err, out)
	}
}

func TestPublished_StateIsChecked(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	for _, bad := range []string{"", "[]", `{"running":1}`, strings.Repeat(" ", 5000) + "{}"} {
		if s.State("printer of "+testUUID, []byte(bad)) == nil {
			t.Errorf("%.20q is taken", bad)
		}
	}
}

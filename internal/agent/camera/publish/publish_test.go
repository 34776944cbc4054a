package publish

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/kangbyounggwan/factor/internal/wire"
)

func TestPublish_MJPEG(t *testing.T) {
	f := newFar(t, false)
	r := newRig(t, f)
	_, url := newMJPEG(t, 64, 48, false, 20*time.Millisecond)
	r.open(url, wire.MediaOptions{})
	f.await("pictures", func() bool { return len(f.got) >= 20 })
	f.mu.Lock()
	last := 0
	for _, m := range f.got {
		if m.kind != wire.MediaJPEG || !m.key || m.info.Kind != "mjpeg" || m.info.Codec != "jpeg" || m.info.Source != "mjpeg" ||
			m.info.Width != 64 || m.info.Height != 48 || m.info.Rotation != 90 || !m.info.FlipH || m.info.FlipV {
			t.Fatalf("%+v", m.info)
		}
		ahead := time.Until(time.UnixMicro(int64(m.at)))
		if ahead < time.Hour-patience || ahead > time.Hour {
			t.Fatalf("filmed %s from now by the server's clock, which is an hour ahead", ahead)
		}
		if n := numberOf(m.payload); n <= last {
			t.Errorf("picture %d after %d", n, last)
		} else {
			last = n
		}
	}
	if w, h := sizeOf(t, f.got[0].payload); w != 64 || h != 48 {
		t.Errorf("%d×%d", w, h)
	}
	f.mu.Unlock()
	f.await("that it runs", f.said("running", ""))
	if s := r.States(); len(s) != 1 || s[0].Camera != "cam" || s[0].State != "running" || s[0].Kind != "mjpeg" || s[0].PID == 0 {
		t.Errorf("%+v", s)
	}
	r.Command(wire.CameraCommand{Action: "close", Camera: "cam"})
	f.await("the end", func() bool { return f.live == 0 })
}

func TestPublish_Polling(t *testing.T) {
	f := newFar(t, false)
	r := newRig(t, f)
	frame := still(t, 32, 24, 0, false)
	asked := make(chan struct{}, 1000)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		w.Write(frame)
	}))
	defer s.Close()
	r.open(s.URL, wire.MediaOptions{MaxFPS: 0.01})
	f.await("the first picture", func() bool { return len(f.got) == 1 && f.got[0].info.Kind == "jpeg" })
	if n := len(asked); n != 1 {
		t.Errorf("asked %d times for one picture", n)
	}
	f.want(wire.MediaOptions{}) // somebody looks live: it does not wait out its 100 s
	f.await("more pictures", func() bool { return len(f.got) > 3 })
}

// TestPublish_Pictures: where single pictures are wanted, the camera's stream is not held open.
func TestPublish_Pictures(t *testing.T) {
	f := newFar(t, false)
	r := newRig(t, f)
	camera, url := newMJPEG(t, 32, 24, false, 10*time.Millisecond)
	r.open(url, wire.MediaOptions{MaxFPS: 0.5, Pictures: true})
	f.await("three pictures", func() bool { return len(f.got) >= 3 })
	f.mu.Lock()
	if d := f.got[2].at - f.got[0].at; d < 3_000_000 {
		t.Errorf("three within %d µs", d)
	}
	f.mu.Unlock()
	camera.mu.Lock()
	defer camera.mu.Unlock()
	if camera.opened < 3 {
		t.Errorf("opened %d times for three pictures", camera.opened)
	}
}

// TestPublish_Stale: a server that does not read for a while gets the newest picture next, not those of meanwhile.
func TestPublish_Stale(t *testing.T) {
	f := newFar(t, true)
	r := newRig(t, f)
	camera, url := newMJPEG(t, 320, 240, true, 20*time.Millisecond)
	r.open(url, wire.MediaOptions{})
	f.await("pictures", func() bool { return len(f.got) >= 2 })
	f.pause.Lock()
	f.mu.Lock()
	before := numberOf(f.got[len(f.got)-1].payload)
	f.mu.Unlock()
	for began := time.Now(); camera.newest() < before+100; time.Sleep(time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatal("the camera is held up")
		}
	}
	newest := camera.newest()
	f.pause.Unlock()
	f.await("new pictures", func() bool { return numberOf(f.got[len(f.got)-1].payload) >= newest })
	f.mu.Lock()
	defer f.mu.Unlock()
	stale := 0
	for _, m := range f.got {
		if n := numberOf(m.payload); n > before && n < newest-20 {
			stale++
		}
	}
	t.Logf("%d old pictures of %d bytes, while %d were filmed", stale, len(f.got[0].payload), newest-before)
	if stale > 20 { // some 260 KB were on their way, in the network's own buffers
		t.Errorf("%d old pictures of %d were sent first", stale, newest-before)
	}
}

func TestPublish_Budget(t *testing.T) {
	f := newFar(t, false)
	r := newRig(t, f)
	_, url := newMJPEG(t, 640, 480, true, 20*time.Millisecond) // some 200 KB each: 80 Mbit/s
	r.open(url, wire.MediaOptions{MaxKbps: 400})
	f.await("small pictures", func() bool { return len(f.got) >= 6 })
	f.mu.Lock()
	defer f.mu.Unlock()
	first, last := f.got[1], f.got[5]
	bytes := 0
	for _, m := range f.got[1:5] {
		bytes += len(m.payload)
	}
	kbps := float64(bytes) * 8 / 1000 / (float64(last.at-first.at) / 1e6)
	if kbps > 500 {
		t.Errorf("%.0f kbit/s", kbps)
	}
	if w, _ := sizeOf(t, last.payload); w >= 640 {
		t.Errorf("%d pixels wide, which is less than two pictures a second", w)
	}
}

func TestPublish_Faults(t *testing.T) {
	f := newFar(t, false)
	r := newRig(t, f)
	away := httptest.NewServer(nil)
	away.Close()
	status := func(code int, body string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			fmt.Fprint(w, body)
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	redirect := httptest.NewServer(http.RedirectHandler("http://169.254.169.254/latest", http.StatusFound))
	defer redirect.Close()
	for url, code := range map[string]wire.CameraCode{
		away.URL:                          wire.CameraUnreachable,
		"http://no-such-camera.invalid/":  wire.CameraNameNotFound,
		status(401, ""):                   wire.CameraRefusedLogin,
		status(404, ""):                   wire.CameraNotFound,
		status(200, "<html>private page"): wire.CameraNotAStream,
		"http://169.254.169.254/":         wire.CameraAddressRefused,
		redirect.URL:                      wire.CameraAddressRefused,
		"v4l2:///dev/video999":            wire.CameraNotFound,
		"file:///etc/passwd":              wire.CameraBadURL,
	} {
		f.update(func() { f.reports = nil })
		r.open(strings.Replace(url, "://127", "://owner:hidden-pass@127", 1), wire.MediaOptions{})
		f.await(string(code), f.said("failed", string(code)))
		r.Command(wire.CameraCommand{Action: "close", Camera: "cam"})
		f.await("the end", func() bool { return f.live == 0 })
		f.mu.Lock()
		for _, said := range f.reports {
			if s := fmt.Sprintf("%+v", said); strings.Contains(s, "private") || strings.Contains(s, "127.0.0.1") {
				t.Errorf("tells too much: %s", s)
			}
		}
		f.mu.Unlock()
	}
	r.Close()
	if log := r.log.String(); strings.Contains(log, "hidden-pass") || strings.Contains(log, "127.0.0.1:") || !strings.Contains(log, "refused_login") {
		t.Errorf("the log: %s", log)
	}
}

// TestPublish_Secrets: neither the arguments nor the environment of the process, which others can read, hold any.
func TestPublish_Secrets(t *testing.T) {
	f := newFar(t, false)
	r := newRig(t, f)
	_, url := newMJPEG(t, 32, 24, false, 20*time.Millisecond)
	r.open(strings.Replace(url, "://", "://owner:hidden-pass@", 1), wire.MediaOptions{})
	f.await("a picture", func() bool { return len(f.got) > 0 })
	pid := r.States()[0].PID
	for _, name := range []string{"cmdline", "environ"} {
		content, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
		if err != nil {
			t.Skip(err)
		}
		for _, secret := range []string{"hidden-pass", "token", uuid} {
			if strings.Contains(string(content), secret) {
				t.Errorf("%s is in %s", secret, name)
			}
		}
	}
}

// TestPublish_CameraReturns: a camera that was switched off comes back by itself.
func TestPublish_CameraReturns(t *testing.T) {
	f := newFar(t, false)
	r := newRig(t, f)
	camera, url := newMJPEG(t, 32, 24, false, 10*time.Millisecond)
	r.open(url, wire.MediaOptions{})
	f.await("a picture", func() bool { return len(f.got) > 0 })
	set := func(gone bool) {
		camera.mu.Lock()
		defer camera.mu.Unlock()
		camera.gone = gone
	}
	set(true)
	f.await("that it is gone", f.said("failed", string(wire.CameraUnreachable)))
	before := camera.newest()
	set(false)
	f.await("another picture", func() bool { return numberOf(f.got[len(f.got)-1].payload) > before })
	f.await("that it runs", func() bool { return f.reports[len(f.reports)-1].State == "running" })
}

// TestPublish_LinkLost: the server asks anew after a link broke, and the process that runs already serves it.
func TestPublish_LinkLost(t *testing.T) {
	f := newFar(t, false)
	r := newRig(t, f)
	_, url := newMJPEG(t, 32, 24, false, 10*time.Millisecond)
	r.open(url, wire.MediaOptions{})
	f.await("a picture", func() bool { return len(f.got) > 0 })
	pid := r.States()[0].PID
	f.mu.Lock()
	f.ws.CloseNow()
	f.refuse = http.StatusNotFound // a link is good for once
	f.mu.Unlock()
	f.await("its end", func() bool { return f.live == 0 })
	f.update(func() { f.refuse, f.got = 0, nil })
	r.open(url, wire.MediaOptions{})
	f.await("more pictures", func() bool { return len(f.got) > 5 })
	if s := r.States(); len(s) != 1 || s[0].PID != pid {
		t.Errorf("%+v, was %d", s, pid)
	}
	f.mu.Lock()
	ws := f.ws
	f.mu.Unlock()
	ws.Close(websocket.StatusNormalClosure, "")
	ended(t, r, "closed")
}

func ended(t *testing.T, r *rig, state string) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		s := r.States()
		if len(s) == 1 && s[0].PID == 0 && s[0].State == state {
			return
		}
		if time.Since(began) > patience {
			t.Fatalf("%+v", s)
		}
	}
}

// TestPublish_Killed: what happens to a camera's process happens to nothing else, and another takes its place.
func TestPublish_Killed(t *testing.T) {
	f := newFar(t, false)
	r := newRig(t, f)
	_, url := newMJPEG(t, 32, 24, false, 10*time.Millisecond)
	r.open(url, wire.MediaOptions{})
	f.await("a picture", func() bool { return len(f.got) > 0 })
	if err := syscall.Kill(r.States()[0].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	ended(t, r, "failed")
	f.await("its end", func() bool { return f.live == 0 })
	f.update(func() { f.got = nil })
	r.open(url, wire.MediaOptions{})
	f.await("pictures of the next one", func() bool { return len(f.got) > 0 })
}

// TestChild_EndsWithInput: the process does not outlive the agent, however that ended.
func TestChild_EndsWithInput(t *testing.T) {
	f := newFar(t, false)
	r := newRig(t, f)
	camera, url := newMJPEG(t, 32, 24, false, 10*time.Millisecond)
	c := exec.Command(os.Args[0], Command)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill() })
	fmt.Fprintf(in, `{"server":%q,"uuid":%q,"token":"token","camera":"cam","link":"l","source":{"url":%q},"options":{}}`+"\n", r.Server, uuid, url)
	f.await("pictures", func() bool { return len(f.got) > 2 && f.got[0].at == 0 }) // no clock was given
	in.Close()
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
	f.await("the end", func() bool { return f.live == 0 })
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		camera.mu.Lock()
		open := camera.open
		camera.mu.Unlock()
		if open == 0 {
			break
		}
		if time.Since(began) > patience {
			t.Fatal("the camera's stream is still open")
		}
	}
}

func TestPublisher_Bounds(t *testing.T) {
	f := newFar(t, false)
	r := newRig(t, f)
	_, url := newMJPEG(t, 32, 24, false, 50*time.Millisecond)
	source := &wire.CameraInput{URL: url}
	for _, c := range []wire.CameraCommand{
		{Action: "open", Camera: "a", Link: "l"},
		{Action: "open", Camera: "a", Source: source},
		{Action: "open", Link: "l", Source: source},
		{Action: "open", Camera: strings.Repeat("a", 1000), Link: "l", Source: source},
		{Action: "start", Camera: "a", Link: "l", Source: source},
		{Action: "close", Camera: "unknown"},
	} {
		r.Command(c)
	}
	if s := r.States(); len(s) != 0 {
		t.Fatalf("%+v", s)
	}
	for i := range atOnce + 2 {
		r.Command(wire.CameraCommand{Action: "open", Camera: fmt.Sprint("cam", i), Link: fmt.Sprint(i), Source: source})
	}
	if s := r.States(); len(s) != atOnce {
		t.Errorf("%d cameras at once", len(s))
	}
	f.await("all links", func() bool { return f.live == atOnce })
	r.Close()
	f.await("their end", func() bool { return f.live == 0 })
	r.open(url, wire.MediaOptions{})
	if s := r.States(); len(s) > atOnce {
		t.Errorf("opened after the end: %+v", s)
	}
}

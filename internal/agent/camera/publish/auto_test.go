package publish

import (
	"context"
	"io"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

func TestDemand(t *testing.T) {
	now := time.Unix(1e9, 0)
	var d demand
	for i, c := range []struct {
		after     time.Duration
		size, fps float64
		budget    int
		uplink    float64
		want      string
	}{
		{0, 50_000, 10, 0, 0, ""},                             // 2,000 kbit/s at 5 a second, and nothing bounds them
		{0, 50_000, 10, 2000, 0, ""},                          // just enough
		{0, 50_000, 10, 1900, 0, wire.EncodeBudget},           //
		{time.Second, 50_000, 10, 9000, 0, wire.EncodeBudget}, // not at once again
		{held, 50_000, 10, 2300, 0, wire.EncodeBudget},        // not by a hair
		{0, 50_000, 10, 2300, 500, wire.EncodeUplink},         // the tighter one is the reason
		{0, 50_000, 10, 9000, 9000, ""},                       //
		{0, 50_000, 1, 500, 0, ""},                            // a slow camera needs no more than it sends
		{0, 50_000, 10, 0, 1000, wire.EncodeUplink},           //
		{held + time.Second, 5_000, 10, 0, 1000, ""},          // the camera was set to smaller pictures
	} {
		now = now.Add(c.after)
		if got := d.decide(now, c.size, c.fps, c.budget, c.uplink); got != c.want {
			t.Errorf("%d: %q, want %q", i, got, c.want)
		}
	}
}

func TestCarry(t *testing.T) {
	now := time.Unix(1e9, 0)
	var c carry
	c.begin(now, 0)
	// writes gives a window of writes that took a part of the time.
	writes := func(kbps, busy float64) (changed bool) {
		for range 62 { // two windows, of which one is nothing but this
			now = now.Add(100 * time.Millisecond)
			changed = c.took(now, time.Duration(busy*float64(100*time.Millisecond)), int(kbps*1000/8/10*busy)) || changed
		}
		return changed
	}
	if writes(5000, 0.3) || c.kbps != 0 {
		t.Errorf("a line that is not full was measured: %v", c.kbps)
	}
	if !writes(800, 1) || c.kbps < 750 || c.kbps > 850 {
		t.Errorf("%v of 800 kbit/s", c.kbps)
	}
	grows := func() (after time.Duration) {
		for began := now; ; {
			if writes(800, 0.2) {
				return now.Sub(began)
			}
		}
	}
	before := c.kbps
	if after := grows(); after < firstClimb-3*carryWindow || after > 2*firstClimb || c.kbps != carryGrowth*before {
		t.Errorf("after %v %v", after, c.kbps)
	}
	if writes(800, 1); c.kbps > 850 {
		t.Errorf("%v of 800 kbit/s", c.kbps)
	}
	if after := grows(); after < 2*firstClimb-3*carryWindow {
		t.Errorf("what was too much is tried again after %v", after)
	}
	if writes(1, 1); c.kbps != leastCarried {
		t.Errorf("%v after a moment without network", c.kbps)
	}
}

func TestTurn(t *testing.T) {
	var a, b turn
	if !a.take() || b.take() {
		t.Fatal("two have it")
	}
	a.leave()
	if !b.take() {
		t.Fatal("nobody has it")
	}
	b.leave()
}

func TestPlanFor_Effort(t *testing.T) {
	before := planFor(1280, 720, 15, 0, 1)
	for _, effort := range []float64{0.7, 0.5, 0.3, 0.1} {
		p := planFor(1280, 720, 15, 0, effort)
		w, h := p.width, p.height
		if pixels := float64(w*h) * p.fps; pixels > 1280*720*15*effort*1.01 || p.fps < leastFPS || w < 160 || (p.fps > leastFPS && w != 1280) {
			t.Errorf("%v: %+v", effort, p)
		}
		if float64(p.width*p.height)*p.fps >= float64(before.width*before.height)*before.fps {
			t.Errorf("%v: %+v is no less than %+v", effort, p, before)
		}
		before = p
	}
}

// publishing is a camera's process within the test, which can so change its times.
func publishing(t *testing.T, f *far, server, url string, o wire.MediaOptions) {
	t.Helper()
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- publish(ctx, &Order{Server: server, UUID: uuid, Token: "token", Camera: "cam", Link: "l", Source: wire.CameraInput{URL: url},
			Options: o, Clock: &Clock{Server: time.Now().UnixMicro(), Here: time.Now().UnixMicro()}}, make(chan *Order), func(Told) {})
	}()
	t.Cleanup(func() { end(); <-ended })
}

// change sets a variable for the length of a test.
func change[T any](t *testing.T, variable *T, to T) {
	t.Helper()
	before := *variable
	*variable = to
	t.Cleanup(func() { *variable = before })
}

func last(f *far) message { return f.got[len(f.got)-1] }

// TestReal_EncodesByItself: JPEGs that the budget cannot carry at a useful rate become H.264 within it, and JPEGs again
// once it can.
func TestReal_EncodesByItself(t *testing.T) {
	needFFmpeg(t)
	change(t, &held, time.Second)
	f := newFar(t, false)
	_, url := newMJPEG(t, 320, 240, true, 50*time.Millisecond) // noise, which no encoder likes
	const budget = 500
	publishing(t, f, f.url, url, wire.MediaOptions{Auto: true, MaxKbps: budget})
	f.await("pictures", func() bool { return len(f.got) > 0 })
	f.mu.Lock()
	if f.got[0].kind != wire.MediaJPEG {
		t.Error("the first picture waits for the encoder")
	}
	f.mu.Unlock()
	f.await("H.264", func() bool {
		return len(f.got) > 0 && last(f).kind == wire.MediaH264
	})
	f.mu.Lock()
	begin := len(f.got) - 1
	if i := last(f).info; i.Why != wire.EncodeBudget || i.Needs <= budget || i.Encoder == "" || i.Source != "mjpeg" {
		t.Errorf("%+v", i)
	}
	f.mu.Unlock()
	f.await("six seconds of it", func() bool { return last(f).at-f.got[begin].at > 6e6 })
	f.mu.Lock()
	bytes := 0
	for _, m := range f.got[begin:] {
		if m.kind == wire.MediaH264 {
			bytes += len(m.payload)
		}
	}
	took := float64(last(f).at-f.got[begin].at) / 1e6
	// What an encoder may be ahead of its time is bounded.
	if kbps := float64(bytes) * 8 / 1000 / (took + 1.75); kbps > budget {
		t.Errorf("%.0f kbit/s of %d over %.1f s", kbps, budget, took)
	}
	f.mu.Unlock()
	f.want(wire.MediaOptions{Auto: true})
	f.await("JPEG again", func() bool { return last(f).kind == wire.MediaJPEG })
	f.want(wire.MediaOptions{MaxKbps: budget}) // the owner forbids it
	f.await("smaller pictures", func() bool {
		m := last(f)
		return m.kind == wire.MediaJPEG && len(m.payload) < 20_000
	})
}

// narrow is a way to a server that carries so much, and gives its address.
func narrow(t *testing.T, server string, kbps int) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			near.(*net.TCPConn).SetReadBuffer(16 << 10)
			far, err := net.Dial("tcp", u.Host)
			if err != nil {
				near.Close()
				return
			}
			go func() { io.Copy(near, far); near.Close() }()
			go func() {
				defer far.Close()
				b := make([]byte, kbps*1000/8/20) // of 50 ms
				tick := time.NewTicker(50 * time.Millisecond)
				defer tick.Stop()
				for range tick.C {
					n, err := near.Read(b)
					if err != nil {
						return
					}
					if _, err := far.Write(b[:n]); err != nil {
						return
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// TestReal_EncodesForASlowUplink: the same without a budget, where the way to the server turns out to be narrow.
func TestReal_EncodesForASlowUplink(t *testing.T) {
	needFFmpeg(t)
	f := newFar(t, true)
	_, url := newMJPEG(t, 320, 240, true, 50*time.Millisecond)
	publishing(t, f, narrow(t, f.url, 700), url, wire.MediaOptions{Auto: true})
	f.await("H.264", func() bool { return len(f.got) > 0 && last(f).kind == wire.MediaH264 })
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := last(f).info; i.Why != wire.EncodeUplink || i.Needs < 700 {
		t.Errorf("%+v", i)
	}
}

// TestReal_TooHeavy: an encoder that takes too much of the processor does less, and ends where even that is too much.
func TestReal_TooHeavy(t *testing.T) {
	needFFmpeg(t)
	change(t, &ceiling, 0)
	change(t, &weighEvery, 200*time.Millisecond)
	f := newFar(t, false)
	_, url := newMJPEG(t, 320, 240, false, 50*time.Millisecond)
	publishing(t, f, f.url, url, wire.MediaOptions{Auto: true, MaxKbps: 100})
	f.await("H.264 with fewer pictures", func() bool {
		return len(f.got) > 0 && last(f).kind == wire.MediaH264 && last(f).info.FPS <= leastFPS
	})
	f.await("JPEG again", func() bool { return last(f).kind == wire.MediaJPEG })
}

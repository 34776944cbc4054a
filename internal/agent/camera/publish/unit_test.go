package publish

import (
	"bufio"
	"bytes"
	"context"
	"image/jpeg"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/camera"
	"github.com/kangbyounggwan/factor/internal/wire"
)

func TestOutbox_Pictures(t *testing.T) {
	o := newOutbox()
	for n := range 5 {
		o.put(&frame{kind: wire.MediaJPEG, key: true, data: []byte{byte(n)}})
	}
	if _, f := o.take(); f == nil || f.data[0] != 4 {
		t.Fatalf("%+v", f)
	}
	if _, f := o.take(); f != nil {
		t.Errorf("%+v", f)
	}
	if n := o.dropped(); n != 4 {
		t.Errorf("%d left out", n)
	}
	o.restart() // a new link begins with the newest picture
	if _, f := o.take(); f == nil || f.data[0] != 4 {
		t.Fatalf("%+v", f)
	}
	o.say(wire.CameraReport{State: "opening"})
	o.put(&frame{kind: wire.MediaJPEG, data: []byte{7}})
	o.say(wire.CameraReport{State: "running"})
	if r, _ := o.take(); r == nil || r.State != "running" {
		t.Errorf("%+v", r)
	}
}

// TestOutbox_Video: what waits too long is left out up to the next key frame, and nothing in between is sent.
func TestOutbox_Video(t *testing.T) {
	o := newOutbox()
	put := func(n byte, key bool, size int) {
		o.put(&frame{kind: wire.MediaH264, key: key, data: append([]byte{n}, make([]byte, size)...)})
	}
	var got []byte
	drain := func() {
		for {
			_, f := o.take()
			if f == nil {
				return
			}
			got = append(got, f.data[0])
		}
	}
	put(1, true, 10)
	put(2, false, 10)
	drain()
	put(3, false, maxQueued/2)
	put(4, false, maxQueued/2) // more than may wait
	put(5, false, 10)
	put(6, true, 10)
	put(7, false, 10)
	drain()
	put(8, false, 10)
	o.video[0].queued = time.Now().Add(-time.Hour) // the uplink has stood still
	put(9, false, 10)
	put(10, false, 10)
	put(11, true, 10)
	drain()
	if want := []byte{1, 2, 6, 7, 11}; !bytes.Equal(got, want) {
		t.Errorf("sent %v, want %v", got, want)
	}
	if n := o.dropped(); n != 6 {
		t.Errorf("%d left out", n)
	}
	put(12, false, 10)
	o.restart()
	put(13, false, 10)
	put(14, true, 10)
	got = nil
	drain()
	if !bytes.Equal(got, []byte{14}) {
		t.Errorf("a new link begins with %v", got)
	}
}

func TestBudget(t *testing.T) {
	var b budget
	now := time.Unix(1e9, 0)
	if b.spend(now, 1<<30); b.wait(now) != 0 {
		t.Error("it has a limit")
	}
	b.limit(800) // 100,000 bytes/s
	sent := 0
	for end := now.Add(10 * time.Second); now.Before(end); now = now.Add(10 * time.Millisecond) {
		if b.wait(now) == 0 {
			b.spend(now, 30_000)
			sent += 30_000
		}
	}
	if sent < 970_000 || sent > 1_060_000 {
		t.Errorf("%d bytes in 10 s", sent)
	}
}

func TestPace(t *testing.T) {
	for _, c := range []struct{ in, fps, want float64 }{{30, 10, 10}, {25, 15, 15}, {10, 30, 10}, {15, 0.5, 0.5}, {30, 0, 30}} {
		p := pace{fps: c.fps}
		n := 0
		for i := range int(c.in * 20) {
			if p.take(time.Unix(1e9, 0).Add(time.Duration(float64(i) / c.in * float64(time.Second)))) {
				n++
			}
		}
		if got := float64(n) / 20; got < c.want*0.9 || got > c.want*1.1+0.05 {
			t.Errorf("%v of %v at most %v: %v a second", c.want, c.in, c.fps, got)
		}
	}
}

// TestLadder: pictures are made smaller where fewer than two a second would fit, and larger again when they would.
func TestLadder(t *testing.T) {
	var l ladder
	data := still(t, 160, 120, 1, true)
	now := time.Unix(1e9, 0)
	run := func(d time.Duration, kbps float64) (fps float64) {
		n := 0
		var b budget
		b.limit(int(kbps))
		for end := now.Add(d); now.Before(end); now = now.Add(50 * time.Millisecond) {
			if b.wait(now) > 0 {
				continue
			}
			sent := l.fit(data)
			b.spend(now, len(sent))
			l.took(now, time.Millisecond, b.bytesPerSecond, 20)
			n++
		}
		return float64(n) / d.Seconds()
	}
	run(5*time.Second, 100_000)
	if l.rung != 0 {
		t.Fatalf("rung %d with room for everything", l.rung)
	}
	run(5*time.Second, 100)
	if fps := run(20*time.Second, 100); fps < 1.5 || l.rung == 0 {
		t.Errorf("%.1f a second on rung %d", fps, l.rung)
	}
	run(time.Minute, 100_000)
	if l.rung != 0 {
		t.Errorf("still on rung %d", l.rung)
	}
	// An uplink that is slow by itself: each picture takes two seconds.
	for range 20 {
		now = now.Add(2 * time.Second)
		l.fit(data)
		l.took(now, 2*time.Second, 0, 20)
	}
	if !l.last() {
		t.Errorf("rung %d on a line that takes two seconds a picture", l.rung)
	}
}

func TestShrink(t *testing.T) {
	data := still(t, 641, 479, 1, false)
	for _, r := range rungs[1:] {
		small, err := shrink(data, r.by, r.quality)
		if err != nil {
			t.Fatal(err)
		}
		c, err := jpeg.DecodeConfig(bytes.NewReader(small))
		if err != nil || c.Width != 641/r.by || c.Height != 479/r.by {
			t.Errorf("%+v %v", c, err)
		}
	}
	if _, err := shrink([]byte("x"), 2, 50); err == nil {
		t.Error("made smaller")
	}
}

func TestPlanFor(t *testing.T) {
	for _, c := range []struct {
		w, h int
		fps  float64
		kbps int
		want plan
	}{
		{1280, 720, 15, 0, plan{1280, 720, 15, 1257}},
		{1280, 720, 15, 800, plan{1280, 720, 15, 720}},
	} {
		if got := planFor(c.w, c.h, c.fps, c.kbps, 1); got != c.want {
			t.Errorf("%+v, want %+v", got, c.want)
		}
	}
	little := planFor(1920, 1080, 30, 150, 1)
	if little.kbps > 150 || little.fps != leastFPS || little.width >= 1920 || little.width%2 != 0 || little.height%2 != 0 || little.width < 160 {
		t.Errorf("%+v", little)
	}
	if p := planFor(0, 0, 0, 0, 1); p.width != 0 || p.fps != 15 || p.kbps < leastKbps {
		t.Errorf("%+v", p)
	}
}

func TestServerTime(t *testing.T) {
	if got := newServerTime(nil).micros(time.Now()); got != 0 {
		t.Errorf("%d without a clock", got)
	}
	here := time.Now()
	s := newServerTime(&Clock{Server: here.Add(time.Hour).UnixMicro(), Here: here.UnixMicro()})
	if d := time.UnixMicro(int64(s.micros(here))).Sub(here) - time.Hour; d.Abs() > time.Millisecond {
		t.Errorf("off by %s", d)
	}
	s = newServerTime(&Clock{Server: 5e6, Here: here.Add(-time.Hour).UnixMicro()}) // the wall clock was set in between
	if got := s.micros(time.Now()); got < 5e6 || got > 65e6 {
		t.Errorf("%d", got)
	}
}

// A tiny 16 × 16 stream of x264: SPS, PPS.
var (
	testSPS = []byte{0x67, 0x42, 0xc0, 0x0a, 0xdc, 0x19, 0xe7, 0xe7, 0x84, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0x50, 0x3c, 0x48, 0x9e}
	testPPS = []byte{0x68, 0xce, 0x0f, 0xc8}
)

func TestVideo(t *testing.T) {
	var v video
	idr, p, b := []byte{0x65, 0x88, 1}, []byte{0x41, 0x9a, 2}, []byte{0x01, 0x9f, 3} // slice types 7, 5 and 6 behind first_mb 0
	if data, _, _ := v.take([][]byte{idr}); data != nil {
		t.Error("a key frame without parameter sets cannot be decoded")
	}
	data, key, changed := v.take([][]byte{{0x09, 0xf0}, testSPS, testPPS, {0x0c, 0xff}, idr})
	if !key || !changed || !bytes.Equal(data, camera.AnnexB([][]byte{testSPS, testPPS, idr})) {
		t.Errorf("% x", data)
	}
	if v.width == 0 || v.height == 0 {
		t.Errorf("%d×%d", v.width, v.height)
	}
	data, key, changed = v.take([][]byte{p})
	if key || changed || !bytes.Equal(data, camera.AnnexB([][]byte{p})) || v.bFrames {
		t.Errorf("% x", data)
	}
	if data, key, _ = v.take([][]byte{idr}); !key || !bytes.HasPrefix(data, camera.AnnexB([][]byte{testSPS, testPPS})) {
		t.Errorf("% x", data)
	}
	if _, _, changed = v.take([][]byte{b}); !changed || !v.bFrames {
		t.Error("the B-frame is not seen")
	}
	if data, _, _ = v.take([][]byte{{}, {0x06, 1}}); data != nil {
		t.Errorf("% x has no picture", data)
	}
}

// TestPublication_NoKeyFrame: video that nobody can begin to decode is said to be that.
func TestPublication_NoKeyFrame(t *testing.T) {
	p := newPublication(t.Context(), &Order{}, func(Told) {})
	p.Found(camera.Stream{Kind: camera.RTSP, Codec: camera.CodecH264})
	p.Frame(camera.Frame{Unit: [][]byte{{0x41, 0x9a, 2}}, At: time.Now()})
	if s := p.current(); s.Code != "" {
		t.Fatalf("%+v at once", s)
	}
	p.keyed = p.keyed.Add(-time.Hour)
	p.Frame(camera.Frame{Unit: [][]byte{{0x41, 0x9a, 2}}, At: time.Now()})
	if s := p.current(); s.State != "failed" || s.Code != string(wire.CameraNoKeyFrame) {
		t.Fatalf("%+v", s)
	}
	p.Frame(camera.Frame{Unit: [][]byte{testSPS, testPPS, {0x65, 0x88, 1}}, At: time.Now()})
	if s := p.current(); s.State != "running" || s.Code != "" {
		t.Fatalf("%+v", s)
	}
}

func FuzzVideo(f *testing.F) {
	f.Add(camera.AnnexB([][]byte{testSPS, testPPS, {0x65, 0x88, 1}}))
	f.Add(camera.AnnexB([][]byte{{0x09, 0xf0}, {0x01, 0x9f}, {0x67}, {0x68}, {0x41}}))
	f.Fuzz(func(t *testing.T, stream []byte) {
		var v video
		for unit := range slices.Chunk(bytes.Split(stream, []byte{0, 0, 0, 1}), 3) {
			data, key, _ := v.take(unit)
			if data != nil && (!bytes.HasPrefix(data, []byte{0, 0, 0, 1}) || (key && !bytes.Equal(data[4:4+len(v.sps)], v.sps))) {
				t.Fatalf("%q of %q", data, unit)
			}
		}
	})
}

func FuzzFLV(f *testing.F) {
	tag := func(kind byte, body ...byte) []byte {
		return append(append([]byte{9, 0, 0, byte(len(body) + 5), 0, 0, 40, 0, 0, 0, 0, 0x17, kind, 0, 0, 0}, body...), 0, 0, 0, 0)
	}
	head := []byte("FLV\x01\x01\x00\x00\x00\x09\x00\x00\x00\x00")
	f.Add(slices.Concat(head, tag(0, 1, 66, 0, 10, 0xff, 0xe1, 0, 2, 0x67, 1, 1, 0, 1, 0x68), tag(1, 0, 0, 0, 2, 0x65, 1)))
	f.Add(slices.Concat(head, tag(1, 0xff, 0xff, 0xff, 0xff, 1)))
	f.Fuzz(func(t *testing.T, content []byte) {
		in := &flv{in: bufio.NewReader(bytes.NewReader(content))}
		total := 0
		for {
			_, unit, err := in.next()
			if err != nil {
				return
			}
			for _, n := range unit {
				if total += len(n); total > len(content) {
					t.Fatalf("%d bytes of %d", total, len(content))
				}
			}
		}
	})
}

func TestFLV(t *testing.T) {
	content := []byte("FLV\x01\x01\x00\x00\x00\x09\x00\x00\x00\x00" +
		"\x09\x00\x00\x13\x00\x00\x00\x00\x00\x00\x00\x17\x00\x00\x00\x00\x01\x42\x00\x0a\xff\xe1\x00\x02\x67\x01\x01\x00\x01\x68\x00\x00\x00\x00" +
		"\x09\x00\x00\x0b\x00\x01\x02\x01\x00\x00\x00\x17\x01\x00\x00\x00\x00\x00\x00\x02\x65\x01\x00\x00\x00\x00")
	in := &flv{in: bufio.NewReader(bytes.NewReader(content))}
	ms, unit, err := in.next()
	if err != nil || ms != 0x01000102 || !slices.EqualFunc(unit, [][]byte{{0x67, 1}, {0x68}, {0x65, 1}}, bytes.Equal) {
		t.Errorf("%x %x %v", ms, unit, err)
	}
}

// What was measured while a camera was only asked for single pictures says nothing of how fast it is.
func TestPublication_RateOfAnotherPace(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p := newPublication(ctx, &Order{Options: wire.MediaOptions{Pictures: true, MaxFPS: 0.5}}, func(Told) {})
	at := time.Now()
	for range 4 {
		p.rate.add(at, 1000)
		at = at.Add(2 * time.Second)
	}
	if fps, known := p.rate.fps(); !known || fps != 0.5 {
		t.Fatalf("%v %v", fps, known)
	}
	p.want(wire.MediaOptions{Encode: true})
	if fps, known := p.rate.fps(); known {
		t.Errorf("%v pictures a second are known", fps)
	}
}

// A plan's rate is what ffmpeg gives so many pictures as there are, not the 25 that it takes for granted.
func TestTranscoder_RateOfThePicturesThereAre(t *testing.T) {
	e := &encoder{name: "libx264", filter: "format=yuv420p"}
	for codec, want := range map[string]string{camera.CodecJPEG: "-b:v 500k -maxrate 500k -bufsize 250k", camera.CodecH265: "-b:v 200k -maxrate 200k -bufsize 100k"} {
		if got := strings.Join((&transcoder{e: e, plan: plan{fps: 10, kbps: 200}, codec: codec}).arguments(), " "); !strings.Contains(got, want) {
			t.Errorf("%s: %s", codec, got)
		}
	}
}

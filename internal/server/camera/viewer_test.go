package camera

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

func TestViewer_SlowOneMissesWhatComesUntilTheNextKeyFrame(t *testing.T) {
	t.Parallel()
	v := newViewer(RungWHEP, workspace.Actor{}, nil)
	f := func(seq uint64, key bool) *frame {
		return &frame{kind: frameH264, key: key, seq: seq, data: make([]byte, 1000)}
	}
	v.offer(f(1, false)) // nothing to begin with
	for seq := uint64(2); seq < 2+maxQueued+10; seq++ {
		v.offer(f(seq, seq == 2))
	}
	if len(v.queue) != 0 || !v.lost {
		t.Fatalf("%d wait, lost %v", len(v.queue), v.lost)
	}
	v.offer(f(500, true))
	v.offer(f(501, false))
	frames, err := v.next(t.Context(), nil)
	if err != nil || len(frames) != 2 || frames[0].seq != 500 {
		t.Fatalf("%v %d", err, len(frames))
	}
	for range 10 { // bytes are bounded as well
		v.offer(&frame{kind: frameH264, key: true, data: make([]byte, maxQueuedBytes/2)})
	}
	if v.bytes > maxQueuedBytes {
		t.Errorf("%d bytes wait", v.bytes)
	}
}

func TestViewer_OfPicturesGetsTheNewestAlone(t *testing.T) {
	t.Parallel()
	v := newViewer(RungMJPEG, workspace.Actor{}, nil)
	for seq := range uint64(50) {
		v.offer(&frame{kind: frameJPEG, key: true, seq: seq})
	}
	frames, err := v.next(t.Context(), nil)
	if err != nil || len(frames) != 1 || frames[0].seq != 49 {
		t.Fatalf("%v %+v", err, frames)
	}
}

func TestStream_KeepsFromTheLastKeyFrameOnWithinBounds(t *testing.T) {
	t.Parallel()
	st := newStream(&Service{count: newCounters(nil, nil)}, streamKey{}, testUUID, Camera{})
	units := accessUnits(t)
	for i, au := range units {
		u, err := splitAnnexB(au)
		if err != nil {
			t.Fatal(err)
		}
		st.take(&frame{kind: frameH264, at: time.Now(), received: time.Now(), data: au, units: u})
		if want := i%25 + 1; len(st.kept) != want {
			t.Fatalf("after frame %d %d are kept, want %d", i, len(st.kept), want)
		}
	}
	u, err := splitAnnexB(units[1])
	if err != nil {
		t.Fatal(err)
	}
	for range maxKept + 10 { // a camera that never sends one again
		st.take(&frame{kind: frameH264, at: time.Now(), received: time.Now(), data: units[1], units: u})
	}
	if len(st.kept) != 0 || st.keptBytes > maxKeptBytes {
		t.Errorf("%d frames, %d bytes", len(st.kept), st.keptBytes)
	}
}

// 1,000 viewers that come and go, of each kind, leave nothing behind.
func TestHub_OpenAndCloseLeaksNothing(t *testing.T) {
	if os.Getenv("FACTOR_TEST_LONG") == "" {
		t.Skip("long: FACTOR_TEST_LONG=1")
	}
	s := mustServe(t)
	s.device.gives(rtspInfo, accessUnits(t))
	cycle := func() {
		t.Run("", func(t *testing.T) { // whose end lets go of what the viewer had
			p := s.play(t, "owner")
			p.frames(t, 1)
			if resp := do(t, s.request(t, "owner", "DELETE", p.location, nil)); resp.StatusCode != 204 {
				t.Fatal(resp.StatusCode)
			}
			if err := p.pc.Close(); err != nil {
				t.Fatal(err)
			}
			readMJPEG(t, do(t, s.request(t, "owner", "GET", camPath+"/mjpeg", nil)), 1)
		})
	}
	settle := func() (goroutines int, heap uint64) {
		until(t, "everybody is gone", func() bool { s.Service.mu.Lock(); defer s.Service.mu.Unlock(); return len(s.viewers) == 0 })
		least := 1 << 30
		for range 50 { // those that are about to end
			least = min(least, runtime.NumGoroutine())
			runtime.GC()
			<-time.After(20 * time.Millisecond)
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return least, m.HeapAlloc
	}
	for range 20 {
		cycle()
	}
	goroutines, heap := settle()
	for range 1000 {
		cycle()
	}
	after, heapAfter := settle()
	if after > goroutines+20 {
		b := make([]byte, 1<<20)
		text := string(b[:runtime.Stack(b, true)])
		t.Errorf("%d goroutines, then %d\n%s", goroutines, after, text[:min(len(text), 20000)])
	}
	if heapAfter > heap+16<<20 {
		t.Errorf("%d MB of heap, then %d", heap>>20, heapAfter>>20)
	}
	t.Logf("%d goroutines and %d MB of heap, then %d and %d", goroutines, heap>>20, after, heapAfter>>20)
}

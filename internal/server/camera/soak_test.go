package camera

import (
	"io"
	"net/http"
	"os"
	"runtime"
	"testing"
	"time"
)

// held is what a process holds.
type held struct {
	goroutines, files int
	heap              uint64 // bytes after a collection
}

func holds(t *testing.T) held {
	t.Helper()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil && runtime.GOOS == "linux" {
		t.Fatal(err)
	}
	return held{runtime.NumGoroutine(), len(files), m.HeapAlloc}
}

// An hour of one camera with a viewer on each rung, some of whom come and go, holds no more at its end than soon after
// its beginning. FACTOR_TEST_SOAK says how long: 1h.
func TestSoak_StreamingLeaksNothing(t *testing.T) {
	text := os.Getenv("FACTOR_TEST_SOAK")
	if text == "" {
		t.Skip("an hour: FACTOR_TEST_SOAK=1h")
	}
	span, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	s := mustServe(t)
	s.device.gives(rtspInfo, accessUnits(t))
	steady := s.play(t, "owner")
	steady.frames(t, 1)
	playlist := s.hls(t, "owner", camPath+"/hls/index.m3u8")
	pictures := do(t, s.request(t, "viewer", "GET", camPath+"/mjpeg?max_fps=2", nil)) // of ffmpeg's
	read := make(chan int64, 1)
	go func() { n, _ := io.Copy(io.Discard, pictures.Body); read <- n }()

	var first held
	begun, told := time.Now(), time.Now()
	for time.Since(begun) < span {
		t.Run("", func(t *testing.T) { // whose end lets go of what the viewer had
			p := s.play(t, "viewer")
			p.frames(t, 25)
			if resp := do(t, s.request(t, "viewer", "DELETE", p.location, nil)); resp.StatusCode != http.StatusNoContent {
				t.Fatal(resp.StatusCode)
			}
			_ = p.pc.Close()
			resp := do(t, s.request(t, "owner", "GET", playlist, nil))
			if b, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK || len(b) == 0 {
				t.Fatalf("%d %v %s", resp.StatusCode, err, b)
			}
		})
		if t.Failed() {
			return
		}
		for drained := false; !drained; {
			select {
			case _, ok := <-steady.units:
				if !ok {
					t.Fatal("the one who stays was sent away")
				}
			default:
				drained = true
			}
		}
		if time.Since(told) > time.Minute {
			told = time.Now()
			now := holds(t)
			if first == (held{}) && time.Since(begun) > span/10 {
				first = now
			}
			t.Logf("after %v: %d goroutines, %d files, %.1f MB of heap", time.Since(begun).Round(time.Second), now.goroutines, now.files, float64(now.heap)/(1<<20))
		}
	}
	steady.more(t)
	last := holds(t)
	if last.goroutines > first.goroutines+20 || last.files > first.files+10 || last.heap > first.heap+8<<20 {
		t.Errorf("soon after the beginning %+v, at the end %+v", first, last)
	}
	_ = pictures.Body.Close()
	if n := <-read; n == 0 {
		t.Error("no pictures came")
	}
}

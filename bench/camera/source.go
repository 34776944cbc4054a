package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"sync"
	"time"
)

// source is a camera: ten seconds of H.264 and of JPEGs again and again, each frame with the time of its capture.
// mu guards takers.
type source struct {
	units [][][]byte // of each access unit its NAL units
	jpegs [][]byte
	kbps  int

	mu     sync.Mutex
	takers map[int]func(at time.Time, units [][]byte, key bool)
	next   int
}

const every = 40 * time.Millisecond

func newSource(ctx context.Context) (*source, error) {
	input := []string{"-hide_banner", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=25", "-t", "10"}
	video, err := exec.CommandContext(ctx, "ffmpeg", append(input[:len(input):len(input)], "-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-profile:v", "baseline",
		"-g", "50", "-b:v", "2000k", "-maxrate", "2000k", "-bufsize", "1000k", "-x264-params", "aud=1:scenecut=0", "-pix_fmt", "yuv420p", "-f", "h264", "pipe:1")...).Output()
	if err != nil {
		return nil, fmt.Errorf("ffmpeg makes the source: %w", err)
	}
	pictures, err := exec.CommandContext(ctx, "ffmpeg", append(input[:len(input):len(input)], "-c:v", "mjpeg", "-q:v", "6", "-f", "image2pipe", "pipe:1")...).Output()
	if err != nil {
		return nil, fmt.Errorf("ffmpeg makes the source: %w", err)
	}
	s := &source{takers: map[int]func(time.Time, [][]byte, bool){}, kbps: len(video) * 8 / 1000 / 10}
	for au := range bytes.SplitSeq(video, []byte{0, 0, 0, 1, 9}) { // each begins with a delimiter
		if len(au) > 0 {
			s.units = append(s.units, split(au[1:]))
		}
	}
	for _, j := range bytes.SplitAfter(pictures, []byte{0xff, 0xd9}) {
		if len(j) > 100 {
			s.jpegs = append(s.jpegs, j)
		}
	}
	go s.run(ctx)
	return s, nil
}

func split(au []byte) [][]byte {
	var units [][]byte
	for part := range bytes.SplitSeq(au, []byte{0, 0, 1}) {
		if part = bytes.TrimRight(part, "\x00"); len(part) > 0 {
			units = append(units, part)
		}
	}
	return units
}

func (s *source) run(ctx context.Context) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		at := time.Now()
		units := append([][]byte{stamp(at)}, s.units[i%len(s.units)]...)
		key := false
		for _, u := range units {
			key = key || u[0]&0x1f == 5
		}
		s.mu.Lock()
		for _, fn := range s.takers {
			fn(at, units, key)
		}
		s.mu.Unlock()
	}
}

// take has fn called with each frame; it must not wait. end ends that.
func (s *source) take(fn func(at time.Time, units [][]byte, key bool)) (end func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.next
	s.next++
	s.takers[id] = fn
	return func() { s.mu.Lock(); delete(s.takers, id); s.mu.Unlock() }
}

// mark is the UUID of our SEI message of user data (ITU-T H.264, D.1.7).
var mark = []byte("FACTOR bench/cam")

// stamp is a NAL unit that holds a time: 8 bytes of µs, each with its highest bit set so that none of them can look like
// a start code.
func stamp(at time.Time) []byte {
	u := append([]byte{6, 5, 16 + 10}, mark...)
	us := uint64(at.UnixMicro())
	for i := range 10 {
		u = append(u, 0x80|byte(us>>(7*i))&0x7f)
	}
	return append(u, 0x80)
}

// stamped gives the time inside of an access unit.
func stamped(units [][]byte) (time.Time, bool) {
	for _, u := range units {
		if len(u) < 30 || u[0]&0x1f != 6 || !bytes.Equal(u[3:19], mark) {
			continue
		}
		var us uint64
		for i := range 10 {
			us |= uint64(u[19+i]&0x7f) << (7 * i)
		}
		return time.UnixMicro(int64(us)), true
	}
	return time.Time{}, false
}

func annexB(units [][]byte) []byte {
	var b []byte
	for _, u := range units {
		b = append(append(b, 0, 0, 0, 1), u...)
	}
	return b
}

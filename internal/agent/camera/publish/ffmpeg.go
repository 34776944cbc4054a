package publish

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/camera"
)

// encoder is one of ffmpeg's for H.264.
type encoder struct {
	name   string
	needs  string   // a file without which it cannot work; "" for none
	only   string   // GOOS; "" for any
	before []string // the input
	filter string   // behind the scaling
	args   []string
}

// encoders are tried from the first on: hardware costs next to nothing.
var encoders = []encoder{
	{name: "h264_v4l2m2m", needs: "/dev/video11", only: "linux", filter: "format=yuv420p", args: []string{"-num_capture_buffers", "16"}}, // Raspberry Pi to 4
	{name: "h264_rkmpp", needs: "/dev/mpp_service", only: "linux", filter: "format=nv12"},
	{name: "h264_vaapi", needs: "/dev/dri/renderD128", only: "linux", before: []string{"-vaapi_device", "/dev/dri/renderD128"}, filter: "format=nv12,hwupload"},
	{name: "h264_nvenc", needs: "/dev/nvidia0", only: "linux", filter: "format=yuv420p", args: []string{"-preset", "p2", "-tune", "ull", "-zerolatency", "1"}},
	{name: "h264_videotoolbox", only: "darwin", filter: "format=yuv420p", args: []string{"-realtime", "1"}},
	{name: "libx264", filter: "format=yuv420p", args: []string{"-preset", "superfast", "-tune", "zerolatency", "-profile:v", "baseline", "-forced-idr", "1", "-threads", "1"}},
	{name: "libopenh264", filter: "format=yuv420p", args: []string{"-threads", "1"}},
}

func (e *encoder) possible() bool {
	if e.only != "" && e.only != runtime.GOOS {
		return false
	}
	if e.needs == "" {
		return true
	}
	_, err := os.Stat(e.needs)
	return err == nil
}

const (
	trialTime  = 10 * time.Second
	trialWidth = 640
	trialHigh  = 480
)

// works has an encoder encode some grey: drivers promise more than they keep.
func (e *encoder) works(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, trialTime)
	defer cancel()
	arguments := append(append([]string{}, e.before...), "-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", "640x480", "-framerate", "15", "-i", "pipe:0",
		"-vf", e.filter, "-c:v", e.name, "-b:v", "1000k", "-g", "15", "-bf", "0")
	p, err := camera.StartFFmpeg(ctx, true, append(append(arguments, e.args...), "-f", "flv", "pipe:1")...)
	if err != nil {
		return false
	}
	go func() {
		grey := make([]byte, trialWidth*trialHigh*3/2)
		for i := range grey {
			grey[i] = 128
		}
		for range 10 {
			if _, err := p.In.Write(grey); err != nil {
				break
			}
		}
		p.In.Close()
	}()
	got := false
	in := &flv{in: bufio.NewReader(p.Out)}
	for {
		_, unit, err := in.next()
		if err != nil {
			break
		}
		got = got || len(unit) > 0
	}
	cancel()
	p.Wait(ctx)
	return got
}

// chosen is the encoder that works here, found once a process.
type chosen struct {
	once sync.Once
	e    *encoder
}

// find gives the encoder; nil for none. hint is one that worked before.
func (c *chosen) find(ctx context.Context, hint string) *encoder {
	c.once.Do(func() {
		if _, err := exec.LookPath("ffmpeg"); err != nil {
			return
		}
		for i := range encoders {
			if e := &encoders[i]; e.name == hint && e.possible() {
				c.e = e
				return
			}
		}
		for i := range encoders {
			if e := &encoders[i]; e.possible() && e.works(ctx) {
				c.e = e
				return
			}
		}
	})
	return c.e
}

// plan is what a video is encoded to.
type plan struct {
	width, height int // 0: as it comes
	fps           float64
	kbps          int
}

const (
	leastKbps = 100
	mostKbps  = 6000
	bitsPixel = 0.07 // of a picture beside a printer that looks good; below half of it blocks show
	leastFPS  = 5.0
)

// planFor keeps a rate, and an effort of which 1 is all that the picture takes: first by fewer pictures, then by smaller
// ones.
func planFor(width, height int, fps float64, maxKbps int, effort float64) plan {
	if fps <= 0 || fps > 60 {
		fps = 15
	}
	fps = min(fps, 30)
	p := plan{width: width, height: height, fps: fps}
	if width <= 0 || height <= 0 {
		width, height = 1280, 720
	}
	good := int(float64(width*height) * fps * bitsPixel * 1.3 / 1000)
	p.kbps = min(max(good, leastKbps), mostKbps)
	if maxKbps > 0 {
		p.kbps = min(p.kbps, max(maxKbps*9/10, 30))
	}
	most := float64(width*height) * fps * effort // pixels a second
	enough := func(w, h int, fps float64) bool {
		pixels := float64(w*h) * fps
		return float64(p.kbps)*1000 >= pixels*bitsPixel/2 && (effort >= 1 || pixels <= most)
	}
	for p.fps > leastFPS && !enough(width, height, p.fps) {
		p.fps = max(p.fps*0.8, leastFPS)
	}
	for by := 1.0; by < 8 && !enough(width, height, p.fps); {
		by *= 1.25
		p.width, p.height = int(float64(width)/by)&^1, int(float64(height)/by)&^1
		if enough(p.width, p.height, p.fps) {
			break
		}
	}
	return p
}

// transcoder makes H.264 of another stream by ffmpeg. Frames go in and come out on goroutines of its own.
type transcoder struct {
	e     *encoder
	plan  plan
	limit int         // kbit/s that it was planned for
	heavy atomic.Bool // it takes more of the processor than it may
	seen  float64     // pictures a second when it was planned
	codec string      // of what goes in
	sent  func(unit [][]byte, at time.Time)

	in     chan camera.Frame
	end    context.CancelFunc
	ended  chan struct{}
	err    error // once ended is closed
	pace   pace
	skip   bool      // up to the next key frame
	first  time.Time // when the first frame that went in was filmed
	firstM sync.Mutex
}

func (e *encoder) start(whole context.Context, codec string, p plan, sent func([][]byte, time.Time)) *transcoder {
	ctx, end := context.WithCancel(whole)
	t := &transcoder{e: e, plan: p, codec: codec, sent: sent, in: make(chan camera.Frame, 1), end: end, ended: make(chan struct{})}
	if codec == camera.CodecJPEG {
		t.pace.fps = p.fps
	} else {
		t.in = make(chan camera.Frame, 30)
		t.skip = true // up to the first key frame
	}
	go func() {
		defer close(t.ended)
		defer end()
		t.err = t.run(ctx)
	}()
	return t
}

// inputs are how ffmpeg is told what comes. Behind each access unit goes a delimiter, so that it need not wait for the
// next one to know that this one has ended.
var inputs = map[string]struct{ format, delimiter string }{
	camera.CodecJPEG: {"mpjpeg", ""},
	camera.CodecH264: {"h264", "\x00\x00\x00\x01\x09\xf0"},
	camera.CodecH265: {"hevc", "\x00\x00\x00\x01\x46\x01\x50"},
}

func (t *transcoder) arguments() []string {
	p, e := t.plan, t.e
	a := append([]string{}, e.before...)
	// Without nobuffer: that throws away what ffmpeg read to look at it, which is the key frame.
	a = append(a, "-flags", "low_delay", "-probesize", "32", "-analyzeduration", "0", "-threads", "1",
		"-use_wallclock_as_timestamps", "1", "-f", inputs[t.codec].format, "-i", "pipe:0", "-an")
	filter := "scale=out_range=tv"
	if p.width > 0 {
		filter = "scale=" + strconv.Itoa(p.width) + ":" + strconv.Itoa(p.height) + ":out_range=tv"
	}
	if t.codec != camera.CodecJPEG {
		filter = "fps=" + strconv.FormatFloat(p.fps, 'f', 2, 64) + "," + filter
	}
	rate := p.kbps
	if t.codec == camera.CodecJPEG && p.fps > 0 {
		// ffmpeg takes JPEGs as 25 a second, whatever their times are, and gives each its part of so many.
		rate = int(float64(rate) * 25 / p.fps)
	}
	kbps := strconv.Itoa(rate) + "k"
	a = append(a, "-vf", filter+","+e.filter, "-c:v", e.name, "-b:v", kbps, "-maxrate", kbps, "-bufsize", strconv.Itoa(rate/2)+"k",
		"-g", strconv.Itoa(max(int(p.fps*2), 1)), "-bf", "0")
	a = append(a, e.args...)
	return append(a, "-f", "flv", "-flvflags", "no_duration_filesize", "-flush_packets", "1", "pipe:1")
}

// offer hands a frame in and never waits: a JPEG takes the place of one that waits, other video is left out up to its
// next key frame. One goroutine calls it.
func (t *transcoder) offer(f camera.Frame, key bool) {
	if t.codec == camera.CodecJPEG {
		if !t.pace.take(f.At) {
			return
		}
		select {
		case <-t.in:
		default:
		}
	} else if t.skip = t.skip && !key; t.skip {
		return
	}
	select {
	case t.in <- f:
	default:
		t.skip = true
	}
}

func (t *transcoder) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p, err := camera.StartFFmpeg(ctx, true, t.arguments()...)
	if err != nil {
		return err
	}
	yield(p.PID())
	var parts sync.WaitGroup
	defer parts.Wait()
	parts.Go(func() { t.feed(ctx, p.In) })
	in := &flv{in: bufio.NewReaderSize(p.Out, 64<<10)}
	weighed := false
	for {
		ms, unit, err := in.next()
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				cancel()
			}
			break
		}
		t.firstM.Lock()
		at := t.first.Add(time.Duration(ms) * time.Millisecond)
		t.firstM.Unlock()
		if t.sent(unit, at); !weighed { // what it took to begin says nothing
			weighed = true
			parts.Go(func() { t.weigh(ctx, p.PID()) })
		}
	}
	err = p.Wait(ctx)
	cancel()
	return err
}

// ceiling is how much of a processor an encoder may take: a quarter of all, but one at most, and not so little that none
// would ever do.
var ceiling = min(max(float64(runtime.NumCPU())/4, 0.4), 1)

var weighEvery = 4 * time.Second

// weigh looks at how much of the processor ffmpeg takes.
func (t *transcoder) weigh(ctx context.Context, pid int) {
	tick := time.NewTicker(weighEvery)
	defer tick.Stop()
	began, before := time.Now(), used(pid)
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			so := used(pid)
			if (so - before).Seconds() > ceiling*now.Sub(began).Seconds() {
				t.heavy.Store(true)
			}
			began, before = now, so
		}
	}
}

// feed writes what goes in, while it can.
func (t *transcoder) feed(ctx context.Context, out io.WriteCloser) {
	defer out.Close()
	delimiter := inputs[t.codec].delimiter
	for {
		var f camera.Frame
		select {
		case <-ctx.Done():
			return
		case f = <-t.in:
		}
		t.firstM.Lock()
		if t.first.IsZero() {
			t.first = f.At
		}
		t.firstM.Unlock()
		var err error
		if t.codec == camera.CodecJPEG {
			_, err = io.WriteString(out, "--f\r\nContent-Type: image/jpeg\r\nContent-Length: "+strconv.Itoa(len(f.JPEG))+"\r\n\r\n")
			if err == nil {
				_, err = out.Write(f.JPEG)
			}
			if err == nil {
				_, err = io.WriteString(out, "\r\n")
			}
		} else {
			_, err = out.Write(append(camera.AnnexB(f.Unit), delimiter...))
		}
		if err != nil {
			return
		}
	}
}

// died tells how it ended by itself; false while it runs.
func (t *transcoder) died() (error, bool) {
	select {
	case <-t.ended:
		return t.err, true
	default:
		return nil, false
	}
}

package camera

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// JPEGs of a camera that sends H.264 alone are made by ffmpeg, where it is installed: it is no part of FACTOR, and
// without it those pictures are not to be had.
const (
	decodeTimeout = 8 * time.Second
	maxDecoders   = 4           // ffmpegs at a time
	maxDecoded    = 8 << 20     // bytes of a JPEG
	maxPixels     = 8192 * 4320 // of a picture: 8K. A few KB of H.264 can stand for far larger ones, which take GBs
)

// decoderProgram finds ffmpeg once, and bounds how many run.
type decoderProgram struct {
	once  sync.Once
	path  string
	slots chan struct{}
}

func (s *Service) ffmpegPath() string {
	d := &s.ffmpeg
	d.once.Do(func() {
		d.slots = make(chan struct{}, maxDecoders)
		switch s.FFmpeg {
		case "off":
		case "", "auto":
			d.path, _ = exec.LookPath("ffmpeg")
		default:
			d.path, _ = exec.LookPath(s.FFmpeg)
		}
	})
	return d.path
}

// Decoder is the ffmpeg that makes JPEGs here; "" for none.
func (s *Service) Decoder() string { return s.ffmpegPath() }

// input is how ffmpeg is to read from us, and from nowhere else. It is told what comes and need not look at it first, which
// took a second of video.
var input = []string{"-hide_banner", "-loglevel", "error", "-nostdin", "-protocol_whitelist", "pipe", "-threads", "1",
	"-max_pixels", strconv.Itoa(maxPixels), "-probesize", "32", "-analyzeduration", "0", "-flags", "low_delay", "-f", "h264", "-i", "pipe:0"}

// pictureFromVideo has a JPEG made of the last key frame, and tells whether one is on its way. mu must be held.
func (st *stream) pictureFromVideo(now time.Time) bool {
	if len(st.kept) == 0 || st.s.ffmpegPath() == "" {
		return false
	}
	if st.decoding {
		return true
	}
	key := st.kept[0]
	if old := st.picture; old != nil && !key.at.After(old.at) {
		st.picture = &frame{kind: frameJPEG, key: true, at: old.at, received: now, data: old.data} // nothing newer can be had
		st.snapshot.frame = st.picture
		return false
	}
	st.decoding = true
	st.s.running.Go(func() { st.decodeOne(key) })
	return true
}

func (st *stream) decodeOne(key *frame) {
	ctx, cancel := context.WithTimeout(st.s.ctx, decodeTimeout)
	defer cancel()
	data, err := st.s.decode(ctx, key)
	st.mu.Lock()
	defer st.mu.Unlock()
	st.decoding = false
	if err == nil && !st.over {
		st.takePicture(&frame{kind: frameJPEG, key: true, at: key.at, received: time.Now(), data: data})
	} else if err != nil {
		st.s.count.dropped.WithLabelValues("decode").Inc()
	}
	st.tell()
}

var errDecode = errors.New("ffmpeg made no picture")

// decode makes a JPEG of a key frame.
func (s *Service) decode(ctx context.Context, key *frame) ([]byte, error) {
	select {
	case s.ffmpeg.slots <- struct{}{}:
		defer func() { <-s.ffmpeg.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c := exec.CommandContext(ctx, s.ffmpegPath(), append(input[:len(input):len(input)], "-frames:v", "1", "-q:v", "4", "-f", "mjpeg", "pipe:1")...)
	c.Env = []string{}
	c.Stdin = bytes.NewReader(appendAnnexB(nil, key.units))
	out := &bounded{}
	c.Stdout = out
	c.WaitDelay = time.Second
	if err := c.Run(); err != nil {
		return nil, err
	}
	if !isJPEG(out.Bytes()) {
		return nil, errDecode
	}
	return out.Bytes(), nil
}

// bounded takes at most maxDecoded bytes.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxDecoded {
		return 0, errDecode
	}
	return b.Buffer.Write(p)
}

// takePicture hands a JPEG that was made here to everybody who takes JPEG. mu must be held.
func (st *stream) takePicture(f *frame) {
	st.picture = f
	for v := range st.viewers {
		v.offer(f)
	}
	st.tell()
}

// decodedEvery is the least time between two JPEGs: some ten a second of whatever rate a camera has. What a stream says of
// its rate is not asked, since encoders write 25 for cameras of 10.
const decodedEvery = 70 * time.Millisecond

// decoder is an ffmpeg that turns a stream's H.264 into JPEGs for as long as somebody takes those.
type decoder struct {
	v  *viewer
	at atomic.Int64 // when the frame that went in last was captured, in ns since 1970
}

// decoding has pictures come out as soon as they are in. An encoder of JPEG with more than one thread keeps a picture for
// each, which makes as many frames of delay; ffmpeg takes a thread a processor unless it is told otherwise.
func decoding(every time.Duration) []string {
	seconds := strconv.FormatFloat(every.Seconds(), 'f', 3, 64)
	return append(input[:len(input):len(input)], "-vf", `select=if(gte(time(0)-ld(0)\,`+seconds+`)\,st(0\,time(0)))`,
		"-fps_mode", "passthrough", "-threads", "1", "-q:v", "6", "-f", "mjpeg", "-flush_packets", "1", "pipe:1")
}

// decodeIfNeeded starts the decoder where somebody takes JPEG and the camera sends none. mu must be held.
func (st *stream) decodeIfNeeded() {
	if st.decoder != nil || len(st.kept) == 0 || st.info.Codec == "jpeg" || st.over || st.s.ffmpegPath() == "" || !st.hasRung(RungMJPEG) {
		return
	}
	select {
	case st.s.ffmpeg.slots <- struct{}{}:
	default:
		return // as many run as may
	}
	v := newViewer(RungWHEP, workspace.Actor{}, nil) // it takes frames as a viewer does, and counts as none
	v.stream = st
	d := &decoder{v: v}
	st.decoder = d
	v.fill(st.kept)
	st.s.running.Go(func() {
		defer func() { <-st.s.ffmpeg.slots }()
		d.run(st)
		st.mu.Lock()
		if st.decoder == d {
			st.decoder = nil
		}
		st.mu.Unlock()
	})
}

func (st *stream) hasRung(r Rung) bool {
	for v := range st.viewers {
		if v.rung == r {
			return true
		}
	}
	return false
}

// restDecoder ends the decoder when nobody takes JPEG any more. mu must be held.
func (st *stream) restDecoder() {
	if st.decoder != nil && (st.over || !st.hasRung(RungMJPEG) || st.info.Codec == "jpeg") {
		st.decoder.v.end(errLeft)
	}
}

func (d *decoder) run(st *stream) {
	defer d.v.end(errLeft)
	ctx, cancel := context.WithCancel(d.v.ended)
	defer cancel()
	c := exec.CommandContext(ctx, st.s.ffmpegPath(), decoding(decodedEvery)...)
	c.Env = []string{}
	c.WaitDelay = time.Second
	in, err := c.StdinPipe()
	if err != nil {
		return
	}
	out, err := c.StdoutPipe()
	if err != nil || c.Start() != nil {
		return
	}
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		defer cancel()
		d.readJPEGs(st, bufio.NewReaderSize(out, 64<<10))
	}()
	_ = d.feed(ctx, in)
	_ = in.Close()
	cancel()
	<-reading
	_ = c.Wait() // it was told to end
}

// feed writes frames to ffmpeg, each closed by a delimiter so that its parser need not wait for the next one. Should it be
// too slow for them, it goes on at the newest key frame.
func (d *decoder) feed(ctx context.Context, in io.Writer) error {
	var frames []*frame
	var b []byte
	for {
		var err error
		if frames, err = d.v.next(ctx, frames); err != nil {
			return err
		}
		newest := 0
		for i, f := range frames {
			if f.key {
				newest = i
			}
		}
		for _, f := range frames[newest:] {
			d.at.Store(f.at.UnixNano())
			b = append(appendAnnexB(b[:0], f.units), 0, 0, 0, 1, unitDelimiter, 0xf0)
			if _, err := in.Write(b); err != nil {
				return err
			}
		}
	}
}

// readJPEGs takes JPEGs that follow each other. Within one, 0xff is always followed by 0 or a marker, so its end is
// found by its marker (ISO 10918-1, B.1.1.5); ffmpeg writes no thumbnails into them.
func (d *decoder) readJPEGs(st *stream, r *bufio.Reader) {
	var b []byte
	for {
		part, err := r.ReadSlice(0xd9)
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
		if b = append(b, part...); len(b) > maxDecoded {
			return
		}
		if n := len(b); n < 4 || b[n-1] != 0xd9 || b[n-2] != 0xff {
			continue
		}
		if isJPEG(b) {
			f := &frame{kind: frameJPEG, key: true, at: time.Unix(0, d.at.Load()), received: time.Now(), data: b}
			st.mu.Lock()
			if !st.over {
				st.takePicture(f)
			}
			st.mu.Unlock()
		}
		b = nil
	}
}

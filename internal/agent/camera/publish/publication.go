package publish

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/camera"
	"github.com/kangbyounggwan/factor/internal/wire"
)

const (
	firstRetry   = time.Second
	longestRetry = 15 * time.Second
	steady       = 10 * time.Second // a stream that ran this long starts the back-off anew
	keyless      = 15 * time.Second // of video, after which a missing key frame is said
	measured     = 2 * time.Second  // over which a stream's rate is measured first
	fastest      = 60.0             // pictures a second; what comes faster is left out
	encodeAgain  = 30 * time.Second // after ffmpeg has died
	reportEvery  = 5 * time.Second
)

// publication is one camera on its way to the server. The camera's goroutine calls it as its viewer; the mutex holds
// what that and the link's goroutines share.
type publication struct {
	source wire.CameraInput
	out    *outbox
	tell   func(Told) // the agent
	hint   string     // an encoder that worked before

	whole context.Context

	mu      sync.Mutex // holds what follows
	options wire.MediaOptions
	changed chan struct{} // closed when the options change
	state   wire.CameraReport
	stream  camera.Stream
	info    *wire.MediaInfo
	video   *video
	hevc    camera.Parameters
	keyed   time.Time // of the last key frame, or the beginning
	rate    rate
	pace    pace
	over    budget // of H.264, which is sent as it comes
	skip    bool   // H.264 up to the next key frame, for that
	encode  *transcoder
	failed  time.Time // of the encoder
	encoder chosen
	trying  bool // an encoder is being looked for
	without bool // none was found
	drops   int  // H.264 left out for the budget

	demand  demand
	turn    turn
	uplink  float64 // kbit/s that the way to the server carries; 0: all that was asked of it
	effort  float64 // of the encoder, of 1
	squeeze float64 // of the budget, of 1: an encoder that takes more than it is told is told less
	encodes bool    // what went out last was encoded
}

func newPublication(ctx context.Context, o *Order, tell func(Told)) *publication {
	p := &publication{source: o.Source, out: newOutbox(), tell: tell, hint: o.Encoder, whole: ctx, changed: make(chan struct{}), video: &video{},
		effort: 1, squeeze: 1}
	p.want(o.Options)
	return p
}

// want takes new options.
func (p *publication) want(o wire.MediaOptions) {
	if o.MaxKbps < 0 || o.MaxFPS < 0 || o.MaxFPS > 1000 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if o == p.options {
		return
	}
	before := p.options
	p.options = o
	p.over.limit(o.MaxKbps)
	p.pace.fps = fastest
	if o.MaxFPS > 0 {
		p.pace.fps = min(o.MaxFPS, fastest)
	}
	p.pace.due = time.Time{}
	if before.MaxFPS != o.MaxFPS { // what came so far came as slowly as it was wanted
		p.rate = rate{}
	}
	if before.MaxKbps != o.MaxKbps || before.Encode != o.Encode || before.Auto != o.Auto || before.Pictures != o.Pictures {
		p.stopEncoder()
	}
	close(p.changed)
	p.changed = make(chan struct{})
}

// Wanted tells the camera's side what is wanted.
func (p *publication) Wanted() camera.Wanted {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := camera.Wanted{Changed: p.changed, KeyFrame: p.options.KeyFrame}
	if p.options.MaxFPS > 0 {
		w.Every = time.Duration(float64(time.Second) / p.options.MaxFPS)
	}
	return w
}

// follow keeps the camera's stream coming until ctx ends.
func (p *publication) follow(ctx context.Context) {
	defer p.end()
	wait := firstRetry
	for ctx.Err() == nil {
		p.report(wire.CameraReport{State: "opening"})
		began := time.Now()
		err := camera.Follow(ctx, p.source.URL, p)
		if ctx.Err() != nil {
			return
		}
		p.stop()
		code := camera.Code(err)
		ran := time.Since(began) >= steady
		if code != "" {
			r := wire.CameraReport{State: "failed", Code: code}
			var died *camera.Died
			if errors.As(err, &died) {
				r.Lines = died.Lines
			}
			p.report(r)
		}
		if ran {
			wait = firstRetry
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if wait = min(2*wait, longestRetry); code == "" && ran { // as those do that end each few minutes
			wait = firstRetry
		}
	}
}

// stop takes note of the end of a stream.
func (p *publication) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.encodeNoMore()
	p.stream = camera.Stream{}
}

func (p *publication) end() {
	p.mu.Lock()
	p.encodeNoMore()
	p.mu.Unlock()
}

// report says how the camera is, when that has changed.
func (p *publication) report(r wire.CameraReport) {
	p.mu.Lock()
	same := p.state == r
	p.state = r
	p.mu.Unlock()
	if !same {
		p.out.say(r)
		p.tell(Told{CameraReport: r})
	}
}

// current is what a new link is told first.
func (p *publication) current() wire.CameraReport {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

// Found begins a stream.
func (p *publication) Found(s camera.Stream) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopEncoder()
	p.stream, p.info, p.video, p.rate, p.keyed, p.skip = s, nil, &video{}, rate{}, time.Now(), false
	p.hevc = camera.Parameters{}
	p.demand, p.effort, p.squeeze, p.encodes = demand{}, 1, 1, false
}

// Frame takes a picture.
func (p *publication) Frame(f camera.Frame) {
	p.mu.Lock()
	running, say := p.frame(f)
	state := p.state
	p.mu.Unlock()
	switch {
	case say.Code != "":
		p.report(say)
	case running && state.State != "running" && state.Code != string(wire.CameraFFmpegDied):
		p.report(wire.CameraReport{State: "running"})
	}
}

// frame sends a picture on its way. The caller holds mu.
func (p *publication) frame(f camera.Frame) (running bool, say wire.CameraReport) {
	size := len(f.JPEG)
	for _, n := range f.Unit {
		size += len(n)
	}
	p.rate.add(f.At, size)
	if f.JPEG != nil {
		return p.jpeg(f), say
	}
	return p.unit(f)
}

func (p *publication) jpeg(f camera.Frame) (running bool) {
	if len(f.JPEG) > wire.MaxJPEG || !p.pace.take(f.At) {
		return true
	}
	w, h, ok := camera.Size(f.JPEG)
	if !ok {
		return false
	}
	if p.encoding() {
		if e := p.transcode(camera.CodecJPEG, w, h); e != nil {
			e.offer(f, true)
			return true
		}
		if p.trying && p.encodes { // between two encoders: those who look would lose their place for a picture or two
			return true
		}
	} else {
		p.encodeNoMore()
	}
	p.encodes = false
	p.describe(wire.MediaInfo{Codec: "jpeg", Width: w, Height: h})
	p.out.put(&frame{kind: wire.MediaJPEG, key: true, at: f.At, data: f.JPEG, info: p.info})
	return true
}

func (p *publication) unit(f camera.Frame) (running bool, say wire.CameraReport) {
	if p.stream.Codec == camera.CodecH265 {
		return p.h265(f)
	}
	data, key, _ := p.video.take(f.Unit)
	if data == nil {
		return false, p.noKey()
	}
	if key {
		p.keyed = time.Now()
	} else if say = p.noKey(); say.Code != "" {
		return false, say
	}
	info := wire.MediaInfo{Codec: "h264", Width: p.video.width, Height: p.video.height, FPS: p.video.fps, BFrames: p.video.bFrames}
	if p.options.Pictures {
		if !key || !p.pace.take(f.At) {
			return true, say
		}
		p.describe(info)
		p.out.put(&frame{kind: wire.MediaH264, key: key, at: f.At, data: data, info: p.info})
		return true, say
	}
	if p.encode != nil && key && !p.tooMuch() { // the camera's own is little enough again
		p.encodeNoMore()
	}
	if p.tooMuch() && (p.options.Encode || (p.options.Auto && p.turn.take())) {
		if e := p.transcode(camera.CodecH264, p.video.width, p.video.height); e != nil {
			e.offer(camera.Frame{Unit: p.framed(f.Unit, key), At: f.At}, key)
			return true, say
		}
	}
	if !p.affordable(len(data), key, 0) {
		p.drops++
		return true, say
	}
	p.describe(info)
	p.out.put(&frame{kind: wire.MediaH264, key: key, at: f.At, data: data, info: p.info})
	return true, say
}

// framed gives an access unit with its parameter sets, for a decoder that begins here.
func (p *publication) framed(unit [][]byte, key bool) [][]byte {
	if !key {
		return unit
	}
	return append(append([][]byte{p.video.sps}, p.video.pps...), unit...)
}

// noKey says that video comes which nobody can begin to decode.
func (p *publication) noKey() (say wire.CameraReport) {
	if time.Since(p.keyed) > keyless {
		say = wire.CameraReport{State: "failed", Code: string(wire.CameraNoKeyFrame)}
	}
	return say
}

// affordable tells whether an access unit fits into the budget. What does not is left out up to a key frame that does:
// nothing else of it could be decoded. grace is how much a key frame may be ahead of its time.
func (p *publication) affordable(size int, key bool, grace time.Duration) bool {
	now := time.Now()
	wait := p.over.wait(now)
	if key {
		p.skip = wait > grace
	} else if wait > time.Second+grace {
		p.skip = true
	}
	if p.skip {
		return false
	}
	p.over.spend(now, size)
	return true
}

// encoding tells whether JPEGs are to be encoded.
func (p *publication) encoding() bool {
	if p.options.Pictures {
		return false
	}
	if p.options.Encode {
		p.demand.why = wire.EncodeAlways
		return true
	}
	if !p.options.Auto {
		p.demand.why = ""
		return false
	}
	fps, known := p.rate.fps()
	kbps, _ := p.rate.kbps()
	if known && fps > 0 {
		p.demand.decide(time.Now(), kbps*125/fps, fps, p.options.MaxKbps, p.uplink)
	}
	return p.demand.why != "" && p.turn.take()
}

// limit is what an encoder may make, kbit/s; 0: as much as it likes.
func (p *publication) limit() int {
	limit := p.options.MaxKbps
	if carried := int(p.uplink * carryShare); carried > 0 && (limit == 0 || carried < limit) {
		limit = carried
	}
	return int(float64(limit) * p.squeeze)
}

// carries takes note of what the way to the server carries.
func (p *publication) carries(kbps float64) {
	p.mu.Lock()
	p.uplink = kbps
	p.mu.Unlock()
}

// carried is what it was last measured to carry; 0: all that was asked of it.
func (p *publication) carried() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.uplink
}

// tooMuch tells whether the camera's own video is more than the uplink may take.
func (p *publication) tooMuch() bool {
	kbps, known := p.rate.kbps()
	limit := float64(p.limit())
	if p.encode != nil {
		return !known || (limit > 0 && kbps > limit*0.8)
	}
	return known && limit > 0 && kbps > limit*1.1
}

func (p *publication) h265(f camera.Frame) (running bool, say wire.CameraReport) {
	key := p.hevc.Take(camera.CodecH265, f.Unit)
	if key {
		f.Unit = append(p.hevc.Sets(), f.Unit...)
	}
	e := p.transcode(camera.CodecH265, 0, 0)
	if e == nil {
		if p.without {
			say = wire.CameraReport{State: "failed", Code: string(wire.CameraFFmpegMissing)}
		}
		return false, say
	}
	e.offer(f, key)
	return true, say
}

// transcode gives ffmpeg at work on this stream; nil while there is none. It never waits for it. The caller holds mu.
func (p *publication) transcode(codec string, width, height int) *transcoder {
	if e := p.encode; e != nil {
		if fps, known := p.rate.fps(); known && p.options.MaxFPS == 0 && fps > 1.5*e.seen { // it was measured while the camera was slow
			p.stopEncoder()
		} else if err, ended := e.died(); ended {
			p.encode, p.failed = nil, time.Now()
			var died *camera.Died
			if errors.As(err, &died) {
				r := wire.CameraReport{State: "running", Code: string(wire.CameraFFmpegDied), Lines: died.Lines}
				if codec == camera.CodecH265 { // of which nothing goes out otherwise
					r.State = "failed"
				}
				go p.report(r)
			}
			return nil
		} else if !p.planAgain(e) {
			return e
		}
	}
	if p.trying || time.Since(p.failed) < encodeAgain {
		return nil
	}
	fps, known := p.rate.fps()
	if !known { // its rate decides how it is encoded
		return nil
	}
	if p.options.MaxFPS > 0 {
		fps = min(fps, p.options.MaxFPS)
	}
	p.trying = true
	go func() { // a first trial takes its time
		e := p.encoder.find(p.whole, p.hint)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.trying, p.without = false, e == nil
		if e == nil || p.encode != nil || p.whole.Err() != nil || p.stream.Codec != codec {
			return
		}
		limit := p.limit()
		effort := p.effort
		if codec == camera.CodecH265 { // of which nothing goes out otherwise
			effort = 1
		}
		p.encode = p.begin(e, codec, planFor(width, height, fps, limit, effort))
		p.encode.seen, p.encode.limit = fps, limit
	}()
	return nil
}

const (
	leastEffort = 0.1
	restAfter   = 10 * time.Minute // for a machine that is too slow to encode
)

// planAgain ends an encoder that is to do less or may do more. The caller holds mu.
func (p *publication) planAgain(e *transcoder) bool {
	if limit := p.limit(); limit != e.limit && (limit == 0 || e.limit == 0 || float64(limit) < 0.95*float64(e.limit) || float64(limit) > 1.3*float64(e.limit)) {
		p.stopEncoder()
		return true
	}
	if !e.heavy.Load() || e.codec == camera.CodecH265 || p.effort <= leastEffort {
		return false
	}
	p.stopEncoder()
	if p.effort *= 0.7; p.effort <= leastEffort {
		if p.effort = leastEffort; !p.options.Encode { // nobody asked for it: the printer comes first
			p.effort = 1
			p.failed = time.Now().Add(restAfter - encodeAgain)
		}
	}
	return true
}

// reason is why a codec is encoded. The caller holds mu.
func (p *publication) reason(codec string) string {
	switch codec {
	case camera.CodecH265:
		return wire.EncodeCodec
	case camera.CodecJPEG:
		return p.demand.why
	}
	_, why := bound(p.options.MaxKbps, p.uplink)
	return why
}

// begin starts ffmpeg. What it makes goes out like a camera's own video. The caller holds mu.
func (p *publication) begin(e *encoder, codec string, how plan) *transcoder {
	p.tell(Told{Encoder: e.name})
	made := &video{}
	stream, why, needs := p.stream, p.reason(codec), p.demand.kbps
	if codec != camera.CodecJPEG {
		kbps, _ := p.rate.kbps()
		needs = int(kbps)
	}
	p.encodes, p.skip = true, false
	var t *transcoder
	var info *wire.MediaInfo
	t = e.start(p.whole, codec, how, func(unit [][]byte, at time.Time) {
		data, key, changed := made.take(unit)
		if data == nil {
			return
		}
		if info == nil || changed {
			info = p.full(stream, wire.MediaInfo{Codec: "h264", Width: made.width, Height: made.height, FPS: how.fps, Encoder: e.name, Why: why, Needs: needs})
		}
		if !p.allowed(&t, len(data), key) {
			return
		}
		p.out.put(&frame{kind: wire.MediaH264, key: key, at: at, data: data, info: info})
	})
	return t
}

// allowed tells whether an access unit that was made may go out: an encoder does not always keep to what it is told.
func (p *publication) allowed(t **transcoder, size int, key bool) bool {
	p.mu.Lock() // which is held while *t is set
	defer p.mu.Unlock()
	if p.encode != *t {
		return false
	}
	before := p.skip
	if p.affordable(size, key, 500*time.Millisecond) {
		return true
	}
	p.drops++
	if !before {
		p.squeeze = max(p.squeeze*0.85, 0.5)
	}
	return false
}

// encodeNoMore ends ffmpeg and lets another camera's encoder have its turn. The caller holds mu.
func (p *publication) encodeNoMore() {
	p.stopEncoder()
	p.turn.leave()
}

// stopEncoder ends ffmpeg; it does not wait for that. The caller holds mu.
func (p *publication) stopEncoder() {
	if p.encode != nil {
		p.encode.end()
		p.encode = nil
	}
}

func (p *publication) full(s camera.Stream, i wire.MediaInfo) *wire.MediaInfo {
	i.Kind, i.Source = s.Kind, s.Codec
	i.Rotation, i.FlipH, i.FlipV = p.source.Rotation, p.source.FlipH, p.source.FlipV
	return &i
}

// describe says what the frames from here on are. The caller holds mu.
func (p *publication) describe(i wire.MediaInfo) {
	if i.FPS == 0 {
		if fps, known := p.rate.fps(); known {
			i.FPS = fps
		}
	}
	n := p.full(p.stream, i)
	if old := p.info; old != nil {
		if near(old.FPS, n.FPS) {
			n.FPS = old.FPS
		}
		if *old == *n {
			return
		}
	}
	p.info = n
	p.tell(Told{CameraReport: p.state, Info: n})
}

// near tells whether a rate is as good as the same.
func near(a, b float64) bool { return a > 0 && b > a*0.8 && b < a*1.25 }

// budgetDrops counts the frames left out for the budget since it was last asked.
func (p *publication) budgetDrops() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.drops
	p.drops = 0
	return n
}

// wanted gives the options as they are now.
func (p *publication) wanted() wire.MediaOptions {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.options
}

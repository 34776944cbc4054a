package camera

import (
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// Bounds of what is kept of a stream: from the last key frame on.
const (
	maxKept      = 1200 // frames
	maxKeptBytes = 24 << 20
)

type streamKey struct{ printerID, cameraID string }

// stream is one camera while somebody looks, and a little longer. mu guards everything below it; nothing that waits is
// done while it is held. A stream never takes Service.mu while it holds its own.
type stream struct {
	s    *Service
	key  streamKey
	done chan struct{} // closed when the stream is over

	share atomic.Int64 // of the printer's uplink, kbit/s; 0: no limit

	mu      sync.Mutex
	uuid    string // of the printer's device
	camera  Camera
	over    bool
	viewers map[*viewer]struct{}
	emptyAt time.Time // when the last viewer left; zero: somebody looks
	seenAt  time.Time // when a picture was last asked for

	// The media link.
	link   *link
	name   string    // of the link that the device is to open
	asked  time.Time // when it was told so
	tries  int
	wanted wire.MediaOptions // as the device was told last

	// What comes in.
	begun      time.Time // when the first frame of this link came
	decoder    *decoder  // of ffmpeg, for those who take JPEG alone
	decoding   bool      // a single picture
	info       wire.MediaInfo
	report     wire.CameraReport
	trouble    Trouble // what is wrong, as the server itself sees it
	params     parameters
	seq        uint64
	kept       []*frame // of H.264, from the last key frame on
	keptBytes  int
	picture    *frame // the newest JPEG
	lastFrame  time.Time
	unkeyed    time.Time // since when H.264 comes without a key frame to begin with
	meter      meter
	changed    chan struct{} // closed and made anew whenever something that others wait for changes
	hls        *hlsOutput
	publishing *publication // of the published plugin
	snapshot   snapshot
}

func newStream(s *Service, key streamKey, uuid string, c Camera) *stream {
	return &stream{s: s, key: key, uuid: uuid, camera: c, done: make(chan struct{}), viewers: map[*viewer]struct{}{},
		emptyAt: time.Now(), changed: make(chan struct{})}
}

// tell wakes those who wait for the stream to change. mu must be held.
func (st *stream) tell() {
	close(st.changed)
	st.changed = make(chan struct{})
}

// join adds a viewer, who gets at once what is kept. Errors: errCameraGone.
func (st *stream) join(v *viewer) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.over {
		return errCameraGone
	}
	st.viewers[v] = struct{}{}
	st.emptyAt = time.Time{}
	if v.rung.video() {
		v.fill(st.kept)
	} else if st.picture != nil {
		v.offer(st.picture)
	}
	st.drive(time.Now())
	return nil
}

func (st *stream) leave(v *viewer) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if _, in := st.viewers[v]; !in {
		return
	}
	delete(st.viewers, v)
	if len(st.viewers) == 0 {
		st.emptyAt = time.Now()
	}
	st.drive(time.Now())
}

// touch has the stream run for the pictures that somebody asks for now and then.
func (st *stream) touch() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.over {
		return errCameraGone
	}
	st.seenAt = time.Now()
	st.drive(st.seenAt)
	return nil
}

// needed tells whether somebody looks, or has just now. mu must be held.
func (st *stream) needed(now time.Time) bool {
	return len(st.viewers) > 0 || now.Sub(st.emptyAt) < linger || now.Sub(st.seenAt) < linger
}

// want is what the device is to send for those who look now. mu must be held.
func (st *stream) want() wire.MediaOptions {
	o := wire.MediaOptions{MaxKbps: st.kbps(), Pictures: true}
	pictures := true
	for v := range st.viewers {
		pictures = pictures && !v.rung.live()
		o.Encode = o.Encode || (v.rung.video() && st.camera.Encode == EncodeAlways)
	}
	switch st.camera.Encode {
	case EncodeAlways, EncodeNever:
	default: // by itself only where those who can take nothing but JPEG go on seeing something
		o.Auto = st.s.ffmpegPath() != ""
	}
	o.KeyFrame = !pictures && len(st.kept) == 0 && st.info.Codec != "jpeg"
	if o.Pictures = pictures; pictures {
		o.MaxFPS = 1 / pictureEvery.Seconds()
	}
	return o
}

// drive has the device do what is needed now. mu must be held.
func (st *stream) drive(now time.Time) {
	if st.over || !st.needed(now) {
		return
	}
	device := st.s.Printers.Device(st.uuid)
	if device.Online && device.Published {
		st.drivePublished(now)
		return
	}
	if device.Online && !device.Agent {
		return // it has come this moment, and says in the next one what it is
	}
	st.stopPublished()
	want := st.want()
	if st.link != nil {
		if want != st.wanted {
			st.wanted = want
			st.link.send(wire.MediaWant, want)
		}
		return
	}
	if !device.Online {
		st.fail(TroubleOffline)
		return
	}
	if st.name != "" && now.Sub(st.asked) < askAgain {
		return
	}
	st.ask(now, want)
}

// ask tells the device to open its link. mu must be held.
func (st *stream) ask(now time.Time, want wire.MediaOptions) {
	c := &st.camera
	st.name, st.asked, st.wanted = newSecret(), now, want
	if st.tries++; st.tries > 2 {
		st.fail(TroubleSilent)
	}
	err := st.s.publish(st.uuid, wire.CameraCommand{Action: "open", Camera: c.ID, Link: st.name, Options: want,
		Source: &wire.CameraInput{URL: c.URL, Rotation: c.Rotation, FlipH: c.FlipH, FlipV: c.FlipV}})
	if err != nil {
		st.name = ""
		st.fail(TroubleOffline)
	} else if st.trouble == TroubleOffline {
		st.fail("")
	}
}

// fail takes note of what is wrong. mu must be held.
func (st *stream) fail(t Trouble) {
	if st.trouble != t {
		st.trouble = t
		st.tell()
	}
}

// claimed stands in for the name of a link that is spent: none is like it.
const claimed = "-"

// accept takes a link in whose name was claimed, and ends the one before. Errors: errLink.
func (st *stream) accept(l *link) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.over {
		return errLink
	}
	st.name = ""
	if st.link != nil {
		st.link.close(errors.New("the device opened another link"))
	}
	st.link, st.tries = l, 0
	st.reset()
	st.trouble = ""
	st.report = wire.CameraReport{State: "opening"}
	if want := st.want(); want != st.wanted {
		st.wanted = want
		l.send(wire.MediaWant, want)
	}
	st.tell()
	return nil
}

// reset forgets what an ended link brought. Viewers wait for the next key frame. mu must be held.
func (st *stream) reset() {
	st.begun, st.unkeyed, st.lastFrame = time.Time{}, time.Time{}, time.Time{}
	st.info, st.report, st.params = wire.MediaInfo{}, wire.CameraReport{}, parameters{}
	clear(st.kept)
	st.kept, st.keptBytes = nil, 0
	st.endHLS()
	for v := range st.viewers {
		if v.rung.video() {
			v.lose()
		}
	}
}

// unlink takes note that a link has ended.
func (st *stream) unlink(l *link) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.link != l {
		return
	}
	st.link = nil
	if st.report.Code == "" || st.report.State != "failed" {
		st.report = wire.CameraReport{}
	}
	st.asked = time.Now().Add(time.Second - askAgain) // at once would be a storm
	st.name = claimed
	st.tell()
}

// configure takes what the device says of the frames that follow.
func (st *stream) configure(info wire.MediaInfo) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.info.Codec != "" && st.info.Codec != info.Codec {
		st.params, st.unkeyed = parameters{}, time.Time{}
		clear(st.kept)
		st.kept, st.keptBytes = nil, 0
		st.endHLS()
		for v := range st.viewers {
			switch {
			case v.rung.video() && info.Codec == "jpeg":
				v.end(errCodecChanged) // nothing comes for it any more: the page takes the next way at once
			case v.rung.video():
				v.lose()
			}
		}
	}
	st.info = info
	st.tell()
}

// reported takes what the device says of the camera.
func (st *stream) reported(r wire.CameraReport) {
	if r.Code != "" && !slices.Contains(wire.CameraCodes, wire.CameraCode(r.Code)) {
		r.Code = string(wire.CameraTimeout)
	}
	r.Lines, _ = wire.CleanText(r.Lines, 500)
	st.mu.Lock()
	defer st.mu.Unlock()
	if r.State == "opening" && st.report.State == "failed" {
		return // it tries again, and what was wrong is the best that is known
	}
	st.report = r
	st.tell()
}

// take hands a frame on to everybody who looks. It never waits for any of them.
func (st *stream) take(f *frame) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.over {
		return
	}
	now := f.received
	first := st.lastFrame.IsZero()
	st.lastFrame = now
	st.seq++
	f.seq = st.seq
	if st.begun.IsZero() {
		st.begun = now
	}
	st.meter.add(now, len(f.data), f.at)
	if f.kind == frameJPEG {
		hadNone := st.picture == nil
		st.picture = f
		first = first || hadNone
	} else if !st.keep(f) {
		return
	}
	if first || st.trouble != "" || st.report.State != "running" {
		st.trouble = ""
		if st.report.State != "running" {
			st.report = wire.CameraReport{State: "running"}
		}
		st.tell()
	}
	for v := range st.viewers {
		v.offer(f)
	}
	if f.kind == frameH264 {
		st.writeHLS(f)
		if st.decoder != nil {
			st.decoder.v.offer(f)
		}
	}
}

// keep keeps a frame of H.264 for those who come later. False: it is none that could be decoded. mu must be held.
func (st *stream) keep(f *frame) bool {
	var picture, hadB = false, st.params.bFrames
	f.key, picture = st.params.learn(f.units)
	if !picture {
		return false
	}
	if st.params.bFrames && !hadB {
		st.tell()
	}
	if f.key {
		f.units = st.params.complete(f.units)
		clear(st.kept)
		wasNone := len(st.kept) == 0
		st.kept, st.keptBytes, st.unkeyed = append(st.kept[:0:0], f), len(f.data), time.Time{}
		if wasNone {
			st.decodeIfNeeded() // for those who look at JPEGs that the device has just stopped to send
			st.tell()
		}
		return true
	}
	if len(st.kept) == 0 {
		if st.unkeyed.IsZero() {
			st.unkeyed = f.received
		}
		return true // those who look have their key frame, or wait for it
	}
	st.kept, st.keptBytes = append(st.kept, f), st.keptBytes+len(f.data)
	if len(st.kept) > maxKept || st.keptBytes > maxKeptBytes {
		clear(st.kept)
		st.kept, st.keptBytes = nil, 0
	}
	return true
}

// sweep is called each second. It tells whether the stream is over.
func (st *stream) sweep(now time.Time) (over bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.over {
		return true
	}
	if !st.needed(now) {
		st.close(errLeft)
		return true
	}
	if st.link != nil {
		last := st.lastFrame
		if last.IsZero() {
			last = st.link.opened
		}
		if st.report.State != "failed" && now.Sub(last) > silence+pictureEvery {
			st.fail(TroubleNoFrames)
		}
		if heard := time.UnixMilli(st.link.heard.Load()); now.Sub(heard) > deaf {
			st.link.close(errors.New("nothing comes on the link any more"))
		}
		if !st.unkeyed.IsZero() && now.Sub(st.unkeyed) > silence {
			st.fail(TroubleNoKeyFrame)
		}
	}
	st.restHLS(now)
	st.restDecoder()
	st.drive(now)
	return false
}

// close ends the stream: its link, and everybody who looks. mu must be held.
func (st *stream) close(why error) {
	if st.over {
		return
	}
	st.over = true
	if st.link != nil {
		st.link.close(why)
		st.link = nil
	} else if st.name != "" && st.publishing == nil {
		_ = st.s.publish(st.uuid, wire.CameraCommand{Action: "close", Camera: st.key.cameraID})
	}
	st.stopPublished()
	st.endHLS()
	st.restDecoder()
	for v := range st.viewers {
		v.end(why)
	}
	clear(st.kept)
	st.kept, st.picture = nil, nil
	close(st.done)
	st.tell()
	st.s.log.Debug("camera closed", slog.String("printer", st.key.printerID), slog.String("camera", st.key.cameraID), slog.String("why", why.Error()))
}

func (st *stream) shut(why error) {
	st.mu.Lock()
	st.close(why)
	st.mu.Unlock()
}

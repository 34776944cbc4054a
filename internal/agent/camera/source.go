package camera

import (
	"context"
	"errors"
	"net/url"
	"time"
)

// Stream is what a camera turned out to send.
type Stream struct {
	Kind  string // MJPEG, JPEG, RTSP, RTMP, HLS, WHEP, V4L2
	Codec string // CodecJPEG, CodecH264, CodecH265
}

// The codecs of a Stream.
const (
	CodecJPEG = "mjpeg"
	CodecH264 = "h264"
	CodecH265 = "h265"
)

// Frame is one picture of a stream, as the camera sent it. Whoever takes it may keep it.
type Frame struct {
	JPEG []byte        // a whole picture, or else:
	Unit [][]byte      // the NAL units of an access unit
	PTS  time.Duration // by the stream's own clock, where it has one
	At   time.Time     // when it was filmed, as well as we can tell
}

// Viewer takes what a camera sends. Its methods must not block; Found and Frame are called by one goroutine at a time.
type Viewer interface {
	Found(Stream)
	Frame(Frame)
	Wanted() Wanted
}

// Wanted is what a viewer would like of a camera.
type Wanted struct {
	Every    time.Duration   // between two pictures of a camera that is asked for each; 0: as it answers
	Changed  <-chan struct{} // closed when something else is wanted; nil for never
	KeyFrame bool            // now, if the camera can
}

const (
	stall    = 10 * time.Second // without a picture, after which a stream is taken for dead
	stallHLS = 30 * time.Second // there a whole segment has to come first
	pollPace = 100 * time.Millisecond
	maxRate  = 16 << 20 // bytes/s read of a camera; what is left waits in its own buffers
)

// errEnded says that a stream came to its end, as those of some cameras do each few minutes.
var errEnded = errors.New("the stream ended")

// follow is a stream that is followed.
type follow struct {
	url      *url.URL
	to       Viewer
	patience *time.Timer
	stall    time.Duration
	last     time.Time // of the last picture
	found    Stream
}

// Follow gives a camera's stream to a viewer until it ends or ctx does. The error has a code, see Code. Nothing of the
// address is in it.
func Follow(ctx context.Context, at string, to Viewer) error {
	u, err := parse(at)
	if err != nil {
		return err
	}
	return followTo(ctx, u, to)
}

func followTo(whole context.Context, u *url.URL, to Viewer) error {
	ctx, cancel := context.WithCancelCause(whole)
	defer cancel(nil)
	f := &follow{url: u, to: to, stall: stall}
	f.patience = time.AfterFunc(f.stall, func() { cancel(failure(Timeout)) })
	defer f.patience.Stop()
	err := kinds[u.Scheme](f, ctx)
	var known failure
	switch {
	case whole.Err() != nil:
		return whole.Err()
	case errors.As(context.Cause(ctx), &known):
		return known
	case errors.Is(err, errEnded), errors.As(err, new(*Died)):
		return err
	}
	return failure(codeOf(ctx, err))
}

// Code is the code of an error of Follow, of the list in package wire; "" for a stream that just ended.
func Code(err error) string {
	var known failure
	switch {
	case errors.As(err, &known):
		return string(known)
	case errors.As(err, new(*Died)):
		return FFmpegDied
	}
	return ""
}

// is says what the stream is, once.
func (f *follow) is(s Stream) {
	if s == f.found {
		return
	}
	f.found = s
	f.to.Found(s)
}

// alive says that something came.
func (f *follow) alive() { f.patience.Reset(f.stall) }

// jpeg passes a picture on, completed by what cameras leave out. The first one must be a picture: an error.
func (f *follow) jpeg(frame []byte, at time.Time, pts time.Duration) error {
	h, err := headOf(frame)
	if err != nil {
		if f.last.IsZero() {
			return err
		}
		return nil
	}
	f.alive()
	f.last = at
	f.to.Frame(Frame{JPEG: h.complete(frame), At: at, PTS: pts})
	return nil
}

// unit passes an access unit on.
func (f *follow) unit(unit [][]byte, at time.Time, pts time.Duration) {
	f.alive()
	f.last = at
	f.to.Frame(Frame{Unit: unit, At: at, PTS: pts})
}

// pause waits, or less where something else is wanted meanwhile.
func pause(ctx context.Context, until time.Time, changed <-chan struct{}) error {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-changed:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// timeline tells when a picture was filmed from its time in the stream. The least delay seen between the two is taken
// for none, so that pictures that come in bursts get even times.
type timeline struct{ start time.Time }

func (t *timeline) at(pts time.Duration, now time.Time) time.Time {
	start := now.Add(-pts)
	late := start.Sub(t.start)
	switch {
	case t.start.IsZero(), late < 0, late > 2*time.Second: // the first one; an even smaller delay; another beginning
		t.start = start
	default:
		t.start = t.start.Add(late / 1000) // a camera's clock may run slow
	}
	return t.start.Add(pts)
}

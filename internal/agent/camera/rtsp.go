package camera

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
	"github.com/pion/rtp"
)

// rtsp follows an RTSP stream: by TCP, which goes through everything, and by UDP where a camera knows nothing else.
func (f *follow) rtsp(ctx context.Context) error {
	err := f.rtspBy(ctx, gortsplib.ProtocolTCP)
	var bad liberrors.ErrClientBadStatusCode
	var udpOnly liberrors.ErrClientServerRequestedUDP
	if (errors.As(err, &bad) && bad.Code == base.StatusUnsupportedTransport) || errors.As(err, &udpOnly) {
		err = f.rtspBy(ctx, gortsplib.ProtocolUDP)
	}
	var auth liberrors.ErrClientAuthSetup
	switch {
	case errors.As(err, &auth):
		return failure(RefusedLogin)
	case !errors.As(err, &bad):
		return err
	}
	if err := refusal(int(bad.Code)); err != nil { // RTSP's are HTTP's
		return err
	}
	return failure(NotAStream)
}

func (f *follow) rtspBy(ctx context.Context, protocol gortsplib.Protocol) error {
	u, err := base.ParseURL(f.url.String())
	if err != nil {
		return failure(BadURL)
	}
	var kept error // the library says some of these in its own words
	c := &gortsplib.Client{Scheme: u.Scheme, Host: u.Host, Protocol: &protocol, ReadTimeout: limit, WriteTimeout: limit,
		UserAgent: "factor-agent", DialContext: keep(&kept, dial), DialTLSContext: keep(&kept, dialTLS),
		OnPacketsLost: func(uint64) {}, OnDecodeError: func(error) {}, OnTransportSwitch: func(error) {}}
	if err := c.Start(); err != nil {
		return err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, c.Close)
	defer stop()
	d, _, err := c.Describe(u)
	if err != nil {
		if kept != nil {
			return kept
		}
		return notRTSP(ctx, err)
	}
	t := &track{follow: f, c: c, failed: make(chan error, 1)}
	if err := t.setup(d); err != nil {
		return err
	}
	if _, err := c.Play(nil); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	select {
	case err = <-t.failed:
		c.Close()
		<-ended // no callback runs from here on
		return err
	case err = <-ended:
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if !f.last.IsZero() || errors.Is(err, io.EOF) {
		return errEnded
	}
	return err
}

// notRTSP tells a port that speaks something else from one that answers nothing.
func notRTSP(ctx context.Context, err error) error {
	var bad liberrors.ErrClientBadStatusCode
	var auth liberrors.ErrClientAuthSetup
	var slow liberrors.ErrClientRequestTimedOut
	switch {
	case ctx.Err() != nil, errors.As(err, &slow):
		return failure(Timeout)
	case errors.As(err, &bad), errors.As(err, &auth):
		return err
	}
	return failure(NotAStream)
}

// track is the video of a stream. Its callbacks run on the client's goroutine.
type track struct {
	*follow
	c      *gortsplib.Client
	line   timeline
	failed chan error // of a picture that cannot be used
}

// setup chooses the first track that can be used.
func (t *track) setup(d *description.Session) error {
	var h4 *format.H264
	var h5 *format.H265
	var j *format.MJPEG
	if m := d.FindFormat(&h4); m != nil {
		decoder, err := h4.CreateDecoder()
		if err != nil {
			return failure(UnsupportedCodec)
		}
		t.is(Stream{RTSP, CodecH264})
		return t.take(d, m, h4, func(p *rtp.Packet) ([][]byte, error) { return decoder.Decode(p) }, h4.SPS, h4.PPS)
	}
	if m := d.FindFormat(&j); m != nil {
		decoder, err := j.CreateDecoder()
		if err != nil {
			return failure(UnsupportedCodec)
		}
		t.is(Stream{RTSP, CodecJPEG})
		return t.take(d, m, j, func(p *rtp.Packet) ([][]byte, error) {
			frame, err := decoder.Decode(p)
			return [][]byte{frame}, err
		})
	}
	if m := d.FindFormat(&h5); m != nil {
		decoder, err := h5.CreateDecoder()
		if err != nil {
			return failure(UnsupportedCodec)
		}
		t.is(Stream{RTSP, CodecH265})
		return t.take(d, m, h5, func(p *rtp.Packet) ([][]byte, error) { return decoder.Decode(p) }, h5.VPS, h5.SPS, h5.PPS)
	}
	return failure(UnsupportedCodec)
}

// take has the packets of a track become pictures. Parameter sets of the description go before the first one.
func (t *track) take(d *description.Session, m *description.Media, fm format.Format, decode func(*rtp.Packet) ([][]byte, error), sets ...[]byte) error {
	if _, err := t.c.Setup(d.BaseURL, m, 0, 0); err != nil {
		return err
	}
	sets = slices.DeleteFunc(sets, func(s []byte) bool { return len(s) == 0 })
	var began time.Time // of the picture whose packets come
	t.c.OnPacketRTP(m, fm, func(p *rtp.Packet) {
		now := time.Now()
		if began.IsZero() {
			began = now
		}
		unit, err := decode(p)
		if err != nil { // it is not whole yet, or some of it was lost
			return
		}
		at, pts := began, time.Duration(0)
		began = time.Time{}
		if ticks, ok := t.c.PacketPTS(m, p); ok {
			pts = time.Duration(ticks) * time.Second / time.Duration(fm.ClockRate())
			at = t.line.at(pts, at)
		}
		if t.found.Codec != CodecJPEG {
			t.unit(append(sets, unit...), at, pts)
			sets = nil
			return
		}
		if err := t.jpeg(unit[0], at, pts); err != nil {
			select {
			case t.failed <- err:
			default:
			}
		}
	})
	return nil
}

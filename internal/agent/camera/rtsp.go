package camera

import (
	"context"
	"errors"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
	"github.com/pion/rtp"
)

// rtsp looks at an RTSP stream: by TCP, which goes through everything, and by UDP where a camera knows nothing else.
func (l *look) rtsp(ctx context.Context) error {
	l.result.Kind = RTSP
	err := l.rtspBy(ctx, gortsplib.ProtocolTCP)
	var bad liberrors.ErrClientBadStatusCode
	var udpOnly liberrors.ErrClientServerRequestedUDP
	if (errors.As(err, &bad) && bad.Code == base.StatusUnsupportedTransport) || errors.As(err, &udpOnly) {
		err = l.rtspBy(ctx, gortsplib.ProtocolUDP)
	}
	if errors.As(err, &bad) {
		switch bad.Code {
		case base.StatusUnauthorized, base.StatusForbidden:
			return failure(RefusedLogin)
		case base.StatusNotFound, base.StatusGone:
			return failure(NotFound)
		}
		return failure(NotAStream)
	}
	var auth liberrors.ErrClientAuthSetup
	if errors.As(err, &auth) {
		return failure(RefusedLogin)
	}
	return err
}

func (l *look) rtspBy(ctx context.Context, protocol gortsplib.Protocol) error {
	u, err := base.ParseURL(l.url.String())
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
	stop := context.AfterFunc(ctx, c.Close)
	defer func() {
		if stop() {
			c.Close()
		}
	}()
	d, _, err := c.Describe(u)
	if err != nil {
		if kept != nil {
			return kept
		}
		return notRTSP(ctx, err)
	}
	f := &follower{l: l, c: c, done: make(chan error, 1)}
	switch err := f.setup(d); {
	case err != nil:
		return err
	case f.h264 == nil && f.mjpeg == nil:
		return failure(UnsupportedCodec)
	}
	if _, err := c.Play(nil); err != nil {
		return err
	}
	select {
	case err = <-f.done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if stop() { // no callback runs from here on
		c.Close()
	} else {
		c.Wait()
	}
	return f.finish(ctx, err)
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

// follower takes one video track. Its fields are the client's goroutine's until that has ended.
type follower struct {
	l     *look
	c     *gortsplib.Client
	h264  *format.H264
	mjpeg *format.MJPEG
	v     video
	done  chan error
}

// setup chooses the first track that can be used.
func (f *follower) setup(d *description.Session) error {
	var h *format.H264
	var j *format.MJPEG
	if m := d.FindFormat(&h); m != nil {
		decoder, err := h.CreateDecoder()
		if err != nil {
			return failure(UnsupportedCodec)
		}
		if _, err := f.c.Setup(d.BaseURL, m, 0, 0); err != nil {
			return err
		}
		f.h264 = h
		f.v.sps, f.v.pps = h.SPS, h.PPS
		f.c.OnPacketRTP(m, h, func(p *rtp.Packet) {
			if unit, err := decoder.Decode(p); err == nil {
				f.take(f.v.add(unit, f.at(m, p, 90000)))
			}
		})
		return nil
	}
	if m := d.FindFormat(&j); m != nil {
		decoder, err := j.CreateDecoder()
		if err != nil {
			return failure(UnsupportedCodec)
		}
		if _, err := f.c.Setup(d.BaseURL, m, 0, 0); err != nil {
			return err
		}
		f.mjpeg = j
		f.c.OnPacketRTP(m, j, func(p *rtp.Packet) {
			frame, err := decoder.Decode(p)
			if err != nil {
				return
			}
			if f.l.jpeg == nil {
				if err := f.l.picture(frame); err != nil {
					f.take(false, err)
					return
				}
				f.v.keyframe = [][]byte{frame}
			}
			f.take(f.v.add(nil, f.at(m, p, 90000)))
		})
	}
	return nil
}

// at gives a packet's time; where the stream has no usable clock yet, that of its arrival.
func (f *follower) at(m *description.Media, p *rtp.Packet, rate int64) time.Duration {
	pts, ok := f.c.PacketPTS(m, p)
	if !ok {
		return f.v.last
	}
	return time.Duration(pts) * time.Second / time.Duration(rate)
}

func (f *follower) take(done bool, err error) {
	if done || err != nil {
		select {
		case f.done <- err:
		default:
		}
	}
}

func (f *follower) finish(ctx context.Context, err error) error {
	late := err != nil && ctx.Err() != nil
	if err != nil && !late {
		return err
	}
	if f.mjpeg != nil {
		f.l.result.Codec = "JPEG"
		if f.l.jpeg == nil {
			return failure(Timeout)
		}
		if span := f.v.last - f.v.first; span > 0 {
			f.l.result.FPS = float64(f.v.count-1) / span.Seconds()
		}
		return nil
	}
	if late {
		f.l.sized(&f.v) // what is known is said
		return failure(Timeout)
	}
	return f.l.video(ctx, &f.v)
}

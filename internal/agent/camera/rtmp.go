package camera

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/abema/go-mp4"
	"github.com/bluenviron/gortmplib"
	"github.com/bluenviron/gortmplib/pkg/message"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
)

// rtmp follows an RTMP stream, as some cameras give it beside RTSP.
func (f *follow) rtmp(ctx context.Context) error { return f.rtmpBy(ctx, dial, dialTLS) }

func (f *follow) rtmpBy(ctx context.Context, plain, secured dialer) error {
	var kept error
	c := &gortmplib.Client{URL: played(f.url), DialContext: keep(&kept, plain)}
	if f.url.Scheme == "rtmps" {
		c.DialTLSContext = keep(&kept, secured)
	}
	if err := c.Initialize(ctx); err != nil {
		if kept != nil {
			return kept
		}
		return notRTMP(ctx, err)
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, c.Close)
	defer stop()
	in := &rtmpVideo{follow: f}
	for {
		m, err := c.Read()
		if err == nil {
			err = in.take(m)
		}
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, io.EOF), errors.As(err, new(*net.OpError)):
			return errEnded
		default: // a codec that the library does not know, too
			return failure(UnsupportedCodec)
		}
	}
}

// played is an address as the library wants it: what is behind the last slash is the stream's name, which belongs to the
// command play and not to the application that is connected to. It takes that from the fragment.
func played(u *url.URL) *url.URL {
	at := *u
	app, name := at.Path, ""
	if cut := strings.LastIndexByte(at.Path, '/'); cut > 0 {
		app, name = at.Path[:cut], at.Path[cut+1:]
	}
	if at.RawQuery != "" && name != "" { // where some cameras want their login
		name, at.RawQuery = name+"?"+at.RawQuery, ""
	}
	at.Path, at.RawPath, at.Fragment, at.RawFragment = app, "", name, ""
	return &at
}

// notRTMP tells what is wrong with a connection that was made. The library has no types for it.
func notRTMP(ctx context.Context, err error) error {
	var slow net.Error
	said := err.Error()
	switch {
	case ctx.Err() != nil, errors.As(err, &slow) && slow.Timeout():
		return failure(Timeout)
	case strings.Contains(said, "credentials are required"), strings.Contains(said, "authentication error"):
		return failure(RefusedLogin)
	case strings.HasPrefix(said, "bad result"): // to connect or play
		return failure(NotFound)
	}
	return failure(NotAStream)
}

// rtmpVideo makes access units of RTMP's messages. Those of sound and of other tracks than the first are left out.
type rtmpVideo struct {
	*follow
	line timeline
	sets [][]byte // before the next unit
}

func (v *rtmpVideo) take(m message.Message) error {
	switch m := m.(type) {
	case *message.Video:
		switch m.Type {
		case message.VideoTypeConfig:
			return v.configure(m.AVCConfig, m.HEVCConfig)
		case message.VideoTypeAU:
			return v.pass(m.AU, m.DTS+m.PTSDelta)
		}
	case *message.VideoExSequenceStart:
		return v.configure(m.AVCConfig, m.HEVCConfig)
	case *message.VideoExCodedFrames:
		return v.pass(m.Payload, m.DTS+m.PTSDelta)
	case *message.VideoExFramesX:
		return v.pass(m.Payload, m.DTS)
	}
	return nil
}

// configure takes the parameter sets. Errors: UnsupportedCodec.
func (v *rtmpVideo) configure(avc *mp4.AVCDecoderConfiguration, hevc *mp4.HvcC) error {
	v.sets = nil
	switch {
	case avc != nil:
		for _, set := range append(avc.SequenceParameterSets, avc.PictureParameterSets...) {
			v.sets = append(v.sets, set.NALUnit)
		}
		v.is(Stream{RTMP, CodecH264})
	case hevc != nil:
		for _, kind := range hevc.NaluArrays {
			for _, set := range kind.Nalus {
				v.sets = append(v.sets, set.NALUnit)
			}
		}
		v.is(Stream{RTMP, CodecH265})
	default:
		return failure(UnsupportedCodec)
	}
	return nil
}

// pass passes an access unit on, whose NAL units stand each behind its length.
func (v *rtmpVideo) pass(au []byte, pts time.Duration) error {
	if v.found.Kind == "" { // before it was said what it is
		return nil
	}
	var units h264.AVCC // H.265 is written alike
	if err := units.Unmarshal(au); err != nil {
		return nil // one that is not whole
	}
	v.unit(append(v.sets, units...), v.line.at(pts, time.Now()), pts)
	v.sets = nil
	return nil
}

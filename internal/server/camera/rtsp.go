package camera

import (
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/format/rtph264"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
	"github.com/pion/rtp"
	"golang.org/x/net/netutil"
	"golang.org/x/time/rate"

	"github.com/kangbyounggwan/factor/internal/wire"
)

const (
	maxPublishers = 500
	maxPublishing = 100 // of them from one address: strangers can take no more
	rtspTimeout   = 10 * time.Second
	rtspBytes     = 4 << 20 // a second
)

// rtspDoor is the port that published plugins publish to. It plays nothing. It begins to answer with the first camera
// that is expected there. mu guards all of it.
type rtspDoor struct {
	s *Service

	port *expectant // nil: off

	mu     sync.Mutex
	server *gortsplib.Server
	closed bool
	names  map[string]*stream // that may be published to
	busy   map[string]string  // name by printer: the plugin has one camera at a time
	using  map[*gortsplib.ServerSession]*publishing
}

// publishing is one session of a publisher.
type publishing struct {
	st      *stream
	name    string
	media   *description.Media
	format  *format.H264
	decoder *rtph264.Decoder
	bytes   *rate.Limiter
}

func (s *Service) startRTSP() error {
	s.rtsp = &rtspDoor{s: s, names: map[string]*stream{}, busy: map[string]string{}, using: map[*gortsplib.ServerSession]*publishing{}}
	if s.RTSP != nil {
		s.rtsp.port = newExpectant(s.RTSP)
		s.running.Go(s.rtsp.port.run)
	}
	return nil
}

func (s *Service) closeRTSP() {
	d := s.rtsp
	d.mu.Lock()
	server := d.server
	d.server, d.closed = nil, true
	d.mu.Unlock()
	if server != nil {
		server.Close()
	}
	if d.port != nil {
		_ = d.port.Close()
	}
}

// expect lets a stream be published under a name. False: the printer's plugin has another camera open.
func (s *Service) expect(st *stream, name string) bool {
	d := s.rtsp
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || d.busy[st.key.printerID] != "" {
		return false
	}
	if d.server == nil {
		server := &gortsplib.Server{Handler: d, RTSPAddress: s.RTSP.Addr().String(), ReadTimeout: rtspTimeout, WriteTimeout: rtspTimeout, IdleTimeout: rtspTimeout,
			Listen: func(string, string) (net.Listener, error) {
				return &perAddress{Listener: netutil.LimitListener(d.port, maxPublishers), most: maxPublishing}, nil
			}}
		if err := server.Start(); err != nil {
			s.log.Error("nothing can be published by RTSP", "error", err)
			return false
		}
		d.server = server
		d.port.expected.Store(true)
	}
	d.names[name], d.busy[st.key.printerID] = st, name
	return true
}

func (s *Service) expectNoMore(name string) {
	d := s.rtsp
	d.mu.Lock()
	defer d.mu.Unlock()
	if st := d.names[name]; st != nil && d.busy[st.key.printerID] == name {
		delete(d.busy, st.key.printerID)
	}
	delete(d.names, name)
}

var errNoH264 = errors.New("H.264 is expected here")

// OnAnnounce is gortsplib's: somebody wants to publish.
func (d *rtspDoor) OnAnnounce(ctx *gortsplib.ServerHandlerOnAnnounceCtx) (*base.Response, error) {
	name := strings.Trim(ctx.Path, "/")
	d.mu.Lock()
	defer d.mu.Unlock()
	st := d.names[name]
	if st == nil {
		return &base.Response{StatusCode: base.StatusUnauthorized}, liberrors.ErrServerAuth{}
	}
	p := &publishing{st: st, name: name, bytes: rate.NewLimiter(rtspBytes, 4*rtspBytes)}
	if p.media = ctx.Description.FindFormat(&p.format); p.media == nil {
		return &base.Response{StatusCode: base.StatusUnsupportedMediaType}, errNoH264
	}
	var err error
	if p.decoder, err = p.format.CreateDecoder(); err != nil {
		return &base.Response{StatusCode: base.StatusBadRequest}, err
	}
	for other, old := range d.using { // ffmpeg that was started anew comes before the old one's connection has ended
		if old.name == name {
			go other.Close()
		}
	}
	d.using[ctx.Session] = p
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// OnSetup is gortsplib's: nobody reads here.
func (d *rtspDoor) OnSetup(ctx *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if ctx.Session.State() != gortsplib.ServerSessionStatePreRecord {
		return &base.Response{StatusCode: base.StatusNotFound}, nil, nil
	}
	return &base.Response{StatusCode: base.StatusOK}, nil, nil
}

// OnRecord is gortsplib's: the stream begins.
func (d *rtspDoor) OnRecord(ctx *gortsplib.ServerHandlerOnRecordCtx) (*base.Response, error) {
	d.mu.Lock()
	p := d.using[ctx.Session]
	d.mu.Unlock()
	if p == nil || !p.st.published(p, ctx.Session) {
		return &base.Response{StatusCode: base.StatusUnauthorized}, liberrors.ErrServerAuth{}
	}
	session := ctx.Session
	session.OnPacketRTP(p.media, p.format, func(packet *rtp.Packet) { p.take(session, packet, time.Now()) })
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// OnSessionClose is gortsplib's.
func (d *rtspDoor) OnSessionClose(ctx *gortsplib.ServerHandlerOnSessionCloseCtx) {
	d.mu.Lock()
	p := d.using[ctx.Session]
	delete(d.using, ctx.Session)
	d.mu.Unlock()
	if p != nil {
		p.st.unpublished(ctx.Session)
	}
}

func (p *publishing) take(session *gortsplib.ServerSession, packet *rtp.Packet, now time.Time) {
	if !p.bytes.AllowN(now, len(packet.Payload)) {
		p.st.s.count.dropped.WithLabelValues("rate").Inc()
		return
	}
	units, err := p.decoder.Decode(packet)
	if err != nil { // the rest of it comes in further packets, or a packet before was lost
		return
	}
	whole := make([][]byte, 0, len(units))
	size := 0
	for _, u := range units {
		if len(u) > 0 {
			whole = append(whole, u)
			size += len(u)
		}
	}
	if len(whole) == 0 || size > wire.MaxAccessUnit {
		return
	}
	p.st.s.count.bytesIn.Add(float64(size))
	p.st.mu.Lock()
	current := p.st.publishing != nil && p.st.publishing.session == session
	p.st.mu.Unlock()
	if current {
		data := appendAnnexB(make([]byte, 0, size+4*len(whole)), whole)
		if units, err := splitAnnexB(data); err == nil {
			p.st.take(&frame{kind: frameH264, at: now, received: now, data: data, units: units})
		}
	}
}

// published takes note that the stream comes in. False: it is not expected any more.
func (st *stream) published(p *publishing, session *gortsplib.ServerSession) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.over || st.publishing == nil || st.publishing.name != p.name {
		return false
	}
	encoder := encoders[st.publishing.encoder]
	st.publishing.session, st.publishing.tries = session, 0
	st.reset()
	st.trouble = ""
	st.info = wire.MediaInfo{Kind: "plugin", Codec: "h264", Encoder: encoder}
	st.params.learn([][]byte{p.format.SPS, p.format.PPS})
	st.report = wire.CameraReport{State: "opening"}
	st.tell()
	return true
}

// unpublished takes note that a session has ended: the plugin is told to begin anew while somebody looks.
func (st *stream) unpublished(session *gortsplib.ServerSession) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if p := st.publishing; p != nil && p.session == session {
		p.session, p.started, p.asked = nil, time.Now().Add(2*time.Second-publishSettle), time.Now()
		st.report = wire.CameraReport{}
		st.tell()
	}
}
